"""The console as its administrators meet it: login, pages, live refresh, and a database that goes away."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from city_hall import START, Log
from console_browser import HALL, NEW_PASSWORD, Browser, browser, connect_hall, console, link_of
from form_fields import invalid_inputs
from patience import HANG_S, until
from test_projections import busy_day

from console.app.server import ConsoleReady
from console.core.audit import read_audit
from console.core.audit_reading import audit_fault
from console.core.permissions import SYSTEM
from console.modules.identity.api import IDENTITY
from qingting.contract.examples import KIOSK
from qingting.kernel.aio.clock import ManualClock, SystemClock

pytestmark = pytest.mark.postgres
PAGES = (
    "/", "/halls", "/halls/saertu", "/devices", f"/devices/saertu/{KIOSK}", "/tickets", "/ratings",
    "/wall", "/walls", "/password",
    "/alarms", "/alarms/notices", "/alarms/maintenance", "/alarms/rules",
    "/alarms/rules/new", "/alarms/rules/edit/paper-low",
    "/alarms/receivers", "/alarms/receivers/new",
    "/calendar", "/calendar/month/2026-10", "/calendar/notice",
    "/catalogue", "/catalogue/new", "/catalogue/review", "/catalogue/import", "/catalogue/dictionary",
    "/catalogue/themes", "/catalogue/sync", "/catalogue/sync/rules", "/catalogue/sync/conflicts",
    "/staff/import", "/departments/import", "/divisions/import",
)  # fmt: skip


@pytest.fixture
async def ready(city_url: str) -> AsyncIterator[ConsoleReady]:
    async with console(city_url) as one:
        yield one


@pytest.fixture
def log() -> Log:
    log = Log(HALL)
    log.configure()
    return log


class TestLogin:
    async def test_nothing_is_shown_before_login(self, ready: ConsoleReady) -> None:
        async with browser(ready) as person:
            for path in PAGES:
                async with person.http.get(path, allow_redirects=False) as answer:
                    assert answer.status == 303, path
                    assert answer.headers["Location"].startswith("/login"), path
            assert (await person.get("/live"))[0] == 401

    async def test_the_one_time_password_opens_nothing_but_its_own_change(
        self, ready: ConsoleReady
    ) -> None:
        assert ready.one_time_passwords
        async with browser(ready) as person:
            assert (await person.login(ready.one_time_passwords[0].password))[1] == "/password"
            for path in PAGES:
                async with person.http.get(path) as answer:
                    assert answer.url.path == "/password"
            assert (await person.get("/live"))[0] == 401
            await person.enter(ready)
            assert (await person.get("/"))[0] == 200
        async with browser(ready) as again:
            assert (await again.login(ready.one_time_passwords[0].password))[0] == 401
            assert (await again.login(NEW_PASSWORD))[1] == "/"

    async def test_it_is_made_once(self, city_url: str) -> None:
        async with console(city_url) as first:
            assert first.one_time_passwords
            assert first.one_time_passwords[0].password not in repr(first.one_time_passwords)
        async with console(city_url) as second:
            assert second.one_time_passwords == ()

    @pytest.mark.parametrize(
        ("new", "again", "says"),
        [
            ("Daqing-2026-ok", "Daqing-2026-no", "两次输入"),
            ("short1A", "short1A", "至少 10 位"),
            ("Admin-2026-xx", "Admin-2026-xx", "至少 10 位"),
        ],
    )
    async def test_a_weak_or_mistyped_password_is_refused_with_the_reason(
        self, ready: ConsoleReady, new: str, again: str, says: str
    ) -> None:
        assert ready.one_time_passwords
        first = ready.one_time_passwords[0].password
        async with browser(ready) as person:
            await person.login(first)
            status, _, text = await person.submit(
                "/password", "/password", present=first, new=new, again=again
            )
            assert status == 422
            assert says in text
            assert "new" in invalid_inputs(text)

    async def test_the_last_five_passwords_are_not_taken_again(self, ready: ConsoleReady) -> None:
        async with browser(ready) as person:
            await person.enter(ready)
            present = NEW_PASSWORD
            for number in range(4):
                new = f"Another-{number}-word"
                await person.submit("/password", "/password", present=present, new=new, again=new)
                present = new
            status, _, text = await person.submit(
                "/password", "/password", present=present, new=NEW_PASSWORD, again=NEW_PASSWORD
            )
            assert status == 422
            assert "最近用过" in text

    async def test_five_wrong_passwords_lock_the_name_and_a_restart_does_not_help(
        self, city_url: str
    ) -> None:
        clock = ManualClock(START)
        async with console(city_url, clock) as first, browser(first) as person:
            await person.enter(first)
            for left in (4, 3, 2, 1):
                status, _, text = await person.login("wrong")
                assert (status, f"还可以试 {left} 次" in text) == (401, True)
                assert invalid_inputs(text) == {"name", "password"}
            assert (await person.login("wrong"))[0] == 429
        async with console(city_url, clock) as second, browser(second) as person:
            status, _, text = await person.login(NEW_PASSWORD)
            assert status == 429
            assert "15 分钟" in text
            await clock.advance(15 * 60 + 1)
            assert (await person.login(NEW_PASSWORD))[0] == 200

    async def test_an_unknown_name_is_treated_like_a_known_one(self, ready: ConsoleReady) -> None:
        async with browser(ready) as person:
            answers = [(await person.login("wrong", name="nobody"))[0] for _ in range(6)]
        assert answers == [401, 401, 401, 401, 429, 429]

    async def test_half_an_hour_without_a_person_logs_out_and_says_so(self, city_url: str) -> None:
        clock = ManualClock(START)
        async with console(city_url, clock) as ready, browser(ready) as person:
            await person.enter(ready)
            await clock.advance(29 * 60)
            assert (await person.get("/halls"))[0] == 200
            await clock.advance(29 * 60)
            # What the page fetches by itself is no sign of a person.
            assert (await person.get("/halls", **{"HX-Request": "1", "X-Qingting-Live": "1"}))[
                0
            ] == 200
            await clock.advance(2 * 60)
            async with person.http.get("/halls") as answer:
                assert answer.url.path == "/login"
                assert "很久没有操作" in await answer.text()

    async def test_logout_ends_the_session_on_the_server(self, ready: ConsoleReady) -> None:
        async with browser(ready) as person:
            await person.enter(ready)
            stolen = {one.key: one.value for one in person.http.cookie_jar}
            await person.submit("/", "/logout")
            async with (
                aiohttp.ClientSession(base_url=ready.url, cookies=stolen) as thief,
                thief.get("/", allow_redirects=False) as answer,
            ):
                assert answer.status == 303

    async def test_a_renewed_password_ends_sessions_and_lock(self, ready: ConsoleReady) -> None:
        async with browser(ready) as person:
            await person.enter(ready)
            async with ready.city.db.write() as uow:
                fresh = await ready.city.context.take(IDENTITY).renew_password(uow, SYSTEM, "admin")
            async with person.http.get("/") as answer:
                assert answer.url.path == "/login"
            assert (await person.login(fresh.password))[1] == "/password"

    async def test_a_form_from_elsewhere_is_refused(self, ready: ConsoleReady) -> None:
        async with browser(ready) as person:
            async with person.http.post(
                "/login", data={"name": "admin", "password": "x"}
            ) as answer:
                assert answer.status == 403
            await person.enter(ready)
            for data in ({}, {"csrf": "guessed"}):
                async with person.http.post("/logout", data=data) as answer:
                    assert answer.status == 403
                    assert "页面已过期" in await answer.text()
            assert (await person.get("/"))[0] == 200

    async def test_every_act_is_in_the_audit_and_no_password_is(self, ready: ConsoleReady) -> None:
        async with browser(ready) as person:
            await person.login("Secret-typed-1", name="Secret-typed-2")
            await person.enter(ready)
            await person.submit("/", "/logout")
        async with ready.city.db.read() as uow:
            entries = await read_audit(uow)
            assert await audit_fault(uow) is None
        acts = [(one.act, one.result) for one in reversed(entries)]
        assert acts == [
            *[("account.first", "done")] * 3,
            ("policy.set", "done"),
            ("login", "login.wrong"),
            ("login", "done"),
            ("account.password_changed", "done"),
            ("logout", "done"),
        ]
        assert "Secret-typed" not in repr(entries)
        assert entries[0].address == "127.0.0.1"


class TestPages:
    async def test_an_empty_city_says_what_to_do(self, ready: ConsoleReady) -> None:
        async with browser(ready) as person:
            await person.enter(ready)
            assert "还没有登记大厅" in (await person.get("/halls"))[1]
            assert "还没有设备" in (await person.get("/devices"))[1]

    async def test_figures_tell_halls_and_conditions_without_login_to_this_machine(
        self, ready: ConsoleReady, log: Log
    ) -> None:
        busy_day(log)
        async with browser(ready) as person, link_of(ready) as client:
            await connect_hall(ready, client, log)
            status, text = await person.get("/metrics")
        assert status == 200
        assert f'qingting_hall_link{{hall="{HALL}",state="online"}} 1.0' in text
        condition = 'kind="printer"'
        lines = [one for one in text.splitlines() if "qingting_device_conditions{" in one]
        assert any("cover_open" in one and condition in one for one in lines)
        assert "qingting_hall_lag_seconds" in text

    @pytest.mark.parametrize("language", ["zh-CN", "en"])
    async def test_every_page_and_its_part_render_in_both_languages(
        self, ready: ConsoleReady, log: Log, language: str
    ) -> None:
        busy_day(log)
        async with browser(ready) as person, link_of(ready) as client:
            await person.enter(ready)
            await connect_hall(ready, client, log)
            for path in PAGES:
                status, page = await person.get(f"{path}?lang={language}")
                assert status == 200, path
                assert f'lang="{language}"' in page, path
                status, part = await person.get(f"{path}?lang={language}", **{"HX-Request": "true"})
                assert status == 200, path
                if path not in ("/password", "/walls"):
                    assert "<html" not in part, path

    async def test_devices_are_named_in_words_and_filtered_by_the_url(
        self, ready: ConsoleReady, log: Log
    ) -> None:
        busy_day(log)
        async with browser(ready) as person, link_of(ready) as client:
            await person.enter(ready)
            await connect_hall(ready, client, log)
            _, page = await person.get("/devices?state=problems")
            assert "机盖打开" in page
            assert "合上打印机盖" in page
            _, page = await person.get("/devices?kind=scanner&hall=saertu")
            assert "没有符合筛选的内容" in page
            assert "合上打印机盖" not in page
            _, page = await person.get("/")
            assert "机盖打开" in page
            assert "有人求助" in page or "群众求助" in page
            assert "各大厅分布" in page
            assert "map-tile done needs" in page
            _, page = await person.get("/halls/saertu")
            assert f'href="/devices/saertu/{KIOSK}"' in page
            assert "在运行什么" in page

    async def test_what_a_silent_hall_has_is_unknown_not_good(
        self, ready: ConsoleReady, log: Log
    ) -> None:
        async with browser(ready) as person:
            await person.enter(ready)
            async with link_of(ready) as client:
                await connect_hall(ready, client, log)

            async def gone() -> bool:
                return "不清楚（大厅未连接）" in (await person.get("/devices"))[1]

            await until(gone)
            assert "大厅离线" in (await person.get("/"))[1]

    async def test_ratings_are_filtered_and_bad_ones_come_with_their_reasons(
        self, ready: ConsoleReady, log: Log
    ) -> None:
        busy_day(log)
        days = "first=2026-11-23&last=2026-11-23"
        async with browser(ready) as person, link_of(ready) as client:
            await person.enter(ready)
            await connect_hall(ready, client, log)
            _, page = await person.get(f"/ratings?{days}&level=bad")
            assert "在办事指南之外增加新的审批条件" in page
            assert "要了指南以外的材料" in page
            assert page.count("<blockquote>") == 1
            _, page = await person.get(f"/ratings?{days}&level=very_satisfied")
            assert "没有符合筛选的内容" in page
            assert "1 件未评价（超时）" in page

    async def test_words_of_a_citizen_are_text_never_markup(
        self, ready: ConsoleReady, log: Log
    ) -> None:
        from qingting.contract.states import RatingLevel

        ticket = log.issue(1)
        log.serve(ticket)
        log.rate(ticket, RatingLevel.DISSATISFIED, ("207",), "<script>alert(1)</script>")
        async with browser(ready) as person, link_of(ready) as client:
            await person.enter(ready)
            await connect_hall(ready, client, log)
            _, page = await person.get("/ratings?first=2026-11-23&last=2026-11-23")
            assert "&lt;script&gt;alert" in page
            assert "<script>alert" not in page

    @pytest.mark.parametrize(
        "path",
        ["/devices?sort=-nonsense&page=99", "/devices?page=0&sort=-", "/tickets?sort=done&hall=%00",
         "/ratings?first=x&last=0000-00-00&level=%27", "/ratings?page=999999999999"],
    )  # fmt: skip
    async def test_a_mistyped_address_is_no_fault(self, ready: ConsoleReady, path: str) -> None:
        async with browser(ready) as person:
            await person.enter(ready)
            assert (await person.get(path))[0] in (200, 404)

    async def test_an_unknown_hall_or_page_says_so(self, ready: ConsoleReady) -> None:
        async with browser(ready) as person:
            await person.enter(ready)
            assert (await person.get("/halls/nowhere"))[0] == 404
            assert "没有这个页面" in (await person.get("/nowhere"))[1]

    async def test_a_change_in_a_hall_reaches_an_open_page(
        self, ready: ConsoleReady, log: Log
    ) -> None:
        async with browser(ready) as person, link_of(ready) as client:
            await person.enter(ready)
            await connect_hall(ready, client, log)
            async with person.http.get("/live") as stream:
                await _heard(stream, "open")
                log.issue(1)
                await client.push(log.frame(log.head))
                # Each module's projector announces its own part, in any order.
                while "tickets" not in await _heard(stream, "changed"):
                    pass

    async def test_a_fork_is_decided_on_the_halls_page(self, ready: ConsoleReady, log: Log) -> None:
        for number in range(1, 5):
            log.issue(number)
        async with browser(ready) as person:
            await person.enter(ready)
            async with link_of(ready) as client:
                await connect_hall(ready, client, log)
            key = await ready.city.enrol_hall(HALL, name="萨尔图区政务服务中心")
            old = log.cut(3)
            async with link_of(ready) as client:
                assert (await client.greet(old, key)).verdict == "fork"
            assert "大厅的记录与城市平台不一致" in (await person.get("/halls/saertu"))[1]
            status, path, text = await person.submit(
                "/halls/saertu", "/halls/saertu/fork", accept="true"
            )
            assert (status, path) == (200, "/halls/saertu")
            assert "等待大厅重新连接" in text
            async with link_of(ready) as client:
                assert (await client.greet(old, key)).verdict == "resume"


async def _receivers_are_set_on_their_page(person: Browser) -> None:
    new, at = "/alarms/receivers/new", "/alarms/receivers"
    duty = {"name": "萨尔图值班", "name_en": "Saertu duty", "id": "duty", "halls": "saertu",
            "mails": "a@b.example\r\nno address", "after_minutes": "20", "enabled": "true"}  # fmt: skip
    status, _, page = await person.submit(new, at, **duty)
    assert (status, "每行一个" in page, "萨尔图值班" in page, "no address" in page) == (422,) + (
        True,
    ) * 3
    duty["mails"] = "a@b.example\r\nc@d.example\r\n"
    _, path, page = await person.submit(new, at, **duty)
    assert (path, "20 分钟无人确认" in page) == (at, True)
    assert "a@b.example" not in page, "the list shows nobody's address"
    status, page = await person.get(f"{at}/edit/duty")
    assert (status, "a@b.example\nc@d.example" in page) == (200, True)


async def _heard(stream: aiohttp.ClientResponse, event: str) -> str:
    async with asyncio.timeout(HANG_S):
        while True:
            line = (await stream.content.readline()).decode()
            if line.strip() == f"event: {event}":
                return (await stream.content.readline()).decode()


class TestAlarms:
    async def test_an_alarm_is_handled_without_scripts_and_leaves_as_a_sheet(
        self, ready: ConsoleReady, log: Log
    ) -> None:
        busy_day(log)
        async with browser(ready) as person, link_of(ready) as client:
            await person.enter(ready)
            await connect_hall(ready, client, log)

            async def raised() -> list[str]:
                _, page = await person.get("/alarms?severity=critical")
                return re.findall(r'href="(/alarms/\d+)">机盖打开', page)

            (at,) = await until(raised)
            _, page = await person.get(at)
            assert "机盖打开" in page
            note = "<b>派人</b>去看"
            _, path, page = await person.submit(at, f"{at}/acknowledge", note=note)
            assert path == at
            assert "&lt;b&gt;派人&lt;/b&gt;去看" in page
            assert "处理中" in page
            status, _, page = await person.submit(at, f"{at}/clear", note=" ")
            assert (status, "请写明原因" in page) == (422, True)
            assert (await person.get("/alarms/999"))[0] == 404
            _, sheet = await person.get("/alarms.csv?state=all")
            assert sheet.startswith("\ufeff编号,级别,情况")
            assert "萨尔图区政务服务中心" in sheet
            _, bell = await person.get("/alarms/bell", **{"HX-Request": "true"})
            assert "没看过的通知" in bell
            await person.submit("/alarms/notices", "/alarms/read", upto="999")
            assert "没看过的通知" not in (await person.get("/alarms/bell"))[1]
            _, page = await person.get("/devices/saertu/k1-printer")
            assert "可用率" in page
            assert (await person.get("/metrics"))[1].count("qingting_alarms{") == 3

    async def test_maintenance_and_rules_are_set_on_their_pages_and_faults_keep_what_was_typed(
        self, ready: ConsoleReady, log: Log
    ) -> None:
        async with browser(ready) as person, link_of(ready) as client:
            await person.enter(ready)
            await connect_hall(ready, client, log)
            at = "/alarms/maintenance"
            works = {"place": "saertu/k1", "until": "2020-01-01T08:00", "reason": "换打印头"}
            status, _, page = await person.submit(at, at, **works)
            assert (status, "换打印头" in page, "2020-01-01T08:00" in page) == (422, True, True)
            for broken in ("x", "2026-13-01T08:00", "9999-01-01T08:00+08:00"):
                assert (await person.submit(at, at, **works | {"until": broken}))[0] == 422
            now = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC)
            until_then = (now + timedelta(hours=12)).isoformat()[:16]
            _, _, page = await person.submit(at, at, **works | {"until": until_then})
            assert "进行中" in page
            rule = {"name": "夜里缺纸", "id": "night", "whats": "paper_out", "form": "duration",
                    "minutes": "0", "severity": "critical", "enabled": "true"}  # fmt: skip
            new = "/alarms/rules/new"
            status, _, page = await person.submit(new, "/alarms/rules", **rule)
            assert (status, "夜里缺纸" in page) == (422, True)
            assert (await person.submit(new, "/alarms/rules", **rule | {"id": "../x"}))[0] == 422
            _, path, page = await person.submit(new, "/alarms/rules", **rule | {"minutes": "0.5"})
            assert path == "/alarms/rules"
            assert "持续 0.5 分钟" in page
            edit = "/alarms/rules/edit/night"
            again = rule | {"version": "1", "minutes": "2"}
            assert (await person.submit(edit, "/alarms/rules", **again))[0] == 200
            status, _, page = await person.submit(edit, "/alarms/rules", **again)
            assert (status, "刚被别人改过" in page) == (409, True)
            await _receivers_are_set_on_their_page(person)
