"""What a clerk may ask at the pad beyond the next step: done once, refused in words, never without right."""

from typing import Any

import msgspec
import pytest

from qingting.contract import commands as c
from qingting.contract import config as cfg
from qingting.contract import hub as h
from qingting.contract import hub_desk as desk
from qingting.contract.calendar import Period
from qingting.contract.ids import DeviceId, ItemId, QueueId, StaffId, TicketId, WindowId
from qingting.contract.rules import Place
from qingting.contract.states import StaffPermission, TicketState, WindowState

House = Any
W1, W2 = WindowId("w1"), WindowId("w2")
LI, WANG = StaffId("s-01"), StaffId("s-02")
ALL = tuple(StaffPermission)


@pytest.fixture
def wider(config: cfg.HallConfig) -> cfg.HallConfig:
    """A second queue and item at window 2; 李敏 may everything, 王强 nothing and is on shift at window 1."""
    health = cfg.Queue(id=QueueId("yb"), name="医保", name_en="Health", prefix="B")
    care = msgspec.structs.replace(
        config.items[1], id=ItemId("care"), name="医保咨询", queue=health.id
    )
    first, second = config.windows
    staff = tuple(
        msgspec.structs.replace(one, permissions=ALL) if one.id == LI else one
        for one in config.staff
    )
    shift = cfg.Shift(staff=WANG, window=W1, periods=(Period(start="00:00", end="24:00"),))
    return msgspec.structs.replace(
        config,
        version=2,
        queues=(*config.queues, health),
        items=(*config.items, care),
        windows=(first, msgspec.structs.replace(second, queues=(QueueId("ga"), health.id))),
        staff=staff,
        shifts=(shift,),
    )


@pytest.fixture
async def hall(house: House, wider: cfg.HallConfig) -> House:
    await house.hall.submit(c.ApplyConfig(config=wider), key="test:wider-config", actor="test")
    return house


async def called(house: House, pad: Any, *keys: str) -> TicketId:
    """Tickets of those keys wait, and the first one is called."""
    for key in keys:
        await house.issue(key)
    await pad.ask(h.Next())
    ticket = house.hall.state.windows[W1].ticket
    assert ticket is not None
    return TicketId(ticket)


def state_of(house: House, ticket: str) -> TicketState:
    return TicketState(house.hall.state.tickets[TicketId(ticket)].state)


async def test_a_visitor_goes_away_and_comes_back_once(hall: House) -> None:
    async with await hall.clerk() as pad:
        ticket = await called(hall, pad, "one")
        park = desk.Park(reason="复印", minutes=15)
        await pad.ask(park, key="press-park")
        assert state_of(hall, ticket) is TicketState.PARKED
        await pad.ask(park, key="press-park")
        assert await pad.refused(park) == "window.idle"
        await pad.ask(desk.Resume(ticket=ticket), key="press-resume")
        await pad.ask(desk.Resume(ticket=ticket), key="press-resume")
        assert state_of(hall, ticket) is TicketState.CALLED
        assert await pad.refused(desk.Resume(ticket=ticket)) == "window.busy"


async def test_a_transfer_goes_to_the_window_and_comes_back_afterwards(hall: House) -> None:
    async with await hall.clerk() as pad, await hall.clerk("pad2", "0102", "w2") as other:
        ticket = await called(hall, pad, "one")
        await pad.ask(h.Subscribe(topics=("windows",)), key=None)
        target = pad.topics["windows"]["w2"]
        assert (target.staff, target.queues) == (WANG, ("ga", "yb"))
        send = desk.Transfer(to_window=W2, place=Place.FIRST, back=True, note="差复印件")
        await pad.ask(send, key="press-send")
        await pad.ask(send, key="press-send")
        await other.ask(h.Subscribe(topics=("window:w2",)), key=None)
        await other.ask(h.Next())
        visit = await other.until(lambda: other.topics["window:w2"]["window"].visit)
        assert (visit.ticket, visit.reason, visit.note, visit.back_to) == (
            ticket, "sent", "差复印件", "1",
        )  # fmt: skip
        await other.ask(h.Begin())
        await other.ask(h.Finish())
        assert hall.hall.state.tickets[ticket].line == "@w:w1"
        assert await pad.refused(desk.Transfer(to_window=W2)) == "window.idle"


async def test_a_transfer_is_refused_with_its_sentence(hall: House) -> None:
    async with await hall.clerk() as pad:
        ticket = await called(hall, pad, "one")
        wrong = {
            desk.Transfer(to_window=W2): "transfer.window_closed",
            desk.Transfer(to_window=W1): "transfer.same_window",
            desk.Transfer(to_staff=WANG): "transfer.staff_away",
            desk.Transfer(): "transfer.one_target",
            desk.Transfer(to_queue=QueueId("ga")): "transfer.same_queue",
            desk.Transfer(item=ItemId("nothing")): "ticket.unknown_item",
        }
        for body, code in wrong.items():
            assert await pad.refused(body) == code
        assert state_of(hall, ticket) is TicketState.CALLED


async def test_a_called_visitor_goes_back_to_the_same_place(hall: House) -> None:
    async with await hall.clerk() as pad:
        ticket = await called(hall, pad, "one", "two")
        await pad.ask(desk.PutBack(), key="press-back")
        await pad.ask(desk.PutBack(), key="press-back")
        await pad.ask(h.Subscribe(topics=("window:w1",)), key=None)
        view = pad.topics["window:w1"]["window"]
        assert view.next == view.queue[0].ticket == ticket
        assert await pad.refused(desk.PutBack()) == "window.idle"


async def test_one_more_item_is_done_at_once_where_the_window_serves_it(hall: House) -> None:
    async with await hall.clerk() as pad:
        ticket = await called(hall, pad, "one")
        await pad.ask(desk.OneMore(item=ItemId("id-renew")), key="press-more")
        await pad.ask(desk.OneMore(item=ItemId("id-renew")), key="press-more")
        assert await pad.refused(desk.OneMore(item=ItemId("id-renew"))) == "ticket.item_twice"
        await pad.ask(h.Subscribe(topics=("window:w1",)), key=None)
        (todo,) = pad.topics["window:w1"]["window"].visit.todo
        assert todo.here
        await pad.ask(h.Begin())
        await pad.ask(h.Finish(stay=True))
        assert state_of(hall, ticket) is TicketState.SERVING
        assert await pad.refused(h.Finish(stay=True)) == "ticket.no_next_item"


async def test_only_who_may_pick_calls_out_of_turn_and_never_without_a_reason(hall: House) -> None:
    async with await hall.clerk() as pad, await hall.clerk("pad2", "0102", "w2") as other:
        for key in ("one", "two"):
            await hall.issue(key)
        second = sorted(hall.hall.state.tickets)[1]
        pick = desk.Pick(ticket=TicketId(second), reason="身体不适")
        assert await other.refused(pick) == "call.pick_forbidden"
        assert await pad.refused(desk.Pick(ticket=TicketId(second), reason="")) == "hub.bad_message"
        await pad.ask(pick, key="press-pick")
        await pad.ask(pick, key="press-pick")
        assert hall.hall.state.windows[W1].ticket == second
        ticket = hall.hall.state.tickets[TicketId(second)]
        assert (ticket.reason, ticket.why) == ("picked", {"text": "身体不适"})


async def test_a_waiting_ticket_changes_its_class(hall: House) -> None:
    async with await hall.clerk() as pad:
        await pad.ask(h.Subscribe(topics=("catalogue", "window:w1")), key=None)
        every = {one.id for one in pad.topics["catalogue"]["classes"].every}
        assert {"ordinary", "booked", "elderly"} <= every
        for key in ("one", "two"):
            await hall.issue(key)
        second = sorted(hall.hall.state.tickets)[1]
        body = desk.Reclass(ticket=TicketId(second), priority="soldier")
        await pad.ask(body, key="press-class")
        await pad.ask(body, key="press-class")
        view = await pad.until(
            lambda: (found := pad.topics["window:w1"]["window"]).next == second and found
        )
        assert (view.next_reason, view.queue[0].priority) == ("priority", "soldier")
        unknown = desk.Reclass(ticket=TicketId(second), priority="king")
        assert await pad.refused(unknown) == "ticket.unknown_class"


async def test_a_ticket_made_at_the_desk_needs_the_permission_and_is_made_once(hall: House) -> None:
    async with await hall.clerk() as pad, await hall.clerk("pad2", "0102", "w2") as other:
        make = desk.MakeTicket(item=ItemId("id-renew"), waiver="忘带证件", party=2)
        assert await other.refused(make) == "staff.not_permitted"
        bare = desk.MakeTicket(item=ItemId("id-renew"))
        assert await pad.refused(bare) == "ticket.identity_needed"
        first = await pad.ask(make, key="press-make")
        assert await pad.ask(make, key="press-make") == first
        (ticket,) = hall.hall.state.tickets.values()
        assert (ticket.waiver, ticket.party) == ("忘带证件", 2)


async def test_a_window_is_lent_and_taken_back(hall: House) -> None:
    async with await hall.clerk() as pad, await hall.clerk("pad2", "0102", "w2") as other:
        lend = desk.Lend(queues=(QueueId("yb"),), minutes=30)
        assert await other.refused(lend) == "staff.not_permitted"
        await pad.ask(h.Subscribe(topics=("window:w1",)), key=None)
        await pad.ask(lend, key="press-lend")
        until = hall.hall.state.windows[W1].lent_until
        hall.clock.shift += 60
        await pad.ask(lend, key="press-lend")
        assert hall.hall.state.windows[W1].lent_until == until, "a repeat must not prolong it"
        await pad.until(lambda: pad.topics["window:w1"]["window"].lent == ("yb",))
        await pad.ask(desk.Lend(queues=()))
        await pad.until(lambda: pad.topics["window:w1"]["window"].lent == ())
        assert await pad.refused(desk.Lend(queues=(QueueId("ga"),))) == "window.serves_already"


async def test_the_planned_clerk_takes_over_an_idle_window_and_nobody_else(hall: House) -> None:
    async with await hall.clerk() as pad, await hall.join("pad2") as other:
        await hall.accounts.staff.seed(
            {WANG: "Lotus-2026-pond", StaffId("s-09"): "Lotus-2026-pond"}
        )
        await other.ask(h.Subscribe(topics=("windows",)), key=None)
        first = other.topics["windows"]["w1"]
        assert (first.planned, first.planned_name, first.staff) == (WANG, "王强", LI)
        await other.ask(h.Login(number="0109", password="Lotus-2026-pond"), key=None)
        assert await other.refused(h.TakeWindow(window=W1)) == "window.taken"
        await other.ask(h.Login(number="0102", password="Lotus-2026-pond"), key=None)
        await called(hall, pad, "one")
        assert await other.refused(h.TakeWindow(window=W1)) == "window.busy"
        await pad.ask(h.Absent())
        await other.ask(h.TakeWindow(window=W1))
        life = hall.hall.state.windows[W1]
        assert (life.state, life.staff) == (WindowState.OPEN, WANG)
        assert await pad.refused(h.Next()) == "window.none"


async def test_changing_the_window_closes_the_former_one_unless_somebody_is_there(
    hall: House,
) -> None:
    async with await hall.clerk() as pad:
        await called(hall, pad, "one")
        assert await pad.refused(h.TakeWindow(window=W2)) == "window.busy"
        await pad.ask(h.Absent())
        await pad.ask(h.TakeWindow(window=W2), key="press-move")
        await pad.ask(h.TakeWindow(window=W2), key="press-move")
        windows = hall.hall.state.windows
        assert (windows[W1].state, windows[W2].staff) == (WindowState.CLOSED, LI)


async def test_a_password_is_changed_with_the_former_one(hall: House) -> None:
    async with await hall.clerk() as pad:
        wrong = desk.ChangePassword(present="nothing", new="Pond-2026-lotus")
        assert await pad.refused(wrong, key=None) == "login.wrong"
        weak = desk.ChangePassword(present="Lotus-2026-pond", new="123456")
        assert await pad.refused(weak, key=None) == "login.password_weak"
        change = desk.ChangePassword(present="Lotus-2026-pond", new="Pond-2026-lotus")
        await pad.ask(change, key=None)
        await pad.ask(h.Login(number="0101", password="Pond-2026-lotus"), key=None)


async def test_a_one_time_password_opens_nothing_but_its_own_replacement(hall: House) -> None:
    (li,) = (one for one in hall.hall.state.staff.values() if one.id == LI)
    once, fresh = await hall.accounts.staff.reset(li), "Pond-2026-lotus"
    async with await hall.join("pad1") as pad:
        for wrong, code in {
            h.Login(number="0101", password=once): "staff.password_once",
            h.Login(number="0101", password=once, new="123456"): "login.password_weak",
            h.Login(number="0101", password=once, new=once): "login.password_used",
            h.Login(number="0101", password="no", new=fresh): "staff.wrong_password",
        }.items():
            assert await pad.refused(wrong, key=None) == code
        for body in (h.TakeWindow(window=W1), h.Next(), desk.MakeTicket(item=ItemId("advice"))):
            assert await pad.refused(body) == "hub.not_logged_in"
        sly = desk.ChangePassword(present=once, new=fresh)
        assert await pad.refused(sly, key=None) == "hub.not_logged_in"
        assert hall.hall.state.windows[W1].staff is None
        await pad.ask(h.Login(number="0101", password=once, new=fresh), key=None)
        await pad.ask(h.TakeWindow(window=W1))
        dead = h.Login(number="0101", password=once)
        assert await pad.refused(dead, key=None) == "staff.wrong_password"
        await pad.ask(h.Login(number="0101", password=fresh), key=None)


async def test_a_one_time_password_ends_after_a_day_and_a_new_one_opens(hall: House) -> None:
    (li,) = (one for one in hall.hall.state.staff.values() if one.id == LI)
    accounts, fresh = hall.accounts.staff, "Pond-2026-lotus"
    once = await accounts.reset(li)
    hall.clock.shift += 24 * 3600 - 1
    assert await accounts.check(li, li.number, once)
    hall.clock.shift += 1
    async with await hall.join("pad1") as pad:
        ended = h.Login(number="0101", password=once, new=fresh)
        assert await pad.refused(ended, key=None) == "staff.password_ended"
        guessed = h.Login(number="0101", password="no", new=fresh)
        assert await pad.refused(guessed, key=None) == "staff.wrong_password"
        again = h.Login(number="0101", password=await accounts.reset(li), new=fresh)
        await pad.ask(again, key=None)
    hall.clock.shift += 24 * 3600
    assert not await accounts.check(li, li.number, fresh)


async def test_nothing_of_it_is_done_before_logging_in(hall: House) -> None:
    async with await hall.join("pad1") as pad:
        ticket = TicketId("2026-11-24-ga-A001")
        for body in (
            desk.Park(),
            desk.Resume(ticket=ticket),
            desk.Transfer(to_queue=QueueId("yb")),
            desk.PutBack(),
            desk.OneMore(item=ItemId("care")),
            desk.Pick(ticket=ticket, reason="x"),
            desk.Reclass(ticket=ticket, priority="elderly"),
            desk.MakeTicket(item=ItemId("advice"), print_at=DeviceId("k1")),
            desk.Lend(queues=(QueueId("yb"),)),
            desk.ChangePassword(present="a", new="b"),
            h.ComeBack(ticket=ticket),
        ):
            assert await pad.refused(body) == "hub.not_logged_in", body


async def test_the_pad_knows_from_when_on_it_may_call_again(hall: House) -> None:
    async with await hall.clerk() as pad:
        await called(hall, pad, "one")
        await pad.ask(h.Subscribe(topics=("window:w1",)), key=None)
        visit = pad.topics["window:w1"]["window"].visit
        assert visit.recall_at == visit.called_at + 5_000
        assert await pad.refused(h.Again()) == "call.recall_too_soon"
        hall.clock.shift += 5
        await pad.ask(h.Again())
