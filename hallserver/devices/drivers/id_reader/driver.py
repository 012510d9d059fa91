"""ID card readers with a SAM_V module: ``idle → found → selected → read → wait_removal``.

While nobody needs the reader it is only asked for its state; armed, it looks for a card. A card is
told once, then the reader waits until it was lifted. Nothing read is kept, logged or shown.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

import structlog

from hallserver.devices.api import CardOutcome, CardProblem, Unsubscribe
from hallserver.devices.drivers.peripheral import Listeners, OpenLine, Peripheral, open_line
from hallserver.devices.errors import SilentDeviceError, WrongModelError
from hallserver.devices.profile_types import IdReaderProfile, SamReply
from hallserver.devices.protocols.samv import (
    RecordError,
    SamReplyFrame,
    SamvCodec,
    UnknownRecordError,
    parse_text,
    photo_of_read,
    request,
    text_of_read,
)
from hallserver.devices.waiting import within
from qingting.contract.config import Device
from qingting.contract.states import Condition
from qingting.kernel.aio.clock import Clock
from qingting.kernel.aio.pipe import PipeClosedError

log = structlog.get_logger(__name__)

UNREADABLE = CardProblem("identity.unreadable")
REMOVED = CardProblem("identity.removed")
UNKNOWN_TYPE = CardProblem("identity.unknown_type")
READER_FAULT = CardProblem("identity.reader_fault")
FAULTS = {
    SamReply.SAM_FAULT: Condition.SAM_FAULT,
    SamReply.UNAUTHORISED: Condition.UNAUTHORISED,
}
"""Replies that speak of the reader, not of the card."""
HEALTH_EVERY = 3
"""While armed, every so many looks for a card the module is asked for its own state."""


class Step(StrEnum):
    """Where the reader is with a card."""

    IDLE = "idle"
    FOUND = "found"
    SELECTED = "selected"
    WAIT_REMOVAL = "wait_removal"


class SamvReader(Peripheral):
    """Implements ``api.IdReader`` for every profile with ``driver = "samv"``."""

    def __init__(
        self,
        device: Device,
        profile: IdReaderProfile,
        *,
        clock: Clock,
        opener: OpenLine = open_line,
    ) -> None:
        super().__init__(device, profile.transport, clock=clock, opener=opener)
        self._profile = profile
        self._codec = SamvCodec()
        self._reply: asyncio.Future[SamReplyFrame] | None = None
        self._cards = Listeners()
        self._armed = False
        self._visit = 0
        self._reading_for = 0
        self._wake = asyncio.Event()
        self._step = Step.IDLE
        self._fault: Condition | None = None
        self._serial_number = ""

    # ---- for the outside -------------------------------------------------------------------------

    def arm(self) -> None:
        """See ``api.IdReader``."""
        if self._step is Step.WAIT_REMOVAL:
            self._step = Step.IDLE  # a new request may read the card that still lies there
        self._armed = True
        self._visit += 1
        self._wake.set()

    def disarm(self) -> None:
        """See ``api.IdReader``."""
        self._armed = False

    def on_card(self, listener: Callable[[CardOutcome], None]) -> Unsubscribe:
        """See ``api.IdReader``."""
        return self._cards.add(listener)

    # ---- life ------------------------------------------------------------------------------------

    async def _identify(self) -> None:
        await self._keep_trying(self._check_health)
        if self._fault is None:
            await self._keep_trying(self._read_serial_number)

    async def _attend(self) -> None:
        looks = 0
        while True:
            if self._armed and self._fault is None and looks % HEALTH_EVERY:
                await self._keep_trying(self._look_for_card)
            else:
                await self._keep_trying(self._check_health)
            looks = looks + 1 if self._armed else 0
            await self._pause()

    async def _pause(self) -> None:
        """Until the next look; arming ends it at once."""
        if self._armed:
            await self._clock.sleep(self._profile.reader.find_ms / 1000)
            return
        self._wake.clear()
        try:
            await within(self._clock, self._transport.poll_ms / 1000, self._wake.wait())
        except TimeoutError:
            return

    async def _check_health(self) -> None:
        meaning, _ = await self._exchange(self._profile.commands.status)
        self._fault = FAULTS.get(meaning) if meaning is not None else None
        self._refresh()

    async def _read_serial_number(self) -> None:
        """The 16 bytes of the module's id as printed on it (HslCommunication SAMSerial)."""
        meaning, data = await self._exchange(self._profile.commands.sam_id)
        if meaning is SamReply.OK and len(data) == 16:
            parts = [int.from_bytes(data[at : at + 4], "little") for at in (4, 8, 12)]
            self._serial_number = f"{data[0]:02d}.{data[2]:02d}-" + "-".join(map(str, parts))
            identify = self._profile.identify
            if identify is not None and not identify.fits(self._serial_number):
                raise WrongModelError(self._serial_number)

    def _conditions(self) -> frozenset[Condition]:
        return frozenset() if self._fault is None else frozenset({self._fault})

    def _detail(self) -> str:
        return self._serial_number

    # ---- cards -----------------------------------------------------------------------------------

    async def _look_for_card(self) -> None:
        meaning, _ = await self._exchange(self._profile.commands.find)
        if meaning is not SamReply.CARD_FOUND:
            self._note_fault(meaning)
            self._step = Step.IDLE
        elif self._step is Step.IDLE:
            self._step = Step.FOUND
            self._reading_for = self._visit
            try:
                outcome = await self._read_card()
            except TimeoutError:
                raise SilentDeviceError("silent while a card was read") from None
            self._step = Step.IDLE if outcome is REMOVED else Step.WAIT_REMOVAL
            self._tell(outcome)

    async def _read_card(self) -> CardOutcome:
        """Selects and reads the card that was found; a second try when the read was disturbed."""
        for _ in range(self._profile.reader.read_tries):
            try:
                outcome = await self._try_card()
            except TimeoutError:
                outcome = None  # a moment's silence; if it lasts, the next question finds out
            if outcome is not None:
                return outcome
            meaning, _ = await self._exchange(self._profile.commands.find)
            if meaning is not SamReply.CARD_FOUND:
                return READER_FAULT if self._note_fault(meaning) else REMOVED
        return UNREADABLE

    async def _try_card(self) -> CardOutcome | None:
        """The outcome, or None when the card may have moved and a further try can help."""
        self._step = Step.FOUND
        meaning, _ = await self._exchange(self._profile.commands.select)
        if meaning is SamReply.OK:
            self._step = Step.SELECTED
            timeout_s = self._profile.reader.read_timeout_ms / 1000
            meaning, data = await self._exchange(self._profile.commands.read, timeout_s)
            if meaning is SamReply.OK:
                return self._parse(data)
        if self._note_fault(meaning):
            return READER_FAULT
        if meaning is SamReply.UNKNOWN_CARD:
            return UNKNOWN_TYPE
        return UNREADABLE if meaning is SamReply.CARD_REJECTED else None

    def _parse(self, data: bytes) -> CardOutcome | None:
        try:
            card = parse_text(text_of_read(data), self._profile.reader.records)
            return replace(card, photo=photo_of_read(data))
        except UnknownRecordError:
            return UNKNOWN_TYPE
        except RecordError:
            return None

    def _note_fault(self, meaning: SamReply | None) -> bool:
        """Takes note of a reply that speaks of the reader itself."""
        fault = FAULTS.get(meaning) if meaning is not None else None
        if fault is None:
            return False
        self._fault = fault
        self._refresh()
        return True

    def _tell(self, outcome: CardOutcome) -> None:
        if self._armed and self._reading_for == self._visit:
            self._cards.tell(outcome)  # never one citizen's card to the next
        if isinstance(outcome, CardProblem):
            log.info("reader.card_fault", device=self.device.id, code=outcome.code)

    # ---- exchange --------------------------------------------------------------------------------

    async def _exchange(
        self, command: bytes, timeout_s: float | None = None
    ) -> tuple[SamReply | None, bytes]:
        """One request and its reply; raises TimeoutError. None means an unknown status byte."""
        if not self._in_step:
            await self._get_in_step(request(self._profile.commands.status))
        self._codec.reset()
        self._reply = asyncio.get_running_loop().create_future()
        try:
            await self._write(request(command))
            reply = await within(self._clock, timeout_s or self._timeout_s, self._reply)
        except TimeoutError:
            self._in_step = False
            raise
        finally:
            self._reply = None
        return self._profile.reply_meaning(reply.sw3), reply.data

    def _received(self, data: bytes) -> None:
        for reply in self._codec.feed(data):
            if self._reply is not None and not self._reply.done():
                self._reply.set_result(reply)
            else:
                self._stray()

    def _detached(self) -> None:
        """A citizen whose card was just being read must hear that the reader is gone."""
        self._codec.reset()
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(PipeClosedError("unplugged"))
        if self._step in (Step.FOUND, Step.SELECTED):
            self._tell(READER_FAULT)
        self._step = Step.IDLE
        self._fault = None
