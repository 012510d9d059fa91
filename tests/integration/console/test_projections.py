"""Read models of the city: what the halls' logs say, no more, however often they are built."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from city_hall import START, Log

from console.app.city import City, open_city
from console.core.models import parked_event
from console.core.permissions import EVERYWHERE
from console.core.projection import StoredEvent
from console.core.uow import Uow
from console.halls.api import HALLS
from console.halls.runner import Runner
from console.modules.devices.api import DEVICES
from console.modules.evaluation.api import EVALUATION, RatingFilter
from console.modules.statistics.api import STATISTICS
from qingting.contract import events as e
from qingting.contract.bookings import Booking
from qingting.contract.examples import CONFIG, KIOSK, PERSON, PRINTER
from qingting.contract.ids import BookingId, BusinessDay, DeviceId, HallId, ItemId, TicketId
from qingting.contract.states import (
    Condition,
    DeviceKind,
    DeviceState,
    NotRatedReason,
    PrintOutcome,
    RatingLevel,
)
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres
HALL = HallId("saertu")
TODAY = date(2026, 11, 23)
BOOKING = Booking(
    id=BookingId("b-1"),
    code="code-0001",
    day="2026-11-23",
    start=START,
    end=START + 1_800_000,
    items=(ItemId(CONFIG.items[0].id),),
    person=PERSON,
)
READ_MODELS = (
    "hall_profile", "hall_directory", "hall_notice", "hall_directive_outcome",
    "dev_device", "dev_help", "dev_window", "dev_hours", "page_device", "page_event",
    "stat_ticket", "stat_window", "stat_booking", "eval_visit", "eval_case",
)  # fmt: skip


@pytest.fixture
async def city(city_url: str) -> AsyncIterator[City]:
    async with open_city(city_url, clock=ManualClock(START + 3_600_000)) as city:
        await city.enrol_hall(HALL, name="萨尔图区政务服务中心")
        yield city


@pytest.fixture
def log() -> Log:
    log = Log(HALL)
    log.configure()
    return log


async def take(city: City, log: Log) -> None:
    await city.link.intake.greet(log.hello(await key_of(city, log.hall)))
    for first in range(1, log.head + 1, 400):
        await city.link.intake.apply(log.hall, log.frame(first, first + 399))
    await city.runner.catch_up_all()


async def key_of(city: City, hall: HallId) -> str:
    return await city.enrol_hall(hall, name=hall, key=f"key-{hall}")


async def contents(city: City) -> dict[str, list[Any]]:
    async with city.db.read() as uow:
        return {
            table: [tuple(row.values()) for row in await uow.all(sa.text(f"SELECT * FROM {table} ORDER BY 1, 2"))]
            for table in READ_MODELS
        }  # fmt: skip


def busy_day(log: Log) -> None:
    """Everything that can happen to a ticket, a window and a device."""
    window, staff = log.window
    log.add(e.WindowOpened(window=window, staff=staff))
    tickets = [log.issue(number) for number in range(1, 9)]
    log.serve(tickets[0], wait_ms=120_000)
    log.rate(tickets[0], RatingLevel.VERY_DISSATISFIED, ("108",), "要了指南以外的材料")
    log.serve(tickets[1], wait_ms=240_000)
    log.add(
        e.RatingNotGiven(
            ticket=tickets[1], case=f"case-{tickets[1]}", reason=NotRatedReason.TIMEOUT
        )
    )
    log.serve(tickets[2])
    log.rate(tickets[2], RatingLevel.SATISFIED, ("406",))
    log.add(e.TicketCalled(ticket=tickets[3], window=window, staff=staff))
    log.add(e.TicketRecalled(ticket=tickets[3], window=window, calls=2))
    log.add(e.TicketNoShow(ticket=tickets[3], window=window, staff=staff))
    log.add(e.TicketCancelled(ticket=tickets[4], reason="left"))
    log.add(e.PrintReported(ticket=tickets[5], attempt=1, outcome=PrintOutcome.FAILED))
    for attempt, outcome in ((1, PrintOutcome.PRINTED), (2, PrintOutcome.FAILED)):
        log.add(e.PrintReported(ticket=tickets[7], attempt=attempt, outcome=outcome))
    log.add(e.TicketCalled(ticket=tickets[6], window=window, staff=staff))
    log.add(e.ServiceBegun(ticket=tickets[6], window=window, staff=staff))
    for conditions in ((Condition.PAPER_LOW,), (Condition.PAPER_LOW, Condition.COVER_OPEN)):
        log.add(device_changed(conditions), after_ms=60_000)
    log.add(e.BookingPut(booking=BOOKING))
    log.add(e.BookingMissed(booking=BOOKING.id))
    log.add(e.HelpRequested(device=KIOSK))
    log.add(e.NoticePut(text="停电检修", text_en="Maintenance"))
    log.add(e.DirectiveRefused(no=1, code="config.older"))


def device_changed(conditions: tuple[Condition, ...]) -> e.DeviceChanged:
    return e.DeviceChanged(
        device=DeviceId(PRINTER),
        kind=DeviceKind.PRINTER,
        state=DeviceState.DEGRADED,
        conditions=conditions,
    )


async def test_todays_tickets_are_counted_by_queue(city: City, log: Log) -> None:
    busy_day(log)
    await take(city, log)
    statistics = city.context.take(STATISTICS)
    async with city.db.read() as uow:
        (queue,) = await statistics.queues(uow, EVERYWHERE, TODAY)
        (window,) = await statistics.windows(uow, EVERYWHERE, HALL)
    figures = (
        queue.issued,
        queue.waiting,
        queue.serving,
        queue.done,
        queue.no_show,
        queue.cancelled,
    )
    assert figures == (8, 2, 1, 3, 1, 1)
    assert queue.unprinted == 1
    assert queue.wait_average is not None
    assert queue.wait_p90 is not None
    assert 120 <= queue.wait_average <= queue.wait_p90
    assert (window.state, window.ticket) == ("open", "A007")


async def test_ratings_keep_level_reasons_and_words_and_silence_stays_silence(
    city: City, log: Log
) -> None:
    busy_day(log)
    await take(city, log)
    evaluation = city.context.take(EVALUATION)
    wanted = RatingFilter(first=TODAY, last=TODAY)
    async with city.db.read() as uow:
        figures = await evaluation.figures(uow, EVERYWHERE, wanted)
        count, bad = await evaluation.ratings(
            uow, EVERYWHERE, RatingFilter(first=TODAY, last=TODAY, level="bad"), limit=10
        )
        _, elsewhere = await evaluation.ratings(
            uow, EVERYWHERE, RatingFilter(first=TODAY, last=TODAY, hall="longfeng"), limit=10
        )
    assert (figures.rated, figures.bad, figures.unrated, figures.open) == (2, 1, 1, 0)
    assert figures.levels[RatingLevel.VERY_SATISFIED] == 0
    assert count == 1
    assert (bad[0].level, bad[0].tags, bad[0].words) == (
        RatingLevel.VERY_DISSATISFIED, ("108",), "要了指南以外的材料",
    )  # fmt: skip
    assert elsewhere == []


async def test_a_late_timer_never_wipes_out_a_rating(city: City, log: Log) -> None:
    ticket = log.issue(1)
    log.serve(ticket)
    log.rate(ticket, RatingLevel.DISSATISFIED, ("207",))
    log.add(e.RatingNotGiven(ticket=ticket, case=f"case-{ticket}", reason=NotRatedReason.TIMEOUT))
    await take(city, log)
    async with city.db.read() as uow:
        figures = await city.context.take(EVALUATION).figures(
            uow, EVERYWHERE, RatingFilter(first=TODAY, last=TODAY)
        )
    assert (figures.bad, figures.unrated) == (1, 0)


async def test_a_condition_keeps_the_instant_it_began(city: City, log: Log) -> None:
    busy_day(log)
    await take(city, log)
    async with city.db.read() as uow:
        devices = {one.id: one for one in await city.context.take(DEVICES).devices(uow, EVERYWHERE)}
    printer = devices[PRINTER]
    since = {one.condition: one.since for one in printer.conditions}
    assert since[Condition.COVER_OPEN] - since[Condition.PAPER_LOW] == 60_000
    assert printer.needs_somebody
    assert devices[KIOSK].help_since
    assert devices[KIOSK].name == CONFIG.devices[0].name


async def test_names_of_what_is_gone_stay_for_old_records(city: City, log: Log) -> None:
    await take(city, log)
    async with city.db.read() as uow:
        names = await city.context.take(HALLS).directory(uow, EVERYWHERE)
    assert names.find(HALL, "window", CONFIG.windows[0].id).label == CONFIG.windows[0].number
    assert names.find(HALL, "window", "never-was").name == "never-was"


async def test_a_read_model_built_again_is_the_same(city: City, log: Log) -> None:
    busy_day(log)
    await take(city, log)
    before = await contents(city)
    assert all(before.values())
    async with city.db.write() as uow:
        for table in ("stat_ticket", "eval_visit", "eval_case", "dev_device"):
            await uow.run(sa.text(f"DELETE FROM {table}"))
    await city.runner.rebuild()
    assert await contents(city) == before


async def test_it_is_the_same_whatever_the_batches(city: City, log: Log) -> None:
    busy_day(log)
    for number in range(1, log.head + 1):
        if number == 1:
            await city.link.intake.greet(log.hello(await key_of(city, HALL)))
        await city.link.intake.apply(HALL, log.frame(number, number))
        await city.runner.catch_up_all()
    one_by_one = await contents(city)
    await city.runner.rebuild()
    assert await contents(city) == one_by_one


async def test_an_event_that_cannot_be_applied_is_parked_and_the_rest_goes_on(
    city: City, log: Log
) -> None:
    window, staff = log.window
    log.issue(1)
    log.add(e.TicketCalled(ticket=TicketId("2026-11-23-ga-99"), window=window, staff=staff))
    log.issue(2)
    await take(city, log)
    async with city.db.read() as uow:
        parked = await city.context.take(HALLS).parked(uow, HALL)
        (queue,) = await city.context.take(STATISTICS).queues(uow, EVERYWHERE, TODAY)
        status = await city.context.take(HALLS).hall(uow, HALL)
    assert [(one.projector, one.kind, one.error) for one in parked] == [
        ("tickets", "TicketCalled", "KeyError")
    ]
    assert queue.issued == 2
    assert status.parked == 1


async def test_a_rebuild_forgives_what_was_parked_when_it_can_be_applied(
    city: City, log: Log
) -> None:
    log.issue(1)

    class Learning:
        """A projector that does not know tickets yet."""

        name = "learning"
        knows = False

        async def apply(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
            for stored in events:
                if isinstance(stored.event.b, e.TicketIssued) and not self.knows:
                    raise NotImplementedError

        async def forget(self, uow: Uow, hall: HallId) -> None:
            pass

    projector = Learning()
    runner = Runner(city.db, city.signals, city.context.clock, [projector])
    await take(city, log)
    await runner.catch_up_all()
    assert await parked_by(city, "learning") == 1
    projector.knows = True
    await runner.rebuild("learning")
    assert await parked_by(city, "learning") == 0


async def test_an_event_that_met_others_at_the_wrong_moment_is_applied_later_and_not_parked(
    city: City, log: Log
) -> None:
    class Unlucky:
        """A projector that waits in a circle with somebody the first time."""

        name = "unlucky"
        tries = 0

        async def apply(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
            self.tries += 1
            if self.tries == 1:
                await uow.run(sa.text("DO $$ BEGIN RAISE deadlock_detected; END $$"))

        async def forget(self, uow: Uow, hall: HallId) -> None:
            pass

    projector = Unlucky()
    runner = Runner(city.db, city.signals, city.context.clock, [projector])
    await take(city, log)
    with pytest.raises(sa.exc.DBAPIError):
        await runner.catch_up_all()
    assert await parked_by(city, "unlucky") == 0
    await runner.catch_up_all()
    assert (projector.tries, await parked_by(city, "unlucky")) == (2, 0)


async def parked_by(city: City, projector: str) -> int:
    async with city.db.read() as uow:
        count = await uow.scalar(
            sa.select(sa.func.count())
            .select_from(parked_event)
            .where(parked_event.c.projector == projector)
        )
    return int(count)


async def test_days_are_the_halls_business_days(city: City, log: Log) -> None:
    log.issue(1)
    log.day = BusinessDay("2026-11-24")
    log.issue(2)
    log.issue(3)
    await take(city, log)
    statistics = city.context.take(STATISTICS)
    async with city.db.read() as uow:
        first = await statistics.queues(uow, EVERYWHERE, TODAY)
        second = await statistics.queues(uow, EVERYWHERE, date(2026, 11, 24))
    assert [one.issued for one in (*first, *second)] == [1, 2]


async def test_today_turns_with_the_citys_midnight_not_utcs(city_url: str) -> None:
    clock = ManualClock(1_795_449_540_000)  # 2026-11-23 23:59 in China, 15:59 UTC
    async with open_city(city_url, clock=clock) as city:
        statistics = city.context.take(STATISTICS)
        assert statistics.today() == TODAY
        await clock.advance(120)
        assert statistics.today() == date(2026, 11, 24)
