"""LED controllers: the panel is brought to what it is to show, line by line.

Only the present counts. A newer content takes the place of one that is not sent yet, a panel that comes
back gets the present one, and one that does not answer is only ever told what holds now. A controller that
answers is asked for a sign of life in between; one that never does is sent its content again from time to
time, so that a panel which had no power shows it again.
"""

import asyncio
from collections.abc import Sequence

import structlog

from hallserver.devices.drivers.peripheral import OpenLine, Peripheral, open_line
from hallserver.devices.errors import WrongModelError
from hallserver.devices.profile_types import LedProfile
from hallserver.devices.protocols.led.codecs import codec_for
from hallserver.devices.protocols.led.line import LedAnswer, LedLine
from hallserver.devices.waiting import within
from qingting.contract.config import Device
from qingting.contract.states import Condition
from qingting.kernel.aio.clock import Clock
from qingting.kernel.aio.pipe import PipeClosedError

log = structlog.get_logger(__name__)


class LedController(Peripheral):
    """Implements ``api.LedPanel`` for every profile with ``driver = "led"``."""

    def __init__(
        self,
        device: Device,
        profile: LedProfile,
        *,
        clock: Clock,
        opener: OpenLine = open_line,
    ) -> None:
        super().__init__(device, profile.transport, clock=clock, opener=opener)
        self._profile = profile
        led = profile.led
        self._codec = codec_for(profile.protocol, led.charset, led.max_bytes)
        self._wanted: dict[int, LedLine] = {}
        self._shown: dict[int, LedLine] = {}
        self._faults: dict[int, Condition] = {}
        self._news = asyncio.Event()
        self._answer: asyncio.Future[LedAnswer] | None = None
        self._fresh = True
        self._too_many = False

    # ---- what is to be shown ---------------------------------------------------------------------

    def show(self, lines: Sequence[LedLine]) -> None:
        """See ``api.LedPanel``. Lines beyond those of the model are left out and logged."""
        known = {line.number: line for line in lines if line.number <= self._profile.led.lines}
        if len(known) < len(lines) and not self._too_many:
            log.warning("led.lines_left_out", device=self.device.id, lines=len(lines) - len(known))
        self._too_many = len(known) < len(lines)
        if known != self._wanted:
            self._wanted = known
            self._news.set()

    @property
    def answers(self) -> bool:
        return self._profile.led.answers

    def _due(self) -> LedLine | None:
        """The next line that is not as it is to be; a line that is no longer wanted goes dark."""
        for number, line in self._wanted.items():
            if self._shown.get(number) != line:
                return line
        for number, line in self._shown.items():
            if number not in self._wanted and line.runs:
                return LedLine(number=number, top=line.top, height=line.height, width=line.width)
        return None

    # ---- life ------------------------------------------------------------------------------------

    async def _identify(self) -> None:
        """A controller that answers is asked; of another the open line is all there is to know."""
        if self._profile.led.answers:
            await self._keep_trying(self._look)

    async def _attend(self) -> None:
        poll_s = self._transport.poll_ms / 1000
        refreshed = self._clock.monotonic()
        while True:
            await self._bring_up_to_date()
            try:
                await within(self._clock, poll_s, self._news.wait())
                continue
            except TimeoutError:
                pass
            if self._profile.led.answers:
                await self._keep_trying(self._look)
            if self._faults or self._clock.monotonic() - refreshed >= self._profile.led.refresh_s:
                refreshed = self._clock.monotonic()
                self._shown.clear()

    async def _bring_up_to_date(self) -> None:
        self._news.clear()
        while self._due() is not None:
            await self._keep_trying(self._send_due)

    async def _send_due(self) -> None:
        """Sends what is due by then: between two tries something newer may have been wanted."""
        line = self._due()
        if line is None:
            return
        answer = await self._exchange(self._codec.show(line, first=self._fresh))
        self._fresh = False
        self._shown[line.number] = line
        if answer is not None and answer.error:
            condition = self._profile.led.condition_of(answer.error)
            if self._faults.get(line.number) is not condition:
                log.warning("led.refused", device=self.device.id, error=f"{answer.error:02X}")
            self._faults[line.number] = condition
        else:
            self._faults.pop(line.number, None)
        self._refresh()

    # ---- exchanges -------------------------------------------------------------------------------

    async def _look(self) -> None:
        """A sign of life; raises TimeoutError when there is none."""
        probe = self._codec.probe()
        if probe is not None:
            await self._exchange(probe)

    async def _exchange(self, frame: bytes) -> LedAnswer | None:
        """Sends a frame; None from a controller that never answers. Raises TimeoutError."""
        if not self._profile.led.answers:
            await within(self._clock, self._timeout_s, self._write(frame))
            return None
        probe = self._codec.probe()
        if not self._in_step and probe is not None:
            await self._get_in_step(probe)
        self._answer = asyncio.get_running_loop().create_future()
        try:
            await self._write(frame)
            answer = await within(self._clock, self._timeout_s, self._answer)
        except TimeoutError:
            self._in_step = False
            raise
        finally:
            self._answer = None
        if answer.foreign:
            raise WrongModelError(answer.foreign)
        return answer

    def _received(self, data: bytes) -> None:
        for answer in self._codec.feed(data):
            if self._answer is None or self._answer.done():
                self._stray()
            else:
                self._answer.set_result(answer)

    def _conditions(self) -> frozenset[Condition]:
        return frozenset(self._faults.values())

    def _detail(self) -> str:
        model = f"{self._profile.vendor} {self._profile.model}"
        return model if self._profile.led.answers else f"{model}, never answers"

    def _detached(self) -> None:
        """Whatever it showed, nobody knows what it will show when it is back."""
        self._codec.reset()
        self._shown.clear()
        self._faults.clear()
        self._fresh = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(PipeClosedError("unplugged"))
