"""What an address asks for and nobody can read is said on the page, with what is shown instead; what is too large to be sent
is told with how much may be."""

import re
from collections.abc import AsyncIterator
from io import BytesIO

import aiohttp
import pytest
from citizen_stage import CARD, citizens_city
from city_hall import START
from console_browser import NEW_PASSWORD, Browser

from console.app.server import ConsoleReady
from console.core.sheet_reading import MAX_BYTES
from console.core.uploads import FORM_BYTES
from console.modules.devicepage.photos import MAX_UPLOAD_BYTES
from qingting.contract.acts import MAX_BUNDLE_BYTES
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


async def test_a_file_that_is_too_large_names_what_its_own_form_takes(ready: ConsoleReady) -> None:
    """As a browser without scripts sends it, to its last byte read: otherwise the server would still be reading when the
    browser has gone."""
    rows = ("最多 5000 行、960 KB", "5000 rows and 960 KB")
    one = await enter(ready, "admin")
    try:
        for page, path, field, most, says in (
            ("/calendar/notice", "/calendar/notice/preview", "file", MAX_BYTES, rows),
            ("/catalogue/import", "/catalogue/import/preview", "file", MAX_BYTES, rows),
            ("/staff/import", "/staff/import/preview", "file", MAX_BYTES, rows),
            ("/profiles", "/profiles", "file", MAX_BUNDLE_BYTES, ("最多 256 KB", "256 KB at most")),
            ("/profiles", "/models/kind.printer/photo", "photo", MAX_UPLOAD_BYTES, ("超过 10 MB", "larger than 10 MB")),
        ):  # fmt: skip
            token = re.search(r'name="csrf" value="([^"]+)"', (await one.get(page))[1])
            assert token is not None
            for language, said in zip(("zh-CN", "en"), says, strict=True):
                data = aiohttp.FormData({"csrf": token[1]})
                data.add_field(field, BytesIO(b"x" * (most + FORM_BYTES)), filename="much")
                async with one.http.post(
                    path,
                    params={"lang": language},
                    data=data,
                    headers={"Sec-Fetch-Site": "same-origin"},
                ) as answer:
                    text = await answer.text()
                assert (path, answer.status, said in text) == (path, 413, True)
    finally:
        await one.http.close()


async def test_a_text_that_is_too_large_says_how_much_may_be_sent(ready: ConsoleReady) -> None:
    async with aiohttp.ClientSession() as nobody:
        data = BytesIO(b"q=" + b"x" * (LARGEST_KB * 1024))
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        async with nobody.post(f"{ready.url}/c/halls/near", data=data, headers=form) as answer:
            assert answer.status == 413
            assert f"一次最多 {LARGEST_KB} KB" in await answer.text()
