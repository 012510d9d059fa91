"""After a restore nobody is told twice by itself: what the city before may have told waits for a decision."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from appointment_stage import START, visitor, wanted
from appointment_stage import Stage as Booking
from appointment_stage import stage as booking_stage
from console_browser import browser, console
from notice_stage import NOON, Stage, stage
from patience import until

from console.app.modules import PROGRAM
from console.core.audit import Audit, read_audit
from console.core.databases import connected
from console.core.permissions import SYSTEM
from console.core.senders.port import Receipt
from console.modules.appointments.rules import CapacityBy, Rule
from console.modules.notifications import models as m
from console.modules.notifications import parking
from console.modules.notifications.ahead import FEW_AHEAD
from console.modules.notifications.api import NOTIFICATIONS
from console.modules.notifications.desk import NoticeDesk
from console.modules.notifications.sending import letter_id
from console.modules.notifications.service import NotificationService
from console.modules.upkeep.dumping import dump_city
from console.modules.upkeep.restoring import restore_city
from qingting.contract.errors import Refusal

pytestmark = pytest.mark.postgres
HOUR_MS = 3_600_000


@pytest.fixture
async def on(city_url: str) -> AsyncIterator[Stage]:
    async with stage(city_url) as one:
        yield one


async def restored(url: str, at: int) -> None:
    """What a restore does in the database that becomes the city."""
    async with connected(url) as connection:
        for statement in PROGRAM.restored:
            await connection.execute(statement, at)


def desk_of(on: Stage) -> NoticeDesk:
    return NoticeDesk(on.service, Audit(on.clock), on.senders)


async def waiting(on: Stage) -> list[tuple[str, str, int]]:
    async with on.db.read() as uow:
        rows = await desk_of(on).parked(uow, SYSTEM)
    return [(row["topic"], row["channel"], row["n"]) for row in rows]


async def decide(on: Stage, topic: str, channel: str, *, send: bool) -> int:
    async with on.db.write() as uow:
        rows = await desk_of(on).parked(uow, SYSTEM)
        upto = max([row["upto"] for row in rows if row["topic"] == topic], default=0)
        return await desk_of(on).decide(uow, SYSTEM, topic, channel, upto, send=send)


async def test_what_waited_in_the_backup_stays_until_somebody_decides_by_kind_and_way(
    on: Stage,
) -> None:
    booked = await on.tell()
    await on.post._plan()
    planned = await on.tell()
    news = await on.tell("login.code")
    later = await on.tell("visit.reminder", at=NOON + 3 * HOUR_MS)
    await restored(on.db.url, on.clock.now_ms())
    await on.minutes(1)
    assert on.texts("sms") == [], "nothing of before leaves by itself"
    assert await on.states(booked) == {
        "in_site": "delivered:", "sms": "parked:", "mail": "waiting:",
    }  # fmt: skip
    assert (await on.states(planned))["sms"] == "parked:"
    assert await waiting(on) == [("login.code", "sms", 1), ("visit.booked", "sms", 2)]
    fresh = await on.tell()
    await on.work()
    assert (await on.states(fresh))["sms"] == "sent:", "what happens from now on is told at once"

    assert await decide(on, "login.code", "sms", send=False) == 1
    assert (await on.states(news))["sms"] == "dropped:restored"
    with pytest.raises(Refusal, match=r"notice\.decided"):
        await decide(on, "login.code", "sms", send=False)
    assert await decide(on, "visit.booked", "sms", send=True) == 2
    await on.work()
    assert (await on.states(booked))["sms"] == (await on.states(planned))["sms"] == "sent:"
    assert len(on.texts("sms")) == 3
    assert await waiting(on) == []
    await on.minutes(125)
    assert (await on.states(later))["sms"] == "sent:", "what was due later is told in its time"
    async with on.db.read() as uow:
        acts = {(one.act, one.object, one.detail) for one in await read_audit(uow)}
    assert ("notice.parked_sent", "visit.booked/sms", "2") in acts
    assert ("notice.parked_dropped", "login.code/sms", "1") in acts


async def test_what_is_out_of_date_ends_by_itself_and_what_is_known_to_have_arrived_is_settled(
    on: Stage,
) -> None:
    late = await on.tell(until=NOON + HOUR_MS)
    known = await on.tell()
    await on.post._plan()
    await restored(on.db.url, on.clock.now_ms())
    async with on.db.write() as uow:
        no = await uow.scalar(sa.select(m.message.c.no).where(m.message.c.key == known))
        receipt = Receipt(id=letter_id(no, "sms"), delivered=True, reason="", at=NOON)
        assert await on.post.take_receipts(uow, "sms", [receipt]) == 1
    assert (await on.states(known))["sms"] == "delivered:"
    assert await waiting(on) == [("visit.booked", "sms", 1)]
    await on.minutes(61)
    assert (await on.states(late))["sms"] == "failed:late"
    assert await waiting(on) == []
    assert on.texts("sms") == []


async def test_what_is_dropped_goes_by_no_other_way_either(on: Stage) -> None:
    key = await on.tell()
    await on.post._plan()
    await restored(on.db.url, on.clock.now_ms())
    assert await decide(on, "visit.booked", "sms", send=False) == 1
    await on.minutes(60)
    assert await on.states(key) == {
        "in_site": "delivered:", "sms": "dropped:restored", "mail": "dropped:restored",
    }  # fmt: skip


async def test_what_stands_no_more_is_not_told_though_it_waited_for_the_morning(on: Stage) -> None:
    """As a reminder of a visit that was cancelled in the night."""
    gone: set[str] = set()

    async def stands(_: object, key: str) -> bool:
        return key not in gone

    on.service.checked_by("visit.booked", stands)
    await on.clock.advance(10 * 3600)
    one, two = await on.tell(), await on.tell()
    await on.work()
    assert (await on.states(one))["sms"] == "held:"
    gone.add(one)
    await on.minutes(11 * 60)
    assert (await on.states(one))["sms"] == "dropped:over"
    assert (await on.states(two))["sms"] == "sent:"


async def _known(run: Booking) -> list[tuple[str, bool]]:
    """Topics told to anybody, and whether the city before a restore may have told them."""
    await until(run.relayed)
    async with run.city.db.read() as uow:
        at = await parking.restored_at(uow)
        rows = await uow.all(sa.select(m.message).order_by(m.message.c.no))
    return [
        (row["topic"].removeprefix("appointment."), parking.may_be_known(row, at)) for row in rows
    ]


async def test_reminders_that_a_restored_city_catches_up_with_wait_too(city_url: str) -> None:
    rule = Rule(open=True, capacity_by=CapacityBy.NUMBER, capacity=9, reminders=(120, 30))
    async with booking_stage(city_url, rule) as run:
        async with run.city.db.write() as uow:
            await run.api.book(uow, visitor("ann"), wanted(), key="b")
        await run.at(START + 24 * HOUR_MS - HOUR_MS)
        await restored(city_url, run.clock.now_ms())
        while await run.reminders.remind_some():
            pass
        found = await _known(run)
        assert found == [("booked", True), ("reminder", True)]
        await run.at(START + 24 * HOUR_MS - HOUR_MS // 2)
        while await run.reminders.remind_some():
            pass
        assert (await _known(run))[2:] == [("reminder", False)], "the next one is the city's own"


async def test_a_reminder_stands_while_its_visit_is_booked_for_that_time(city_url: str) -> None:
    rule = Rule(open=True, capacity_by=CapacityBy.NUMBER, capacity=9, reminders=(120,))
    async with booking_stage(city_url, rule) as run:
        async with run.city.db.write() as uow:
            one = await run.api.book(uow, visitor("ann"), wanted(), key="b")
        await run.at(START + 22 * HOUR_MS)
        while await run.reminders.remind_some():
            pass
        await until(run.relayed)
        notices = run.city.context.take(NOTIFICATIONS)
        reminder = sa.select(m.message).where(m.message.c.topic == "appointment.reminder")
        assert isinstance(notices, NotificationService)
        async with run.city.db.write() as uow:
            row = await uow.first(reminder)
            assert row is not None
            assert await notices.stands(uow, row)
            await run.api.cancel(uow, visitor("ann"), one.id, reason="no_time", key="c")
            assert not await notices.stands(uow, row)


async def test_a_city_that_was_restored_shows_what_waits_and_lets_staff_decide(
    city_url: str, tmp_path: Path
) -> None:
    """A provider that is stopped keeps a message waiting while the backup is made."""
    settings = {
        "sms_url": "http://127.0.0.1:9", "sms_account": "daqing", "sms_sign": "大庆政务",
        "sms_secret": "a secret of sixteen or more",
    }  # fmt: skip
    page, channels = "/notifications/parked", "/notifications/channels"
    params = {"hall": "萨尔图", "hall_en": "Saertu", "ticket": "A001", "ahead": 3}
    async with console(city_url, **settings) as ready, browser(ready) as person:
        await person.enter(ready)
        await person.submit(channels, f"{channels}/sms", paused="true", reason="维护")
        async with ready.city.db.write() as uow:
            await ready.city.context.take(NOTIFICATIONS).tell(
                uow,
                FEW_AHEAD,
                "citizen-1",
                params,
                key="one",
                until=ready.city.context.clock.now_ms() + HOUR_MS,
            )

        async def told() -> bool:
            return "待发" in (await person.get("/notifications/1"))[1]

        await until(told)
        assert "没有待定的消息" in (await person.get(page))[1]
        now = ready.city.context.clock.now_ms()
        archive = await dump_city(city_url, tmp_path, now)
    former = (await restore_city(city_url, archive, now, PROGRAM)).former
    assert former
    async with console(city_url, **settings) as ready, browser(ready) as person:
        assert (await person.login("Daqing-2026-ok"))[1] == "/"
        _, text = await person.get("/notifications")
        assert "有 1 条消息可能已经发过，停着等人决定" in text
        _, text = await person.get(page)
        assert ("前面还有几位" in text, "短信" in text) == (True, True)
        form = {"topic": FEW_AHEAD, "channel": "sms", "upto": "1", "send": "false"}
        status, _, text = await person.submit(page, page, **form)
        assert (status, "没有待定的消息" in text) == (200, True)
        status, _, text = await person.submit(page, page, **form)
        assert (status, "可能同事刚刚决定过" in text) == (409, True)
        assert "工作人员决定不发" in (await person.get("/notifications/1"))[1]
