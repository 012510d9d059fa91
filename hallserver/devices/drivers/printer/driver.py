"""ESC/POS ticket printers: status by poll and push, and jobs whose outcome is known.

A job goes out in one write, behind a status look and before a fence; nothing is sent between. What
became of it is told by the fence's answer (``confirm`` of the profile), by a fault that is seen
while waiting, or not at all: then it is ``unknown`` and nobody prints it again without being asked.
"""

import asyncio
from dataclasses import replace

import structlog

from hallserver.devices.api import PrintResult
from hallserver.devices.drivers.peripheral import OpenLine, Peripheral, open_line
from hallserver.devices.drivers.printer.fence import Fence
from hallserver.devices.drivers.printer.presenter import Exit
from hallserver.devices.errors import SilentDeviceError, WrongModelError
from hallserver.devices.profile_types import Confirm, PrinterProfile, StatusQuery
from hallserver.devices.protocols.escpos.document import EncodedJob, JobEncoder, Rasteriser
from hallserver.devices.protocols.escpos.status import (
    InOrderAnswer,
    ModelName,
    ProcessDone,
    PushedStatus,
    RealTimeAnswer,
    StatusBoard,
    StatusCodec,
    is_valid_answer,
)
from hallserver.devices.raster import PillowRasteriser
from hallserver.devices.waiting import within
from qingting.contract.conditions import blocks_printing
from qingting.contract.config import Device
from qingting.contract.errors import Refusal
from qingting.contract.printing import PrintJob
from qingting.contract.states import Condition, PrintOutcome
from qingting.kernel.aio.clock import Clock
from qingting.kernel.aio.pipe import PipeClosedError

log = structlog.get_logger(__name__)

DEADLINE_S = 15.0
MM_PER_INCH = 25.4
RECOVER_S = 1.0
"""A cutter needs this long to find home."""
WATCH_S = 0.3
"""Pause between two looks at a printer that is printing."""
CAUSE_ORDER = (
    Condition.CUTTER_ERROR,
    Condition.JAM,
    Condition.COVER_OPEN,
    Condition.PAPER_OUT,
)
"""Which of several faults is named as the cause."""
SPOILS_CONFIRMED = frozenset({Condition.CUTTER_ERROR, Condition.JAM})
"""Faults that keep a ticket inside although the printer took up every byte of it."""


class EscposPrinter(Peripheral):
    """Implements ``api.TicketPrinter`` for every profile with ``driver = "escpos"``."""

    def __init__(
        self,
        device: Device,
        profile: PrinterProfile,
        *,
        clock: Clock,
        opener: OpenLine = open_line,
        rasteriser: Rasteriser | None = None,
    ) -> None:
        super().__init__(device, profile.transport, clock=clock, opener=opener)
        self._profile = profile
        self._encoder = JobEncoder(profile, rasteriser or PillowRasteriser())
        self._codec = StatusCodec()
        self._board = StatusBoard(profile.status, profile.capabilities)
        self._line = asyncio.Lock()
        self._asked: StatusQuery | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._fence: Fence | None = None
        self._name = ""
        self._named = asyncio.Event()
        self._jobs = clock.now_ms() % 10_000
        self._exit = Exit(device.id, profile.presenter)

    # ---- jobs ------------------------------------------------------------------------------------

    async def print(self, job: PrintJob, *, deadline_s: float = DEADLINE_S) -> PrintResult:
        """See ``api.TicketPrinter``."""
        self._jobs += 1
        fence = Fence(self._profile, self._jobs % 10_000)
        encoded = await asyncio.to_thread(self._encoder.encode, job, fence.id)
        if encoded.undrawable:
            log.warning("printer.undrawable", device=self.device.id, lines=encoded.undrawable)
        async with self._line:
            result = await self._print_alone(encoded, fence, self._clock.monotonic() + deadline_s)
        if result.outcome is PrintOutcome.PRINTED:
            result = replace(result, mm=self._millimetres(encoded.height_dots))
        if result.outcome is not PrintOutcome.PRINTED:
            log.warning(
                "printer.not_printed",
                device=self.device.id,
                ticket=job.ticket,
                attempt=job.attempt,
                outcome=result.outcome,
                cause=result.cause,
            )
        return result

    @property
    def senses_low_paper(self) -> bool:
        return self._profile.capabilities.near_end_sensor

    async def recover(self) -> Condition | None:
        """See ``api.TicketPrinter``."""
        command = self._profile.commands.recover
        if command is None:
            raise Refusal("act.no_recover_command")
        async with self._line:
            try:
                await self._write(command)
                await self._clock.sleep(RECOVER_S)
                await self._keep_trying(self._look)
            except (PipeClosedError, SilentDeviceError) as error:
                raise Refusal("act.not_ready") from error
        log.info("printer.recovered", device=self.device.id, still=self._blocking())
        return self._blocking()

    def _millimetres(self, dots: int) -> int:
        """Length on the roll: what is printed and the feed before the cut."""
        feed = self._profile.commands.cut_feed
        return round((dots + feed) * MM_PER_INCH / self._profile.capabilities.dpi)

    async def _print_alone(self, job: EncodedJob, fence: Fence, until: float) -> PrintResult:
        refused = await self._preflight()
        if refused is not None:
            return PrintResult(PrintOutcome.FAILED, refused)
        self._fence = fence
        try:
            stuck = await self._send(job.data, until)
            if stuck is not None:
                return stuck
            fence.sent(self._clock.monotonic(), job.height_dots)
            return await self._await_proof(fence, until)
        except PipeClosedError:
            return PrintResult(PrintOutcome.UNKNOWN, Condition.OFFLINE)
        finally:
            self._fence = None
            fence.discard()

    async def _preflight(self) -> Condition | None:
        """Why nothing can be printed now; nothing was sent."""
        if not self._identified:
            return min(self._status.conditions, default=Condition.OFFLINE)
        if self._is_foreign():
            return Condition.WRONG_MODEL
        try:
            await self._keep_trying(self._look)
        except SilentDeviceError:
            return Condition.COMM_ERROR
        except PipeClosedError:
            return Condition.OFFLINE
        return self._blocking()

    async def _send(self, data: bytes, until: float) -> PrintResult | None:
        """Writes the job; a result when the printer stopped taking it."""
        left = until - self._clock.monotonic()
        try:
            await within(self._clock, left, self._write(data))
        except TimeoutError:
            # The rest of the job is stuck in the line: only a new line is clean again.
            if self._pipe is not None:
                await self._pipe.close()
            fault = self._blocking()
            if fault is not None:
                return PrintResult(PrintOutcome.FAILED, fault)
            return PrintResult(PrintOutcome.UNKNOWN, Condition.COMM_ERROR)
        return None

    async def _await_proof(self, fence: Fence, until: float) -> PrintResult:
        misses = 0
        while self._clock.monotonic() < until:
            await self._pause_for(fence, min(WATCH_S, until - self._clock.monotonic()))
            if fence.is_passed():
                return await self._confirmed(fence)
            try:
                await self._look(in_job=True)
                misses = 0
            except TimeoutError:
                misses += 1
                if misses >= self._transport.fails_to_down:
                    return PrintResult(PrintOutcome.UNKNOWN, Condition.COMM_ERROR)
            if not fence.is_passed() and (fault := self._blocking()) is not None:
                return await self._failed(fence, fault)
            if fence.ripe(self._clock.monotonic()):
                return PrintResult(PrintOutcome.PRINTED)
        return PrintResult(PrintOutcome.UNKNOWN, None)

    async def _pause_for(self, fence: Fence, seconds: float) -> None:
        try:
            await within(self._clock, seconds, fence.wait())
        except TimeoutError:
            return

    async def _confirmed(self, fence: Fence) -> PrintResult:
        """The fence was passed; a cutter that failed then still keeps the ticket inside."""
        if fence.confirm is Confirm.PROCESS_ID:
            return PrintResult(PrintOutcome.PRINTED)
        try:
            await self._keep_trying(self._look)
        except SilentDeviceError:
            return PrintResult(PrintOutcome.UNKNOWN, Condition.COMM_ERROR)
        spoilt = [c for c in CAUSE_ORDER if c in self._board.conditions & SPOILS_CONFIRMED]
        if spoilt:
            return await self._failed(None, spoilt[0])
        return PrintResult(PrintOutcome.PRINTED)

    async def _failed(self, fence: Fence | None, fault: Condition) -> PrintResult:
        """A last moment for an answer that was under way, then the fault is the outcome."""
        if fence is not None:
            await self._pause_for(fence, self._timeout_s)
            if fence.is_passed():
                return await self._confirmed(fence)
        recover = self._profile.commands.recover
        if recover is not None:
            # Once, to empty the buffers: the rest must not come out before the next ticket.
            await self._write(recover)
        return PrintResult(PrintOutcome.FAILED, fault)

    def _blocking(self) -> Condition | None:
        faults = {c for c in self._board.conditions if blocks_printing(c)}
        return next((c for c in CAUSE_ORDER if c in faults), min(faults, default=None))

    # ---- status ----------------------------------------------------------------------------------

    async def _identify(self) -> None:
        """A printer is what answers every status query of its profile and does not call itself otherwise."""
        async with self._line:
            await self._ask_name()
            await self._keep_trying(self._look)
            if self._profile.status.push is not None:
                await self._write(self._profile.status.push.enable)

    async def _ask_name(self) -> None:
        """Without paper no printer answers this, and many never do: silence says nothing."""
        identify = self._profile.identify
        if identify is None:
            return
        self._codec.name_due = True
        await self._write(identify.send)
        try:
            await within(self._clock, self._timeout_s, self._named.wait())
        except TimeoutError:
            return
        self._insist_on_model()

    def _is_foreign(self) -> bool:
        """True when it has called itself by another model's name."""
        identify = self._profile.identify
        return identify is not None and self._named.is_set() and not identify.fits(self._name)

    def _insist_on_model(self) -> None:
        if self._is_foreign():
            raise WrongModelError(self._name)

    async def _attend(self) -> None:
        while True:
            await self._clock.sleep(self._transport.poll_ms / 1000)
            async with self._line:
                self._insist_on_model()  # the name may come late: with the new paper
                await self._keep_trying(self._look)
                await self._keep_exit_free()

    async def _keep_exit_free(self) -> None:
        left = Condition.TICKET_NOT_TAKEN in self._board.conditions
        command = self._exit.looked(self._clock.monotonic(), left=left)
        if command is not None:
            log.info("printer.ticket_left", device=self.device.id)
            await self._write(command)

    def _conditions(self) -> frozenset[Condition]:
        return self._board.conditions

    def _detail(self) -> str:
        return f"{self._profile.vendor} {self._profile.model}"

    async def _look(self, *, in_job: bool = False) -> None:
        """One round of status queries; raises TimeoutError when one is not answered.

        While a fence is outstanding only answers with fixed bits can be told from its answer.
        """
        if not self._in_step:
            await self._get_in_step(self._profile.status.query[0].send)
        answers: dict[str, bytes] = {}
        for query in self._profile.status.query:
            if not (in_job and query.reply.is_plain):
                answers[query.name] = await self._query(query)
        self._board.polled(answers)
        self._refresh()

    async def _query(self, query: StatusQuery) -> bytes:
        """Answers do not say what they answer, so there is never more than one outstanding."""
        self._asked = query
        self._answer = asyncio.get_running_loop().create_future()
        self._codec.expect(query.reply)
        try:
            await self._write(query.send)
            return await within(self._clock, self._timeout_s, self._answer)
        except TimeoutError:
            self._in_step = False
            raise
        finally:
            self._asked, self._answer = None, None
            self._codec.expect(None)

    # ---- input -----------------------------------------------------------------------------------

    def _received(self, data: bytes) -> None:
        for frame in self._codec.feed(data):
            match frame:
                case RealTimeAnswer(data=answer):
                    self._answered(answer)
                case PushedStatus(data=block):
                    self._board.pushed(block)
                    self._refresh()
                case ModelName(name=name):
                    self._name = name
                    self._named.set()
                case InOrderAnswer() | ProcessDone():
                    if self._fence is not None:
                        self._fence.heard(frame)

    def _answered(self, answer: bytes) -> None:
        if self._asked is None or self._answer is None or self._answer.done():
            self._stray()
        elif is_valid_answer(self._asked.reply, answer):
            self._answer.set_result(answer)

    def _detached(self) -> None:
        self._codec.reset()
        self._board.clear()
        self._exit.forget()
        self._named.clear()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(PipeClosedError("unplugged"))
        if self._fence is not None:
            self._fence.line_lost()
