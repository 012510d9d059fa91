"""Continuity of one kiosk (断网不停): the offline desk joined to the devices, the screen and the hall."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import structlog

from hallserver.agent.lease_ledger import Given
from hallserver.agent.offline_desk import OfflineDesk, Shown, merge_of
from hallserver.agent.offline_paper import offline_document
from hallserver.agent.screen import screen_app, serve_screen
from hallserver.agent.settings import AgentSettings
from hallserver.devices.api import PrintResult
from hallserver.devices.supervisor import DeviceSupervisor
from qingting.contract.conditions import blocks_printing
from qingting.contract.continuity import OfflineKit, PrepareOffline
from qingting.contract.errors import Refusal, error_texts
from qingting.contract.hub import (
    Answer,
    CardFault,
    CardRead,
    IdentityRead,
    Problem,
    Request,
    Result,
    TakeTicket,
)
from qingting.contract.ids import DeviceId, KeyText, TicketId
from qingting.contract.offline_screen import OfflineState
from qingting.contract.printing import PrintJob
from qingting.contract.states import (
    CertificateKind,
    Condition,
    DeviceState,
    PrintOutcome,
    PrintState,
    TicketState,
)
from qingting.contract.views import ConditionView, DeviceView, ItemName, ItemView, KioskTicket
from qingting.kernel.aio.clock import Clock
from qingting.kernel.aio.tasks import Supervisor

log = structlog.get_logger(__name__)

RENEW_S = 60.0
"""How often the hall is asked for the kit again while the line stands."""
AGAIN_S = 2.0
ARMED_SECONDS = 75.0
"""The reader's light goes out by itself a little after the screen gave up waiting."""
SHOWN_TICKETS = 8
Ask = Callable[[Request, str | None], Awaitable[Result]]
_PRINT_STATES = {
    PrintOutcome.PRINTED: PrintState.PRINTED,
    PrintOutcome.FAILED: PrintState.FAILED,
    PrintOutcome.UNKNOWN: PrintState.UNKNOWN,
}


class Continuity:
    """Use :meth:`running` around the agent's life and :meth:`converse` in each connection."""

    def __init__(
        self, settings: AgentSettings, clock: Clock, devices: DeviceSupervisor, tasks: Supervisor
    ) -> None:
        self.desk = OfflineDesk(Path(settings.data), clock)
        self._settings = settings
        self._clock = clock
        self._devices = devices
        self._tasks = tasks
        self._secret = secrets.token_urlsafe(24)
        self._port = 0
        self._armed_until: float | None = None
        self._refused: Problem | None = None
        self._tickets: dict[str, KioskTicket] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The screen's endpoint answers inside. Raises ``OSError`` when its port is taken."""
        await self.desk.load()
        app = screen_app(self, self._settings.origin, self._secret)
        async with serve_screen(app, self._settings.screen_port) as self._port:
            yield

    # ---- with the hall --------------------------------------------------------------------------

    async def prepare(self, ask: Ask) -> None:
        """Keeps the kit fresh while the line stands."""
        while True:
            result = await ask(PrepareOffline(port=self._port, secret=self._secret), _key())
            if result.problem is not None:
                log.warning("agent.no_kit", code=result.problem.code)
            await self._clock.sleep(RENEW_S)

    def take_kit(self, kit: OfflineKit, skew_ms: int) -> None:
        _ = self._tasks.run("keep the kit", self._keep(kit, skew_ms))

    async def _keep(self, kit: OfflineKit, skew_ms: int) -> None:
        try:
            await self.desk.keep(kit, skew_ms)
        except OSError as error:
            log.warning("agent.kit_not_stored", why=type(error).__name__)

    async def merge(self, ask: Ask) -> None:
        """Hands over what was given alone, the oldest first, each until the hall has answered for good."""
        while True:
            self.desk.owing.clear()
            for given in self.desk.owed():
                if not await self._merged(ask, given):
                    await self._clock.sleep(AGAIN_S)
                    self.desk.owing.set()
                    break
            await self.desk.owing.wait()

    async def _merged(self, ask: Ask, given: Given) -> bool:
        ticket = given.ticket
        key = f"{ticket.day}-{ticket.queue}-{ticket.serial}"
        result = await ask(merge_of(given), key)
        code = result.problem.code if result.problem is not None else ""
        text = error_texts().get(code)
        if code and (text is None or text.retry):
            return False
        if code:
            log.error("agent.number_refused", number=self.desk.number_of(given), code=code)
        try:
            await self.desk.settle(given, code)
        except OSError as error:
            log.warning("agent.ledger_failed", why=type(error).__name__)
            return False
        return True

    @property
    def armed(self) -> bool:
        """Whether the screen of this machine waits for a card."""
        return self._armed_until is not None and self._armed_until > self._clock.monotonic()

    # ---- the card -------------------------------------------------------------------------------

    def card(self, card: CardRead | CardFault) -> bool:
        """True when the card is for the screen of this machine; it is then not told to the hall."""
        if not self.armed:
            return False
        try:
            if isinstance(card, CardFault):
                known = card.code in error_texts()
                raise Refusal(card.code if known else "identity.unreadable")  # noqa: TRY301
            _ = self.desk.read(card)
        except Refusal as refusal:
            self._refused = Problem(code=refusal.code, params=dict(refusal.params))
        else:
            self._refused = None
            self.offline_disarm()
        return True

    def offline_identity(self, begin: bool) -> None:
        self.desk.forget()
        self._refused = None
        if not begin:
            self.offline_disarm()
            return
        if not any(one.status.state is DeviceState.READY for one in self._devices.readers.values()):
            raise Refusal("identity.no_reader")
        self._armed_until = self._clock.monotonic() + ARMED_SECONDS
        for reader in self._devices.readers.values():
            reader.arm()

    def offline_disarm(self) -> None:
        if self._armed_until is not None:
            self._armed_until = None
            for reader in self._devices.readers.values():
                reader.disarm()

    # ---- the screen -----------------------------------------------------------------------------

    def offline_state(self) -> OfflineState:
        problem, items = self._offer()
        shown = self.desk.shown
        return OfflineState(
            problem=problem,
            now=self.desk.now_ms(),
            items=items,
            peripherals=self._peripherals(),
            identity=_read(shown) if shown is not None else None,
            refused=self._refused,
            tickets=tuple(self._tickets.values()),
            owed=len(self.desk.owed()),
        )

    def _offer(self) -> tuple[Problem | None, tuple[ItemView, ...]]:
        try:
            kit = self.desk.kit()
        except Refusal as refusal:
            return Problem(code=refusal.code), ()
        items = tuple(self._item(kit, one) for one in kit.items)
        if items and not any(self.desk.left(kit, one.queue) for one in items):
            return Problem(code="lease.none"), items
        return None, items

    def _item(self, kit: OfflineKit, item: ItemView) -> ItemView:
        if not item.offered or self.desk.left(kit, item.queue):
            return item
        params: dict[str, str | int] = {"queue": item.name, "queue_en": item.name_en}
        return msgspec.structs.replace(
            item, offered=False, why="lease.none_left", why_params=params
        )

    def _peripherals(self) -> tuple[DeviceView, ...]:
        names = {one.id: one for one in self._settings.peripherals}
        return tuple(
            DeviceView(
                id=status.device,
                kind=status.kind,
                name=names[status.device].name,
                name_en=names[status.device].name_en,
                parent=DeviceId(self._settings.kiosk),
                window=None,
                state=status.state,
                conditions=tuple(
                    ConditionView(condition=one, since=status.since)
                    for one in sorted(status.conditions)
                ),
                since=status.since,
                seen=self.desk.now_ms(),
            )
            for status in self._devices.statuses()
        )

    def _check_printer(self) -> None:
        """No number without paper: nothing else tells it, as long as the hall is gone."""
        for printer in self._devices.printers.values():
            faults = sorted(one for one in printer.status.conditions if blocks_printing(one))
            if faults:
                raise Refusal("kiosk.printer_fault", condition=faults[0].value)
            if printer.status.state not in (DeviceState.READY, DeviceState.DEGRADED):
                raise Refusal("kiosk.printer_absent")

    async def offline_take(self, wish: TakeTicket, key: KeyText) -> Answer:
        """On the disk before it is answered; the paper follows."""
        self._check_printer()
        given, held, fresh = await self.desk.take(wish, key)
        ticket = TicketId(f"{given.ticket.day}-{given.ticket.queue}-{given.ticket.serial}")
        number = self.desk.number_of(given)
        if ticket not in self._tickets:
            view = self._view(ticket, number, given, held)
            if not fresh:  # a former process gave it, and nobody knows what its printer did
                view = msgspec.structs.replace(view, print_state=PrintState.UNKNOWN)
            self._show(ticket, view)
            masked = (held.masked_name, held.masked_number) if held is not None else None
            if fresh:
                self._print(ticket, given, number, masked)
        return Answer(ticket=ticket, number=number)

    def _show(self, ticket: str, view: KioskTicket) -> None:
        self._tickets[ticket] = view
        for old in list(self._tickets)[:-SHOWN_TICKETS]:
            del self._tickets[old]

    def _view(self, ticket: TicketId, number: str, given: Given, held: Shown | None) -> KioskTicket:
        items = {one.id: one for one in self.desk.kit().items}
        first = items[given.ticket.item]
        return KioskTicket(
            ticket=ticket,
            number=number,
            state=TicketState.WAITING,
            print_state=PrintState.PENDING,
            print_cause=None,
            attempt=1,
            ahead=0,
            wait=None,
            item_name=first.name,
            item_name_en=first.name_en,
            department_name="",
            department_name_en="",
            masked_name=held.masked_name if held is not None else "",
            masked_number=held.masked_number if held is not None else "",
            issued_at=given.ticket.taken_at,
            materials=first.materials,
            materials_en=first.materials_en,
            todo=tuple(
                ItemName(id=one, name=items[one].name, name_en=items[one].name_en)
                for one in given.ticket.more
            ),
            party=given.ticket.party,
        )

    # ---- paper ----------------------------------------------------------------------------------

    def _print(
        self, ticket: TicketId, given: Given, number: str, masked: tuple[str, str] | None
    ) -> None:
        document = offline_document(self.desk.kit(), given.ticket, number, masked)
        job = PrintJob(
            ticket=ticket,
            attempt=self._tickets[ticket].attempt,
            printer=next(iter(self._devices.printers), DeviceId("")),
            issued_at=self._clock.now_ms(),
            document=document,
            again=True,
        )
        _ = self._tasks.run(f"print/{ticket}", self._printed(job))

    async def _printed(self, job: PrintJob) -> None:
        printer = self._devices.printers.get(job.printer)
        result = PrintResult(PrintOutcome.FAILED, Condition.OFFLINE)
        if printer is not None:
            result = await printer.print(job)
        view = self._tickets.get(job.ticket)
        if view is not None:
            self._tickets[job.ticket] = msgspec.structs.replace(
                view, print_state=_PRINT_STATES[result.outcome], print_cause=result.cause
            )

    def offline_reprint(self, ticket: str) -> None:
        """The same number once more, as long as it is on the screen of its kiosk."""
        view = self._tickets.get(ticket)
        given = next(
            (
                one
                for one in self.desk.given_today()
                if f"{one.ticket.day}-{one.ticket.queue}-{one.ticket.serial}" == ticket
            ),
            None,
        )
        if view is None or given is None:
            raise Refusal("ticket.unknown")
        self._tickets[ticket] = msgspec.structs.replace(
            view, attempt=view.attempt + 1, print_state=PrintState.PENDING, print_cause=None
        )
        masked = (view.masked_name, view.masked_number) if view.masked_name else None
        self._print(view.ticket, given, view.number, masked)


def _read(shown: Shown) -> IdentityRead:
    return IdentityRead(
        token=shown.token,
        masked_name=shown.masked_name,
        masked_number=shown.masked_number,
        kind=CertificateKind(shown.kind),
    )


def _key() -> str:
    return secrets.token_hex(16)
