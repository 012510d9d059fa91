"""Runs the copier in a process of its own that does not outlive whoever asked for it."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from hallserver.store.copying import Order, Outcome, Word
from qingting.contract.errors import Refusal

log = structlog.get_logger(__name__)
Hear = Callable[[Word], None]
Runner = Callable[[Order, Hear], Awaitable[Outcome]]
"""Carries an order out elsewhere, says how far it is, gives the outcome."""
COMMAND = (sys.executable, "-m", "hallserver.store.copying")
_decoder = msgspec.json.Decoder(dict[str, object])


async def run_apart(order: Order, hear: Hear) -> Outcome:
    """Raises ``hall_backup.not_written`` when the process does not begin or ends without a word; what it complains of
    goes where the hall's own log does."""
    try:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
    except OSError as error:
        raise Refusal("hall_backup.not_written", said=str(error.strerror)) from error
    try:
        found = await _listen(process, order, hear)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    if found is None:
        log.error("backup.copier_died", code=process.returncode)
        raise Refusal("hall_backup.not_written", said=f"exit {process.returncode}")
    return found


async def _listen(process: asyncio.subprocess.Process, order: Order, hear: Hear) -> Outcome | None:
    """The outcome, once the process has ended; None when it ended without."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(msgspec.json.encode(order))
    process.stdin.close()
    found: Outcome | None = None
    async for line in process.stdout:
        said = _decoder.decode(line)
        if "step" in said:
            hear(msgspec.convert(said, Word))
        else:
            found = msgspec.convert(said, Outcome)
    await process.wait()
    return found
