"""Starts the demonstration as a user does, and reaches into its simulated devices."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from patience import until
from playwright.async_api import Page

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 300
PORTS_NEEDED = 60
SIZES = {
    "kiosk": (1080, 1920),
    "board": (1920, 1080),
    "call_pad": (1280, 800),
    "rating_pad": (1280, 800),
    "desk": (1440, 900),
    "paper": (700, 940),
}


def free_ports() -> int:
    """A base port whose neighbours up to the control page are free."""
    for base in range(20_000 + os.getpid() % 4000, 60_000, PORTS_NEEDED):
        if all(_is_free(port) for port in (base, base + 1, base + 2, base + 50)):
            return base
    raise RuntimeError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@dataclass
class Demo:
    """A running ``qingting demo`` and what it printed."""

    report: dict[str, Any]
    http: aiohttp.ClientSession

    @property
    def hall(self) -> dict[str, Any]:
        return self.report["halls"][0]

    def url(self, device: str) -> str:
        return next(one["url"] for one in self.hall["screens"] if one["device"] == device)

    async def device(self, name: str, action: str, **body: Any) -> dict[str, Any]:
        """Does something to a simulated device of the first hall, as on the control page."""
        target = f"{self.report['simulators']}api/{self.hall['id']}.{name}/{action}"
        async with self.http.post(target, json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def simulators(self) -> dict[str, Any]:
        async with self.http.get(f"{self.report['simulators']}api/state") as answer:
            return await answer.json()

    async def printed(self, printer: str) -> dict[str, Any]:
        """The newest ticket that a printer of the first hall has cut off."""
        state = await self.simulators()
        wanted = f"{self.hall['id']}.{printer}"
        found = next(one for one in state["devices"] if one["id"] == wanted)
        return found["tickets"][0]

    def drawing(self, printer: str, no: int) -> str:
        return f"{self.report['simulators']}api/{self.hall['id']}.{printer}/tickets/{no}.svg"

    def code(self, printer: str, no: int) -> str:
        """Leads where the QR code of a printed ticket leads."""
        return f"{self.report['simulators']}api/{self.hall['id']}.{printer}/tickets/{no}/code"

    @asynccontextmanager
    async def without(self, process: str) -> AsyncIterator[None]:
        """A process dies as when the power fails; the one that is started in its place hangs until the end of
        the block, before it listens."""
        dead = self.report["pids"][process]
        command = await asyncio.to_thread(_command_of, dead)
        os.kill(dead, signal.SIGKILL)
        heir = await until(lambda: asyncio.to_thread(_running, command, dead), every=0.05)
        os.kill(heir, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(heir, signal.SIGCONT)
            self.report["pids"][process] = heir


def _command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _running(command: bytes, dead: int) -> int:
    """The process of this command line; 0 when there is none."""
    pids = (int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit())
    return next((pid for pid in pids if pid != dead and _command_of(pid) == command), 0)


async def start_demo(stack: AsyncExitStack, *arguments: str) -> Demo:
    """Starts the command of the README and waits for its report; stops it with the stack."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "qingting.cli",
        "--log-level",
        "warning",
        "demo",
        "--json",
        "--base-port",
        str(free_ports()),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        limit=2**20,
    )
    stack.push_async_callback(_stop, process)
    assert process.stdout is not None
    async with asyncio.timeout(START_SECONDS):
        line = await process.stdout.readline()
    http = await stack.enter_async_context(aiohttp.ClientSession())
    return Demo(json.loads(line), http)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
    async with asyncio.timeout(60):
        status = await process.wait()
    assert status == 0, f"the demonstration ended with {status}"


OpenPage = Callable[[str, str], Awaitable[Page]]
