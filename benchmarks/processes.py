"""Server and load processes of a benchmark: started, watched, measured from outside, ended."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

START_SECONDS = 60.0
"""Twelve halls that start at once on two cores take their time."""
ROOT = Path(__file__).resolve().parent.parent
HALL_SERVER = ("-m", "qingting.cli", "--log-level", "warning", "hall")


class BenchmarkFailedError(RuntimeError):
    """A process ended early or the product broke a promise; there are no figures."""


async def start(*arguments: str, told: bytes = b"") -> asyncio.subprocess.Process:
    """A Python process with ``arguments``; ``told`` and a line end are written to its stdin."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        limit=64 * 1024 * 1024,
    )
    assert process.stdin is not None
    process.stdin.write(told + b"\n")
    await process.stdin.drain()
    return process


async def end(process: asyncio.subprocess.Process) -> None:
    """Asks the process to end and, after ten seconds, ends it."""
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(10):
            await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()


@asynccontextmanager
async def serving(process: asyncio.subprocess.Process, port: int) -> AsyncIterator[None]:
    """The block runs once somebody listens on ``port``; afterwards the process is ended."""
    try:
        await _until_open(port, process)
        yield
    finally:
        await end(process)


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def _until_open(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(START_SECONDS):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
    raise BenchmarkFailedError(f"the server ended with status {process.returncode}")


def resident_mb(pid: int) -> float:
    """Resident memory of a process, 10⁶ bytes (Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used, user and system (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
