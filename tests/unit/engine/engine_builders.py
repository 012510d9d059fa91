"""A small hall and a driver that keeps the log, for tests of the engine."""

import copy

import msgspec
import pytest

from hallserver.engine.decide import decide
from hallserver.engine.evolve import evolve
from hallserver.engine.state import HallState, Ticket, new_state
from qingting.contract import commands as c
from qingting.contract import config as cfg
from qingting.contract.errors import Refusal
from qingting.contract.events import Event, EventBody, TicketCalled, TicketIssued
from qingting.contract.ids import (
    CommandKey,
    DepartmentId,
    DeviceId,
    HallId,
    ItemId,
    QueueId,
    StaffId,
    TicketId,
    WindowId,
)
from qingting.contract.people import Person
from qingting.contract.rules import CallingRules
from qingting.contract.states import CertificateKind, DeviceKind, Language

MONDAY_9 = 1_795_395_600_000
"""2026-11-23 09:00 in China, a Monday."""
HOUR = 3_600_000
PERSON = Person(
    kind=CertificateKind.RESIDENT_ID,
    masked_name="张*三",
    masked_number="230602********1238",
    sealed="k1.AAAA",
    index="00",
)
HEALTH, POLICE = QueueId("yb"), QueueId("ga")
CARE, RENEW, WEEKDAYS = ItemId("care"), ItemId("renew"), ItemId("weekdays")
W1, W2, W3 = WindowId("w1"), WindowId("w2"), WindowId("w3")
LI, WANG = StaffId("li"), StaffId("wang")
KIOSK, PRINTER, AGENT = DeviceId("k1"), DeviceId("k1-printer"), DeviceId("k1-agent")


def _item(item: ItemId, queue: QueueId, **more: object) -> cfg.Item:
    base = cfg.Item(
        id=item,
        name=f"事项{item}",
        name_en=f"Item {item}",
        department=DepartmentId("d1"),
        queue=queue,
        minutes=6.0,
    )
    return msgspec.structs.replace(base, **more)


def small_hall(**more: object) -> cfg.HallConfig:
    """Two queues, three items, three windows (w3 serves both queues), two clerks, one kiosk."""
    queues = (
        cfg.Queue(id=HEALTH, name="医保", name_en="Health", prefix="A"),
        cfg.Queue(id=POLICE, name="公安", name_en="Police", prefix="B"),
    )
    base = cfg.HallConfig(
        version=1,
        hall=cfg.HallInfo(
            id=HallId("test"), name="测试大厅", name_en="Test hall", division="230602"
        ),
        departments=(
            cfg.Department(
                id=DepartmentId("d1"), name="部门", name_en="Department", short_name="部门"
            ),
        ),
        queues=queues,
        items=(
            _item(CARE, HEALTH, needs_identity=False),
            _item(RENEW, POLICE),
            _item(WEEKDAYS, HEALTH, weekdays=(2, 3), needs_identity=False),
        ),
        windows=(
            cfg.Window(id=W1, number="1", name="一号", name_en="One", queues=(HEALTH,)),
            cfg.Window(id=W2, number="2", name="二号", name_en="Two", queues=(POLICE,)),
            cfg.Window(id=W3, number="3", name="三号", name_en="Three", queues=(POLICE, HEALTH)),
        ),
        staff=(
            cfg.Staff(id=LI, number="0101", name="李敏"),
            cfg.Staff(id=WANG, number="0102", name="王强"),
        ),
        devices=(
            cfg.Device(id=KIOSK, kind=DeviceKind.KIOSK, name="1号取号机"),
            cfg.Device(id=AGENT, kind=DeviceKind.AGENT, name="外设主机", parent=KIOSK),
            cfg.Device(id=PRINTER, kind=DeviceKind.PRINTER, name="打印机", parent=KIOSK),
        ),
    )
    return msgspec.structs.replace(base, **more)


class EngineRun:
    """Applies commands and keeps the log. ``do`` raises Refusal and then proves that nothing changed."""

    def __init__(self, config: cfg.HallConfig | None = None, at: int = MONDAY_9) -> None:
        self.state: HallState = new_state()
        self.log: list[Event] = []
        self.now = at
        self.commands = 0
        self.do(c.ApplyConfig(config=config or small_hall()))

    def do(self, command: c.Command, *, after: int = 1000) -> list[EventBody]:
        self.now += after
        self.commands += 1
        key = CommandKey(f"test:{self.commands:08d}")
        before = copy.deepcopy(self.state)
        try:
            bodies = decide(
                self.state, c.Envelope(key=key, at=self.now, actor="test", command=command)
            )
        finally:
            assert self.state == before, "decide changed the state"
        for body in bodies:
            day = self.state.day
            event = Event(
                s=self.state.seq + 1,
                at=self.now,
                bd=getattr(body, "day", day) or day,
                by="test",
                cmd=key,
                b=body,
            )
            evolve(self.state, event)
            self.log.append(event)
        return bodies

    def take(self, item: ItemId = CARE, *, device: DeviceId | None = KIOSK) -> TicketId:
        command = c.IssueTicket(
            item=item,
            token=f"token-{self.commands}",
            device=device,
            person=PERSON if item == RENEW else None,
        )
        issued = [one for one in self.do(command) if type(one).__name__ == "TicketIssued"]
        return issued[0].ticket  # type: ignore[union-attr]

    def open(self, window: WindowId = W1, staff: StaffId = LI) -> None:
        self.do(c.OpenWindow(window=window, staff=staff))

    def serve(self, window: WindowId = W1) -> TicketId:
        """Calls, begins and finishes the next visitor."""
        self.do(c.CallNext(window=window))
        self.do(c.BeginService(window=window))
        ticket = self.state.windows[window].ticket
        assert ticket is not None
        self.do(c.FinishService(window=window))
        return ticket

    def issue(self, item: ItemId = CARE, *, after: int = 1000, **more: object) -> TicketId:
        """A ticket without paper; ``more`` are fields of the command."""
        fields: dict[str, object] = {
            "item": item,
            "token": f"token-{self.commands}",
            "person": PERSON if item == RENEW else None,
            **more,
        }
        bodies = self.do(c.IssueTicket(**fields), after=after)  # type: ignore[arg-type]
        return next(one.ticket for one in bodies if isinstance(one, TicketIssued))

    def call(self, window: WindowId = W1, *, after: int = 1000) -> TicketCalled:
        """Who is called next at a window, and why."""
        (called,) = self.do(c.CallNext(window=window), after=after)
        assert isinstance(called, TicketCalled)
        return called

    def calls(self, times: int, window: WindowId = W1) -> list[TicketId]:
        """The next visitors, each called and served at once."""
        return [self.serve(window) for _ in range(times)]

    def wait(self, minutes: float) -> None:
        """Lets time pass."""
        self.now += int(minutes * 60_000)

    def ticket(self, ticket: TicketId) -> Ticket:
        return self.state.tickets[ticket]


def refused(run: EngineRun, command: c.Command, code: str, *, after: int = 1000) -> Refusal:
    """The refusal of a command, which must have this code and a complete sentence in both languages."""
    with pytest.raises(Refusal) as caught:
        run.do(command, after=after)
    assert caught.value.code == code
    zh, en = (caught.value.sentence(one) for one in (Language.ZH, Language.EN))
    assert zh != en
    assert "…" not in zh + en, "a parameter of the sentence is missing"
    return caught.value


def rules(**more: object) -> CallingRules:
    """Calling rules without bound, cap, pause: what a test does not name does not interfere."""
    base = CallingRules(max_delay_minutes=0, priority_in_a_row=0, recall_pause_seconds=0)
    return msgspec.structs.replace(base, **more)


def hall_with(**fields: object) -> EngineRun:
    """A run in the small hall with other fields; ``rules`` default to those of :func:`rules`."""
    return EngineRun(small_hall(**{"rules": rules(), **fields}))


def changed(config: cfg.HallConfig, kind: str, key: str, **more: object) -> dict[str, object]:
    """The ``kind`` of a configuration with fields of one entry replaced, as keyword for another."""
    entries = getattr(config, kind)
    assert any(one.id == key for one in entries)
    return {
        kind: tuple(
            msgspec.structs.replace(one, **more) if one.id == key else one for one in entries
        )
    }
