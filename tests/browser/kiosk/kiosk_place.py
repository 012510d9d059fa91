"""A demonstration hall behind its kiosk and boards, with an agent whose devices do what the test says."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web
from argon2 import PasswordHasher
from patience import HANG_S
from playwright.async_api import Page
from websockets.asyncio.client import ClientConnection, connect

from hallserver.app.cameras import add_cameras
from hallserver.boards.routes import add_voice
from hallserver.boards.synthesiser import Synthesiser
from hallserver.boards.voice import Voice
from hallserver.hall import Hall, open_hall
from hallserver.hub.accounts import Accounts, Pairing, open_accounts
from hallserver.hub.citizen_codes import CodeService
from hallserver.hub.hub import Hub
from qingting.contract import commands as c
from qingting.contract import hub as h
from qingting.contract.config import HallConfig
from qingting.contract.hub_face import ArmFace, FaceRead
from qingting.contract.ids import DeviceId
from qingting.contract.states import (
    CertificateKind,
    Condition,
    DeviceKind,
    DeviceState,
    PrintOutcome,
)
from qingting.demo.builder import build_hall, hall_ids
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.security.passwords import Passwords
from qingting.kernel.security.seal import Sealer, new_key, parse_keys

ROOT = Path(__file__).resolve().parents[3]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
FAULTS = """async () => {
  const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const found = await axe.run(document, { runOnly: rules, resultTypes: ['violations'], preload: false });
  return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target)}`);
}"""

PERIPHERALS = {
    "k1-printer": DeviceKind.PRINTER,
    "k1-reader": DeviceKind.ID_READER,
    "k1-scanner": DeviceKind.SCANNER,
    "k1-face": DeviceKind.FACE,
}


class Agent:
    """Kiosk 1's agent: reports what the test says and prints what it is told to print."""

    def __init__(self, line: ClientConnection) -> None:
        self.line = line
        self.outcome = PrintOutcome.PRINTED
        self.cause: Condition | None = None
        self.armed = asyncio.Event()
        self.looking = asyncio.Event()
        self._ids = itertools.count(1)
        self._task = asyncio.create_task(self._read())

    async def say(self, body: Any) -> None:
        number = next(self._ids)
        await self.line.send(
            msgspec.json.encode(h.Ask(id=number, body=body, key=f"agent-{number:06d}")).decode()
        )

    async def report(self, device: str, state: DeviceState, *conditions: Condition) -> None:
        await self.say(
            h.DeviceReport(
                device=DeviceId(device),
                kind=PERIPHERALS[device],
                state=state,
                conditions=conditions,
            )
        )

    async def card(self, **changes: str) -> None:
        """A citizen lays a card on the lit reader."""
        async with asyncio.timeout(HANG_S):
            await self.armed.wait()
        sound = {
            "name": "张小三",
            "number": "230602199001011238",
            "valid_from": "20160101",
            "valid_to": "20360101",
        }
        await self.say(
            h.CardRead(
                device=DeviceId("k1-reader"),
                kind=CertificateKind.RESIDENT_ID,
                **(sound | changes),
            )
        )

    async def scan(self, text: str) -> None:
        """A citizen holds a code before the scanner."""
        await self.say(h.CodeScanned(device=DeviceId("k1-scanner"), text=text))

    async def recognise(self, credential: str) -> None:
        """The terminal recognises whoever asked it to look."""
        async with asyncio.timeout(HANG_S):
            await self.looking.wait()
        await self.say(FaceRead(device=DeviceId("k1-face"), credential=credential))

    async def _read(self) -> None:
        decoder = msgspec.json.Decoder(h.ServerMessage)
        async for text in self.line:
            message = decoder.decode(text)
            if isinstance(message, h.ArmReader) and message.armed:
                self.armed.set()
            elif isinstance(message, h.ArmReader):
                self.armed.clear()
            elif isinstance(message, ArmFace):
                (self.looking.set if message.armed else self.looking.clear)()
            elif isinstance(message, h.PrintOrder):
                await self.say(
                    h.PrintReport(
                        ticket=message.job.ticket,
                        attempt=message.job.attempt,
                        outcome=self.outcome,
                        cause=self.cause,
                    )
                )

    async def close(self) -> None:
        await self.line.close()
        await asyncio.wait([self._task])


@dataclass
class Place:
    """A demonstration hall with its hub and its screens' pages. ``restart`` is a power cut of the server."""

    folder: Path
    pages: Path
    config: HallConfig = field(default_factory=lambda: build_hall(hall_ids(1)[0]))
    sealer: Sealer = field(default_factory=lambda: Sealer(parse_keys(new_key("k1"))))
    port: int = 0
    speech_program: str = "auto"
    code_service: CodeService | None = None
    hall: Hall = field(init=False)
    accounts: Accounts = field(init=False)
    _running: AsyncExitStack | None = None
    _keys: Iterator[int] = field(default_factory=itertools.count)

    async def start(self) -> None:
        self._running = AsyncExitStack()
        await self._running.enter_async_context(self._run())

    async def stop(self) -> None:
        if self._running is not None:
            await self._running.aclose()

    @asynccontextmanager
    async def _run(self) -> AsyncIterator[None]:
        clock = SystemClock()
        path = self.folder / "hall.db"
        async with open_hall(path, clock=clock, config=self.config) as self.hall:
            hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
            self.accounts = open_accounts(self.hall.store, clock, Passwords(hasher=hasher))
            hub = Hub(
                self.hall,
                self.accounts,
                self.sealer,
                clock,
                base_url="http://hall.test",
                code_service=self.code_service,
            )
            async with hub.running():
                app = web.Application()
                app.router.add_get("/hub", hub.socket)
                app.router.add_static("/kiosk", self.pages)
                app.router.add_static("/faces", self.pages.parent / "faces")
                add_cameras(app)
                add_voice(app, self.hall, Voice(Synthesiser(self.speech_program)))
                runner = web.AppRunner(app, shutdown_timeout=0.1)
                await runner.setup()
                await web.TCPSite(runner, "127.0.0.1", self.port).start()
                self.port = runner.addresses[0][1]
                try:
                    yield
                finally:
                    await hub.close()
                    await runner.cleanup()

    async def agent(self) -> Agent:
        """The agent of kiosk 1 with everything plugged in."""
        key = await self.accounts.devices.issue_key(DeviceId("k1-agent"))
        agent = Agent(await connect(f"ws://127.0.0.1:{self.port}/hub"))
        await agent.line.send(
            msgspec.json.encode(h.Auth(device="k1-agent", key=key, version=1)).decode()
        )
        for device in PERIPHERALS:
            await agent.report(device, DeviceState.READY)
        return agent

    async def url(self, device: str, page: str) -> str:
        """The address that pairs a new screen as ``device``."""
        found = next(one for one in self.config.devices if one.id == device)
        pairing = Pairing(
            device=found.id,
            kind=found.kind,
            name=found.name,
            name_en=found.name_en,
            parent=found.parent,
            window=found.window,
        )
        code, _ = await self.accounts.devices.make_code(pairing, self.config.staff[0].id)
        return f"http://127.0.0.1:{self.port}/kiosk/{page}#pair={code}"

    async def act(self, command: c.Command, actor: str = "staff:test") -> None:
        await self.hall.submit(command, key=f"test-{next(self._keys)}", actor=actor)


async def choose_item(page: Page) -> None:
    await page.click("[data-act=search]")
    for letter in "jmsfzhl":
        await page.click(f"[data-key={letter}]")
    await page.click("[data-choice=id-renew]")
