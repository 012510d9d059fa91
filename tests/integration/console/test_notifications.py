"""Citizens are told once, by a way that works, at a decent hour, and as long as it is worth it; in the loop with
simulated providers at byte level."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
import structlog
from notice_stage import MAIL, NOON, PARAMS, PHONE, Stage, china, stage

from console.core.senders.port import Letter
from console.core.uow import ReadUow
from console.modules.notifications import claims
from console.modules.notifications import models as m
from console.modules.notifications.api import Reach
from console.modules.notifications.pruning import prunes
from console.modules.notifications.sending import LEASE_MS, letter_id
from console.modules.notifications.topics import Channel
from qingting.contract.states import Language
from qingting.kernel.security.seal import SealError
from simulators.messages import Fault, Way

pytestmark = pytest.mark.postgres


@pytest.fixture
async def on(city_url: str) -> AsyncIterator[Stage]:
    async with stage(city_url) as one:
        yield one


async def test_what_is_told_is_in_the_list_and_on_the_phone_and_its_receipt_makes_it_delivered(
    on: Stage,
) -> None:
    await on.tell()
    await on.work()
    assert await on.states() == {"in_site": "delivered:", "sms": "sent:", "mail": "waiting:"}
    assert on.texts("sms") == ["【大庆政务】萨尔图区政务服务中心11月23日 12:00，CODE1"]
    assert await on.receiving.fetch() == 1
    assert (await on.states())["sms"] == "delivered:"
    assert await on.receiving.fetch() == 0
    async with on.db.write() as uow:
        count, (first,) = await on.service.inbox(uow, "zhang", Language.ZH, limit=10)
        assert (count, first.title, first.link) == (1, "预约成功", "/c/bookings")
        assert "CODE1" in first.text
        assert await on.service.unread(uow, "zhang") == 1
        await on.service.read(uow, "zhang", first.no)
        assert await on.service.unread(uow, "zhang") == 0
        assert await on.service.unread(uow, "li") == 0
    async with on.db.read() as uow:
        row = await uow.first(sa.select(m.delivery).where(m.delivery.c.channel == "sms"))
    assert row is not None
    assert (row["segments"], row["cost"], row["masked"]) == (1, 45, "139****8901")


async def test_a_known_key_tells_nothing_and_what_was_taken_back_is_not_told(on: Stage) -> None:
    async with on.db.write() as uow:
        for _ in range(3):
            await on.service.tell(uow, "visit.booked", "zhang", PARAMS, key="same")
        await on.service.tell(
            uow, "visit.reminder", "zhang", PARAMS, key="later", at=NOON + 2 * 3_600_000
        )
        assert await on.service.cancel(uow, "later")
        assert not await on.service.cancel(uow, "unknown")
    await on.work()
    await on.minutes(180)
    assert len(on.texts("sms")) == 1
    assert await on.message_state("later") == "cancelled"


async def test_nothing_is_told_of_what_was_rolled_back(on: Stage) -> None:
    async def fails() -> None:
        async with on.db.write() as uow:
            await on.service.tell(uow, "visit.booked", "zhang", PARAMS, key="gone")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fails()
    await on.work()
    assert on.texts("sms") == []


async def test_a_provider_works_fails_is_marked_once_and_works_again(on: Stage) -> None:
    on.platform.set_fault(Way.SMS, Fault.DOWN)
    with structlog.testing.capture_logs() as logs:
        await on.tell("login.code")
        await on.work()
        await on.minutes(0.5)
        await on.minutes(1)
        async with on.db.read() as uow:
            assert (await claims.channels(uow))["sms"]["down_since"] == NOON
        assert (await on.states())["sms"] == "queued:ServerDisconnectedError"
        on.platform.set_fault(Way.SMS, None)
        await on.minutes(2)
    assert (await on.states())["sms"] == "sent:"
    assert [one["event"] for one in logs] == ["notice.channel_down", "notice.channel_back"]
    async with on.db.read() as uow:
        assert (await claims.channels(uow))["sms"]["down_since"] is None


@pytest.mark.parametrize("fault", [Fault.GARBAGE, Fault.BUSY, Fault.RATE_LIMIT, Fault.NO_BALANCE])
async def test_what_passes_is_tried_again_by_the_same_way(on: Stage, fault: Fault) -> None:
    on.platform.set_fault(Way.SMS, fault)
    await on.tell()
    await on.work()
    assert (await on.states())["sms"].startswith("queued:")
    on.platform.set_fault(Way.SMS, None)
    await on.minutes(1)
    assert await on.states() == {"in_site": "delivered:", "sms": "sent:", "mail": "waiting:"}


async def test_a_message_whose_answer_was_lost_is_handed_in_again_and_sent_once(on: Stage) -> None:
    on.platform.set_fault(Way.SMS, Fault.LOST_ANSWER)
    await on.tell()
    await on.work()
    on.platform.set_fault(Way.SMS, None)
    await on.minutes(1)
    (arrived,) = on.platform.arrived
    assert arrived.asked == 2
    assert (await on.states())["sms"] == "sent:"


async def test_a_lasting_refusal_hands_the_message_to_the_next_way(on: Stage) -> None:
    on.platform.set_fault(Way.SMS, Fault.REFUSE)
    await on.tell()
    await on.work()
    assert await on.states() == {
        "in_site": "delivered:",
        "sms": "failed:bad_address",
        "mail": "sent:",
    }
    (arrived,) = on.platform.arrived
    assert (arrived.to, arrived.title) == (MAIL, "预约成功")
    assert "https://city.example/c/bookings" in arrived.text
    on.platform.set_fault(Way.MAIL, Fault.REFUSE)
    await on.tell()
    await on.work()
    assert (await on.states())["mail"] == "failed:SMTP 550"


async def test_a_way_without_an_address_and_one_that_has_failed_for_long_are_left(
    on: Stage,
) -> None:
    on.book.known["li"] = Reach(mail="li@example.com")
    await on.tell(citizen="li")
    await on.work()
    assert (await on.states())["sms"] == "dropped:no_address"
    assert (await on.states())["mail"] == "sent:"
    on.platform.set_fault(Way.SMS, Fault.BUSY)
    await on.tell()
    for minutes in (0, 0.5, 1, 2, 4, 8):
        await on.minutes(minutes)
    assert (await on.states())["sms"] == "failed:busy"
    assert (await on.states())["mail"] == "sent:"


async def test_an_undelivered_sms_goes_by_mail_and_repeated_or_lost_receipts_change_nothing(
    on: Stage,
) -> None:
    on.platform.set_fault(Way.SMS, Fault.UNDELIVERED)
    await on.tell()
    await on.work()
    assert await on.receiving.fetch() == 1
    await on.work()
    assert (await on.states())["sms"] == "failed:absent"
    assert (await on.states())["mail"] == "sent:"
    on.platform.set_fault(Way.SMS, Fault.REPEATED_RECEIPTS)
    await on.tell()
    await on.work()
    assert await on.receiving.fetch() == 1
    assert await on.receiving.fetch() == 0
    on.platform.set_fault(Way.SMS, Fault.LOST_RECEIPTS)
    await on.tell()
    await on.work()
    _ = await on.receiving.fetch()
    assert (await on.states())["sms"] == "sent:"
    assert [one.way for one in on.platform.arrived].count(Way.MAIL) == 1


async def test_at_night_only_what_is_urgent_goes_out_and_the_rest_in_the_morning(on: Stage) -> None:
    await on.clock.advance((china("2026-11-23 21:30") - NOON) / 1000)
    late = await on.tell()
    await on.tell("login.code")
    await on.work()
    assert await on.states(late) == {"in_site": "delivered:", "sms": "held:", "mail": "waiting:"}
    assert (await on.states())["sms"] == "sent:"
    await on.minutes(10 * 60 + 29)
    assert (await on.states(late))["sms"] == "held:"
    await on.minutes(1)
    assert (await on.states(late))["sms"] == "sent:"
    assert on.clock.now_ms() == china("2026-11-24 08:00")


async def test_a_reminder_comes_before_its_visit_and_never_after_it(on: Stage) -> None:
    visit = NOON + 3 * 3_600_000
    first = await on.tell("visit.reminder", at=visit)
    await on.minutes(119)
    assert await on.message_state(first) == "planned"
    on.platform.set_fault(Way.SMS, Fault.DOWN)
    on.platform.set_fault(Way.MAIL, Fault.DOWN)
    await on.minutes(1)
    assert await on.message_state(first) == "told"
    for _ in range(16):
        await on.minutes(5)
    on.platform.set_fault(Way.SMS, None)
    on.platform.set_fault(Way.MAIL, None)
    await on.minutes(60)
    states = await on.states(first)
    assert states["sms"].startswith("failed:")
    assert states["mail"].startswith("failed:")
    second = await on.tell("visit.reminder", at=visit)
    await on.work()
    assert await on.message_state(second) == "expired"
    assert on.texts("sms") == on.texts("mail") == []


async def test_a_paused_channel_keeps_what_waits_until_it_is_useless(on: Stage) -> None:
    async with on.db.write() as uow:
        values = {
            "paused": True,
            "reason": "",
            "changed_at": 0,
            "changed_by": "",
            "down_reason": "",
        }
        await uow.run(sa.insert(m.channel), {"channel": "sms", **values})
    waits = await on.tell("visit.booked")
    useless = await on.tell("login.code", until=NOON + 60_000)
    await on.work()
    assert (await on.states(waits))["sms"] == "queued:"
    await on.minutes(2)
    assert (await on.states(useless))["sms"] == "failed:late"
    async with on.db.write() as uow:
        await uow.run(sa.update(m.channel).values(paused=False))
    await on.work()
    assert (await on.states(waits))["sms"] == "sent:"


async def test_the_same_is_not_told_twice_in_a_while_and_only_so_much_a_day(on: Stage) -> None:
    async with on.db.write() as uow:
        for key in ("a", "b"):
            await on.service.tell(uow, "visit.booked", "zhang", PARAMS, key=key)
    await on.work()
    assert sorted([await on.message_state("a"), await on.message_state("b")]) == [
        "repeated",
        "told",
    ]
    for _ in range(8):
        await on.tell()
        await on.work()
    assert (await on.states())["sms"] == "dropped:limit"
    assert (await on.states())["in_site"] == "delivered:"
    await on.tell("login.code")
    await on.work()
    assert (await on.states())["sms"] == "sent:"
    await on.clock.advance(86_400)
    await on.tell()
    await on.work()
    assert (await on.states())["sms"] == "sent:"


async def test_a_citizen_chooses_ways_of_each_topic_but_not_of_what_is_urgent(on: Stage) -> None:
    on.service.ready = frozenset(Channel(name) for name in on.senders)
    async with on.db.write() as uow:
        offered = await on.service.choices(uow, "zhang", Language.ZH)
        assert [one.topic for one in offered] == [
            "visit.alipay", "visit.booked", "visit.news", "visit.reminder",
        ]  # fmt: skip
        kept = {f"{one.topic}/{way}" for one in offered for way, _ in one.ways}
        await on.service.choose(uow, "zhang", kept - {"visit.booked/sms"} | {"login.code/sms"})
    await on.tell()
    await on.work()
    assert await on.states() == {
        "in_site": "delivered:",
        "mail": "sent:",
        "sms": "dropped:unwanted",
    }
    await on.tell("login.code")
    await on.work()
    assert (await on.states())["sms"] == "sent:"


async def test_two_workers_send_nothing_twice(on: Stage) -> None:
    for number in range(30):
        on.book.known[f"c{number}"] = Reach(phone=f"139{number:08d}")
        await on.tell(citizen=f"c{number}")
    _ = await asyncio.gather(*(on.work(post) for post in (on.post, on.other, on.post, on.other)))
    assert len(on.platform.arrived) == 30
    assert {one.asked for one in on.platform.arrived} == {1}


async def test_a_worker_that_dies_after_sending_makes_no_second_sms(on: Stage) -> None:
    await on.tell()
    _ = await on.post._plan()
    async with on.db.write() as uow:
        now = on.clock.now_ms()
        (row,) = await claims.take(uow, ["sms"], now, now + LEASE_MS, 10)
    letter = Letter(
        id=letter_id(row["message"], "sms"), to=PHONE, title="", text="one and the same", at=now
    )
    _ = await on.senders["sms"].send(letter)
    await on.work(on.other)
    assert (await on.states())["sms"] == "sending:"
    await on.clock.advance(LEASE_MS / 1000)
    await on.work(on.other)
    (arrived,) = on.platform.arrived
    assert arrived.asked == 2, "handed in twice under one id, sent once"
    assert (await on.states())["sms"] == "sent:"


async def test_an_address_that_cannot_be_opened_keeps_nobody_elses_message(on: Stage) -> None:
    known, book = on.book.reach, on.book

    async def reach(uow: ReadUow, citizen: str) -> Reach | None:
        if citizen == "locked":
            raise SealError("unknown key")
        return await known(uow, citizen)

    book.reach = reach  # type: ignore[method-assign]
    locked = await on.tell(citizen="locked")
    await on.tell()
    await on.work()
    assert (await on.states(locked))["sms"] == "failed:sealed"
    assert (await on.states(locked))["in_site"] == "delivered:"
    assert (await on.states())["sms"] == "sent:"


async def test_no_address_is_in_a_log_or_in_a_table(on: Stage) -> None:
    with structlog.testing.capture_logs() as logs:
        for fault in (Fault.DOWN, Fault.REFUSE, None):
            on.platform.set_fault(Way.SMS, fault)
            await on.tell()
            await on.work()
        await on.minutes(1)
    kept = str(logs) + repr(on.book.known["zhang"])
    async with on.db.read() as uow:
        for table in (m.message, m.delivery, m.step, m.channel):
            kept += str(await uow.all(sa.select(table)))
    assert logs
    assert "139****8901" in kept
    assert PHONE not in kept
    assert MAIL not in kept


async def test_old_messages_go_with_all_that_hangs_on_them_and_young_ones_stay(on: Stage) -> None:
    await on.tell()
    await on.work()
    await on.clock.advance(399 * 86_400)
    await on.tell()
    await on.work()
    old, _, _ = prunes(on.clock, 400, on.service.topics)
    await on.clock.advance(3 * 86_400)
    async with on.db.write() as uow:
        assert await old(uow, 100) == 1
        assert await old(uow, 100) == 0
        assert {row["message"] for row in await uow.all(sa.select(m.delivery))} == {2}


async def test_a_code_is_kept_no_longer_than_its_message_is_worth_telling(on: Stage) -> None:
    await on.tell()
    await on.work()
    *_, spent_codes = prunes(on.clock, 400, on.service.topics)
    async with on.db.write() as uow:
        assert await spent_codes(uow, 100) == 0, "it may still be on its way"
    await on.clock.advance(2 * 86_400)
    async with on.db.write() as uow:
        assert await spent_codes(uow, 100) == 1
        assert await spent_codes(uow, 100) == 0
        (row,) = await uow.all(sa.select(m.message.c.params))
    assert set(row["params"]) == {"hall", "time"}
