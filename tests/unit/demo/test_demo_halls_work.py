"""A demonstration hall is a working hall: what it offers can be taken, called and printed."""

import pytest

from hallserver.engine.calling import next_ticket
from hallserver.engine.decide import decide
from hallserver.engine.evolve import evolve
from hallserver.engine.state import HallState, new_state
from hallserver.engine.tickets import ticket_document
from qingting.contract import commands as c
from qingting.contract.errors import Refusal
from qingting.contract.events import Event
from qingting.contract.ids import BusinessDay, CommandKey, HallId, WindowId
from qingting.contract.people import Person
from qingting.contract.printing import TextLine
from qingting.contract.states import CertificateKind, StaffRole, TicketState
from qingting.demo.builder import build_hall, hall_ids

TUESDAY = 1_795_485_600_000  # 2026-11-24 10:00 in Daqing, a day on which everything is offered
MONDAY_NIGHT = TUESDAY - 31 * 3_600_000  # 2026-11-23 03:00
SOMEBODY = Person(
    kind=CertificateKind.RESIDENT_ID,
    masked_name="张*三",
    masked_number="230602********1238",
    sealed="k1.AA==",
    index="00",
)


class SmallHall:
    """The engine with nothing around it."""

    def __init__(self, hall: HallId, at: int) -> None:
        self.state: HallState = new_state()
        self.at = at
        self._keys = 0
        self.do(c.ApplyConfig(config=build_hall(hall)))

    def do(self, command: c.Command) -> None:
        self._keys += 1
        key = CommandKey(f"test:{self._keys:08d}")
        envelope = c.Envelope(key=key, at=self.at, actor="test", command=command)
        for body in decide(self.state, envelope):
            day = self.state.day or BusinessDay("")
            event = Event(s=self.state.seq + 1, at=self.at, bd=day, by="test", cmd=key, b=body)
            evolve(self.state, event)

    def serve_all(self, window: WindowId) -> None:
        """Until nobody waits for this window any more."""
        while next_ticket(self.state, window, self.at) is not None:
            self.do(c.CallNext(window=window))
            self.do(c.BeginService(window=window))
            self.do(c.FinishService(window=window))

    def take(self, item: str) -> None:
        self._keys += 1
        found = self.state.items[next(one for one in self.state.items if one == item)]
        person = SOMEBODY if found.needs_identity else None
        self.do(c.IssueTicket(item=found.id, token=f"t{self._keys:08d}", person=person))


@pytest.mark.parametrize("hall", hall_ids(12))
def test_every_item_of_every_hall_can_be_taken_and_is_called_by_some_window(hall: HallId) -> None:
    small = SmallHall(hall, TUESDAY)
    for item in small.state.items:
        small.take(item)
    clerks = [one for one in small.state.staff.values() if one.role is StaffRole.CLERK]
    for window, clerk in zip(small.state.windows, clerks, strict=False):
        small.do(c.OpenWindow(window=window, staff=clerk.id))
    for window in small.state.windows:
        small.serve_all(window)
    states = {ticket.state for ticket in small.state.tickets.values()}
    assert states == {TicketState.DONE}
    assert len(small.state.tickets) == len(small.state.items)


def test_tickets_can_be_taken_in_the_middle_of_the_night() -> None:
    small = SmallHall(HallId("saertu"), MONDAY_NIGHT)
    small.take("id-renew")
    assert [ticket.number for ticket in small.state.tickets.values()] == ["A001"]


def test_the_item_of_certain_weekdays_is_refused_on_the_others() -> None:
    small = SmallHall(HallId("saertu"), MONDAY_NIGHT)
    with pytest.raises(Refusal) as refused:
        small.take("notary-will")
    assert refused.value.code == "ticket.item_not_today"
    assert refused.value.params["days"] == "周二、周四"


def test_the_ticket_of_a_demonstration_names_its_hall() -> None:
    small = SmallHall(HallId("duerbote"), TUESDAY)
    small.take("id-renew")
    document = ticket_document(small.state, next(iter(small.state.tickets)), "http://127.0.0.1")
    texts = [line.text for line in document if isinstance(line, TextLine)]
    assert "杜尔伯特蒙古族自治县政务服务中心" in texts
    assert "A001" in texts
