"""What the city makes of every way a visit can go: the events are those of a real engine."""

from collections.abc import AsyncIterator
from datetime import date

import msgspec
import pytest
from city_hall import START, Log
from console_browser import browser, console
from engine_builders import (
    CARE,
    HEALTH,
    HOUR,
    LI,
    PERSON,
    RENEW,
    W1,
    W3,
    WANG,
    EngineRun,
    changed,
    rules,
    small_hall,
)

from console.app.city import City, open_city
from console.core.permissions import EVERYWHERE
from console.halls.api import HALLS
from console.modules.evaluation.api import EVALUATION, RatingFilter
from console.modules.statistics.api import STATISTICS, BookingFigures
from qingting.contract import commands as c
from qingting.contract import directives as d
from qingting.contract.bookings import Booking
from qingting.contract.config_parts import OfferPart, RosterPart, RulesPart
from qingting.contract.ids import BookingId, HallId
from qingting.contract.states import NotRatedReason, RatingLevel
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres
HALL = HallId("test")
TODAY = date(2026, 11, 23)
DAY = RatingFilter(first=TODAY, last=TODAY)


@pytest.fixture
async def city(city_url: str) -> AsyncIterator[City]:
    async with open_city(city_url, clock=ManualClock(START + HOUR)) as city:
        yield city


@pytest.fixture
def run() -> EngineRun:
    run = EngineRun(small_hall(rules=rules()))
    run.open(W1, LI), run.open(W3, WANG)
    return run


async def show(city: City, run: EngineRun) -> None:
    """The hall's log reaches the city, and every read model follows."""
    log = Log(HALL)
    for event in run.log:
        log.add_raw(msgspec.json.encode(event).decode())
    key = await city.enrol_hall(HALL, name="测试大厅", key="key-of-the-hall")
    await city.link.intake.greet(log.hello(key))
    for first in range(1, log.head + 1, 400):
        await city.link.intake.apply(HALL, log.frame(first, first + 399))
    await city.runner.catch_up_all()
    async with city.db.read() as uow:
        assert await city.context.take(HALLS).parked(uow) == []


async def test_each_case_of_a_ticket_keeps_its_own_rating(city: City, run: EngineRun) -> None:
    ticket = run.issue(CARE, more=(RENEW,), waiver="证件遗失", priority="elderly")
    run.serve(W1), run.serve(W3)
    first, second = (case.number for case in run.ticket(ticket).cases)
    bad = c.RateVisit(ticket=ticket, case=first, level=RatingLevel.DISSATISFIED, tags=("208",))
    run.do(bad)
    run.do(c.RateVisit(ticket=ticket, case=second, level=RatingLevel.SATISFIED))
    await show(city, run)
    async with city.db.read() as uow:
        count, found = await city.context.take(EVALUATION).ratings(uow, EVERYWHERE, DAY, limit=10)
        figures = await city.context.take(EVALUATION).figures(uow, EVERYWHERE, DAY)
    assert count == 2
    assert [(one.case_no, one.item, one.win, one.staff, one.level, one.priority) for one in found] == [
        (second, RENEW, W3, WANG, RatingLevel.SATISFIED, "elderly"),
        (first, CARE, W1, LI, RatingLevel.DISSATISFIED, "elderly"),
    ]  # fmt: skip
    assert (figures.rated, figures.bad, figures.open) == (2, 1, 0)


async def test_silence_about_one_case_says_nothing_about_another(
    city: City, run: EngineRun
) -> None:
    ticket = run.issue(CARE, more=(RENEW,), waiver="证件遗失")
    run.serve(W1), run.serve(W3)
    first = run.ticket(ticket).cases[0].number
    run.do(c.LeaveUnrated(ticket=ticket, case=first, reason=NotRatedReason.TIMEOUT))
    await show(city, run)
    async with city.db.read() as uow:
        figures = await city.context.take(EVALUATION).figures(uow, EVERYWHERE, DAY)
    assert (figures.rated, figures.unrated, figures.open) == (0, 1, 1)


async def test_the_item_of_a_case_is_the_one_that_was_served(city: City, run: EngineRun) -> None:
    """Sent elsewhere for another item and back again: two cases, each with its own item."""
    run.issue(CARE)
    run.call(W1), run.do(c.BeginService(window=W1))
    run.do(c.TransferVisit(window=W1, to_window=W3, item=RENEW, back=True))
    run.serve(W3), run.serve(W1)
    ticket = next(iter(run.state.tickets))
    for case in run.ticket(ticket).cases:
        run.do(c.RateVisit(ticket=ticket, case=case.number, level=RatingLevel.SATISFIED))
    await show(city, run)
    async with city.db.read() as uow:
        _, found = await city.context.take(EVALUATION).ratings(uow, EVERYWHERE, DAY, limit=10)
    assert {(one.item, one.win) for one in found} == {(RENEW, W3), (CARE, W1)}


async def test_tickets_are_where_their_visits_are(city: City, run: EngineRun) -> None:
    waiting = run.issue(CARE, party=3)
    parked, sent, missed, handed = (run.issue(CARE) for _ in range(4))
    back = run.issue(CARE)
    assert run.call().ticket == waiting
    run.do(c.HandBack(window=W1))
    run.do(c.SetPriority(ticket=handed, priority="soldier"))
    assert run.call().ticket == handed
    run.do(c.AddItem(window=W1, item=RENEW))
    run.do(c.BeginService(window=W1)), run.do(c.FinishService(window=W1))
    assert run.call().ticket == waiting
    run.do(c.HandBack(window=W1))
    run.do(c.SetPriority(ticket=parked, priority="soldier"))
    assert run.call().ticket == parked
    run.do(c.ParkVisit(window=W1, minutes=30))
    run.do(c.SetPriority(ticket=sent, priority="soldier"))
    assert run.call().ticket == sent
    run.do(c.TransferVisit(window=W1, to_queue=run.state.items[RENEW].queue))
    for one in (missed, back):
        run.do(c.SetPriority(ticket=one, priority="soldier"))
        assert run.call().ticket == one
        run.do(c.MarkNoShow(window=W1))
    run.do(c.ReturnTicket(ticket=back))
    await show(city, run)
    statistics = city.context.take(STATISTICS)
    async with city.db.read() as uow:
        health, police = sorted(
            await statistics.queues(uow, EVERYWHERE, TODAY), key=lambda one: one.queue != HEALTH
        )
        count, tickets = await statistics.tickets(uow, TODAY, HALL, limit=10)
        windows = {
            one.window: one.ticket for one in await statistics.windows(uow, EVERYWHERE, HALL)
        }
    assert (health.issued, health.waiting, health.parked, health.no_show) == (4, 2, 1, 1)
    assert (police.issued, police.waiting, police.priority) == (2, 2, 2)
    assert windows == {W1: "", W3: ""}
    by_number = {one.number: one for one in tickets}
    assert count == len(tickets) == 5
    first, away, chained = by_number["A001"], by_number["A002"], by_number["A005"]
    assert (first.state, first.party, first.items, first.cases) == ("waiting", 3, 1, 0)
    assert (away.state, away.priority, away.until) == (
        "parked",
        "soldier",
        run.ticket(parked).park_until,
    )
    assert (chained.item, chained.items, chained.cases) == (RENEW, 2, 1)


def booking(number: int, **more: object) -> Booking:
    base = Booking(
        id=BookingId(f"b-{number}"),
        code=f"code-000{number}",
        day="2026-11-23",
        start=START + HOUR,
        end=START + 2 * HOUR,
        items=(RENEW,),
        person=PERSON,
    )
    return msgspec.structs.replace(base, **more)


async def test_bookings_come_are_missed_and_are_cancelled(city: City, run: EngineRun) -> None:
    for number in range(1, 5):
        run.do(c.ApplyDirective(no=number, directive=d.PutBooking(booking=booking(number))))
    run.do(c.ApplyDirective(no=5, directive=d.DropBooking(booking=BookingId("b-4"))))
    run.now = START + HOUR
    run.issue(RENEW, booking=BookingId("b-1"))
    run.now = START + 3 * HOUR
    run.issue(RENEW, booking=BookingId("b-2"))
    run.do(c.CloseDay(), after=24 * HOUR)
    await show(city, run)
    statistics = city.context.take(STATISTICS)
    async with city.db.read() as uow:
        figures = await statistics.bookings(uow, EVERYWHERE, TODAY)
        (queue,) = await statistics.queues(uow, EVERYWHERE, TODAY)
    assert figures == [BookingFigures(hall=HALL, due=0, arrived=2, missed=1, cancelled=1)]
    assert (queue.booked, queue.late, queue.cancelled) == (2, 1, 2)


async def test_names_follow_what_the_hall_edits_by_itself(city: City, run: EngineRun) -> None:
    hall = small_hall()
    run.do(c.CloseWindow(window=W3))
    renamed = changed(hall, "windows", W1, name="综合窗口", number="8")["windows"]
    windows = tuple(one for one in renamed if one.id != W3)  # type: ignore[attr-defined]
    run.do(c.EditConfig(base=1, part=RosterPart(windows=windows, staff=hall.staff, shifts=())))
    items = changed(hall, "items", CARE, name="医保卡补办")["items"]
    run.do(c.EditConfig(base=2, part=OfferPart(queues=hall.queues, items=items)))  # type: ignore[arg-type]
    classes = tuple(
        msgspec.structs.replace(one, name="老年朋友") if one.id == "elderly" else one
        for one in rules().classes
    )
    run.do(c.EditConfig(base=3, part=RulesPart(rules=rules(classes=classes))))
    await show(city, run)
    async with city.db.read() as uow:
        names = await city.context.take(HALLS).directory(uow, EVERYWHERE, HALL)
        status = await city.context.take(HALLS).hall(uow, HALL)
    window = names.find(HALL, "window", W1)
    assert (window.name, window.label) == ("综合窗口", "8")
    assert names.find(HALL, "item", CARE).name == "医保卡补办"
    assert names.find(HALL, "class", "elderly").name == "老年朋友"
    gone = names.find(HALL, "window", W3)
    assert (gone.name, gone.present) == ("三号", False)
    assert len(names.of(HALL, "department")) == 1
    assert status.config_version == 4


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-CN", ("老年人", "预约", "暂离", "办理中", "1/2", "爽约 0")),
        ("en", ("Elderly", "Booked", "away", "being served", "1/2", "0 missed")),
    ],
)
async def test_the_pages_say_class_booking_items_and_state_in_words(
    city_url: str, run: EngineRun, language: str, words: tuple[str, ...]
) -> None:
    run.do(c.ApplyDirective(no=1, directive=d.PutBooking(booking=booking(1))))
    run.now = START + HOUR
    run.issue(RENEW, booking=BookingId("b-1"))
    run.issue(CARE, priority="elderly", more=(RENEW,), waiver="证件遗失")
    run.serve(W1)
    run.issue(CARE)
    run.call(W1), run.do(c.ParkVisit(window=W1, minutes=20))
    run.issue(CARE), run.call(W1), run.do(c.BeginService(window=W1))
    clock = ManualClock(START + 2 * HOUR)
    async with console(city_url, clock) as ready, browser(ready) as person:
        await show(ready.city, run)
        await person.enter(ready)
        await person.get(f"/language?to={language}&back=/")
        _, page = await person.get("/halls/test")
        _, tickets = await person.get("/tickets")
    for word in words:
        assert word in page
    assert words[1].lower() in tickets.lower()
