"""The hall manager's pages: safe to enter, true, in both languages, whole without a script."""

import asyncio
import re

import pytest
from fixtures_manager import PASSWORD, Site
from form_fields import invalid_inputs
from msgspec.structs import replace
from patience import HANG_S, limit_s

from hallserver.engine.forecast.calibration import ENOUGH
from qingting.contract import commands as c
from qingting.contract.ids import DeviceId, StaffId, WindowId
from qingting.contract.states import (
    Condition,
    DeviceKind,
    DeviceState,
    PrintOutcome,
    RatingLevel,
)

PAGES = (
    "/manage/",
    "/manage/devices",
    "/manage/devices?show=faults",
    "/manage/queues",
    "/manage/forecast",
    "/manage/windows",
    "/manage/tickets",
    "/manage/ratings",
    "/manage/ratings?show=bad",
    "/manage/pair",
    "/manage/staff",
    "/manage/ticket-layouts",
    "/manage/ticket-layouts/builtin/copy",
    "/manage/kiosk-screens",
    "/manage/kiosk-screens/builtin/copy",
    "/manage/rules",
    "/manage/rules/edit",
    "/manage/hours",
    "/manage/roster",
    "/manage/offers",
    "/manage/boards",
    "/manage/boards/new/overview",
    "/manage/boards/new/area-strip",
    "/manage/announcements",
    "/manage/password",
)
STILL = {
    "/manage/pair",
    "/manage/staff",
    "/manage/boards",
    "/manage/boards/new/overview",
    "/manage/boards/new/area-strip",
    "/manage/announcements",
    "/manage/password",
    "/manage/ticket-layouts",
    "/manage/ticket-layouts/builtin/copy",
    "/manage/kiosk-screens",
    "/manage/kiosk-screens/builtin/copy",
    "/manage/rules",
    "/manage/rules/edit",
    "/manage/hours",
    "/manage/roster",
    "/manage/offers",
}
"""Pages without a part that refreshes itself."""
FORMS = (
    "/manage/help",
    "/manage/logout",
    "/manage/windows/w1/close",
    "/manage/pair/new",
    "/manage/pair/k1",
    "/manage/pair/k1/revoke",
    "/manage/staff/s-01/reset",
    "/manage/tickets/x/reprint",
    "/manage/password",
)
"""Where changes are posted to."""


# ---- the door -----------------------------------------------------------------------------------


async def test_no_page_is_seen_before_login(site: Site) -> None:
    for path in PAGES:
        response = await site.client.get(path)
        assert response.url.path == "/manage/login", path


@pytest.mark.parametrize(
    ("new", "again", "words"),
    [
        ("short", "short", "至少 10 位"),
        ("alllowercaseletters", "alllowercaseletters", "至少 10 位"),
        ("Number-0109-inside", "Number-0109-inside", "至少 10 位"),
        ("Lotus-2027-pond", "Lotus-2028-pond", "不一样"),
        (PASSWORD, PASSWORD, "最近用过"),
    ],
)
async def test_a_new_password_must_be_good(inside: Site, new: str, again: str, words: str) -> None:
    status, page = await inside.post(
        "/manage/password", form_at="/manage/password", old=PASSWORD, new=new, again=again
    )
    assert status == 422
    assert words in page
    assert "new" in invalid_inputs(page)


async def test_a_wrong_password_keeps_the_number_and_counts_down_to_a_lock(site: Site) -> None:
    for left in (4, 3, 2, 1):
        status, page = await site.log_in(password="wrong")
        assert (status, f"还可以试 {left} 次" in page) == (401, True)
        assert 'value="0109"' in page
    assert (await site.log_in(password="wrong"))[0] == 429
    status, page = await site.log_in(password=site.first_password)
    assert (status, "15 分钟后再试" in page) == (429, True)
    site.clock.shift += 15 * 60 + 1
    assert (await site.log_in(password=site.first_password))[0] == 200


async def test_an_unknown_number_looks_like_a_wrong_password(site: Site) -> None:
    status, page = await site.log_in(number="9999", password="x")
    assert (status, "工号" in page, "还可以试 4 次" in page) == (401, True, True)


async def test_a_clerk_changes_the_own_password_and_sees_nothing_else(site: Site) -> None:
    await site.desk.accounts.staff.put(StaffId("s-01"), PASSWORD, must_change=False)
    status, page = await site.log_in(number="0101")
    assert status == 403
    assert "不能查看这个页面" in page
    for path in PAGES[:-1]:
        assert (await site.get(path))[0] == 403, path
    status, page = await site.get("/manage/password")
    assert (status, "menu" in page.split("<main")[0] and "/manage/pair" in page) == (200, False)


async def test_no_change_without_the_token_of_our_own_form(inside: Site) -> None:
    for path in FORMS:
        response = await inside.client.post(path, data={"csrf": "forged"})
        assert response.status == 403, path
        assert "页面已过期" in await response.text(), path


async def test_half_an_hour_of_silence_logs_out_and_says_so(inside: Site) -> None:
    inside.clock.shift += 31 * 60
    status, page = await inside.get("/manage/")
    assert (status, "很久没有操作" in page) == (200, True)


async def test_a_session_survives_a_restart_but_not_a_logout(inside: Site) -> None:
    digest = (await inside.desk.hall.store.read(lambda one: one.exec_driver_sql(
        "select digest from web_session").scalar_one()))  # fmt: skip
    assert await inside.desk.accounts.sessions.find(digest) is not None
    await inside.post("/manage/logout", form_at="/manage/")
    assert await inside.desk.accounts.sessions.find(digest) is None
    assert "登录" in (await inside.get("/manage/"))[1]


# ---- every page ---------------------------------------------------------------------------------


async def test_every_page_is_whole_in_chinese_and_in_english(inside: Site) -> None:
    await inside.visit(RatingLevel.SATISFIED)
    await inside.issue("k1")
    for path in PAGES:
        join = "&" if "?" in path else "?"
        _, chinese = await inside.get(path)
        status, english = await inside.get(f"{path}{join}lang=en")
        assert status == 200, path
        assert '<html lang="zh-CN">' in chinese, path
        assert '<html lang="en">' in english, path
        assert "menu." not in re.sub(r"<[^>]+>", "", english), f"{path}: a key instead of a text"
        assert "Overview" in english, path
        for page in (chinese, english):
            assert "<script>" not in page, path
            assert " style=" not in page, path
            assert " onclick" not in page, path
        await inside.get(f"{path}{join}lang=zh-CN")


async def test_the_live_part_of_a_page_renders_alone(inside: Site) -> None:
    await inside.visit(RatingLevel.DISSATISFIED, ("208",), "没有清单")
    for path in PAGES:
        if path in STILL:
            continue
        status, part = await inside.get(path, **{"HX-Request": "true"})
        assert status == 200, path
        assert part.lstrip().startswith("<div"), path
        assert "<html" not in part, path


async def test_every_field_has_a_label_and_every_image_a_meaning(inside: Site) -> None:
    for path in PAGES:
        _, page = await inside.get(path)
        assert [tag for tag in _fields(page) if not _labelled(page, tag)] == [], path
        assert page.count("<h1") == 1, path
        assert all("aria" in one for one in re.findall(r"<svg[^>]*>", page)), path


def _fields(page: str) -> list[re.Match[str]]:
    found = re.finditer(r"<(?:input|select)\b[^>]*>", page)
    return [one for one in found if 'type="hidden"' not in one[0] and " hidden" not in one[0]]


def _labelled(page: str, field: re.Match[str]) -> bool:
    """By a name of its own, by a label about it, or by one that names it."""
    if 'aria-label="' in field[0] or re.search(r"<label[^>]*>[^<]*$", page[: field.start()]):
        return True
    name = re.search(r'id="([^"]+)"', field[0])
    return name is not None and f'for="{name[1]}"' in page


# ---- what the pages say -------------------------------------------------------------------------


async def test_a_device_fault_is_told_in_words_with_what_to_do(inside: Site) -> None:
    _, page = await inside.get("/manage/")
    assert "一切正常" in page
    await inside.do(
        c.ReportDevice(
            device=DeviceId("k1-printer"),
            kind=DeviceKind.PRINTER,
            state=DeviceState.DEGRADED,
            conditions=(Condition.PAPER_OUT,),
        )
    )
    for path in ("/manage/", "/manage/devices?show=faults"):
        _, page = await inside.get(path)
        assert "缺纸" in page
        assert "换上新纸卷" in page
        assert "1号机打印机" in page
        assert "刚刚" in page
    _, english = await inside.get("/manage/devices?lang=en")
    assert "Paper out" in english
    assert "load a new roll" in english


async def test_a_change_reaches_an_open_page_within_a_second(inside: Site) -> None:
    stream = await inside.client.get("/manage/live")
    await asyncio.wait_for(stream.content.readuntil(b"\n\n"), HANG_S)
    report = c.ReportDevice(
        device=DeviceId("k1-printer"),
        kind=DeviceKind.PRINTER,
        state=DeviceState.DEGRADED,
        conditions=(Condition.COVER_OPEN,),
    )
    await inside.do(report)
    told = await asyncio.wait_for(stream.content.readuntil(b"\n\n"), limit_s(1))
    assert b"event: changed" in told
    assert b"devices" in told
    stream.close()


@pytest.mark.parametrize(
    ("host", "base_url", "warned"),
    [
        ("0.0.0.0", "", True),
        ("0.0.0.0", "http://127.0.0.1:8080", True),
        ("10.1.2.3", "http://localhost", True),
        ("0.0.0.0", "http://10.1.2.3:8080", False),
        ("10.1.2.3", "", False),
        ("127.0.0.1", "", False),
        ("127.0.0.1", "https://hall.example.gov.cn", False),
    ],
)
async def test_a_qr_code_that_leads_nowhere_is_told_to_the_manager(
    inside: Site, host: str, base_url: str, warned: bool
) -> None:
    settings = replace(inside.desk.settings, host=host, base_url=base_url)
    object.__setattr__(inside.desk, "settings", settings)
    _, page = await inside.get("/manage/")
    assert ("群众的手机打不开" in page) == warned


async def test_help_is_shown_and_can_be_answered(inside: Site) -> None:
    await inside.do(c.RequestHelp(device=DeviceId("k1")))
    _, page = await inside.get("/manage/")
    assert "1号取号机旁有人需要帮助" in page
    _, page = await inside.post("/manage/help", form_at="/manage/", device="k1")
    assert "有人去处理了" in page
    assert not inside.desk.state.help


async def test_a_number_is_found_and_its_paper_state_is_shown(inside: Site) -> None:
    first, second = await inside.issue("k1"), await inside.issue()
    await inside.do(
        c.ReportPrint(
            ticket=first, attempt=1, outcome=PrintOutcome.FAILED, cause=Condition.PAPER_OUT
        )
    )
    _, page = await inside.get("/manage/tickets?q=a001")
    assert "A001" in page
    assert "A002" not in page
    assert "没有打出" in page
    _, page = await inside.get("/manage/tickets?q=ZZZ")
    assert "没有符合的号票" in page
    _, page = await inside.get("/manage/tickets?state=done")
    assert "A00" not in page.split("<main")[1].split("没有符合")[1]
    assert second in inside.desk.state.tickets


async def test_a_ticket_is_printed_again_at_a_kiosk_that_can(inside: Site) -> None:
    ticket = await inside.issue()
    _, page = await inside.get("/manage/tickets")
    assert "没有可用的打印机" in page
    await inside.do(
        c.ReportDevice(
            device=DeviceId("k1-printer"), kind=DeviceKind.PRINTER, state=DeviceState.READY
        )
    )
    path = f"/manage/tickets/{ticket}/reprint"
    status, page = await inside.post(path, form_at="/manage/tickets", kiosk="k1")
    assert (status, "已发送补打" in page) == (200, True)
    assert inside.desk.state.tickets[ticket].print_device == "k1-printer"
    status, page = await inside.post(path, form_at="/manage/pair", kiosk="no-such")
    assert (status, "没有这台设备" in page) == (404, True)


async def test_a_failed_reprint_is_told_from_a_ticket_that_nobody_holds(inside: Site) -> None:
    await inside.do(
        c.ReportDevice(
            device=DeviceId("k1-printer"), kind=DeviceKind.PRINTER, state=DeviceState.READY
        )
    )
    ticket = await inside.issue("k1")
    for attempt, outcome in ((1, PrintOutcome.PRINTED), (2, PrintOutcome.FAILED)):
        if attempt == 2:
            await inside.do(c.ReprintTicket(ticket=ticket, device=DeviceId("k1")))
        await inside.do(c.ReportPrint(ticket=ticket, attempt=attempt, outcome=outcome))
    _, page = await inside.get("/manage/tickets")
    assert "补打失败" in page
    assert "没有打出" not in page


async def test_ratings_are_shown_as_given_and_never_as_markup(inside: Site) -> None:
    await inside.visit(RatingLevel.VERY_SATISFIED)
    await inside.visit(RatingLevel.DISSATISFIED, ("208",), "<b>没有清单</b>")
    response = await inside.client.get("/manage/ratings?show=bad")
    page = await response.text()
    assert "&lt;b&gt;没有清单&lt;/b&gt;" in page
    assert "<b>没有清单" not in page
    assert page.count("不满意") >= 2
    assert "A001" not in page.split("<tbody>")[1]


async def test_a_forgotten_window_is_closed_but_not_under_a_visitor(inside: Site) -> None:
    window = WindowId("w1")
    await inside.do(c.OpenWindow(window=window, staff=StaffId("s-01")))
    await inside.issue()
    await inside.do(c.CallNext(window=window))
    path = "/manage/windows/w1/close"
    status, page = await inside.post(path, form_at="/manage/windows")
    assert (status, "还有 A001 号没有办完" in page) == (409, True)
    await inside.do(c.MarkNoShow(window=window))
    status, page = await inside.post(path, form_at="/manage/windows")
    assert (status, "窗口已关闭" in page) == (200, True)


async def test_a_pairing_code_is_shown_with_its_end_and_bound_to_the_window(inside: Site) -> None:
    status, page = await inside.post(
        "/manage/pair/new", form_at="/manage/pair", kind="call_pad", window="w2"
    )
    assert status == 200
    code = re.search(r'<p class="code"[^>]*>(\d{4} \d{4})</p>', page)
    assert code is not None
    assert "2号窗口呼叫器" in page
    assert "/tablet/call.html" in page
    until = int(re.search(r'data-until="(\d+)"', page)[1])  # type: ignore[index]
    assert 9 * 60_000 < until - inside.clock.now_ms() <= 10 * 60_000
    devices = inside.desk.accounts.devices
    pairing = await devices.find_code(code[1], DeviceKind.CALL_PAD, "127.0.0.1")
    assert (pairing.window, pairing.device) == ("w2", "call-pad-w2-1")
    status, part = await inside.get(f"/manage/pair/{pairing.device}/status")
    assert "等待设备输入" in part
    await devices.use_code(code[1], pairing.device)
    _, part = await inside.get(f"/manage/pair/{pairing.device}/status")
    assert "设备已连上" in part
    assert "hx-get" not in part, "nothing more to ask"


async def test_both_pads_of_a_window_are_paired_from_one_page_and_new_ones_take_over(
    inside: Site,
) -> None:
    devices = inside.desk.accounts.devices
    await devices.issue_key(DeviceId("pad1"))
    status, page = await inside.post("/manage/pair/window", form_at="/manage/pair", window="w1")
    call, rate = re.findall(r'<p class="code"[^>]*>(\d{4} \d{4})</p>', page)
    assert (status, page.count("pad-codes-qr"), page.count("将接替现有的平板")) == (200, 2, 1)
    pairing = await devices.find_code(call, DeviceKind.CALL_PAD, "127.0.0.1")
    assert (pairing.window, pairing.device) == ("w1", "pad1"), "it takes over the id"
    other = await devices.find_code(rate, DeviceKind.RATING_PAD, "127.0.0.1")
    assert (other.window, other.kind) == ("w1", DeviceKind.RATING_PAD)
    status, _ = await inside.post("/manage/pair/window", form_at="/manage/pair", window="w99")
    assert status == 404


async def test_a_pad_without_a_window_is_not_paired(inside: Site) -> None:
    status, page = await inside.post("/manage/pair/new", form_at="/manage/pair", kind="rating_pad")
    assert (status, "没有这个窗口" in page) == (404, True)
    assert '<option value="rating_pad" selected>' in page
    status, _ = await inside.post("/manage/pair/new", form_at="/manage/pair", kind="printer")
    assert status == 422


async def test_a_withdrawn_device_is_out(inside: Site) -> None:
    await inside.desk.accounts.devices.issue_key(DeviceId("pad1"))
    status, page = await inside.post("/manage/pair/pad1/revoke", form_at="/manage/pair")
    assert (status, "设备已停用" in page) == (200, True)
    assert await inside.desk.accounts.devices.paired() == set()


async def test_a_reset_password_is_shown_once_and_must_be_changed(inside: Site) -> None:
    status, page = await inside.post("/manage/staff/s-01/reset", form_at="/manage/staff")
    shown = re.search(r'<p class="code">([^<]+)</p>', page)
    assert status == 200
    assert shown is not None
    assert shown[1] not in (await inside.get("/manage/staff"))[1]
    inside.client.session.cookie_jar.clear()
    _, page = await inside.log_in(number="0101", password=shown[1])
    assert "请先设一个自己的密码" in page


# ---- without login ------------------------------------------------------------------------------


async def test_the_server_says_whether_it_is_well(site: Site) -> None:
    response = await site.client.get("/healthz")
    body = await response.json()
    assert (response.status, body["ok"], body["hall"], body["city"]) == (200, True, "saertu", None)


async def test_the_front_page_leads_to_every_screen(site: Site) -> None:
    status, page = await site.get("/")
    assert status == 200
    for path in ("/kiosk/", "/board/", "/tablet/call.html", "/tablet/rate.html", "/manage/"):
        assert f'href="{path}"' in page


async def test_the_hub_is_behind_its_own_address(site: Site) -> None:
    async with site.client.ws_connect("/hub") as line:
        await line.send_str("{}")
        assert "hub.bad_message" in str((await line.receive()).data)


# ---- forecasts ----------------------------------------------------------------------------------


async def called_after(inside: Site, minutes: float) -> None:
    """One citizen who is told a wait, and is called after ``minutes``."""
    window = WindowId("w1")
    await inside.do(c.OpenWindow(window=window, staff=StaffId("s-01")))
    await inside.issue()
    inside.clock.shift += minutes * 60
    for command in (c.CallNext, c.BeginService, c.FinishService):
        await inside.do(command(window=window))


async def test_overview_and_queues_say_how_long_the_longest_waiting_visitor_waits(
    inside: Site,
) -> None:
    await inside.issue()
    inside.clock.shift += 7 * 60
    await inside.issue()
    inside.clock.shift += 4 * 60
    for path in ("/manage/", "/manage/queues"):
        _, page = await inside.get(path)
        assert page.count('<td class="num">11 分钟</td>') == 1


async def test_the_manager_sees_how_good_waiting_times_were(inside: Site) -> None:
    _, empty = await inside.get("/manage/forecast")
    assert "还没有核对过的预测" in empty
    await called_after(inside, 3)
    _, page = await inside.get("/manage/forecast")
    body = page.split("<tbody>")[1]
    assert "核对还少" in body
    assert ">3.0<" in body, "the wait"
    assert ">0%<" in body, "told as at once, so outside the P90"


async def test_an_item_that_is_off_is_shown_with_what_people_are_told_instead(
    inside: Site,
) -> None:
    for _ in range(ENOUGH):
        await called_after(inside, 12)
    await inside.log_in()
    _, page = await inside.get("/manage/forecast")
    assert "误差大" in page.split("<tbody>")[1]
    _, english = await inside.get("/manage/forecast?lang=en")
    assert "Off, told" in english
    _, queues = await inside.get("/manage/queues?lang=zh-CN")
    assert "按平均办理时间估计" in queues or "近期误差较大，已放宽" in queues
