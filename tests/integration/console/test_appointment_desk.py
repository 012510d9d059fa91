"""What staff may do with appointments, and where; what becomes of bookings when a hall's hours change."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import msgspec
import pytest
from appointment_stage import (
    ENTRY,
    HALL,
    HOURS,
    TODAY,
    TOMORROW,
    Stage,
    booking_config,
    stage,
    visitor,
    wanted,
)
from city_hall import START

from console.core.audit import read_audit
from console.core.permissions import Area, Permission, Scope, Subject
from console.modules.appointments.api import Appointment, Life
from console.modules.appointments.booker import Booker, Tools
from console.modules.appointments.closing import Closing
from console.modules.appointments.desk import Caller, StaffDesk
from console.modules.appointments.repository import Wish
from console.modules.appointments.rule_desk import RuleDesk
from console.modules.appointments.rules import CapacityBy, Rule, Target
from qingting.contract import events as e
from qingting.contract.calendar import OpenDay, Period, WeeklyHours
from qingting.contract.config_parts import CalendarPart
from qingting.contract.errors import Refusal
from qingting.contract.examples import DEPARTMENT, ITEM
from qingting.contract.ids import BookingId, DepartmentId
from qingting.contract.states import CertificateKind

pytestmark = pytest.mark.postgres
FUNCTIONS = (
    Permission.APPOINTMENTS,
    Permission.APPOINTMENTS_HANDLE,
    Permission.APPOINTMENTS_RULES,
)
CALLER = Caller(kind=CertificateKind.RESIDENT_ID, number="230602199001011238")


def staff(area: Area) -> Subject:
    return Subject(id="s", name="s", grants=dict.fromkeys(FUNCTIONS, Scope((area,))))


HERE = staff(Area(halls=frozenset({HALL})))
POLICE = staff(Area(halls=frozenset({HALL}), codes=frozenset({DEPARTMENT})))
OTHERS = staff(Area(halls=frozenset({HALL}), codes=frozenset({"rsj"})))
ELSEWHERE = staff(Area(halls=frozenset({"longfeng"})))


@pytest.fixture
async def run(city_url: str) -> AsyncIterator[Stage]:
    rule = Rule(open=True, capacity_by=CapacityBy.NUMBER, capacity=2, kept=1, same_item=0, per_day=0)  # fmt: skip
    async with stage(city_url, rule) as one:
        yield one


def desk_of(run: Stage) -> StaffDesk:
    tools = run.api._booker._tools
    assert isinstance(tools, Tools)
    audit = run.city.context.audit
    return StaffDesk(run.clock, audit, run.api._planner, Booker(tools), run.api._door)


def closing_of(run: Stage) -> Closing:
    return Closing(run.city.db, run.api._planner, run.api._counter, desk_of(run))


async def book(run: Stage, name: str, start: str = "09:00") -> Appointment:
    async with run.city.db.write() as uow:
        return await run.api.book(uow, visitor(name), wanted(start), key=name)


async def test_a_day_is_moved_to_free_places_though_items_share_them(run: Stage) -> None:
    two = Rule(open=True, capacity_by=CapacityBy.NUMBER, capacity=2, same_item=0, per_day=0)
    await run.rule(two)
    await book(run, "ann")
    async with run.city.db.write() as uow:
        await run.api.book(uow, visitor("bob"), wanted(items=(ENTRY,)), key="bob")
    await run.rule(msgspec.structs.replace(two, capacity=1))
    closing, after = closing_of(run), TOMORROW + timedelta(days=1)
    async with run.city.db.read() as uow:
        plan = await closing.proposals(uow, HERE, HALL, TOMORROW, HALL, after)
    assert [one.start for one in plan] == ["09:00", "09:30"]
    assert [one.code for one in await closing.move(HERE, plan, HALL, after)] == ["", ""]


async def by_staff(
    run: Stage, subject: Subject, start: str = "09:00", key: str = "k", day: date = TOMORROW
) -> str:
    try:
        async with run.city.db.write() as uow:
            made = await desk_of(run).book(uow, subject, CALLER, wanted(start, day=day), key)
    except Refusal as refusal:
        return refusal.code
    return made.state


async def test_staff_see_and_change_what_is_within_their_reach_and_nothing_else(run: Stage) -> None:
    one, desk = await book(run, "ann"), desk_of(run)
    for subject, sees in ((HERE, True), (POLICE, True), (OTHERS, False), (ELSEWHERE, False)):
        async with run.city.db.read() as uow:
            count, found = await desk.search(uow, subject, Wish(), limit=9)
            assert (count, [row.id for row in found]) == ((1, [one.id]) if sees else (0, []))
            if not sees:
                with pytest.raises(Refusal, match="unknown"):
                    await desk.one(uow, subject, one.id)
        if not sees:
            assert await by_staff(run, subject) == "page.forbidden"
            async with run.city.db.write() as uow:
                with pytest.raises(Refusal, match="unknown"):
                    await desk.cancel(uow, subject, one.id, reason="hall_closed", words="")
    async with run.city.db.write() as uow:
        gone = await desk.cancel(uow, POLICE, one.id, reason="citizen_asked", words="")
    assert gone.state is Life.CANCELLED
    async with run.city.db.read() as uow:
        assert [entry.object for entry in await read_audit(uow, "appointment.cancelled")] == [
            one.id
        ]
        assert (await run.api.standing(uow, "ann")).cancelled_today == 0, "not the citizen's doing"


async def test_a_visit_to_two_departments_is_seen_by_both_and_changed_by_neither_alone(
    run: Stage,
) -> None:
    config, desk = booking_config(), desk_of(run)
    other = msgspec.structs.replace(config.items[1], department=DepartmentId("rsj"))
    items = (config.items[0], other)
    config = msgspec.structs.replace(config, version=config.version + 1, items=items)
    await run.hears(e.ConfigApplied(config=config))
    wish = wanted(items=(ITEM, ENTRY))
    for alone in (POLICE, OTHERS):
        with pytest.raises(Refusal, match="forbidden"):
            async with run.city.db.write() as uow:
                await desk.book(uow, alone, CALLER, wish, "k")
    async with run.city.db.write() as uow:
        one = await run.api.book(uow, visitor("ann"), wish, key="ann")
        for subject, count in ((HERE, 1), (POLICE, 1), (OTHERS, 1), (ELSEWHERE, 0)):
            assert (await desk.search(uow, subject, Wish(), limit=9))[0] == count
        for department in (DEPARTMENT, "rsj"):
            assert (await desk.search(uow, HERE, Wish(department=department), limit=9))[0] == 1
        for alone in (POLICE, OTHERS):
            assert (await desk.one(uow, alone, one.id))[0].id == one.id
            with pytest.raises(Refusal, match="shared"):
                await desk.cancel(uow, alone, one.id, reason="hall_closed", words="")
            with pytest.raises(Refusal, match="shared"):
                await desk.move(uow, alone, one.id, wanted("09:30"))
        gone = await desk.cancel(uow, HERE, one.id, reason="hall_closed", words="")
    assert gone.state is Life.CANCELLED


async def test_places_kept_for_staff_are_theirs_and_used_first(run: Stage) -> None:
    assert await by_staff(run, HERE, key="1") == "booked"
    assert (await book(run, "ann")).state is Life.BOOKED, "the kept place was used"
    assert await by_staff(run, HERE, key="2") == "appointments.full"
    await book(run, "bob", "09:30")
    with pytest.raises(Refusal, match="full"):
        await book(run, "eve", "09:30")
    assert await by_staff(run, HERE, "09:30", key="3") == "booked"
    far = TODAY + timedelta(days=28)
    assert await by_staff(run, HERE, key="4", day=far) == "booked", "staff book further ahead"
    assert await by_staff(run, HERE, key="5", day=far + timedelta(days=5)) == "appointments.day_closed"  # fmt: skip
    with pytest.raises(Refusal, match="day_closed"):
        async with run.city.db.write() as uow:
            await run.api.book(uow, visitor("ann"), wanted("09:30", day=far), key="far")


async def test_rules_are_said_by_whoever_has_all_that_they_are_for(run: Stage) -> None:
    rules = RuleDesk(run.clock, run.city.context.audit, run.api._planner, run.api._counter)
    everywhere = staff(Area(halls=None, division=""))
    district = staff(Area(halls=frozenset({HALL}), division="230602"))
    for target, allowed in (
        (Target(), {"city"}),
        (Target(department=DEPARTMENT), {"city"}),
        (Target(item="code"), {"city"}),
        (Target(division="230602000000"), {"city", "district"}),
        (Target(division="230603000000"), {"city"}),
        (Target(hall=HALL), {"city", "district", "here"}),
        (Target(hall=HALL, item=ENTRY), {"city", "district", "here"}),
    ):
        who = {"city": everywhere, "district": district, "here": HERE, "police": POLICE}
        assert {name for name, one in who.items() if rules.may(one, target)} == allowed, target
    async with run.city.db.write() as uow:
        with pytest.raises(Refusal, match="forbidden"):
            await rules.put(uow, ELSEWHERE, Target(hall=HALL), 1, Rule(), "")


async def test_bookings_that_new_hours_do_not_fit_are_listed_and_a_day_is_moved(run: Stage) -> None:
    early, late = await book(run, "ann"), await book(run, "bob", "10:30")
    came = await book(run, "eve", "09:30")
    closing = closing_of(run)
    hours = msgspec.structs.replace(
        HOURS,
        weekly=(WeeklyHours(weekdays=(1, 3, 4, 5), periods=(Period(start="09:00", end="10:00"),)),),
        open=(
            OpenDay(date=str(TOMORROW), name="半天", periods=(Period(start="10:00", end="11:00"),)),
        ),
    )
    async with run.city.db.read() as uow:
        assert await closing.misfits(uow, HERE, HALL) == (0, [])
    await run.hears(e.ConfigEdited(version=2, part=CalendarPart(calendar=hours)))
    async with run.city.db.read() as uow:
        count, found = await closing.misfits(uow, HERE, HALL)
        assert count == len(found)
        assert await closing.misfits(uow, HERE, HALL, limit=1, offset=1) == (count, found[1:2])
        assert {(one.appointment.id, one.why) for one in found} == {
            (early.id, "no_time"),
            (came.id, "no_time"),
        }
        after = TODAY.replace(day=25)
        plan = await closing.proposals(uow, HERE, HALL, TOMORROW, HALL, after)
    assert [(one.appointment.id, one.start) for one in plan] == [
        (early.id, "09:00"),
        (came.id, "09:30"),
        (late.id, ""),
    ], "each at its time or the nearest; two of a time have one place beside the kept one"
    issued = e.TicketIssued(
        ticket="t-1", number="A001", serial=1, day=str(TODAY), queue="ga", item=ITEM,  # type: ignore[arg-type]
        department=DEPARTMENT, token="t" * 20, ahead=0, booking=BookingId(came.id),
    )  # fmt: skip
    await run.hears(issued)
    outcomes = await closing.move(HERE, plan, HALL, after)
    assert [one.code for one in outcomes] == ["", "appointments.over", "full"]
    async with run.city.db.read() as uow:
        moved = await run.api.booking(uow, early.id, "ann")
        assert (moved.day, moved.start, moved.state) == (after, "09:00", Life.BOOKED)
        assert await closing.misfits(uow, HERE, HALL) == (0, [])
    assert run.clock.now_ms() == START


async def test_staff_do_not_book_the_same_visit_twice(run: Stage) -> None:
    """Another form, not the same one sent again: that is one booking anyway."""
    await run.rule(Rule(open=True, capacity_by=CapacityBy.NUMBER, capacity=3, same_item=1))
    assert await by_staff(run, HERE, key="1") == "booked"
    assert await by_staff(run, HERE, key="2") == "appointments.same_visit"
    assert await by_staff(run, HERE, "09:30", key="3") == "booked", "limits do not bind staff"
