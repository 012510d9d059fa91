"""What an address asks for and nobody can read is said on the page, with what is shown instead; what is too large to be sent
is told with how much may be."""

from collections.abc import AsyncIterator
from io import BytesIO

import aiohttp
import pytest
from citizen_stage import CARD, citizens_city
from city_hall import START
from console_browser import NEW_PASSWORD, Browser

from console.app.server import ConsoleReady
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres
NO_DAY, NO_NUMBER, NO_CHOICE = "不是能用的日期", "不是能用的数字", "不在可选的内容里"
ODD = "9999-99-<b>"
LARGEST_KB = 1024
PAGES = [
    ("admin", "/appointments/day", "day", NO_DAY, "现在显示的是：2026-11-24"),
    ("admin", "/appointments", "first", NO_DAY, "没有指定这一项"),
    ("admin", "/appointments", "last", NO_DAY, "没有指定这一项"),
    ("admin", "/appointments", "page", NO_NUMBER, "现在显示的是：1"),
    ("admin", "/appointments/figures", "first", NO_DAY, "没有指定这一项"),
    ("admin", "/appointments/figures", "by", NO_CHOICE, "没有指定这一项"),
    ("admin", "/appointments/closing", "day", NO_DAY, "现在显示的是：2026-11-23"),
    ("admin", "/appointments/closing", "to_day", NO_DAY, "没有指定这一项"),
    ("admin", "/appointments/new", "day", NO_DAY, "没有指定这一项"),
    ("admin", "/ratings", "last", NO_DAY, "现在显示的是：2026-11-23"),
    ("admin", "/ratings", "level", NO_CHOICE, "没有指定这一项"),
    ("admin", "/notifications", "first", NO_DAY, "没有指定这一项"),
    ("admin", "/calendar", "year", NO_NUMBER, "现在显示的是：2026"),
    ("admin", "/calendar", "start", NO_DAY, "现在显示的是：2026-11-23"),
    ("admin", "/calendar", "unit", NO_CHOICE, "没有指定这一项"),
    ("admin", "/calendar/month/2026-11", "day", NO_DAY, "没有指定这一项"),
    ("admin", "/calendar/notice", "year", NO_NUMBER, "现在显示的是：2027"),
    ("admin", "/catalogue", "bookable", NO_CHOICE, "没有指定这一项"),
    ("security", "/accounts/unused", "days", NO_CHOICE, "没有指定这一项"),
    ("audit", "/audit", "from", NO_DAY, "没有指定这一项"),
    ("audit", "/audit", "before", NO_NUMBER, "没有指定这一项"),
    ("", "/c/halls", "division", NO_CHOICE, "没有指定这一项"),
    ("", "/c/items", "division", NO_CHOICE, "没有指定这一项"),
    ("", "/c/book/saertu/times?item=ITEM", "day", NO_DAY, "没有指定这一项"),
]


@pytest.fixture
async def ready(city_url: str) -> AsyncIterator[ConsoleReady]:
    async with citizens_city(city_url, ManualClock(START + 3_600_000)) as one:
        yield one


async def enter(ready: ConsoleReady, account: str) -> Browser:
    one = Browser(ready.url)
    if account:
        (first,) = [each.password for each in ready.one_time_passwords if each.account == account]
        await one.login(first, account)
        await one.submit(
            "/password", "/password", present=first, new=NEW_PASSWORD, again=NEW_PASSWORD
        )
    return one


async def test_what_an_address_asks_for_in_vain_is_said_with_what_is_shown_instead(
    ready: ConsoleReady,
) -> None:
    people = {who: await enter(ready, who) for who in ("", "admin", "security", "audit")}
    item = (await people[""].get(f"/c/book?code={CARD}"))[1].partition("item=")[2].partition('"')[0]
    try:
        for who, path, name, wrong, instead in PAGES:
            async with people[who].http.get(
                path.replace("ITEM", item.partition("&")[0]).partition("?")[0],
                params={**({"item": item} if "ITEM" in path else {}), name: ODD},
            ) as answer:
                text = await answer.text()
            assert answer.status == 200, (path, name)
            assert f"“9999-99-&lt;b&gt;”{wrong}" in text, (path, name)
            assert instead in text, (path, name)
            usual = (await people[who].get(path.replace("ITEM", item)))[1]
            assert "没有采用" not in usual, (path, "nothing asked for, nothing to say")
        english = (await people["admin"].get("/appointments/day?lang=en&day=2026-02-30"))[1]
        assert (
            "“2026-02-30” is no date that can be used here. Shown instead: 2026-11-24." in english
        )
    finally:
        for one in people.values():
            await one.http.close()


async def test_a_form_that_is_too_large_says_how_much_may_be_sent(ready: ConsoleReady) -> None:
    one = await enter(ready, "admin")
    try:
        for path in ("/calendar/notice/preview", "/catalogue/import/preview"):
            for language, most, do in (
                ("zh-CN", f"一次最多 {LARGEST_KB} KB", "表格请分成几个文件"),
                ("en", f"{LARGEST_KB} KB at most", "Split a spreadsheet"),
            ):
                data = aiohttp.FormData()
                data.add_field("file", BytesIO(b"x" * (LARGEST_KB * 1024 + 1)), filename="much.csv")
                async with one.http.post(path, params={"lang": language}, data=data) as answer:
                    text = await answer.text()
                assert answer.status == 413
                assert most in text
                assert do in text
    finally:
        await one.http.close()
