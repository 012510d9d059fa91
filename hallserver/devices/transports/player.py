"""Sound devices: there is no line to keep open, a program of the machine plays each sound."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from qingting.kernel.aio.pipe import ListeningEnd, PipeClosedError

KEPT_WORDS = 2_000


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended, and the last of what it said."""

    code: int
    words: str


RunProgram = Callable[[Sequence[str], bytes], Awaitable[Ran]]
"""Runs a program with some input to its end; raises ``OSError`` when it cannot be started."""


async def run_program(command: Sequence[str], data: bytes) -> Ran:
    """See :data:`RunProgram`. The program does not outlive the call, however that ends."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        words, _ = await process.communicate(data)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ran(process.returncode or 0, words[-KEPT_WORDS:].decode("utf-8", "replace").strip())


class SoundLine(ListeningEnd):
    """Stands where other devices have a line: open until it is closed, and takes no bytes."""

    async def write(self, data: bytes) -> None:
        raise PipeClosedError("a sound device takes sounds, not bytes")

    async def close(self) -> None:
        self._lose(None)
