"""Whoever is kept because a visit is still to come is erased by itself once it is over, once, whatever comes between."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date

import pytest
import sqlalchemy as sa
from citizen_stage import OTHER, citizens_city, enter, sign_in
from city_hall import START
from console_browser import browser
from patience import until
from test_personal_data import CLERK, acts, keeper, privacy

from console.app.server import ConsoleReady
from console.core.permissions import SYSTEM
from console.halls import models as halls
from console.modules.appointments import models as visits
from console.modules.appointments import repository_rules as rules_repo
from console.modules.appointments.api import (
    APPOINTMENTS,
    Appointment,
    CitizenStanding,
    Level,
    Visitor,
    Wanted,
)
from console.modules.appointments.rules import CapacityBy, Rule, Target
from console.modules.citizens import models as people
from console.modules.citizens.api import CITIZENS
from console.modules.privacy import models as privacy_models
from console.modules.privacy.api import Requester, RequestKind, SubjectRequest
from qingting.contract.errors import Refusal
from qingting.contract.examples import CONFIG
from qingting.contract.ids import HallId, ItemId
from qingting.contract.states import CertificateKind
from qingting.kernel.aio.clock import ManualClock
from simulators.id_cards import DEMO_CARDS

pytestmark = pytest.mark.postgres
CARD = DEMO_CARDS["citizen"]
HALL = HallId("saertu")
SOME = Rule(open=True, capacity_by=CapacityBy.NUMBER, capacity=3, minutes=60)
ITEM = CONFIG.items[0].id
DAY_MS = 86_400_000
DAY = date(2026, 11, 24)


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock(START + 3_600_000)


@pytest.fixture
async def ready(city_url: str, clock: ManualClock) -> AsyncIterator[ConsoleReady]:
    async with citizens_city(city_url, clock) as one:
        async with one.city.db.write() as uow:
            await rules_repo.add_version(uow, Target(hall=HALL), 0, SOME, at=1, by="test", note="")
        yield one


async def known(ready: ConsoleReady) -> str:
    async with ready.city.db.write() as uow:
        found = await ready.city.context.take(CITIZENS).register(
            uow, SYSTEM, kind=CertificateKind.RESIDENT_ID, name=CARD.name, number=CARD.number
        )
    return found.id


def visitor(citizen: str) -> Visitor:
    return Visitor(citizen=citizen, level=Level.FACE)


async def booked(
    ready: ConsoleReady, citizen: str, start: str = "08:30", item: ItemId = ITEM
) -> Appointment:
    wanted = Wanted(hall=HALL, items=(item,), day=DAY, start=start)
    async with ready.city.db.write() as uow:
        return await ready.city.context.take(APPOINTMENTS).book(
            uow, visitor(citizen), wanted, key=f"book {start}"
        )


async def cancelled(ready: ConsoleReady, citizen: str, appointment: str) -> None:
    async with ready.city.db.write() as uow:
        await ready.city.context.take(APPOINTMENTS).cancel(
            uow, visitor(citizen), appointment, reason="no_time", key=f"cancel {appointment}"
        )


async def erased_as_far_as_possible(ready: ConsoleReady) -> int:
    """The number of a request to erase that was carried out."""
    who = Requester(name=CARD.name, number=CARD.number)
    desk = privacy(ready.city)
    async with ready.city.db.write() as uow:
        one = await desk.ask_for(uow, RequestKind.ERASE, who, "请删除", by=CLERK)
        await desk.requests.answer(uow, CLERK, one.no, done=True, outcome="能删的已经删除")
    return one.no


async def personal(ready: ConsoleReady, citizen: str) -> set[str]:
    """What still says who it was, in the account and in the visits."""
    p, a = people.citizen.c, visits.appointment.c
    async with ready.city.db.read() as uow:
        rows = [
            *await uow.all(sa.select(people.citizen).where(p.id == citizen)),
            *await uow.all(sa.select(a.masked_name, a.masked_number).where(a.citizen == citizen)),
        ]
    return {
        name
        for row in rows
        for name, value in row.items()
        if value and name.startswith(("name_", "number_", "phone_", "masked_"))
    }


async def test_whoever_was_kept_for_a_visit_is_erased_once_it_is_cancelled(
    ready: ConsoleReady, clock: ManualClock
) -> None:
    citizen = await known(ready)
    visit = await booked(ready, citizen)
    await erased_as_far_as_possible(ready)
    assert await personal(ready, citizen), "the hall calls by that name"
    await cancelled(ready, citizen, visit.id)

    await finished(ready, clock, citizen)
    assert [one[1] for one in await acts(ready.city, "request.completed")] == ["done"]


async def finished(ready: ConsoleReady, clock: ManualClock, citizen: str) -> None:
    """By the city's own job, once the time of its next look has come."""

    async def gone() -> bool:
        await clock.advance(600)
        return not await personal(ready, citizen)

    await until(gone)


async def request_of(ready: ConsoleReady, no: int) -> SubjectRequest:
    async with ready.city.db.read() as uow:
        return (await privacy(ready.city).requests.one(uow, CLERK, no))[0]


async def told(ready: ConsoleReady, words: int) -> bool:
    """Whether so many words to forget somebody have gone to halls; fails when they are more."""
    c = halls.directive.c
    async with ready.city.db.read() as uow:
        rows = await uow.all(sa.select(c.body))
    sent = sum(b"person.forget" in bytes(row["body"]) for row in rows)
    assert sent <= words
    return sent == words


async def test_a_visit_of_which_its_hall_never_spoke_again_keeps_nobody_for_ever(
    ready: ConsoleReady, clock: ManualClock
) -> None:
    citizen = await known(ready)
    visit = await booked(ready, citizen)
    no = await erased_as_far_as_possible(ready)
    kept = (await request_of(ready, no)).kept
    assert {(one.holder, one.why, one.count) for one in kept} == {
        ("appointments", "booked", 1),
        ("citizens", "booked", 1),
    }
    last = visit.end_at + DAY_MS
    assert {one.until for one in kept} == {last}
    await until(lambda: told(ready, 3))
    await clock.advance((last - clock.now_ms()) / 1000 - 3600)
    erasures = privacy(ready.city).erasures
    while not await erasures.finish_due():
        pass
    assert await personal(ready, citizen), "the hall may still have the person waiting"
    await finished(ready, clock, citizen)
    one = await request_of(ready, no)
    assert (one.kept, one.counts["citizens"], one.counts["appointments"]) == ((), 1, 1)
    assert one.finished_at >= last
    # The person may have been at any of them since: each is told once more, and waited for as before.
    await until(lambda: told(ready, 6))
    assert one.halls_waiting == 3


async def test_nothing_new_is_booked_for_whoever_is_being_erased_and_what_is_booked_can_be_changed(
    ready: ConsoleReady,
) -> None:
    citizen, api = await known(ready), ready.city.context.take(APPOINTMENTS)
    visit = await booked(ready, citizen)
    async with ready.city.db.write() as uow:
        wanted = Wanted(hall=HALL, items=(OTHER,), day=DAY, start="09:30")
        hold = await api.hold(uow, visitor(citizen), wanted, key="hold")
    await erased_as_far_as_possible(ready)
    with pytest.raises(Refusal, match=r"citizen\.being_erased"):
        await booked(ready, citizen, "10:30", OTHER)
    with pytest.raises(Refusal, match=r"citizen\.being_erased"):
        async with ready.city.db.write() as uow:
            await api.confirm(uow, visitor(citizen), hold.id, key="confirm")
    async with ready.city.db.write() as uow:
        other = Wanted(hall=HALL, items=(ITEM,), day=DAY, start="10:30")
        moved = await api.change(uow, visitor(citizen), visit.id, other, key="change")
    assert moved.start == "10:30"


async def test_a_login_in_between_shows_why_and_until_when_and_does_not_stop_the_erasure(
    ready: ConsoleReady, clock: ManualClock
) -> None:
    async with browser(ready) as person:
        await enter(person, "person-citizen")
        citizen = await known(ready)
        visit = await booked(ready, citizen)
        no = await erased_as_far_as_possible(ready)
        page = (await sign_in(person, "person-citizen"))[2]
        assert "正在按您的申请删除" in page
        assert "不能新约" in page
        page = (await person.get("/c/me/requests"))[1]
        assert "群众账户 1 条：还有没办的预约" in page
        assert "11月25日" in page
        _, _, page = await person.submit("/c/me/delete", "/c/me/delete", sure="true")
        assert "请先取消" in page
        async with keeper(ready) as staff:
            page = (await staff.get(f"/requests/{no}"))[1]
            assert "还保留的" in page
            assert "2026-11-25" in page
            assert "还保留 2 条" in (await staff.get("/requests?state=all"))[1]
        await cancelled(ready, citizen, visit.id)
        await finished(ready, clock, citizen)
        await until(lambda: completed(ready))
        async with person.http.get("/c/me") as answer:
            assert answer.url.path == "/c/login", "the old session is over"
        # Whoever comes back is somebody new, who agrees anew.
        assert (await sign_in(person, "person-citizen"))[1] == "/c/consent"
        assert await known(ready) != citizen
        agreed = {"next": "/c/me/requests", "agree": "true"}
        page = (await person.submit("/c/consent", "/c/consent", **agreed))[2]
        assert "保留的内容已全部删除" in page


async def punished(ready: ConsoleReady, citizen: str, now: int) -> int:
    """Until when."""
    until_then = now + 5 * DAY_MS
    ban = {"hall": HALL, "masked_name": "张*三", "masked_number": "2306", "began": now, "breaches": 3,
           "lifted_at": 0, "lifted_by": "", "reason": ""}  # fmt: skip
    async with ready.city.db.write() as uow:
        await uow.run(sa.insert(visits.ban).values(citizen=citizen, until=until_then, **ban))
    return until_then


async def listed(ready: ConsoleReady, citizen: str, kind: str, now: int) -> None:
    place = {"masked_name": "张*三", "masked_number": "2306", "reason": "占号", "until": 0, "at": now,
             "by": "1", "ended_at": 0, "ended_by": ""}  # fmt: skip
    async with ready.city.db.write() as uow:
        await uow.run(sa.insert(visits.listed).values(citizen=citizen, kind=kind, **place))


async def standing(ready: ConsoleReady, citizen: str) -> CitizenStanding:
    async with ready.city.db.read() as uow:
        return await ready.city.context.take(APPOINTMENTS).standing(uow, citizen)


async def indexes(ready: ConsoleReady) -> set[str]:
    async with ready.city.db.read() as uow:
        rows = [
            row["number_index"]
            for table in (visits.ban, visits.listed)
            for row in await uow.all(sa.select(table.c.number_index))
        ]
    return set(rows)


async def test_a_punishment_outlives_the_account_and_leaves_nothing_once_it_is_over(
    ready: ConsoleReady, clock: ManualClock
) -> None:
    citizen = await known(ready)
    until_then = await punished(ready, citizen, clock.now_ms())
    assert await indexes(ready) == {""}, "kept of nobody who has an account"
    no = await erased_as_far_as_possible(ready)
    (kept,) = (await request_of(ready, no)).kept
    assert (kept.why, kept.until) == ("punished", until_then)
    (index,) = await indexes(ready)
    assert index
    assert CARD.number not in index
    await clock.advance(5 * 86_400 + 3600)

    await until(lambda: completed(ready))
    async with ready.city.db.read() as uow:
        assert await uow.scalar(sa.select(visits.ban.c.masked_name)) == ""
    assert await indexes(ready) == {""}
    assert (await standing(ready, await known(ready))).banned_until == 0


async def test_erasing_the_account_is_no_way_around_a_punishment(
    ready: ConsoleReady, clock: ManualClock
) -> None:
    first = await known(ready)
    until_then = await punished(ready, first, clock.now_ms())
    for _ in range(2):  # nor is doing it twice
        await erased_as_far_as_possible(ready)
        again = await known(ready)
        assert again != first
        assert (await standing(ready, again)).banned_until == until_then
        with pytest.raises(Refusal) as refused:
            await booked(ready, again)
        assert refused.value.code == "appointments.banned"
        assert await indexes(ready) == {""}
    await clock.advance(5 * 86_400 + 3600)
    assert (await standing(ready, await known(ready))).banned_until == 0
    assert await personal(ready, again), "the new account has a consent of its own"


@pytest.mark.parametrize("kind", ["black", "white"])
async def test_a_place_on_a_list_finds_whoever_comes_back_unless_staff_ended_it(
    ready: ConsoleReady, clock: ManualClock, kind: str
) -> None:
    citizen = await known(ready)
    await listed(ready, citizen, kind, clock.now_ms())
    await erased_as_far_as_possible(ready)
    again = await known(ready)
    assert (await standing(ready, again)).listed == kind
    await erased_as_far_as_possible(ready)
    async with ready.city.db.write() as uow:
        await uow.run(sa.update(visits.listed).values(ended_at=clock.now_ms(), ended_by="1"))
    assert (await standing(ready, await known(ready))).listed == ""


async def test_nobody_slips_through_between_erasing_and_coming_back(
    ready: ConsoleReady, clock: ManualClock
) -> None:
    until_then = await punished(ready, await known(ready), clock.now_ms())
    for _ in range(5):
        await asyncio.gather(erased_as_far_as_possible(ready), *(known(ready) for _ in range(4)))
        assert (await standing(ready, await known(ready))).banned_until == until_then


async def test_it_is_finished_once_by_two_workers_and_by_one_that_was_killed_in_between(
    ready: ConsoleReady, clock: ManualClock
) -> None:
    citizen = await known(ready)
    visit = await booked(ready, citizen)
    await erased_as_far_as_possible(ready)
    await until(lambda: told(ready, 3))
    await cancelled(ready, citizen, visit.id)
    erasures, left = privacy(ready.city).erasures, privacy_models.left
    async with ready.city.db.read() as uow:
        rows = await uow.all(sa.select(left.c.no))
    with pytest.raises(KilledError):
        await _killed_before_its_commit(ready, [row["no"] for row in rows])
    assert await personal(ready, citizen), "wholly or not at all"
    assert await acts(ready.city, "request.completed") == []
    await clock.advance(3700)

    async def gone() -> bool:
        """Two rounds beside the city's own job, each over a connection of its own."""
        await asyncio.gather(erasures.finish_due(), erasures.finish_due())
        return not await personal(ready, citizen)

    await until(gone)
    await until(lambda: completed(ready))
    assert len(await acts(ready.city, "request.completed")) == 1
    assert len(await acts(ready.city, "citizen.forgotten")) == 1
    await until(lambda: told(ready, 6))


async def completed(ready: ConsoleReady) -> bool:
    return bool(await acts(ready.city, "request.completed"))


class KilledError(Exception):
    """A worker that comes no further."""


async def _killed_before_its_commit(ready: ConsoleReady, rows: list[int]) -> None:
    async with ready.city.db.write() as uow:
        await uow.run(sa.update(privacy_models.left).values(next_at=0))
        for no in rows:
            await privacy(ready.city).erasures.finish_one(uow, no)
        raise KilledError


async def test_of_an_erasure_and_a_booking_at_once_each_knows_of_the_other(
    ready: ConsoleReady,
) -> None:
    citizen, api = await known(ready), ready.city.context.take(APPOINTMENTS)
    (account,) = [one for one in ready.city.context.personal if one.holder == "citizens"]
    # The erasure first: who books meanwhile finds nobody.
    async with ready.city.db.write() as uow:
        await account.finish(uow, citizen)
        booking = asyncio.create_task(booked(ready, citizen))
        await until(lambda: waiting(ready))
    with pytest.raises(Refusal, match=r"citizen\.unknown"):
        await booking
    # The booking first: the erasure waits for it, and keeps the person.
    citizen = await known(ready)
    async with ready.city.db.write() as uow:
        wanted = Wanted(hall=HALL, items=(ITEM,), day=DAY, start="08:30")
        await api.book(uow, visitor(citizen), wanted, key="first")
        erasure = asyncio.create_task(erased_as_far_as_possible(ready))
        await until(lambda: waiting(ready))
    no = await erasure
    assert {one.why for one in (await request_of(ready, no)).kept} == {"booked"}
    assert await personal(ready, citizen)


async def waiting(ready: ConsoleReady) -> bool:
    """Whether somebody waits for another one's commit."""
    locks = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'")
    async with ready.city.db.read() as uow:
        return bool(await uow.scalar(locks))
