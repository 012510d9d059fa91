"""A form that comes while the city's database is exchanged goes back to who typed it, to be sent when the city is there."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from console_browser import NEW_PASSWORD, console
from form_fields import form_entries
from kept_forms import IDLE_S, OURS, Person, sent_by

from console.app.away import Waiting, create_away
from console.app.settings import ConsoleSettings
from console.core.divisions import full
from qingting.kernel.aio.clock import ManualClock, SystemClock
from qingting.kernel.web.csrf import mark_of, token_for

TOKEN = token_for("somebody")
TYPED = {"name": "人社局 \"><script>alert(1)</script> '第二行'\r\n 三", "code": "C-9", "key": "k1"}
FORM = {**TYPED, "csrf": TOKEN}
Away = TestClient[web.Request, web.Application]


@pytest.fixture
async def away(tmp_path: Path) -> AsyncIterator[Away]:
    settings = ConsoleSettings(data=str(tmp_path), place="大庆市")
    app = await asyncio.to_thread(create_away, settings, SystemClock(), Waiting())
    async with TestClient(TestServer(app)) as http:
        yield http


async def test_what_was_typed_is_on_the_page_with_a_button_to_send_it_again(away: Away) -> None:
    answer = await away.post("/departments", data=FORM, headers=OURS)
    page = await answer.text()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Refresh" not in answer.headers, "a new page would take it away"
    assert "城市平台正在恢复到备份的状态" in page
    assert "请过几分钟再试" in page
    assert "再次提交" in page
    assert 'name="referrer" content="same-origin"' in page, "over http nothing else vouches for it"
    assert "<script>alert" not in page
    kept = sent_by(page, "/departments")
    assert kept == {**TYPED, "csrf": f".{mark_of(TOKEN)}"}, "and no token that counts"
    # Pressed too early it leads to the same page, with all of it; and so does the other language.
    answer = await away.post("/departments", data=kept, headers=OURS)
    assert sent_by(await answer.text(), "/departments") == kept
    turned = form_entries(page, "/departments?lang=en")
    answer = await away.post("/departments?lang=en", data=turned, headers=OURS)
    page = await answer.text()
    assert (answer.status, "try again in a few minutes" in page) == (503, True)
    assert sent_by(page, "/departments") == kept


async def test_passwords_codes_and_files_are_named_and_not_kept(away: Away) -> None:
    data = aiohttp.FormData(quote_fields=False)
    for name, value in (("csrf", TOKEN), ("typed", "昨天"), ("password", "My-Secret-1")):
        data.add_field(name, value)
    data.add_field("passcode", "864209")
    data.add_field("file", b"a,b\r\n", filename="放假.csv", content_type="text/csv")
    answer = await away.post("/backups/restore", data=data, headers=OURS)
    page = await answer.text()
    assert answer.status == 503
    assert "My-Secret-1" not in page
    assert "864209" not in page
    assert "密码和验证码不会保留" in page
    assert "请重新选择：放假.csv" in page
    kept = form_entries(page, "/backups/restore")
    assert ("typed", "昨天") in kept
    assert {("unsent-asked", "password"), ("unsent-asked", "passcode")} <= set(kept)
    assert ("unsent-file", "file/放假.csv") in kept


async def test_a_citizen_is_told_so_in_words_of_theirs(away: Away) -> None:
    answer = await away.post("/c/me/requests", data=FORM, headers=OURS)
    page = await answer.text()
    assert (answer.status, sent_by(page, "/c/me/requests")["code"]) == (503, "C-9")
    assert "网上服务正在维护" in page
    assert "过几分钟" in page
    assert "备份" not in page
    assert "数据库" not in page


async def test_a_page_of_htmx_keeps_what_was_typed_and_says_when_to_press_again(away: Away) -> None:
    part = {**OURS, "HX-Request": "true", "X-CSRF-Token": TOKEN}
    answer = await away.post("/departments", data=TYPED, headers=part)
    notice = await answer.text()
    assert (answer.status, answer.headers["HX-Retarget"]) == (503, "#notice")
    assert "HX-Redirect" not in answer.headers
    assert "请过几分钟再试" in notice
    assert "您填写的都还在这一页上" in notice
    assert "<form" not in notice
    assert "data-token" not in notice


@pytest.mark.parametrize(
    "told",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Accept": "text/html"},
        {"Origin": "null"},
        {"Origin": "https://elsewhere.example"},
    ],
)
async def test_another_sites_form_is_shown_to_nobody(away: Away, told: dict[str, str]) -> None:
    answer = await away.post("/departments", data=FORM, headers=told)
    page = await answer.text()
    assert (answer.status, answer.headers["Refresh"]) == (503, "2; url=/")
    assert "C-9" not in page
    assert "刚才提交的内容没有保存" in page
    assert "刚才提交的内容没有保存" not in await (await away.get("/departments")).text()


async def test_what_is_more_than_a_form_may_be_is_answered_all_the_same(away: Away) -> None:
    answer = await away.post(
        "/departments",
        data=io.BytesIO(b"name=" + b"x" * 1_100_000),
        headers=OURS | {"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert (answer.status, "正在维护" in await answer.text()) == (503, True)


@pytest.mark.postgres
async def test_what_the_page_kept_is_done_once_the_city_is_there_again(
    away: Away, city_url: str
) -> None:
    clock = ManualClock(1_764_000_000_000)
    wanted = {"id": "renshe", "name": "人社局", "name_en": "x", "code": "C-9"}
    wanted["division"] = full("230602")
    async with console(city_url, clock) as ready:
        staff = Person(ready.url)
        try:
            await staff.enter(ready)
            form = {**wanted, "csrf": await staff.token("/departments/new")}
            answer = await away.post("/departments", data=form, headers=OURS)
            kept = sent_by(await answer.text(), "/departments")
            # The restored city knows nothing of the login of before.
            await clock.advance(IDLE_S)
            status, _, page = await staff.send("/departments", kept)
            assert (status, "登录（新标签页）" in page) == (401, True)
            await staff.login(NEW_PASSWORD)
            _, _, page = await staff.send("/departments", sent_by(page, "/departments"))
            assert "另一个账号" not in page
            status, where, page = await staff.send("/departments", sent_by(page, "/departments"))
            assert (status, where, "人社局" in page) == (200, "/departments", True)
        finally:
            await staff.http.close()
