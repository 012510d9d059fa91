"""The end mark of one print job: what proves that everything before it was printed."""

import asyncio

from hallserver.devices.profile_types import Confirm, PrinterProfile
from hallserver.devices.protocols.escpos.status import InOrderAnswer, ProcessDone
from qingting.kernel.aio.pipe import PipeClosedError

POLL_MARGIN_S = 1.0
"""Slack for a printer without any proof, beyond the time its mechanism needs."""
MM_PER_INCH = 25.4


class Fence:
    """Waits for the answer behind a job; only the answer that fits the profile's way counts."""

    def __init__(self, profile: PrinterProfile, fence_id: int) -> None:
        self.id = fence_id
        self.confirm = profile.capabilities.confirm
        self._capabilities = profile.capabilities
        self._ripe_at: float | None = None
        self._passed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def sent(self, now: float, height_dots: int) -> None:
        """The whole job was handed over at ``now`` (monotonic seconds)."""
        length_mm = height_dots / self._capabilities.dpi * MM_PER_INCH
        self._ripe_at = now + length_mm / self._capabilities.mm_per_s + POLL_MARGIN_S

    def heard(self, frame: InOrderAnswer | ProcessDone) -> None:
        """An answer came in."""
        fits = (
            isinstance(frame, InOrderAnswer)
            if self.confirm is Confirm.GS_R
            else isinstance(frame, ProcessDone) and frame.id == self.id
        )
        if fits and self.confirm is not Confirm.POLL and not self._passed.done():
            self._passed.set_result(None)

    def line_lost(self) -> None:
        """Nobody will ever know."""
        if not self._passed.done():
            self._passed.set_exception(PipeClosedError("unplugged"))

    def discard(self) -> None:
        """Nobody waits any more."""
        if self._passed.done() and not self._passed.cancelled():
            self._passed.exception()
        self._passed.cancel()

    async def wait(self) -> None:
        """Returns when the fence is passed; raises :class:`PipeClosedError` when the line is lost."""
        await asyncio.shield(self._passed)

    def is_passed(self) -> bool:
        """True when the proof has come."""
        return (
            self._passed.done()
            and not self._passed.cancelled()
            and self._passed.exception() is None
        )

    def ripe(self, now: float) -> bool:
        """True when a printer without proof must have finished."""
        return self.confirm is Confirm.POLL and self._ripe_at is not None and now >= self._ripe_at
