"""From ID card to city console: the main job, at the screens, as ``qingting demo`` starts it.

The tests share one demonstration, and so one file and one process; they use different kiosks, windows and pads.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from by_keyboard import Keys
from crawl import Crawl, crawl
from demo_stage import Demo, OpenPage
from pages_looked_at import LINKED, not_among
from patience import limit_ms
from people import (
    call_up_to,
    choose_item,
    first_login,
    go_home,
    log_in,
    press,
    start_work,
    take_number,
)
from pictures import picture
from playwright.async_api import Browser, BrowserContext, Page, expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="session"),
]
ROOT = Path(__file__).resolve().parents[3]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SEEN_MS = limit_ms(2.0)
"""A fault is on every screen within two seconds, and so is its end."""


async def test_a_visit_from_the_card_on_the_kiosk_to_the_rating_in_the_city(
    demo: Demo, desks: Any, screen: OpenPage
) -> None:
    kiosk = await screen("kiosk", demo.url("k1"))
    board = await screen("board", demo.url("board-1"))
    pad = await screen("call_pad", demo.url("cp-1"))
    rate = await screen("rating_pad", demo.url("rp-1"))
    await log_in(pad, demo.hall["clerks"][0])
    await press(pad, "开始服务")
    await expect(kiosk.locator("[data-act=search]")).to_be_visible()
    await picture(kiosk, "kiosk-home")
    number = await take_number(kiosk, demo)
    await expect(kiosk.locator("[data-paper=printed]")).to_be_visible()
    await picture(kiosk, "kiosk-result")
    await ticket_carries_everything(demo, number, screen)
    await go_home(kiosk)
    await picture(pad, "call-pad-waiting")
    await press(pad, f"呼叫 {number}")
    await expect(board.get_by_text(number).first).to_be_visible()
    await picture(board, "board")
    await picture(pad, "call-pad")
    await press(pad, f"开始办理 {number}")
    await expect(pad.locator("[data-test=primary]")).to_contain_text(f"办结 {number}")
    await picture(pad, "call-pad-serving")
    await press(pad, f"办结 {number}")
    await expect(rate.locator("[data-test=level-very_satisfied]")).to_be_visible()
    await picture(rate, "rating-pad")
    await rate.click("[data-test=level-very_satisfied]")
    await rate.click("[data-test=tag-517]")
    await rate.click("[data-test=send]")
    await expect(rate.get_by_text("谢谢您")).to_be_visible()
    await the_city_knows(demo, desks.console)
    await desks.manager.goto(f"{demo.hall['manage']}tickets")
    await expect(desks.manager.get_by_text(number).first).to_be_visible()
    await desks.manager.goto(demo.hall["manage"])
    await picture(desks.manager, "hall-manager")


async def ticket_carries_everything(demo: Demo, number: str, screen: OpenPage) -> None:
    """What the simulated printer drew from the bytes it received."""
    paper = await demo.printed("k1-printer")
    written = "".join(paper["lines"])
    for word in (
        "萨尔图区政务服务中心",
        "大庆市公安局",
        "居民身份证换领",
        number,
        "0 人",
        "即将轮到您",
        "张*例",
        "230602********1238",
    ):
        assert word in written, word
    assert re.search(r"取号时间\s*20\d\d-\d\d-\d\d \d\d:\d\d", written)
    drawing = await screen("paper", demo.drawing("k1-printer", paper["no"]))
    await picture(drawing, "ticket")
    bench = await screen("desk", demo.report["simulators"])
    await expect(bench.locator(".paper img").first).to_be_visible()
    await picture(bench, "simulators")


CITY_PAGES = (
    ("calendar?year=2026", "console-calendar"),
    ("calendar/month/2026-10?day=2026-10-10", "console-calendar-month"),
    ("calendar/notice?year=2027", "console-calendar-notice"),
    ("divisions/230602000000", "console-division"),
    ("departments", "console-departments"),
    ("sessions", "console-sessions"),
    ("second-factor", "console-second-factor"),
    ("password/sso", "console-sign-on"),
    ("catalogue", "console-catalogue"),
    ("catalogue/new", "console-catalogue-new"),
    ("catalogue/import", "console-catalogue-import"),
    ("catalogue/sync", "console-catalogue-sync"),
    ("catalogue/sync/rules", "console-catalogue-sync-rules"),
    ("catalogue/themes", "console-catalogue-themes"),
    ("staff/import", "console-staff-import"),
    ("notifications", "console-notifications"),
    ("notifications/topics/appointment.booked/sms/zh-CN", "console-notification-wording"),
    ("notifications/channels", "console-notification-channels"),
    ("appointments", "console-appointments"),
    ("appointments/day", "console-appointments-day"),
    ("appointments/rules/edit?target=city", "console-appointment-rule"),
    ("appointments/breaches", "console-appointment-breaches"),
    ("appointments/figures?by=department", "console-appointment-figures"),
    ("notifications/figures", "console-notification-figures"),
    ("tickets", "console-tickets"),
    ("halls/saertu?out=paper", "console-print-version"),
    ("configurations", "console-configurations"),
    ("configurations/saertu", "console-configuration"),
    ("configurations/saertu/parts/windows", "console-configuration-windows"),
    ("configurations/saertu/parts/calendar", "console-configuration-hours"),
    ("configurations/saertu/parts/rules", "console-configuration-rules"),
    ("configurations/saertu/parts/kiosks/demo", "console-configuration-kiosk"),
    ("configurations/saertu/text/rules", "console-configuration-text"),
    ("configurations/saertu/catalogue", "console-configuration-catalogue"),
    ("jobs", "console-jobs"),
    ("health", "console-health"),
    ("backups", "console-backups"),
)
"""Pages of the city that the journey looks at on its way, and the names of their pictures."""


async def the_city_knows(demo: Demo, console: Page) -> None:
    await console.goto(f"{demo.report['console']}ratings")
    rating = console.get_by_role("row").filter(has_text="服务热情效率高")
    await expect(rating).to_contain_text("非常满意")
    await picture(console, "console-ratings")
    await console.goto(f"{demo.report['console']}tickets")
    await expect(console.get_by_role("row").filter(has_text="公安户政")).to_contain_text("1")
    await console.goto(f"{demo.report['console']}alarms")
    await expect(console.get_by_role("heading", name="告警", exact=True)).to_be_visible()
    await picture(console, "console-alarms")
    for path, name in CITY_PAGES:
        await console.goto(f"{demo.report['console']}{path}")
        await is_accessible(console)
        await picture(console, name)
    await a_printed_list_says_what_it_was_narrowed_to(demo, console)
    await console.goto(demo.report["console"])
    await picture(console, "console-overview")


async def a_printed_list_says_what_it_was_narrowed_to(demo: Demo, console: Page) -> None:
    """Of the filters those that are set, without anything to press."""
    await console.goto(f"{demo.report['console']}appointments?hall=saertu&first=2026-01-01")
    await console.emulate_media(media="print")
    try:
        filters = console.get_by_role("search")
        for kept in ("大厅", "从"):
            await expect(filters.get_by_label(kept, exact=True)).to_be_visible()
        for left in ("部门", "到", "状态", "只看大厅没有接收的"):
            await expect(filters.get_by_label(left, exact=True)).to_be_hidden()
        await expect(filters.get_by_role("button")).to_have_count(0)
        await expect(console.get_by_role("table")).to_be_visible()
    finally:
        await console.emulate_media(media="screen")


@pytest.mark.parametrize(
    ("device", "action", "undo", "words"),
    [
        ("k1-printer", "paper_out", "paper_in", "缺纸"),
        ("k1-printer", "open_cover", "close_cover", "机盖打开"),
        ("k1-printer", "jam_cutter", "free_cutter", "切刀故障"),
        ("k1-reader", "mute", "unmute", "通信中断"),
        ("k1-scanner", "unplug", "replug", "离线"),
    ],
)
async def test_a_fault_is_seen_everywhere_within_two_seconds_and_gone_as_fast(
    demo: Demo, desks: Any, screen: OpenPage, device: str, action: str, undo: str, words: str
) -> None:
    kiosk = await screen("kiosk", demo.url("k1"))
    await expect(kiosk.locator("[data-act=search]")).to_be_visible()
    name = {"k1-printer": "打印机", "k1-reader": "读卡器", "k1-scanner": "扫码"}[device]
    if device == "k1-reader":
        await choose_item(kiosk)
    said = {"k1-reader": "读卡器暂时不能用", "k1-scanner": "扫码口暂时不能用"}.get(device, words)
    rows = []
    for page, place in (
        (desks.console, demo.report["console"]),
        (desks.manager, demo.hall["manage"]),
    ):
        await page.goto(f"{place}devices")
        rows.append(page.get_by_role("row").filter(has_text=name).filter(has_text=words))
        await expect(rows[-1]).to_have_count(0)
    printer = device == "k1-printer"
    await demo.device(device, action)
    try:
        for row in rows:
            await expect(row).to_have_count(1, timeout=SEEN_MS)
        await expect(kiosk.get_by_text(said).first).to_be_visible(timeout=SEEN_MS)
        if printer:
            await picture(kiosk, "kiosk-out-of-service")
            await picture(desks.console, "console-devices")
            await picture(desks.manager, "hall-devices")
        if action == "open_cover":
            await the_city_shows_it(demo, desks.console)
    finally:
        await demo.device(device, undo)
    for row in rows:
        await expect(row).to_have_count(0, timeout=SEEN_MS)
    await expect(kiosk.get_by_text(said)).to_have_count(0, timeout=SEEN_MS)


async def the_city_shows_it(demo: Demo, console: Page) -> None:
    """The fault on the pages of its device, its hall and the wall; then back to the list."""
    hall = demo.hall["id"]
    for path, words, name in (
        (f"devices/{hall}/k1-printer", "合上打印机盖", "console-device"),
        (f"halls/{hall}", "机盖打开", "console-hall"),
        ("wall", "机盖打开", "console-wall"),
    ):
        await console.goto(f"{demo.report['console']}{path}")
        await expect(console.get_by_text(words).first).to_be_visible()
        await picture(console, name)
        await is_accessible(console)
    await console.goto(f"{demo.report['console']}devices")


async def test_a_ticket_that_was_not_printed_keeps_its_number_and_is_printed_again(
    demo: Demo, screen: OpenPage
) -> None:
    kiosk = await screen("kiosk", demo.url("k2"))
    await choose_item(kiosk)
    await kiosk.click("[data-act=proceed]")
    await kiosk.click("[data-act=agree]")
    await demo.device("k2-reader", "put", card="woman")
    await expect(kiosk.locator("[data-act=confirm]")).to_be_visible()
    await demo.device("k2-printer", "disconnect_mid_job")
    await kiosk.click("[data-act=confirm]")
    number = kiosk.locator("[data-number]")
    await expect(number).to_have_text(re.compile(r"[A-Z]\d{3}"))
    given = await number.inner_text()
    again = kiosk.locator("[data-act=reprint]")
    await expect(again).to_be_visible()
    await picture(kiosk, "kiosk-reprint")
    await demo.device("k2-printer", "replug")
    await expect(again).to_be_enabled()
    await again.click()
    await expect(kiosk.locator("[data-paper=printed]")).to_be_visible()
    assert await number.inner_text() == given
    assert given in "".join((await demo.printed("k2-printer"))["lines"])
    await demo.device("k2-reader", "take")


@pytest_asyncio.fixture(loop_scope="session")
async def phone(chromium: Browser) -> AsyncIterator[Page]:
    """A citizen's own phone: nothing of the hall's screens is on it."""
    own = await chromium.new_context(
        viewport={"width": 390, "height": 844}, locale="zh-CN", device_scale_factor=2
    )
    yield await own.new_page()
    await own.close()


async def test_from_the_printed_code_to_the_rating(
    demo: Demo, screen: OpenPage, phone: Page
) -> None:
    kiosk = await screen("kiosk", demo.url("k1"))
    pad = await screen("call_pad", demo.url("cp-1"))
    await start_work(pad, demo.hall["clerks"][0])
    number = await take_number(kiosk, demo)
    await expect(kiosk.locator("[data-paper=printed]")).to_be_visible()
    await go_home(kiosk)
    paper = await demo.printed("k1-printer")
    assert number in "".join(paper["lines"])
    await phone.goto(demo.code("k1-printer", paper["no"]))
    assert "/t/" in phone.url
    await expect(phone.locator("h1")).to_contain_text(number)
    await phone.wait_for_selector("#line.live")
    await picture(phone, "phone-of-a-printed-ticket")
    await call_up_to(pad, number)
    await expect(phone.locator("#say")).to_contain_text("号窗口", timeout=limit_ms(1))
    await press(pad, f"开始办理 {number}")
    await press(pad, f"办结 {number}")
    await phone.click("#rate")
    await phone.click("label[for=level-satisfied]")
    await phone.click("text=提交评价")
    await expect(phone.locator("#say")).to_contain_text("也评价过了")
    rate = await screen("rating_pad", demo.url("rp-1"))
    await expect(rate.locator("[data-test=level-satisfied]")).to_have_count(0)


async def test_a_kiosk_goes_on_alone_and_its_numbers_are_called_when_the_hall_is_back(
    demo: Demo, desks: Any, screen: OpenPage
) -> None:
    kiosk = await screen("kiosk", demo.url("k1"))
    board = await screen("board", demo.url("board-1"))
    pad = await screen("call_pad", demo.url("cp-2"))
    await start_work(pad, demo.hall["clerks"][1])
    before = await take_number(kiosk, demo)
    await go_home(kiosk)
    await expect(pad.locator("[data-test=primary]")).to_be_enabled()
    alone = kiosk.get_by_text("这台机器仍可取号")
    async with demo.without("hall saertu"):
        await expect(pad.locator("[data-test=primary]")).to_be_disabled()
        await expect(alone).to_be_visible()
        number = await take_number(kiosk, demo)
        assert re.fullmatch(r"A9\d{3}", number), "from the block that the hall set aside"
        await expect(kiosk.locator("[data-paper=printed]")).to_be_visible()
        await picture(kiosk, "kiosk-offline-result")
        assert number in "".join((await demo.printed("k1-printer"))["lines"])
        await go_home(kiosk)
        await picture(kiosk, "kiosk-offline")
        await expect(pad.get_by_text("正在自动重连")).to_be_visible()
        await expect(pad.locator("[data-test=primary]")).to_be_disabled()
    await expect(alone).to_be_hidden()
    await expect(pad.locator(f"[data-test=row-{number}]")).to_be_visible()
    await desks.manager.goto(f"{demo.hall['manage']}tickets")
    for one in (before, number):
        await expect(desks.manager.get_by_role("row").filter(has_text=one)).to_have_count(1)
    await call_up_to(pad, number)
    await expect(board.get_by_text(number).first).to_be_visible()
    await expect(pad.locator(f"[data-test=row-{number}]")).to_have_count(0)
    await press(pad, f"开始办理 {number}")
    after = await take_number(kiosk, demo)
    assert after not in (before, number)
    await go_home(kiosk)


@pytest.mark.parametrize(
    ("kind", "device"),
    [("kiosk", "k1"), ("board", "board-1"), ("call_pad", "cp-3"), ("rating_pad", "rp-3")],
)
async def test_screens_are_accessible(demo: Demo, screen: OpenPage, kind: str, device: str) -> None:
    page = await screen(kind, demo.url(device))
    await page.wait_for_load_state("networkidle")
    await page.wait_for_timeout(800)
    await is_accessible(page)


async def is_accessible(page: Page) -> None:
    await page.evaluate(await asyncio.to_thread(AXE.read_text))
    found = await page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'], resultTypes: ['violations'], preload: false})"
    )
    assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found["violations"]] == []


async def test_every_screen_speaks_english_when_asked(demo: Demo, screen: OpenPage) -> None:
    kiosk = await screen("kiosk", demo.url("k1"))
    await kiosk.get_by_text("English", exact=True).click()
    await expect(kiosk.get_by_text("Take a number")).to_be_visible()
    await picture(kiosk, "kiosk-english")


async def test_the_elder_version_is_larger(demo: Demo, screen: OpenPage) -> None:
    kiosk = await screen("kiosk", demo.url("k1"))
    button = kiosk.locator("[data-act=take]")
    await expect(button).to_be_visible()
    before = await button.evaluate("element => parseFloat(getComputedStyle(element).fontSize)")
    await kiosk.get_by_text("长辈版", exact=True).click()
    await kiosk.wait_for_function(
        "before => parseFloat(getComputedStyle(document.querySelector('[data-act=take]')).fontSize)"
        " > before",
        arg=before,
    )
    await picture(kiosk, "kiosk-elder")


async def test_staff_write_a_rule_with_a_keyboard_alone(demo: Demo, desks: Any) -> None:
    page = await desks.console.context.new_page()
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.goto(demo.report["console"])
    keys = Keys(page)
    for link in ("预约", "预约规则", "打开"):
        await keys.follow(link)
    await keys.walk_to("时段长度")
    await keys.write("x")
    async with page.expect_navigation():
        await keys.press("Enter")
    assert "时段长度（分钟）" in await keys.here(), (
        "one is led to what is wrong, in the words of the page"
    )
    await keys.walk_to("时段长度")
    await keys.press("Control+a")
    await keys.write("30")
    await keys.follow("保存规则")
    assert (await keys.here()).startswith("规则已保存"), "and to what was done"
    await keys.walk_to("退出登录", back=True)
    await page.close()


async def test_staff_switch_items_and_publish_to_a_hall_with_a_keyboard_alone(
    demo: Demo, desks: Any
) -> None:
    page = await desks.console.context.new_page()
    page.on("dialog", lambda asked: asked.accept())
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.goto(demo.report["console"])
    keys = Keys(page)
    await keys.follow("事项目录")
    await keys.walk_to("选择")
    await keys.press("Space")
    await keys.walk_to("可预约")
    await keys.press("ArrowDown")
    await keys.follow("设置")
    assert (await keys.here()).startswith("设置已经生效"), "one is led to what was done"
    for link in ("大厅配置", demo.hall["name"], "叫号规则"):
        await keys.follow(link)
    await keys.walk_to("查看证件（英文）")
    await keys.press("Control+a")
    await keys.write("Please look at the certificate")
    await keys.follow("存进草稿")
    assert (await keys.here()).startswith("已存进草稿")
    await keys.follow("发布给大厅")
    await expect(page.get_by_text(re.compile(r"大厅已启用第 \d+ 版"))).to_be_visible()
    await page.close()


async def test_a_citizen_binds_alipay_and_lets_it_go_with_a_keyboard_alone(
    demo: Demo, browser: Browser
) -> None:
    context = await citizen_context(browser, demo.report["console"], "person-citizen")
    page = await context.new_page()
    await page.goto(f"{demo.report['console']}c/me")
    keys = Keys(page)
    for link in ("绑定支付宝", "同意"):
        await keys.follow(link)
    assert (await keys.here()).startswith("支付宝已绑定"), "back to what was done, in view"
    await keys.follow("解除绑定")
    assert (await keys.here()).startswith("已解除绑定")


async def test_every_page_fits_the_narrowest_phone_does_without_scripts_and_is_accessible(
    demo: Demo, desks: Any, browser: Browser
) -> None:
    found, console = Crawl(), demo.report["console"]
    sessions = [(desks.console.context, console)]
    for other in demo.report["others"]:
        context = await browser.new_context(locale="zh-CN")
        page = await context.new_page()
        await first_login(page, console, other["user"], other["password"], "Reed-2026-shore")
        await expect(page.locator("form[action='/logout']").first).to_be_attached()
        sessions.append((context, console))
    sessions.append((await citizen_context(browser, console, "agent-woman"), f"{console}c"))
    sessions.append((await browser.new_context(locale="zh-CN"), f"{console}login"))
    await asyncio.gather(*(crawl(context, start, found) for context, start in sessions))
    assert found.faults == []
    assert not_among(LINKED, found.seen) == [], "see pages_looked_at.py"


async def citizen_context(browser: Browser, console: str, who: str) -> BrowserContext:
    """A sample citizen who has logged in at the platform for the first time and agreed."""
    context = await browser.new_context(locale="zh-CN")
    page = await context.new_page()
    await page.goto(f"{console}c/login/go?next=/c/me")
    await page.locator(f"input[value={who}]").check()
    await page.locator("button[name=allow]").click()
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="同意并继续").click()
    await expect(page.get_by_role("main")).to_be_visible()
    return context
