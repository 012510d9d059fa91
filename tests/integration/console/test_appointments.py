"""Appointments on PostgreSQL: their life from the hold to what came of it in the hall."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
import sqlalchemy as sa
from appointment_stage import (
    ENTRY,
    HALL,
    TODAY,
    TOMORROW,
    Stage,
    booking_config,
    stage,
    visitor,
    wanted,
)
from city_hall import START
from patience import until

from console.core.pruning import prune_all
from console.core.retention import RetentionSettings
from console.halls import models as hall_models
from console.halls.api import HALLS
from console.modules.appointments import models as m
from console.modules.appointments import repository as repo
from console.modules.appointments.api import Appointment, Level, Life, Wanted
from console.modules.appointments.pruning import PRUNE_LOCK, prunes
from console.modules.appointments.relay import BATCH
from console.modules.appointments.rules import CapacityBy, LateRule, Rule, Target
from console.modules.notifications import models as notes
from qingting.contract import events as e
from qingting.contract.config_parts import HallPart
from qingting.contract.directives import DropBooking
from qingting.contract.errors import Refusal
from qingting.contract.examples import DEPARTMENT, ITEM, QUEUE, STAFF, WINDOW
from qingting.contract.ids import BookingId, HallId, ItemId, TicketId

pytestmark = pytest.mark.postgres
HOUR = 3_600_000


@pytest.fixture
async def run(city_url: str) -> AsyncIterator[Stage]:
    async with stage(city_url) as one:
        yield one


async def book(run: Stage, name: str = "ann", wish: Wanted | None = None, key: str = "") -> Appointment:  # fmt: skip
    async with run.city.db.write() as uow:
        return await run.api.book(uow, visitor(name), wish or wanted(), key=key or name)


async def hold(run: Stage, name: str, wish: Wanted | None = None) -> Appointment:
    async with run.city.db.write() as uow:
        return await run.api.hold(uow, visitor(name), wish or wanted(), key=f"hold {name}")


async def confirm(run: Stage, name: str, held: str) -> Appointment:
    async with run.city.db.write() as uow:
        return await run.api.confirm(uow, visitor(name), held, key=f"confirm {name}")


async def cancel(run: Stage, one: Appointment, key: str = "c") -> Appointment:
    async with run.city.db.write() as uow:
        return await run.api.cancel(
            uow, visitor(one.citizen), one.id, reason="no_time", key=f"{key} {one.id}"
        )


async def change(run: Stage, one: Appointment, wish: Wanted, key: str = "ch") -> Appointment:
    async with run.city.db.write() as uow:
        return await run.api.change(uow, visitor(one.citizen), one.id, wish, key=f"{key} {one.id}")


async def state(run: Stage, one: Appointment) -> Appointment:
    async with run.city.db.read() as uow:
        return await run.api.booking(uow, one.id, one.citizen)


async def refused(code: str, act: object) -> Refusal:
    with pytest.raises(Refusal) as found:
        await act  # type: ignore[misc]
    assert found.value.code == code
    return found.value


async def free(run: Stage, day: object = TOMORROW) -> dict[str, tuple[int, str]]:
    async with run.city.db.read() as uow:
        (found,) = await run.api.free(uow, HALL, (ITEM,), day, day)  # type: ignore[arg-type]
    return {one.start: (one.free, one.why) for one in found.places} or {"": (0, found.why)}


async def directives(run: Stage) -> list[str]:
    """What was numbered for the hall, by kind."""
    await until(run.relayed)
    d = hall_models.directive.c
    async with run.city.db.read() as uow:
        rows = await uow.all(sa.select(d.body).where(d.hall == HALL).order_by(d.no))
    return [bytes(row["body"]).decode().split('"type":"')[1].split('"')[0] for row in rows]


async def told(run: Stage, citizen: str, *, all_sent: bool = True) -> list[str]:
    if all_sent:
        await until(run.relayed)
    async with run.city.db.read() as uow:
        n = notes.message.c
        rows = await uow.all(sa.select(n.topic).where(n.citizen == citizen).order_by(n.no))
    return [row["topic"].removeprefix("appointment.") for row in rows]


def taken(one: Appointment, *, late: bool = False) -> e.TicketIssued:
    return e.TicketIssued(
        ticket=TicketId(f"t-{one.id}"), number="A001", serial=1, day="2026-11-24",  # type: ignore[arg-type]
        queue=QUEUE, item=ITEM, department=DEPARTMENT, token="t" * 20, ahead=0,
        booking=BookingId(one.id), late=late,
    )  # fmt: skip


def finished(one: Appointment) -> e.ServiceFinished:
    return e.ServiceFinished(
        ticket=TicketId(f"t-{one.id}"), window=WINDOW, staff=STAFF, case=f"case-{one.id}"
    )


async def test_a_place_is_held_booked_and_kept_in_the_hall(run: Stage) -> None:
    assert await free(run) == {f"{h}": (1, "") for h in ("09:00", "09:30", "10:00", "10:30")}
    held = await hold(run, "ann")
    assert (held.state, held.start, held.end, held.masked_name) == (Life.HELD, "09:00", "09:30", "张*n")  # fmt: skip
    assert (await free(run))["09:00"] == (0, "full")
    await refused("appointments.full", hold(run, "bob"))
    await refused("appointments.unknown", confirm(run, "bob", held.id))
    booked = await confirm(run, "ann", held.id)
    assert (booked.state, booked.id, booked.code) == (Life.BOOKED, held.id, held.code)
    assert (await confirm(run, "ann", held.id)).state is Life.BOOKED, "the same request again"
    assert await directives(run) == ["booking.put"]
    await run.hears(taken(booked, late=True))
    arrived = await state(run, booked)
    assert (arrived.state, arrived.ticket, arrived.late) == (Life.ARRIVED, "A001", True)
    await refused("appointments.over", cancel(run, booked))
    await run.hears(finished(booked))
    assert (await state(run, booked)).state is Life.SERVED
    assert await told(run, "ann") == ["booked"]
    async with run.city.db.read() as uow:
        acts = [one.act for one in await repo.history(uow, booked.id)]
    assert acts == ["held", "booked", "arrived", "served"]


async def test_a_hold_lapses_by_itself_and_its_place_comes_back_after_a_while(run: Stage) -> None:
    held = await hold(run, "ann")
    await run.wait(10 * 60_000 + 1)
    assert (await state(run, held)).state is Life.LAPSED
    await refused("appointments.lapsed", confirm(run, "ann", held.id))
    assert (await free(run))["09:00"] == (0, "full"), "not at once"
    await run.wait(6 * 60_000)
    assert (await free(run))["09:00"] == (1, "")
    assert (await book(run, "bob")).state is Life.BOOKED
    await refused("appointments.lapsed", confirm(run, "ann", held.id))
    async with run.city.db.read() as uow:
        assert await run.api.bookings_of(uow, "ann") == []


async def test_a_place_given_back_is_not_traded(run: Stage) -> None:
    one = await book(run)
    gone = await cancel(run, one)
    assert (gone.state, gone.reason) == (Life.CANCELLED, "no_time")
    await refused("appointments.full", book(run, "friend"))
    await run.wait(5 * 60_000 - 1)
    await refused("appointments.full", book(run, "friend"))
    await run.wait(1)
    assert (await book(run, "anybody")).state is Life.BOOKED
    assert await directives(run) == ["booking.put", "booking.drop", "booking.put"]
    assert await told(run, "ann") == ["booked", "cancelled"]


async def test_a_change_takes_the_new_place_and_gives_back_the_old_one_or_does_neither(
    run: Stage,
) -> None:
    one, other = await book(run), await book(run, "bob", wanted("09:30"))
    await refused("appointments.full", change(run, one, wanted("09:30")))
    assert (await state(run, one)).start == "09:00"
    moved = await change(run, one, wanted("10:00"))
    assert (moved.start, moved.code, moved.revision) == ("10:00", one.code, 2)
    assert (await change(run, one, wanted("10:00"))).revision == 2, "the same request again"
    assert {start: left for start, (left, _) in (await free(run)).items()} == {"09:00": 0, "09:30": 0, "10:00": 0, "10:30": 1}  # fmt: skip
    await refused(
        "appointments.unknown", change(run, replace(other, citizen="ann"), wanted("10:30"))
    )
    assert await directives(run) == ["booking.put", "booking.put", "booking.put"]
    assert await told(run, "ann") == ["booked", "changed"]


async def test_what_the_rules_and_the_calendar_say_is_refused_with_its_reason(run: Stage) -> None:
    for wish, code in (
        (wanted("09:15"), "appointments.no_place"),
        (wanted("11:00"), "appointments.no_place"),
        (wanted("noon"), "appointments.no_place"),
        (wanted(day=TODAY - timedelta(days=1)), "appointments.day_closed"),
        (wanted(day=TODAY + timedelta(days=5)), "appointments.day_closed"),
        (wanted(day=TODAY + timedelta(days=30)), "appointments.day_closed"),
        (wanted(day=TODAY, start="09:30"), "appointments.too_soon"),
        (wanted(party=6), "appointments.party"),
        (wanted(items=(ItemId("none"),)), "appointments.no_item"),
        (wanted(items=()), "appointments.no_item"),
        (wanted(items=(ITEM, ITEM)), "appointments.no_item"),
    ):
        await refused(code, book(run, wish=wish))
    assert await free(run, TODAY + timedelta(days=5)) == {"": (0, "hall_closed")}
    assert await free(run, TODAY + timedelta(days=30)) == {"": (0, "too_far")}
    assert (await free(run, TODAY))["09:30"] == (0, "too_soon")
    await run.rule(Rule(open=False))
    assert await free(run) == {"": (0, "not_bookable")}
    await refused("appointments.day_closed", book(run))


async def test_limits_and_standing_stand_against_a_citizen(run: Stage) -> None:
    await run.rule(
        Rule(open=True, capacity_by=CapacityBy.NUMBER, capacity=9, same_item=2, per_day=2,
             cancels_per_day=1, identity=Level.FACE)
    )  # fmt: skip
    async with run.city.db.write() as uow:
        await refused(
            "appointments.needs_face",
            run.api.book(uow, visitor("x", Level.REAL_NAME), wanted(), key="x"),
        )
    one = await book(run, key="1")
    await book(run, key="2", wish=wanted("09:30"))
    await refused("appointments.same_item", book(run, key="3", wish=wanted("10:00")))
    await refused("appointments.per_day", book(run, key="4", wish=wanted("10:00", items=(ENTRY,))))
    await cancel(run, one)
    await refused("appointments.cancelled_often", book(run, key="5", wish=wanted("10:00")))
    await run.wait(24 * HOUR)
    day_after = TOMORROW + timedelta(days=1)
    assert (await book(run, key="6", wish=wanted("10:00", day=day_after))).state is Life.BOOKED
    late = await book(run, "bob", wanted("10:30", day=day_after))
    await run.wait(24 * HOUR + 1_801_000)
    await refused("appointments.too_late", cancel(run, late))


async def test_items_of_one_queue_share_places_and_those_with_their_own_do_not(run: Stage) -> None:
    await book(run)
    await refused("appointments.full", book(run, "bob", wanted(items=(ENTRY,))))
    await run.rule(Rule(capacity=2), Target(hall=HALL, item=ENTRY))
    both = wanted("09:30", items=(ITEM, ENTRY))
    assert (await book(run, "bob", both)).item_name == "居民身份证换领、往来港澳通行证签注"
    await refused("appointments.full", book(run, "eve", both))
    alone = await book(run, "eve", wanted("09:30", items=(ENTRY,)))
    assert alone.state is Life.BOOKED
    await refused("appointments.full", book(run, "fay", wanted("09:30", items=(ENTRY,))))


async def test_who_misses_visits_is_punished_for_a_while_and_told(run: Stage) -> None:
    await run.rule(
        Rule(open=True, capacity_by=CapacityBy.NUMBER, capacity=9, same_item=0, per_day=0, breaches=2, ban_days=7)
    )  # fmt: skip
    first = await book(run, key="1")
    second = await book(run, key="2", wish=wanted("09:30"))
    third = await book(run, "bob")
    await cancel(run, third)
    run.log.now = await run.at(START + 30 * HOUR)
    missed = [e.BookingMissed(booking=BookingId(one.id)) for one in (first, second, third)]
    await run.hears(*missed)
    assert [(await state(run, one)).state for one in (first, second, third)] == [Life.MISSED, Life.MISSED, Life.CANCELLED]  # fmt: skip
    assert await told(run, "ann") == ["booked", "booked", "missed", "missed", "punished"]
    wish = wanted(day=TOMORROW + timedelta(days=1))
    assert (await refused("appointments.banned", book(run, key="3", wish=wish))).params == {"days": 8}  # fmt: skip
    async with run.city.db.read() as uow:
        standing = await run.api.standing(uow, "ann")
    assert (standing.banned_until > run.clock.now_ms(), standing.missed) == (True, 0)
    await run.wait(8 * 24 * HOUR)
    again = wanted(day=TODAY + timedelta(days=10))
    assert (await book(run, key="4", wish=again)).state is Life.BOOKED


async def test_the_read_model_can_be_built_again_without_counting_or_telling_twice(
    run: Stage,
) -> None:
    kept, missed = await book(run), await book(run, "bob", wanted("09:30"))
    await run.hears(taken(kept), finished(kept), e.BookingMissed(booking=BookingId(missed.id)))
    before = await told(run, "bob")
    await run.city.runner.rebuild("appointments")
    await run.city.runner.catch_up_all()
    assert [(await state(run, one)).state for one in (kept, missed)] == [Life.SERVED, Life.MISSED]
    assert await told(run, "bob") == before
    async with run.city.db.read() as uow:
        assert (await run.api.standing(uow, "bob")).missed == 1


async def test_a_hall_that_refuses_a_change_says_so_and_what_happened_there_stands(
    run: Stage,
) -> None:
    one = await book(run)
    await cancel(run, one)
    assert await directives(run) == ["booking.put", "booking.drop"]
    await run.hears(
        e.DirectiveApplied(no=1), taken(one), e.DirectiveRefused(no=2, code="booking.arrived")
    )
    found = await state(run, one)
    assert (found.state, found.refused) == (Life.ARRIVED, "booking.arrived")


async def test_a_booking_carries_its_pick_up_window_to_the_hall(run: Stage) -> None:
    await run.rule(Rule(early_minutes=15, late_minutes=5, late=LateRule.REFUSED), Target(item=""))
    await book(run)
    await directives(run)
    async with run.city.db.read() as uow:
        body = bytes(await uow.scalar(sa.select(hall_models.directive.c.body))).decode()
    assert '"early_minutes":15,"late_minutes":5,"late_refused":true' in body
    assert "张小" not in body


async def test_reminders_are_told_once_each_and_never_for_what_was_cancelled(run: Stage) -> None:
    await run.rule(Rule(open=True, capacity_by=CapacityBy.NUMBER, capacity=9, reminders=(120, 30)))
    await book(run)
    gone = await book(run, "bob")
    await cancel(run, gone)
    start = START + 24 * HOUR
    for at, count in ((-3 * HOUR, 0), (-2 * HOUR, 1), (-HOUR, 1), (-1_800_000, 2), (0, 2)):
        await run.at(start + at)
        while await run.reminders.remind_some():
            pass
        assert (await told(run, "ann")).count("reminder") == count
    assert "reminder" not in await told(run, "bob")


async def test_a_word_that_cannot_be_told_keeps_nobody_else_waiting(run: Stage) -> None:
    """A hall whose address holds a telephone number: messages must not carry one."""
    hall = msgspec.structs.replace(booking_config().hall, address="东风路 1 号 13800138000")
    await run.hears(e.ConfigEdited(version=2, part=HallPart(hall=hall)))
    await book(run)
    assert await directives(run) == ["booking.put"]
    assert await told(run, "ann") == []


async def test_a_booking_waits_for_a_hall_that_has_not_reported_since_a_restore_and_holds_nobody_up(
    run: Stage,
) -> None:
    await run.rule(Rule(open=True, capacity_by=CapacityBy.NUMBER, capacity=99))
    await run.city.enrol_hall(HallId("other"), name="别的大厅", key="key-of-other")
    async with run.city.db.write() as uow:
        here = hall_models.hall.c.id == HALL
        await uow.run(sa.update(hall_models.hall).where(here).values(settled=False))
    for number in range(BATCH + 1):
        await book(run, f"citizen-{number}")
    async with run.city.db.write() as uow:
        await repo.send(uow, HallId("other"), "b-elsewhere", DropBooking(booking=BookingId("b-elsewhere")))  # fmt: skip

    async def others_told() -> bool:
        await run.relayed()
        return await waiting(run) == [HALL] * (BATCH + 1) and await numbers(run, "other") == [1]

    await until(others_told)
    assert await told(run, "citizen-0", all_sent=False) == ["booked"]
    await run.city.link.intake.greet(run.log.hello("key-of-hall", directive_no=5))
    await until(run.relayed)
    assert await numbers(run, HALL) == list(range(6, 6 + BATCH + 1))


async def waiting(run: Stage) -> list[str]:
    async with run.city.db.read() as uow:
        return [row["hall"] for row in await uow.all(sa.select(m.outgoing.c.hall))]


async def numbers(run: Stage, hall: str) -> list[int]:
    d = hall_models.directive.c
    async with run.city.db.read() as uow:
        rows = await uow.all(sa.select(d.no).where(d.hall == hall).order_by(d.no))
    return [row["no"] for row in rows]


async def test_what_was_done_with_visits_that_are_over_goes_and_what_is_open_stays(
    run: Stage,
) -> None:
    await run.rule(Rule(open=True, capacity_by=CapacityBy.NUMBER, capacity=9))
    served, never_told = await book(run, "ann"), await book(run, "bob")
    gone, lapsed = await book(run, "cat"), await hold(run, "dan")
    await cancel(run, gone)
    await until(run.relayed)
    answered = [e.DirectiveApplied(no=no) for no in range(1, 5)]
    await run.hears(*answered, taken(served), finished(served))
    halls = run.city.context.take(HALLS)
    keep = RetentionSettings(keep_visits_days=60, keep_bookings_days=400)
    now = run.clock.now_ms()
    ban = {"citizen": "ann", "hall": "saertu", "masked_name": "张*", "masked_number": "2*8", "breaches": 3,
           "began": now, "lifted_at": 0, "lifted_by": "", "reason": ""}  # fmt: skip
    async with run.city.db.write() as uow:
        for until_day in (30, 900):
            await uow.run(sa.insert(m.ban).values(until=now + until_day * 24 * HOUR, **ban))

    async def left(table: sa.Table, column: str) -> set[object]:
        async with run.city.db.read() as uow:
            return {row[column] for row in await uow.all(sa.select(table.c[column]))}

    async def prune() -> dict[str, set[str]]:
        await prune_all(run.city.db, PRUNE_LOCK, prunes(run.clock, keep, halls), 2)
        found = {}
        async with run.city.db.read() as uow:
            for table in (m.seat, m.sent, m.history):
                rows = await uow.all(sa.select(table.c.appointment))
                found[table.name] = {row["appointment"] for row in rows} - {""}
        return found

    await run.wait(59 * 24 * HOUR)
    before = await prune()
    assert before["app_history"] == {one.id for one in (served, never_told, gone, lapsed)}
    assert before["app_sent"] == {served.id, never_told.id, gone.id}
    assert {served.id, never_told.id} <= before["app_seat"]
    await run.wait(4 * 24 * HOUR)
    assert await prune() == {table.name: {never_told.id} for table in (m.seat, m.sent, m.history)}
    async with run.city.db.read() as uow:
        assert await uow.scalar(sa.select(sa.func.count()).select_from(m.seat)) == 1
        bodies = await uow.all(sa.select(hall_models.directive).order_by("no"))
    sealed = [b'"sealed":"' in bytes(row["body"]) and b'"sealed":""' not in bytes(row["body"]) for row in bodies]  # fmt: skip
    assert sealed.count(True) == 1, (
        "only the open visit's citizen is still in what the hall was told"
    )
    assert len(await left(m.appointment, "id")) == 4, "the bookings stay longer"
    assert len(await left(m.ban, "no")) == 2
    await run.wait(400 * 24 * HOUR)
    await prune()
    assert await left(m.appointment, "id") == {never_told.id}, "what is open stays however old"
    assert len(await left(m.ban, "no")) == 1
