"""Booked visitors, holders of a ticket and several items at a kiosk, over the hub's protocol."""

from typing import Any

import msgspec
import pytest

from hallserver.engine.days import hall_time
from qingting.contract import commands as c
from qingting.contract import directives as d
from qingting.contract import hub as h
from qingting.contract import printing as p
from qingting.contract.bookings import Booking
from qingting.contract.config import RepeatRule
from qingting.contract.config_parts import OfferPart
from qingting.contract.ids import BookingId, DeviceId, ItemId, TicketId
from qingting.contract.people import Person
from qingting.contract.states import CertificateKind, PrintOutcome, TicketState

House = Any
MINUTE = 60_000
SCANNER = DeviceId("k1-scanner")


def holder(house: House) -> Person:
    """The person of the card that the tests put on the reader."""
    number = "230602199001011238"
    return Person(
        kind=CertificateKind.RESIDENT_ID,
        masked_name="张*三",
        masked_number="230602********1238",
        sealed=house.sealer.seal("{}", context="person"),
        index=house.sealer.blind_index(number),
    )


async def booked(house: House, no: int, *, minutes: int = 0, day: str = "") -> Booking:
    """A booking that the city sent, ``minutes`` from now."""
    now = house.clock.now_ms()
    booking = Booking(
        id=BookingId(f"b-{no}"),
        code=f"booking-code-{no:04d}",
        day=day or hall_time(now, house.hall.state.config).strftime("%Y-%m-%d"),
        start=now + minutes * MINUTE,
        end=now + (minutes + 30) * MINUTE,
        items=(ItemId("id-renew"), ItemId("advice")),
        person=holder(house),
        party=2,
    )
    command = c.ApplyDirective(no=no, directive=d.PutBooking(booking=booking))
    await house.hall.submit(command, key=f"city:{no}", actor="city")
    return booking


async def scan(agent: Any, text: str) -> None:
    await agent.ask(h.CodeScanned(device=SCANNER, text=text), key=None)


async def read_card(house: House, kiosk: Any, agent: Any) -> h.IdentityRead:
    await kiosk.ask(h.BeginIdentity(), key=None)
    await agent.ask(house.card(), key=None)
    read: h.IdentityRead = await kiosk.get(h.IdentityRead)
    return read


async def test_a_booking_code_gives_the_booked_number_without_a_card(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        booking = await booked(house, 1)
        await scan(agent, f"https://yy.example/b/{booking.code}")
        found = (await kiosk.get(h.BookingFound)).booking
        assert (found.problem, found.late, found.party) == (None, False, 2)
        answer = await kiosk.ask(h.TakeTicket(item=found.items[0], booking=found.id))
        ticket = house.hall.state.tickets[answer.ticket]
        assert (ticket.booking, ticket.party, ticket.todo) == (booking.id, 2, ["advice"])
        assert ticket.person.masked_name == "张*三"


async def test_a_code_whose_number_was_taken_shows_that_ticket_again(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        booking = await booked(house, 1)
        await scan(agent, booking.code)
        found = (await kiosk.get(h.BookingFound)).booking
        answer = await kiosk.ask(h.TakeTicket(item=found.items[0], booking=found.id))
        await scan(agent, booking.code)
        assert (await kiosk.get(h.CodeFound)).ticket == answer.ticket


async def test_a_card_lists_its_bookings_and_says_what_stands_against_each(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        await booked(house, 1)
        await booked(house, 2, minutes=180)
        await booked(house, 3, day="2099-01-01")
        await booked(house, 4)
        drop = c.ApplyDirective(no=5, directive=d.DropBooking(booking=BookingId("b-4")))
        await house.hall.submit(drop, key="city:5", actor="city")
        read = await read_card(house, kiosk, agent)
        codes = {one.id: one.problem.code if one.problem else "" for one in read.bookings}
        assert codes == {
            "b-1": "",
            "b-2": "booking.too_early",
            "b-3": "booking.other_day",
            "b-4": "booking.over",
        }
        await kiosk.ask(
            h.TakeTicket(item=ItemId("id-renew"), booking=BookingId("b-1"), identity=read.token)
        )
        early = h.TakeTicket(item=ItemId("id-renew"), booking=BookingId("b-2"))
        assert await kiosk.refused(early) == "booking.not_shown"


async def test_a_late_visitor_is_told_before_and_on_paper_that_the_place_is_an_ordinary_one(
    house: House,
) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        booking = await booked(house, 1, minutes=-90)
        await scan(agent, booking.code)
        found = (await kiosk.get(h.BookingFound)).booking
        assert found.late
        answer = await kiosk.ask(h.TakeTicket(item=found.items[0], booking=found.id))
        assert house.hall.state.tickets[answer.ticket].late
        rows = (await agent.get(h.PrintOrder)).job.document
        assert "您已过预约时间，按现场取号排队" in [
            r.text for r in rows if isinstance(r, p.TextLine)
        ]
        pairs = {r.label: r.value for r in rows if isinstance(r, p.PairLine)}
        assert pairs["办理窗口"] == "1、2"
        assert pairs["接着办理"] == "户籍咨询"
        assert pairs["证件号码"] == "230602********1238"


async def test_nobody_takes_a_booking_that_was_shown_to_somebody_who_left(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        booking = await booked(house, 1)
        await scan(agent, booking.code)
        found = (await kiosk.get(h.BookingFound)).booking
        await kiosk.ask(h.EndIdentity(), key=None)
        take = h.TakeTicket(item=found.items[0], booking=found.id)
        assert await kiosk.refused(take) == "booking.not_shown"


async def only_once(house: House) -> None:
    """Makes the card's item one that a certificate may hold once at a time."""
    config = house.hall.state.config
    items = tuple(msgspec.structs.replace(one, repeat=RepeatRule.OPEN) for one in config.items)
    edit = c.EditConfig(base=config.version, part=OfferPart(queues=config.queues, items=items))
    await house.hall.submit(edit, key="edit:repeat", actor="staff:s-09")


async def test_who_holds_a_number_is_shown_it_and_may_print_it_at_this_kiosk(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        await only_once(house)
        token = await house.identify(kiosk, agent)
        await kiosk.ask(h.Subscribe(topics=("kiosk:k1",)), key=None)
        first = await kiosk.ask(h.TakeTicket(item=ItemId("id-renew"), identity=token))
        assert first is not None
        ticket = TicketId(first.ticket or "")
        job = (await agent.get(h.PrintOrder)).job
        await agent.ask(
            h.PrintReport(ticket=ticket, attempt=job.attempt, outcome=PrintOutcome.PRINTED)
        )
        again = await house.identify(kiosk, agent)
        result = await kiosk.result(h.TakeTicket(item=ItemId("id-renew"), identity=again))
        assert result.problem.code == "ticket.repeat_open"
        assert result.problem.params["ticket"] == ticket
        assert f"ticket:{ticket}" in kiosk.topics["kiosk:k1"]
        await kiosk.ask(h.Reprint(ticket=ticket))
        assert house.hall.state.tickets[ticket].attempt == 2


async def test_the_place_is_given_up_only_where_the_ticket_was_shown(house: House) -> None:
    async with (
        await house.agent() as agent,
        await house.join("k1") as kiosk,
        await house.join("k2") as other,
    ):
        ticket = TicketId(await house.ticket(other))
        assert await kiosk.refused(h.LeaveLine(ticket=ticket)) == "hub.forbidden"
        await scan(agent, house.hall.state.tickets[ticket].token)
        await kiosk.get(h.CodeFound)
        await kiosk.ask(h.LeaveLine(ticket=ticket))
        assert house.hall.state.tickets[ticket].state is TicketState.CANCELLED


@pytest.mark.parametrize("act", [h.ComeBack, h.LeaveLine])
async def test_an_unknown_ticket_can_neither_return_nor_leave(house: House, act: Any) -> None:
    async with await house.join("k1") as kiosk:
        code = await kiosk.refused(act(ticket=TicketId("2026-11-23-ga-99")))
        assert code in ("ticket.unknown", "hub.forbidden")


async def test_a_missed_visitor_stands_in_line_again_by_scanning_the_ticket(house: House) -> None:
    async with (
        await house.agent() as agent,
        await house.join("k1") as kiosk,
        await house.clerk() as clerk,
    ):
        ticket = TicketId(await house.ticket(kiosk))
        await clerk.ask(h.Next())
        await clerk.ask(h.Absent())
        await kiosk.ask(h.Subscribe(topics=("kiosk:k1",)), key=None)
        await scan(agent, house.hall.state.tickets[ticket].token)
        await kiosk.get(h.CodeFound)
        view = kiosk.topics["kiosk:k1"][f"ticket:{ticket}"]
        assert (view.state, view.can_return) == (TicketState.NO_SHOW, True)
        await kiosk.ask(h.ComeBack(ticket=ticket))
        assert house.hall.state.tickets[ticket].state is TicketState.WAITING
