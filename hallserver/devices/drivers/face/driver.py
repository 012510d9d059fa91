"""Face terminals (人脸识别终端): they look only while told to, and hand out a credential for whom they recognised.

``dark → (look) → looking → (credential, nobody, stop) → dark``. What the terminal is known to do is only ever taken
from its own words, and it is told to stop before each look, so that a credential of one look never comes into the
next. Its state is asked for again and again, which proves that it is there and that it does not look unasked.
"""

import asyncio
from collections.abc import Callable

import structlog

from hallserver.devices.api import FaceCredential, FaceOutcome, FaceProblem, Unsubscribe
from hallserver.devices.drivers.peripheral import Listeners, OpenLine, Peripheral, open_line
from hallserver.devices.profile_types import FaceProfile, FaceWord
from hallserver.devices.protocols.faceline import credential_of, said
from hallserver.devices.protocols.scanline import ScanLineCodec
from hallserver.devices.waiting import within
from qingting.contract.config import Device
from qingting.contract.states import Condition
from qingting.kernel.aio.clock import Clock
from qingting.kernel.aio.pipe import PipeClosedError

log = structlog.get_logger(__name__)

NOT_RECOGNISED = FaceProblem("face.not_recognised")
TERMINAL_FAULT = FaceProblem("face.terminal_fault")
UNSURE = -1
"""In the place of a look's number: whether the terminal looks, and for whom, must be found out."""


class FaceTerminal(Peripheral):
    """Implements ``api.FaceReader`` for every profile with ``driver = "face"``."""

    def __init__(
        self,
        device: Device,
        profile: FaceProfile,
        *,
        clock: Clock,
        opener: OpenLine = open_line,
    ) -> None:
        super().__init__(device, profile.transport, clock=clock, opener=opener)
        self._profile = profile
        self._codec = ScanLineCodec(profile.face.terminators, profile.face.max_bytes)
        self._faces = Listeners()
        self._look = 0
        self._wanted = False
        self._at: int | None = UNSURE
        """The look that the terminal is at, by its own words; None: it is dark."""
        self._opening: int | None = None
        self._until = 0.0
        self._fault: Condition | None = None
        self._expected: FaceWord | None = None
        self._answer: asyncio.Future[None] | None = None
        self._wake = asyncio.Event()
        self._told_unasked = False

    # ---- for the outside -------------------------------------------------------------------------

    def arm(self) -> None:
        """See ``api.FaceReader``."""
        self._look += 1
        self._wanted = self._identified
        self._until = self._clock.monotonic() + self._profile.face.look_s
        self._wake.set()
        if not self._identified:
            self._faces.tell(TERMINAL_FAULT)

    def disarm(self) -> None:
        """See ``api.FaceReader``."""
        self._wanted = False
        self._wake.set()

    def on_face(self, listener: Callable[[FaceOutcome], None]) -> Unsubscribe:
        """See ``api.FaceReader``."""
        return self._faces.add(listener)

    # ---- life ------------------------------------------------------------------------------------

    async def _identify(self) -> None:
        self._told_unasked = False
        await self._keep_trying(self._settle)

    async def _attend(self) -> None:
        while True:
            await self._pause()
            await self._keep_trying(self._settle)

    async def _pause(self) -> None:
        """Until the next question; a wish, or news that needs an answer, ends it at once."""
        try:
            await within(self._clock, self._transport.poll_ms / 1000, self._wake.wait())
        except TimeoutError:
            return
        finally:
            self._wake.clear()

    async def _settle(self) -> None:
        """One exchange towards what is wanted; raises TimeoutError for silence."""
        if self._wanted and self._clock.monotonic() >= self._until:
            self._end(NOT_RECOGNISED)
        commands = self._profile.commands
        wanted = self._look if self._wanted else None
        if self._at is not None and self._at != wanted:
            await self._exchange(commands.stop, FaceWord.DARK)
        elif wanted is not None and self._at is None:
            self._at, self._opening = UNSURE, wanted
            try:
                await self._exchange(commands.look, FaceWord.LOOKING)
            finally:
                self._opening = None
        else:
            await self._exchange(commands.ask, None)

    async def _exchange(self, command: bytes, expected: FaceWord | None) -> None:
        """``expected`` None: either state is an answer. A fault always is one."""
        self._expected = expected
        self._answer = asyncio.get_running_loop().create_future()
        try:
            await self._write(command)
            await within(self._clock, self._timeout_s, self._answer)
        finally:
            self._answer = None

    def _conditions(self) -> frozenset[Condition]:
        return frozenset() if self._fault is None else frozenset({self._fault})

    # ---- what it says ----------------------------------------------------------------------------

    def _received(self, data: bytes) -> None:
        for line in self._codec.feed(data):
            text = said(line)
            credential = credential_of(text, self._profile.face.credential)
            if credential is not None:
                self._recognised(credential)
            elif text in self._profile.faults:
                self._faulty(self._profile.faults[text])
            elif text in self._profile.words:
                self._heard(self._profile.words[text])

    def _heard(self, word: FaceWord) -> None:
        at_it = self._wanted and self._at == self._look
        match word:
            case FaceWord.NOBODY:
                if at_it:
                    self._end(NOT_RECOGNISED)
                return
            case FaceWord.LOOKING:
                if self._opening is not None:
                    self._at = self._opening
                elif self._at is None:
                    self._unasked()
            case FaceWord.DARK:
                self._at = None
                if at_it:
                    self._end(NOT_RECOGNISED)  # it gave up without a word
                if self._wanted:
                    self._wake.set()
        self._fault = None
        self._refresh()
        if self._expected in (None, word):
            self._answered()

    def _recognised(self, credential: str) -> None:
        if not self._wanted or self._at != self._look:
            self._unasked()
        else:
            self._end(FaceCredential(credential) if credential else TERMINAL_FAULT)

    def _end(self, outcome: FaceOutcome) -> None:
        """One outcome a look; the terminal is then told to stop, whatever it does by itself."""
        self._wanted = False
        self._at = UNSURE
        self._wake.set()
        self._faces.tell(outcome)

    def _unasked(self) -> None:
        """It looks, or recognised somebody, although nobody asked: thrown away, and told to stop."""
        self._at = UNSURE
        self._wake.set()
        if not self._told_unasked:
            self._told_unasked = True
            log.warning("face.unasked", device=self.device.id)

    def _faulty(self, fault: Condition) -> None:
        """The hall learns it from the state, and tells whoever stands there."""
        self._fault = fault
        self._wanted = False
        self._refresh()
        self._answered()

    def _answered(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(None)

    def _detached(self) -> None:
        self._codec.reset()
        self._wanted = False
        self._at = UNSURE
        self._fault = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(PipeClosedError("unplugged"))
