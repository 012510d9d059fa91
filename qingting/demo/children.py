"""Server processes of the demonstration: started, watched, started again when they die."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import aiohttp
import structlog

from qingting.kernel.aio.backoff import Backoff

log = structlog.get_logger(__name__)

READY_SECONDS = 300.0
"""Nine halls on a slow machine need minutes; a server that cannot start ends at once."""
STOP_SECONDS = 15.0
LAST_WORDS = 4
"""Lines of a dead server's log that are shown: the folder with the log goes with the demonstration."""


class ChildError(RuntimeError):
    """A server did not come up; the message ends with the last lines of its log."""


@dataclass(slots=True)
class Child:
    """One ``qingting`` process. ``health`` is the URL that answers 200 once it serves."""

    name: str
    arguments: Sequence[str]
    health: str
    log_file: Path
    process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        return self.process.pid if self.process is not None else 0

    async def start(self) -> None:
        """Starts the process; its output goes to the log file."""
        stream = await asyncio.to_thread(_opened, self.log_file)
        try:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "qingting.cli", *self.arguments, stdout=stream, stderr=stream
            )
        finally:
            stream.close()

    async def ready(self) -> None:
        """Returns when the server answers; raises :class:`ChildError` when it ends or is silent too long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + READY_SECONDS
        async with aiohttp.ClientSession() as session:
            while loop.time() < until:
                if self.process is None or self.process.returncode is not None:
                    raise await self._failure("ended while starting")
                if await _answers(session, self.health):
                    return
                await asyncio.sleep(0.1)
        raise await self._failure(f"does not answer after {READY_SECONDS:.0f} s")

    async def _failure(self, what: str) -> ChildError:
        text = await asyncio.to_thread(self.log_file.read_text, "utf-8", "replace")
        return ChildError("\n".join([f"{self.name} {what}:", *text.splitlines()[-LAST_WORDS:]]))

    async def keep(self) -> None:
        """Starts the process again whenever it dies, as the service manager of a real hall does."""
        backoff = Backoff(first=0.3, cap=5)
        while True:
            if self.process is None:
                await self.start()
            elif self.process.returncode is None:
                await self.process.wait()
            else:
                log.warning("demo.process_died", process=self.name, status=self.process.returncode)
                await asyncio.sleep(backoff.next())
                await self.start()

    async def stop(self) -> None:
        """Asks the process to end and, if it does not, ends it."""
        if self.process is None or self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.process.wait()
        except TimeoutError:
            log.warning("demo.process_killed", process=self.name)
            self.process.kill()
            await self.process.wait()


def _opened(log_file: Path) -> BinaryIO:
    log_file.parent.mkdir(parents=True, exist_ok=True)
    return log_file.open("ab")


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=2)) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
