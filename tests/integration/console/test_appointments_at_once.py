"""What happens at the same moment, or is heard too late, counts as if it had come one after the other."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, timedelta

import msgspec
import pytest
import sqlalchemy as sa
from appointment_stage import HALL, ONE_PLACE, TODAY, TOMORROW, Stage, stage, visitor, wanted
from at_once import second_of_two
from city_hall import START

from console.core.projection import StoredEvent
from console.core.uow import Uow
from console.modules.appointments import repository as repo
from console.modules.appointments.api import Appointment
from console.modules.appointments.fulfilment import FulfilmentProjector
from console.modules.appointments.rules import CapacityBy, Rule
from qingting.contract import events as e
from qingting.contract.examples import ITEM
from qingting.contract.ids import BookingId, BusinessDay, CommandKey

pytestmark = pytest.mark.postgres
HOUR = 3_600_000
DAY = 24 * HOUR
STRICT = Rule(
    open=True, capacity_by=CapacityBy.NUMBER, capacity=9, same_item=0, per_day=0, open_at_once=0, breaches=2, ban_days=7
)  # fmt: skip


@pytest.fixture
async def run(city_url: str) -> AsyncIterator[Stage]:
    async with stage(city_url) as one:
        yield one


async def book(run: Stage, start: str, day: date = TOMORROW) -> Appointment:
    async with run.city.db.write() as uow:
        return await run.api.book(uow, visitor("ann"), wanted(start, day), key=f"{day} {start}")


def missed(one: Appointment, at: int) -> StoredEvent:
    body = e.BookingMissed(booking=BookingId(one.id))
    event = e.Event(s=1, at=at, bd=BusinessDay(str(one.day)), by="system", cmd=CommandKey("c"), b=body)  # fmt: skip
    return StoredEvent(epoch=1, seq=1, received_at=at, event=event)


def projector(run: Stage) -> FulfilmentProjector:
    found = [one for one in run.city.runner._projectors if isinstance(one, FulfilmentProjector)]
    return found[0]


async def bans(run: Stage) -> list[int]:
    async with run.city.db.read() as uow:
        rows = await uow.all(sa.text("SELECT began FROM app_ban WHERE citizen = 'ann' ORDER BY no"))
    return [row["began"] for row in rows]


async def test_visits_missed_at_two_halls_at_once_are_counted_together(run: Stage) -> None:
    await run.rule(STRICT)
    first, second = await book(run, "09:00"), await book(run, "09:30")
    at = await run.at(START + 30 * HOUR)

    def hears(one: Appointment) -> Callable[[Uow], Awaitable[None]]:
        return lambda uow: projector(run).apply(uow, HALL, [missed(one, at)])

    await second_of_two(run.city.db, hears(first), hears(second))
    assert await bans(run) == [at]


async def test_a_missed_visit_that_is_heard_of_late_brings_no_second_punishment_for_the_others(
    run: Stage,
) -> None:
    await run.rule(STRICT)
    days = [TOMORROW + timedelta(days=one) for one in range(3)]
    first, second, third = [await book(run, "09:00", day) for day in days]
    at = [START + 30 * HOUR + one * DAY for one in range(3)]
    await run.at(at[2])
    for one, when in ((second, at[1]), (first, at[0]), (third, at[2])):
        async with run.city.db.write() as uow:
            await projector(run).apply(uow, HALL, [missed(one, when)])
    assert await bans(run) == [at[1]], "two made one punishment, since the later of them"
    async with run.city.db.read() as uow:
        assert (await run.api.standing(uow, "ann")).missed == 1


async def test_what_was_read_before_a_change_is_not_kept_as_what_holds_after_it(run: Stage) -> None:
    async def places() -> int:
        async with run.city.db.read() as uow:
            (found,) = await run.api.free(uow, HALL, (ITEM,), TOMORROW, TOMORROW)
        return found.places[0].free

    assert await places() == 1
    async with run.city.db.read() as looking:
        assert await looking.scalar(sa.text("SELECT 1")) == 1, "it sees the city as it is now"
        await run.rule(msgspec.structs.replace(ONE_PLACE, capacity=2))
        (found,) = await run.api.free(looking, HALL, (ITEM,), TOMORROW, TOMORROW)
        assert found.places[0].free == 1
    assert await places() == 2


async def test_what_a_hall_did_stands_once_in_the_history_when_the_read_model_is_built_again(
    run: Stage,
) -> None:
    one = await book(run, "09:00")
    await run.at(START + 30 * HOUR)
    await run.hears(e.BookingMissed(booking=BookingId(one.id)))
    await run.city.runner.rebuild("appointments")
    async with run.city.db.read() as uow:
        assert [line.act for line in await repo.history(uow, one.id)] == ["booked", "missed"]
    assert one.day > TODAY
