"""A demonstration hall is a working hall: what it offers can be taken, called and printed."""

import pytest
from demo_hall import TUESDAY, SmallHall

from hallserver.engine.tickets import ticket_document
from qingting.contract import commands as c
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.contract.printing import TextLine
from qingting.contract.states import StaffRole, TicketState
from qingting.demo.builder import hall_ids

MONDAY_NIGHT = TUESDAY - 31 * 3_600_000  # 2026-11-23 03:00


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
