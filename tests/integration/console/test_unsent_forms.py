"""What somebody typed is theirs: a form that comes after the end of a login, or from before the next one, is shown with all
of it and done with one press more. Nobody else's page gets that far."""

import html
import io
import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
from citizen_stage import citizens_city, sign_in
from citizen_stage import enter as enter_citizen
from city_hall import START
from console_browser import NEW_PASSWORD, Browser, browser, console
from form_fields import form_entries
from kept_forms import IDLE_S, OURS, Person, sent_by

from console.app.server import ConsoleReady
from console.core.divisions import full
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres
EVIL = "人社局 \"><script>alert(1)</script> & '第二行'\r\n  三"
WANTED = {
    "id": "renshe",
    "name": EVIL[:40],
    "name_en": "x",
    "division": full("230602"),
    "code": "C-9",
}


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
async def ready(city_url: str, clock: ManualClock) -> AsyncIterator[ConsoleReady]:
    async with console(city_url, clock) as one:
        yield one


@pytest.fixture
async def staff(ready: ConsoleReady) -> AsyncIterator[Person]:
    one = Person(ready.url)
    await one.enter(ready)
    yield one
    await one.http.close()


async def log_in_again(person: Browser) -> None:
    """In another tab: the cookie is the whole browser's."""
    assert (await person.login(NEW_PASSWORD))[0] == 200


async def test_a_form_after_the_end_of_a_login_is_shown_and_done_after_the_next_one(
    staff: Person, clock: ManualClock
) -> None:
    form = {**WANTED, "csrf": await staff.token("/departments/new")}
    await clock.advance(IDLE_S)
    status, _, page = await staff.send("/departments", form)
    assert status == 401
    assert staff.answer.headers["Cache-Control"] == "no-store"
    assert "您很久没有操作" in page
    assert "什么都没有丢" in page
    assert 'href="/login?expired=1" target="_blank"' in page
    assert "<script>alert" not in page
    assert form["csrf"] not in page, "the token of the login that is over"
    kept = sent_by(page, "/departments")
    assert {name: kept[name] for name in WANTED} == WANTED
    # Before the next login it leads to the same page, with all of it.
    status, _, page = await staff.send("/departments", kept)
    assert status == 401
    assert sent_by(page, "/departments") == kept

    await log_in_again(staff)
    status, _, page = await staff.send("/departments", kept)
    assert (status, "现在登录的是：admin" in page) == (403, True)
    assert "另一个账号" not in page
    assert WANTED["id"] not in (await staff.get("/departments"))[1], "one press is still to come"
    status, where, page = await staff.send("/departments", sent_by(page, "/departments"))
    assert (status, where) == (200, "/departments")
    assert html.escape(WANTED["name"][:3]) in page


async def test_the_page_turns_to_the_other_language_with_all_that_was_typed(
    staff: Person, clock: ManualClock
) -> None:
    form = {**WANTED, "csrf": await staff.token("/departments/new")}
    await clock.advance(IDLE_S)
    _, _, page = await staff.send("/departments", form)
    assert "/language?" not in page, "a link would leave all of it behind"
    await log_in_again(staff)
    for turn in ("en", "zh-CN", "en"):
        turned = form_entries(page, f"/departments?lang={turn}")
        status, _, page = await staff.send(f"/departments?lang={turn}", turned)
        assert (status, f'<html lang="{turn}"' in page) == (403, True)
        kept = sent_by(page, "/departments")
        assert {name: kept[name] for name in WANTED} == WANTED
        assert kept["csrf"] == await staff.token("/departments/new"), "one press, as before"
    assert "Logged in now: admin" in page
    assert WANTED["id"] not in (await staff.get("/departments"))[1], "nothing was done by it"
    status, where, page = await staff.send("/departments", kept)
    assert (status, where, '<html lang="en"' in page) == (200, "/departments", True)


async def test_what_is_typed_again_is_asked_for_in_the_other_language_too(
    staff: Person, clock: ManualClock
) -> None:
    form = {"csrf": await staff.token("/password"), "present": "My-Secret-1", "new": "x"}
    await clock.advance(IDLE_S)
    _, _, page = await staff.send("/password", form)
    await log_in_again(staff)
    _, _, page = await staff.send("/password", form_entries(page, "/password"))
    turned = form_entries(page, "/password?lang=en")
    _, _, page = await staff.send("/password?lang=en", turned)
    assert [one for one in sent_by(page, "/password") if one != "csrf"] == ["present", "new"]
    assert "Present password" in page
    assert "My-Secret" not in page


async def test_the_page_is_in_the_readers_language(staff: Person, clock: ManualClock) -> None:
    form = {**WANTED, "csrf": await staff.token("/departments/new?lang=en")}
    await clock.advance(IDLE_S)
    _, _, page = await staff.send("/departments", form)
    assert "Nothing is lost" in page
    assert "Log in (new tab)" in page


@pytest.mark.parametrize(
    "told",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Accept": "text/html"},
        {"Origin": "null"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "SELF"},
        {"Sec-Fetch-Site": "cross-site", "X-CSRF-Token": "of-another"},
    ],
)
async def test_another_sites_form_is_refused_and_shown_to_nobody(
    staff: Person, clock: ManualClock, ready: ConsoleReady, told: dict[str, str]
) -> None:
    told = {name: ready.url if value == "SELF" else value for name, value in told.items()}
    form = {**WANTED, "name": "typed-elsewhere", "csrf": await staff.token("/departments/new")}
    await staff.submit("/departments", "/logout")
    for logged_in in (True, False):
        if logged_in:
            await log_in_again(staff)
        else:
            await clock.advance(IDLE_S)
        status, _, page = await staff.send("/departments", form, **told)
        assert (status, "没有执行" in page) == (403, True)
        assert "typed-elsewhere" not in page
        assert "data-token" not in page


async def test_a_browser_that_says_the_origin_alone_is_believed(
    staff: Person, ready: ConsoleReady
) -> None:
    form = {**WANTED, "csrf": await staff.token("/departments/new")}
    await log_in_again(staff)
    for origin in (ready.url, ready.url.replace("http:", "https:")):
        status, _, page = await staff.send("/departments", form, Origin=origin)
        assert (status, "C-9" in page) == (403, True)


async def test_nothing_of_what_was_typed_can_be_framed_or_stored(
    staff: Person, clock: ManualClock
) -> None:
    form = {**WANTED, "csrf": await staff.token("/departments/new")}
    await log_in_again(staff)
    for _ in range(2):
        await staff.send("/departments", form)
        told = staff.answer.headers
        assert told["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in told["Content-Security-Policy"]
        assert "form-action 'self'" in told["Content-Security-Policy"]
        assert told["Cache-Control"] == "no-store"
        await clock.advance(IDLE_S)


async def test_whoever_is_logged_in_now_is_told_that_another_account_opened_the_page(
    staff: Person, ready: ConsoleReady
) -> None:
    form = {**WANTED, "csrf": await staff.token("/departments/new")}
    await staff.submit("/departments", "/logout")
    (first,) = [one.password for one in ready.one_time_passwords if one.account == "security"]
    await staff.login(first, "security")
    status, _, page = await staff.send("/departments", form)
    assert (status, "还差一步" in page) == (403, True), "the own password comes before"
    kept = sent_by(page, "/departments")
    assert {name: kept[name] for name in WANTED} == WANTED
    await staff.submit(
        "/password", "/password", present=first, new=NEW_PASSWORD, again=NEW_PASSWORD
    )
    status, _, page = await staff.send("/departments", kept)
    assert status == 403
    assert "另一个账号" in page
    assert "的账号提交" in page
    status, _, page = await staff.send("/departments", sent_by(page, "/departments"))
    assert status == 403, "what the account may not do it may not do so either"
    assert "没有权限" in page or "不能" in page


async def test_a_password_is_never_kept_and_is_asked_for_again(
    staff: Person, clock: ManualClock
) -> None:
    form = {
        "csrf": await staff.token("/password"),
        "present": "My-Secret-1", "new": "My-Secret-2", "again": "My-Secret-3",
    }  # fmt: skip
    await clock.advance(IDLE_S)
    status, _, page = await staff.send("/password", form)
    assert (status, "My-Secret" in page) == (401, False)
    assert "密码和验证码不会保留" in page
    await log_in_again(staff)
    status, _, page = await staff.send("/password", form_entries(page, "/password"))
    assert (status, "My-Secret" in page) == (403, False)
    fields = sent_by(page, "/password")
    assert [name for name in fields if name != "csrf"] == ["present", "new", "again"]
    assert re.search(r'<input id="f-again" name="again" type="password"', page)


async def test_a_file_is_named_to_be_chosen_again(staff: Person, clock: ManualClock) -> None:
    data = aiohttp.FormData(quote_fields=False)
    data.add_field("csrf", await staff.token("/calendar/notice"))
    data.add_field("source", "国办发")
    data.add_field("file", b"a,b\r\n", filename="放假 <安排>.csv", content_type="text/csv")
    await clock.advance(IDLE_S)
    status, _, page = await staff.send("/calendar/notice/preview", data)
    assert (status, "请重新选择：放假 &lt;安排&gt;.csv" in page) == (401, True)
    await log_in_again(staff)
    kept = form_entries(page, "/calendar/notice/preview")
    status, _, page = await staff.send("/calendar/notice/preview", kept)
    assert status == 403
    assert "文件没有保留，请重新选择：放假 &lt;安排&gt;.csv" in page
    assert re.search(r'<input id="f-file" name="file" type="file"', page)
    assert 'enctype="multipart/form-data"' in page
    assert "unsent-file" not in sent_by(page, "/calendar/notice/preview")
    assert sent_by(page, "/calendar/notice/preview")["source"] == "国办发"


async def test_a_page_of_htmx_keeps_what_was_typed_and_says_where_to_log_in(
    staff: Person, clock: ManualClock
) -> None:
    token = await staff.token("/departments/new")
    part = {**OURS, "HX-Request": "true", "X-CSRF-Token": token}
    await staff.submit("/departments", "/logout")
    await log_in_again(staff)
    status, _, notice = await staff.send("/departments", WANTED, **part)
    assert (status, staff.answer.headers["HX-Retarget"]) == (403, "#notice")
    assert "<form" not in notice
    fresh = re.search(r'data-token="([^"]+)"', notice)
    assert fresh is not None
    assert fresh[1] == await staff.token("/departments/new")
    await clock.advance(IDLE_S)
    status, _, notice = await staff.send("/departments", WANTED, **part)
    assert (status, 'href="/login?expired=1" target="_blank"' in notice) == (401, True)
    assert "data-token" not in notice
    # A part that renews itself leads away, and brings the words for somebody who is typing.
    async with staff.http.get("/departments", headers={"HX-Request": "true"}) as answer:
        assert answer.headers["HX-Redirect"].startswith("/login")
        assert "还在这一页" in await answer.text()


async def test_another_accounts_page_gets_no_token_by_htmx(
    staff: Person, ready: ConsoleReady
) -> None:
    token = await staff.token("/departments/new")
    await staff.submit("/departments", "/logout")
    (first,) = [one.password for one in ready.one_time_passwords if one.account == "audit"]
    await staff.login(first, "audit")
    await staff.submit(
        "/password", "/password", present=first, new=NEW_PASSWORD, again=NEW_PASSWORD
    )
    part = {**OURS, "HX-Request": "true", "X-CSRF-Token": token}
    status, _, notice = await staff.send("/departments", WANTED, **part)
    assert (status, "data-token" in notice, "另一个账号" in notice) == (403, False, True)


async def test_a_login_form_of_an_older_page_is_sent_again_without_a_login(
    ready: ConsoleReady,
) -> None:
    one = Person(ready.url)
    try:
        status, _, page = await one.send(
            "/login", {"name": "admin", "password": "x", "csrf": "old"}
        )
        assert (status, 'value="x"' in page) == (403, False)
        fields = sent_by(page, "/login")
        assert fields["name"] == "admin"
        status, _, page = await one.send("/login", {**fields, "password": "wrong"})
        assert (status, "密码" in page) == (401, True), "the login itself answers"
    finally:
        await one.http.close()


async def test_what_a_citizen_typed_is_sent_after_the_next_login_with_its_key(
    city_url: str,
) -> None:
    clock = ManualClock(START + 3_600_000)
    async with citizens_city(city_url, clock) as ready, browser(ready):
        one = Person(ready.url)
        try:
            await enter_citizen(one, "agent-woman")
            form = {
                "csrf": await one.token("/c/me/requests"), "kind": "correct",
                "words": "名字写错了 <b>", "key": "k-1",
            }  # fmt: skip
            await clock.advance(IDLE_S)
            status, _, page = await one.send("/c/me/requests", form)
            assert (status, "名字写错了 &lt;b&gt;" in page) == (401, True)
            kept = sent_by(page, "/c/me/requests")
            assert kept["key"] == "k-1"
            await sign_in(one, "agent-woman")
            status, _, page = await one.send("/c/me/requests", kept)
            assert status == 403
            again = sent_by(page, "/c/me/requests")
            assert (again["words"], again["key"]) == ("名字写错了 <b>", "k-1")
            again.pop("key")  # this form has none of its own
            status, where, page = await one.send("/c/me/requests", again)
            assert (status, where) == (200, "/c/me/requests")
            assert "已收到" in page or "更正" in page
        finally:
            await one.http.close()


async def test_a_citizens_form_goes_to_nobody_elses_name_unseen(city_url: str) -> None:
    async with citizens_city(city_url) as ready:
        one = Person(ready.url)
        try:
            await enter_citizen(one, "agent-woman")
            form = {"csrf": await one.token("/c/me/requests"), "kind": "copy", "words": "w"}
            await enter_citizen(one, "person-passport")
            status, _, page = await one.send("/c/me/requests", form)
            assert (status, "另一个账号" in page) == (403, True)
            assert "现在登录的是" in page
        finally:
            await one.http.close()


def notice_with(size: int, **fields: str) -> aiohttp.FormData:
    """A form with a text, a file of so many bytes, and an input after it."""
    data = aiohttp.FormData(quote_fields=False)
    data.add_field("text", "国庆节放假")
    data.add_field("file", io.BytesIO(b"x" * size), filename="much.csv", content_type="text/csv")
    for name, value in fields.items():
        data.add_field(name, value)
    return data


async def test_beside_a_file_that_is_too_large_nothing_is_lost(staff: Person) -> None:
    path, token = "/calendar/notice/preview", await staff.token("/calendar/notice")
    fields = {"source": "国办发", "password": "My-Secret-1", "csrf": token}
    status, _, page = await staff.send(path, notice_with(1_100_000, **fields))
    assert (status, "一次最多 5000 行、960 KB" in page) == (413, True)
    assert "文件没有保留，请重新选择：much.csv" in page
    assert "My-Secret-1" not in page
    assert "现在登录的是：admin" in page
    kept = sent_by(page, path)
    assert (kept["text"], kept["source"], kept["csrf"]) == ("国庆节放假", "国办发", token)
    status, _, page = await staff.send(path, {**kept, "year": "2027", "file": ""})
    assert (status, "国庆节放假" in page) == (422, True), "the page itself finds no days in it"


@pytest.mark.parametrize("site", ["cross-site", "none"])
async def test_a_file_that_is_too_large_is_read_of_nobody_elses_page(
    staff: Person, site: str
) -> None:
    path, token = "/calendar/notice/preview", await staff.token("/calendar/notice")
    data = notice_with(1_100_000, csrf=token)
    status, _, page = await staff.send(path, data, Sec_Fetch_Site=site)
    assert (status in (403, 413), "国庆节放假" in page) == (True, False)


async def test_after_the_login_ended_the_text_beside_a_large_file_is_kept_too(
    staff: Person,
) -> None:
    path = "/calendar/notice/preview"
    data = notice_with(1_100_000, csrf=await staff.token("/calendar/notice"))
    await log_in_again(staff)
    status, _, page = await staff.send(path, data)
    assert (status, sent_by(page, path)["text"]) == (403, "国庆节放假")
