"""The peripheral host of a kiosk: owns its devices and speaks for them at the hall hub."""

import asyncio
import secrets
from contextlib import AsyncExitStack
from functools import partial

import structlog

from hallserver.agent.card_photo import PhotoDesk
from hallserver.agent.continuity import Continuity
from hallserver.agent.hands import Hands
from hallserver.agent.ledger import PrintLedger
from hallserver.agent.link import HubLink, LinkDownError, Order
from hallserver.agent.loudspeakers import Loudspeakers
from hallserver.agent.settings import AgentSettings
from hallserver.devices.api import (
    CardOutcome,
    DeviceStatus,
    FaceCredential,
    FaceOutcome,
    FaceProblem,
)
from hallserver.devices.drivers.peripheral import OpenLine, open_line
from hallserver.devices.protocols.samv import CardText
from hallserver.devices.supervisor import DeviceSupervisor
from hallserver.devices.waiting import first_of
from qingting.contract.base import CONTRACT_VERSION
from qingting.contract.continuity import OfflineKit
from qingting.contract.errors import error_texts
from qingting.contract.hub import (
    ArmReader,
    Auth,
    CardFault,
    CardRead,
    CodeScanned,
    DeviceReport,
    Ping,
    PrintOrder,
    PrintReport,
    Request,
    Result,
    Welcome,
)
from qingting.contract.hub_acts import ActOrder, HandsInForce
from qingting.contract.hub_face import ArmFace, FaceFault, FaceRead
from qingting.contract.hub_sound import CallTold, SayCall
from qingting.contract.ids import DeviceId
from qingting.contract.printing import PrintJob
from qingting.contract.states import Condition, PrintOutcome
from qingting.kernel.aio.clock import Clock, SystemClock
from qingting.kernel.aio.tasks import Supervisor
from qingting.kernel.security.device_keys import new_token

log = structlog.get_logger(__name__)

ALIVE_S = 2.0
"""Pause between two signs of life of a quiet agent."""
REFUSED_AGAIN_S = 1.0
"""Pause before something that the hall could not take just now is sent again."""


Shown = CardRead | CardFault | CodeScanned | FaceRead | FaceFault
"""What a citizen showed, as the hall is told."""


class Agent:
    """One agent process. What citizens show (cards, codes) passes through memory and is not kept."""

    def __init__(
        self, settings: AgentSettings, clock: Clock | None = None, opener: OpenLine = open_line
    ) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._opener = opener
        self._started = self._clock.now_ms()
        self._skew_ms = 0
        self._ledger = PrintLedger()
        self._changed: dict[DeviceId, DeviceStatus] = {}
        self._news = asyncio.Event()
        self._outcomes = asyncio.Event()
        self._devices: DeviceSupervisor | None = None
        self._continuity: Continuity | None = None
        self._armed = self._faces_armed = False
        self._tasks = Supervisor("agent")
        self._photos = PhotoDesk(
            settings.photo_decoder, settings.photo_port, settings.origin, self._clock, self._tasks
        )
        auth = Auth(
            device=settings.device,
            key=settings.key,
            version=CONTRACT_VERSION,
            build=settings.build,
            install=new_token(),
        )
        self._link = HubLink(
            auth, settings.hall, clock=self._clock, on_order=self._order, on_down=self._link_down
        )

    def _supervisor(self) -> DeviceSupervisor:
        settings = self._settings
        return DeviceSupervisor(
            settings.peripherals,
            clock=self._clock,
            library=settings.library(),
            opener=self._opener,
        )

    async def run(self) -> None:
        """Until cancelled; raises a ``Refusal`` when the hall does not want this agent any more."""
        devices = await asyncio.to_thread(self._supervisor)
        self._devices = devices
        self._loudspeakers = Loudspeakers(
            self._settings.hall, devices, start=self._tasks.run, tell=self._call_over
        )
        self._hands = Hands(
            self._settings,
            self._clock,
            devices,
            self._tasks,
            loudspeakers=self._loudspeakers,
            busy=lambda: self._ledger.printing,
            rewire=self._rewire,
            recount=self._recount,
        )
        if self._settings.data:
            self._continuity = Continuity(self._settings, self._clock, devices, self._tasks)
        _ = devices.subscribe(self._device_changed)
        self._listen(devices)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(devices)
            await stack.enter_async_context(self._tasks)
            await stack.enter_async_context(self._photos.running())
            if self._continuity is not None:
                await stack.enter_async_context(self._continuity.running())
            await first_of(
                self._link.run(self._converse),
                self._hands.leave_when_asked(),
                self._hands.keep_plan(),
            )

    def _listen(self, devices: DeviceSupervisor) -> None:
        for reader_id, reader in devices.readers.items():
            reader.on_card(partial(self._card, reader_id))
        for scanner_id, scanner in devices.scanners.items():
            scanner.on_code(partial(self._code, scanner_id))
        for terminal_id, terminal in devices.faces.items():
            terminal.on_face(partial(self._face, terminal_id))

    def _rewire(self) -> None:
        """All drivers are new after a change of models."""
        assert self._devices is not None
        self._listen(self._devices)
        self._arm(self._armed)
        self._arm_faces(self._faces_armed)
        self._tell_all()

    def _recount(self) -> None:
        assert self._devices is not None
        for printer in self._devices.printers.values():
            self._device_changed(printer.status)

    # ---- to the hall -----------------------------------------------------------------------------

    async def _converse(self, welcome: Welcome) -> None:
        """Tells everything once after each connection, then every change."""
        assert self._devices is not None
        self._skew_ms = welcome.now - self._clock.now_ms()
        self._hands.skew_ms = self._skew_ms
        self._tell_all()
        self._outcomes.set()
        work = [
            self._report_devices(),
            self._report_outcomes(),
            self._stay_heard(),
            self._hands.report(self._link.ask),
        ]
        if self._continuity is not None:
            work += [
                self._continuity.prepare(self._link.ask),
                self._continuity.merge(self._link.ask),
            ]
        await first_of(*work)

    def _tell_all(self) -> None:
        assert self._devices is not None
        for status in self._devices.statuses():
            self._device_changed(status)

    async def _stay_heard(self) -> None:
        """The hall shows when each device was last heard of; a hall that hangs is noticed."""
        while True:
            await self._clock.sleep(ALIVE_S)
            _ = await self._link.ask(Ping())

    async def _report_devices(self) -> None:
        while True:
            while self._changed:
                device = next(iter(self._changed))
                status = self._changed.pop(device)
                conditions = self._hands.conditions_of(status)
                if not await self._delivered(_report_of(status, conditions)):
                    self._changed.setdefault(device, status)
                    await self._clock.sleep(REFUSED_AGAIN_S)
            self._news.clear()
            await self._news.wait()

    async def _report_outcomes(self) -> None:
        while True:
            self._outcomes.clear()
            for report, key in self._ledger.owed():
                if await self._delivered(report, key):
                    self._ledger.acknowledge(report)
            if self._ledger.owed() and not self._outcomes.is_set():
                await self._clock.sleep(REFUSED_AGAIN_S)
            else:
                await self._outcomes.wait()

    async def _delivered(self, body: Request, key: str | None = None) -> bool:
        """False when the hall asks to try again; what it refuses for good is logged and done."""
        result = await self._link.ask(body, key or _new_key())
        if result.ok or result.problem is None:
            return True
        log.warning("agent.refused", what=type(body).__name__, code=result.problem.code)
        return not _may_retry(result)

    def _device_changed(self, status: DeviceStatus) -> None:
        self._changed[status.device] = status
        self._news.set()

    def _card(self, device: DeviceId, card: CardOutcome) -> None:
        told = _told(device, card)
        if self._continuity is None or not self._continuity.card(told):
            self._tell_once(self._photos.attached(told, card))

    def _code(self, device: DeviceId, text: str) -> None:
        self._tell_once(CodeScanned(device=device, text=text))

    def _face(self, device: DeviceId, outcome: FaceOutcome) -> None:
        match outcome:
            case FaceCredential(text=text):
                self._tell_once(FaceRead(device=device, credential=text))
            case FaceProblem(code=code):
                self._tell_once(FaceFault(device=device, code=code))

    def _tell_once(self, body: Shown) -> None:
        """What a citizen showed is told now or never: it must not turn up for the next one."""
        _ = self._tasks.run(type(body).__name__, self._send_once(body))

    async def _send_once(self, body: Shown) -> None:
        try:
            result = await self._link.ask(body, _new_key())
        except LinkDownError:
            log.warning("agent.dropped", what=type(body).__name__)
            return
        if result.problem is not None:
            log.info("agent.refused", what=type(body).__name__, code=result.problem.code)

    # ---- from the hall ---------------------------------------------------------------------------

    def _order(self, order: Order) -> None:
        match order:
            case PrintOrder(job=job):
                self._print_order(job)
            case ActOrder() as order:
                self._hands.order(order)
            case HandsInForce() as hands:
                self._hands.put_in_force(hands)
            case SayCall() as order:
                self._loudspeakers.say(order)
            case ArmReader(armed=armed):
                self._arm(armed)
            case ArmFace(armed=armed):
                self._arm_faces(armed)
            case OfflineKit() as kit:
                if self._continuity is not None:
                    self._continuity.take_kit(kit, self._skew_ms)

    def _arm(self, armed: bool) -> None:
        assert self._devices is not None
        self._armed = armed
        if armed:
            self._photos.wipe()
        for reader in self._devices.readers.values():
            if armed:
                reader.arm()
            else:
                reader.disarm()

    def _arm_faces(self, armed: bool) -> None:
        assert self._devices is not None
        self._faces_armed = armed
        for terminal in self._devices.faces.values():
            if armed:
                terminal.arm()
            else:
                terminal.disarm()

    def _link_down(self) -> None:
        """Nobody could be told of a card or a face: reader and terminal go dark until the hall asks again."""
        self._photos.wipe()
        self._arm_faces(armed=False)
        self._arm(self._continuity is not None and self._continuity.armed)

    def _call_over(self, told: CallTold) -> None:
        _ = self._tasks.run(f"told/{told.device}/{told.call_no}", self._tell_call(told))

    async def _tell_call(self, told: CallTold) -> None:
        """Told until the hall has it: a call that was heard must not be said again."""
        key = _new_key()
        while True:
            try:
                if await self._delivered(told, key):
                    return
            except LinkDownError:
                log.debug("agent.call_told_later", device=told.device)
            await self._clock.sleep(REFUSED_AGAIN_S)

    def _print_order(self, job: PrintJob) -> None:
        if not self._ledger.begin(job):
            self._outcomes.set()  # known: printed, being printed, or its outcome is owed again
        elif job.issued_at < self._started + self._skew_ms and not job.again:
            log.warning("agent.job_of_former_process", ticket=job.ticket, attempt=job.attempt)
            self._settle(job, PrintOutcome.UNKNOWN, None)
        else:
            _ = self._tasks.run(f"print/{job.ticket}/{job.attempt}", self._print(job))

    async def _print(self, job: PrintJob) -> None:
        assert self._devices is not None
        printer = self._devices.printers.get(job.printer)
        if printer is None:
            log.error("agent.no_such_printer", printer=job.printer)
            self._settle(job, PrintOutcome.FAILED, Condition.OFFLINE)
            return
        try:
            result = await printer.print(job)
        except Exception:
            self._settle(job, PrintOutcome.UNKNOWN, None)
            raise
        self._settle(job, result.outcome, result.cause, result.mm)

    def _settle(
        self, job: PrintJob, outcome: PrintOutcome, cause: Condition | None, mm: int = 0
    ) -> None:
        self._ledger.settle(
            PrintReport(ticket=job.ticket, attempt=job.attempt, outcome=outcome, cause=cause, mm=mm)
        )
        self._outcomes.set()


def _told(device: DeviceId, card: CardOutcome) -> CardRead | CardFault:
    if not isinstance(card, CardText):
        return CardFault(device=device, code=card.code)
    return CardRead(
        device=device,
        kind=card.kind,
        name=card.name,
        number=card.number,
        valid_from=card.valid_from,
        valid_to=card.valid_to,
        birth=card.birth,
        name_en=card.name_en,
    )


def _new_key() -> str:
    return secrets.token_hex(16)


def _may_retry(result: Result) -> bool:
    text = error_texts().get(result.problem.code) if result.problem is not None else None
    return text is not None and text.retry


def _report_of(status: DeviceStatus, conditions: frozenset[Condition]) -> DeviceReport:
    return DeviceReport(
        device=status.device,
        kind=status.kind,
        state=status.state,
        conditions=tuple(sorted(conditions)),
        detail=status.detail,
    )


async def run_agent(settings: AgentSettings) -> None:
    """Runs an agent until cancelled.

    Raises :class:`hallserver.agent.hands.RestartAskedError` when it is to be started again, ``Refusal`` when the hall
    sends it away for good (unknown device, wrong key, replaced),
    ``ProfileError`` for settings that :func:`load_agent_settings` has not checked.
    """
    await Agent(settings).run()
