"""The staff's pages of notifications, and telling those who wait that few are before them."""

import re
from html import unescape

import pytest
import sqlalchemy as sa
from city_hall import START, LinkClient
from city_hall import Log as HallLog
from console_browser import HALL, Browser, browser, connect_hall, console, link_of
from patience import until

from console.app.server import ConsoleReady
from console.modules.notifications import models as m
from console.modules.notifications.ahead import FEW_AHEAD, outcome
from console.modules.notifications.api import NOTIFICATIONS
from console.modules.statistics.api import InLine
from qingting.contract import events as e
from qingting.contract.examples import CONFIG
from qingting.contract.ids import BookingId, DepartmentId, ItemId, QueueId, TicketId
from qingting.kernel.aio.clock import ManualClock

FIELD = re.compile(r'name="(?!csrf)([^"]+)" value="([^"]*)"')
WORDING = f"/notifications/topics/{FEW_AHEAD}/sms/zh-CN"


def test_few_before_you_is_told_once_more_were_there_and_not_after_the_call() -> None:
    def place(state: str, ahead: int) -> InLine:
        return InLine(booking="b", number="A1", state=state, ahead=ahead)

    assert outcome(None, place("waiting", 9)) == ""
    assert outcome(9, place("waiting", 4)) == ""
    assert outcome(9, place("waiting", 3)) == "tell"
    assert outcome(None, place("waiting", 2)) == "few"
    assert outcome(9, place("parked", 0)) == ""
    assert outcome(9, place("called", 0)) == "called"


@pytest.mark.postgres
async def test_staff_edit_wordings_pause_a_channel_and_see_what_was_told(
    city_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.modules.notifications.ahead.AT_ONCE", 1)
    clock = ManualClock(START + 120_000)
    async with console(city_url, clock) as ready, browser(ready) as page:
        await page.enter(ready)
        await _few_before_you(ready, page)
        await _edit(page)
        await _rules(page)


async def _few_before_you(ready: ConsoleReady, page: Browser) -> None:
    """Five wait, the last one came with a booking; two are called. Somebody else of whom nothing is heard comes first
    whenever it is looked who waits."""
    log = HallLog(HALL)
    log.configure()
    tickets = [log.issue(serial) for serial in range(1, 6)]
    booked = BookingId("b-1")
    async with ready.city.db.write() as uow:
        notes = ready.city.context.take(NOTIFICATIONS)
        await notes.follow(uow, "citizen-1", HALL, booked, until=START + 10**8)
        await notes.follow(uow, "citizen-0", HALL, BookingId("b-0"), until=START + 10**8)
    async with link_of(ready) as client:
        log.add(e.BookingPut(booking=_booking(booked)))
        log.add(_arrival(booked))
        await connect_hall(ready, client, log)
        await until(lambda: _seen(ready, 5))
        await _call(ready, client, log, tickets[0])
        await until(lambda: _seen(ready, 5))
        await _call(ready, client, log, tickets[1])

        async def told() -> bool:
            return "前面还有几位" in (await page.get("/notifications"))[1] and await _told(ready)

        await until(told)
    _, text = await page.get("/notifications/1")
    assert "前面还有 3 位" in text
    assert "站内信" in text
    status, sheet = await page.get("/notifications.csv?channel=in_site")
    assert (status, sheet.count("站内信")) == (200, 1)
    assert "站内信" in (await page.get("/notifications/figures"))[1]


async def _call(ready: ConsoleReady, client: LinkClient, log: HallLog, ticket: TicketId) -> None:
    head = log.head
    log.serve(ticket)
    await client.push(log.frame(head + 1))
    await ready.city.runner.catch_up_all()


async def _seen(ready: ConsoleReady, ahead: int) -> bool:
    async with ready.city.db.read() as uow:
        seen = sa.select(m.follow.c.seen).where(m.follow.c.citizen == "citizen-1")
        return bool(await uow.scalar(seen) == ahead)


async def _told(ready: ConsoleReady) -> bool:
    async with ready.city.db.read() as uow:
        return bool(await uow.scalar(sa.select(m.message.c.state)) == "told")


def _booking(booking: BookingId) -> e.Booking:
    import msgspec

    from qingting.contract.examples import BOOKING

    return msgspec.structs.replace(BOOKING, id=booking)


def _arrival(booking: BookingId) -> e.TicketIssued:
    return e.TicketIssued(
        ticket=TicketId("2026-11-23-booked-9"),
        number="A009",
        serial=9,
        day=HallLog(HALL).day,
        queue=QueueId(CONFIG.queues[0].id),
        item=ItemId(CONFIG.items[0].id),
        department=DepartmentId(CONFIG.departments[0].id),
        token="t" * 20,
        ahead=5,
        booking=booking,
    )


async def _edit(page: Browser) -> None:
    """An unknown field is refused with its place and what was typed stays; a good text is a new version."""
    assert "前面还有几位" in (await page.get("/notifications/topics"))[1]
    assert "出厂文案" in (await page.get(f"/notifications/topics/{FEW_AHEAD}"))[1]
    bad = {"seen": "0", "text": "请回{hall}，\n还有{几位}", "do": "save"}
    status, _, text = await page.submit(WORDING, WORDING, **bad)
    assert status == 422
    assert "第 2 行第 3 个字处的“几位”" in text
    assert "还有{几位}" in text
    status, _, text = await page.submit(WORDING, WORDING, **bad | {"do": "preview"})
    assert status == 422
    assert "第 2 行第 3 个字处的“几位”" in text, "a preview says what keeps it from being made"
    good = bad | {"text": "请回{大厅}，还有{前面人数}位", "do": "preview"}
    status, _, text = await page.submit(WORDING, WORDING, **good)
    assert status == 200
    assert "请回萨尔图区政务服务中心，还有3位" in text
    assert "计费 1 条" in text
    saved = await page.submit(WORDING, WORDING, **good | {"do": "save"})
    assert "已存为新版本" in saved[2]
    shown = (await page.get(WORDING))[1]
    assert "{前面人数}位" in shown
    assert "{ahead}" not in shown, "fields are called as the list of fields calls them"
    again = await page.submit(WORDING, WORDING, **good | {"do": "save"})
    assert again[0] == 409, "two who edit one version do not overwrite each other"
    await _back_to_the_first(page)
    tried = await page.submit(WORDING, WORDING, **good | {"do": "try", "to": "13900000000"})
    assert tried[0] == 409, "this city has no SMS"
    topic = f"/notifications/topics/{FEW_AHEAD}"
    twice = {"seen": "0", "first": "sms", "second": "sms", "keep_minutes": "10"}
    assert (await page.submit(topic, topic, **twice))[0] == 422
    saved = await page.submit(topic, topic, **twice | {"second": "mail", "on": "true"})
    assert "已保存" in saved[2]
    assert "短信 → 邮件" in (await page.get("/notifications/topics"))[1]


async def _back_to_the_first(page: Browser) -> None:
    """In one click, as a version of its own."""
    (button,) = re.findall(
        r'<form class="act"[^>]*>(.*?)用回出厂文案', (await page.get(WORDING))[1]
    )
    fields = {unescape(name): unescape(value) for name, value in FIELD.findall(button)}
    status, _, text = await page.submit(WORDING, WORDING, **fields)
    assert (status, "已存为新版本" in text) == (200, True)
    assert "用回第 1 版" in text
    assert "用回第 2 版" not in text, "it is what is used now"


async def _rules(page: Browser) -> None:
    path = "/notifications/channels"
    form = {"seen": "0", "quiet_from": "22:00", "quiet_until": "07:30", "per_day": "5"}
    form |= {"repeat_minutes": "5", "price": "50"}
    assert "规则已保存" in (await page.submit(path, path, **form))[2]
    assert 'value="22:00"' in (await page.get(path))[1]
    assert (await page.submit(path, path, **form))[0] == 409
    paused = await page.submit(path, f"{path}/sms", paused="true", reason="对账")
    assert "渠道已暂停" in paused[2]
    assert (await page.submit(path, f"{path}/sms", paused="true"))[0] == 422
    assert (await page.submit(path, f"{path}/pigeon", paused="true", reason="x"))[0] == 404
