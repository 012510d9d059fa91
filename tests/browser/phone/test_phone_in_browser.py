"""A ticket's page on a phone, in a real browser: from the QR code to the rating, with and without scripts."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from by_keyboard import Keys
from patience import HANG_MS, limit_ms, until
from phone_hall import PhoneHall, open_phone_hall
from pictures import picture
from playwright.async_api import Browser, Page, expect

from qingting.contract import commands as c
from qingting.contract.states import RatingLevel, TicketState

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
ROOT = Path(__file__).resolve().parents[3]
PHONE, NARROW = (390, 844), (320, 640)
A_SECOND = limit_ms(1)
OpenPhone = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="session")
async def hall(tmp_path: Path) -> AsyncIterator[PhoneHall]:
    async with open_phone_hall(tmp_path) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def phone(hall: PhoneHall, browser: Browser) -> AsyncIterator[OpenPhone]:
    """Opens the page of a token in a phone of its own; a script error or a blocked resource fails the test."""
    faults: list[str] = []

    async def opened(
        token: str, *, size: tuple[int, int] = PHONE, look: str = "", path: str = "", **more: Any
    ) -> Page:
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            device_scale_factor=2,
            **({"locale": "zh-CN"} | more),
        )
        if look:
            await context.add_cookies([{"name": "qt_look", "value": look, "url": hall.base}])
        page = await context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda one: faults.append(one.text) if "Content Security" in one.text else None,
        )
        await page.goto(f"{hall.base}/t/{token}{path}")
        return page

    yield opened
    assert faults == []


async def until_called(hall: PhoneHall, token: str) -> None:
    """Serves everybody before it, then calls it."""
    while True:
        await hall.at_window("call")
        if hall.ticket(token).state is TicketState.CALLED:
            return
        await hall.at_window("begin", "finish")


async def live(page: Page) -> None:
    """The stream is open: from here on nothing is missed."""
    await page.wait_for_selector("#line.live")


# ---- the journey ------------------------------------------------------------------------------------


async def test_from_the_ticket_to_the_rating(hall: PhoneHall, phone: OpenPhone) -> None:
    for _ in range(5):
        token = await hall.take()
    number = hall.ticket(token).number
    page = await phone(token)
    await live(page)
    await expect(page.locator("h1")).to_contain_text(number)
    await expect(page.locator("#say")).to_contain_text("前面还有 4 人")
    await picture(page, "phone-waiting")
    await hall.serve()
    await page.wait_for_selector("text=快到您了。请到窗口附近等候", timeout=A_SECOND)
    await expect(page).to_have_title(f"快到您了 · {number} · 庆厅")
    await picture(page, "phone-near")
    await hall.serve()
    await page.wait_for_selector("text=前面还有 2 人", timeout=A_SECOND)
    await until_called(hall, token)
    window = hall.number_of_window
    await page.wait_for_selector(f"text=请到 {window} 号窗口", timeout=A_SECOND)
    await expect(page).to_have_title(re.compile(rf"请到[ \u00a0]{window}[ \u00a0]号窗口"))
    assert await page.locator("#leave").count() == 0
    await picture(page, "phone-called")
    await hall.at_window("begin")
    await page.wait_for_selector("text=办完以后，可以在这里评价", timeout=A_SECOND)
    await hall.at_window("finish")
    await page.click("#rate", timeout=A_SECOND)
    await picture(page, "phone-rating")
    await expect(page.locator("input:checked")).to_have_count(0)
    await expect(page.locator(".tags:visible")).to_have_count(0)
    await page.click("label[for=level-dissatisfied]")
    await page.click("text=提交评价")
    await expect(page.locator("[role=alert]")).to_contain_text("请至少选择一个不满意的原因")
    await expect(page.locator("#level-dissatisfied")).to_be_checked()
    await page.click("text=没有提供材料清单")
    await page.fill("#words", "请把清单贴在门口")
    await picture(page, "phone-rating-reasons")
    await page.click("text=提交评价")
    await expect(page.locator("#say")).to_contain_text("已经办结，也评价过了")
    await picture(page, "phone-rated")
    assert hall.ticket(token).rated
    assert hall.desk.state.windows[hall.window].tally.bad_ratings == 1


async def test_leaving_takes_two_taps_and_moves_the_others_up(
    hall: PhoneHall, phone: OpenPhone
) -> None:
    mine, theirs = await hall.take(), await hall.take()
    page, other = await phone(mine), await phone(theirs)
    await live(other)
    await page.click("#leave")
    await picture(page, "phone-leave")
    await page.click("text=继续等候")
    await page.click("#leave")
    assert hall.ticket(mine).state is TicketState.WAITING
    await page.click("button:has-text('退出排队')")
    await expect(page.locator("#say")).to_contain_text("您已退出排队")
    await other.wait_for_selector("text=前面没有人了", timeout=A_SECOND)


async def test_a_rating_at_the_pad_shows_on_the_phone(hall: PhoneHall, phone: OpenPhone) -> None:
    token = await hall.take()
    await hall.serve()
    page = await phone(token)
    await live(page)
    ticket = hall.ticket(token).id
    await hall.do(c.RateVisit(ticket=ticket, level=RatingLevel.SATISFIED))
    await page.wait_for_selector("text=也评价过了", timeout=A_SECOND)
    assert await page.locator("#rate").count() == 0


# ---- the line ---------------------------------------------------------------------------------------


async def test_a_cut_line_says_how_old_the_page_is_and_comes_back_by_itself(
    hall: PhoneHall, phone: OpenPhone
) -> None:
    token = await hall.take()
    page = await phone(token)
    await live(page)
    await page.context.route("**/live", lambda route: route.abort())
    hall.phone.watch.close()
    await page.wait_for_selector("#line.lost", timeout=HANG_MS)
    assert re.search(r"下面是 \d+ 秒前的情况", await page.inner_text("#line"))
    await picture(page, "phone-lost")
    hall.phone.watch._closed = False
    await hall.at_window("call")
    await page.context.unroute("**/live")
    await page.wait_for_selector("text=请现在就过去", timeout=HANG_MS)
    await live(page)


async def test_a_phone_that_wakes_up_looks_at_once(hall: PhoneHall, phone: OpenPhone) -> None:
    token = await hall.take()
    page = await phone(token)
    await live(page)
    await page.evaluate("window.dispatchEvent(new Event('pagehide'))")
    await hall.at_window("call")
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await page.wait_for_selector("text=请现在就过去", timeout=A_SECOND)


async def test_yesterday_s_page_turns_into_the_helpful_one(
    hall: PhoneHall, phone: OpenPhone
) -> None:
    page = await phone(await hall.take())
    await live(page)
    hall.clock.shift += 86_400
    await hall.take()
    await page.wait_for_selector("text=没有找到这张号票", timeout=HANG_MS)
    await picture(page, "phone-unknown")


# ---- sound, vibration, notifications ------------------------------------------------------------------

LISTEN = """
navigator.vibrate = (pattern) => { (window.felt ??= []).push(pattern); return true; };
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...at) { window.heard = (window.heard ?? 0) + 1; start.apply(this, at); };
"""


async def heard_more(page: Page, before: int) -> int:
    """The words stand there first, then the sound begins. Gives how many sounds there were by then."""
    more = await page.wait_for_function(
        "before => window.heard > before && window.heard", arg=before, timeout=A_SECOND
    )
    return int(await more.json_value())


async def test_a_phone_rings_and_vibrates_only_after_a_tap_that_allows_it(
    hall: PhoneHall, phone: OpenPhone
) -> None:
    for _ in range(5):
        token = await hall.take()
    quiet, page = await phone(token), await phone(token)
    for one in (quiet, page):
        await one.add_init_script(LISTEN)
        await one.reload()
        await live(one)
    await page.click("#ring")
    await expect(page.locator("#ring")).to_have_text("已开启响铃和振动")
    await expect(page.locator("#ring")).to_have_attribute("aria-pressed", "true")
    await picture(page, "phone-ring")
    once = await page.evaluate("window.heard")
    assert once > 0, "the tap sounds, so that one knows how it sounds"
    await hall.serve()
    await page.wait_for_selector("text=快到您了。", timeout=A_SECOND)
    near = await heard_more(page, once)
    await until_called(hall, token)
    await page.wait_for_selector("#stop:visible", timeout=A_SECOND)
    await heard_more(page, near)
    assert [400, 150, 400, 150, 400] in await page.evaluate("window.felt")
    await page.click("#stop")
    await expect(page.locator("#stop")).to_be_hidden()
    assert await quiet.evaluate("[window.heard, window.felt?.flat().filter(Boolean)]") in (
        [None, None],
        [None, []],
    )


async def test_a_notification_is_asked_for_by_a_tap_and_shown_when_called(
    hall: PhoneHall, phone: OpenPhone
) -> None:
    for _ in range(5):
        token = await hall.take()
    page = await phone(token, permissions=["notifications"])
    await live(page)
    await expect(page.locator("#notify")).to_be_hidden()
    await page.click("#ring")
    await page.click("#notify")
    await expect(page.locator("#ring-note")).to_have_text("系统通知已开启")
    await until_called(hall, token)
    await page.wait_for_selector("text=请现在就过去", timeout=A_SECOND)

    async def shown() -> list[str]:
        titles: list[str] = await page.evaluate(
            "() => navigator.serviceWorker.ready.then((one) => one.getNotifications())"
            ".then((all) => all.map((one) => one.title))"
        )
        return titles

    # The page hands the notification over; the browser shows it when it gets to it.
    (title,) = await until(shown)
    assert "号窗口" in title


# ---- without scripts, by keyboard, for everybody --------------------------------------------------------


async def test_without_scripts_everything_still_works(hall: PhoneHall, phone: OpenPhone) -> None:
    token = await hall.take()
    page = await phone(token, java_script_enabled=False)
    await expect(page.locator("#alerts")).to_be_hidden()
    await hall.at_window("call")
    await page.click("text=刷新")
    await expect(page.locator("#say")).to_contain_text("号窗口")
    await hall.at_window("begin", "finish")
    await page.click("text=刷新")
    await page.click("#rate")
    await page.click("label[for=level-very_dissatisfied]")
    await page.click("text=服务态度差效率低")
    await page.click("text=提交评价")
    await expect(page.locator("#say")).to_contain_text("也评价过了")
    leaving = await hall.take()
    page = await phone(leaving, java_script_enabled=False)
    await page.click("#leave")
    await page.click("button:has-text('退出排队')")
    await expect(page.locator("#say")).to_contain_text("您已退出排队")


async def test_a_visit_is_rated_by_keyboard_and_enter_never_skips(
    hall: PhoneHall, phone: OpenPhone
) -> None:
    token = await hall.take()
    await hall.serve()
    page = await phone(token, path="/rate/1")
    for _ in range(10):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.name") == "level":
            break
    await page.keyboard.press("Space")
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("#level-satisfied")).to_be_checked()
    outline = await page.evaluate(
        "getComputedStyle(document.querySelector('[for=level-satisfied]')).outlineStyle"
    )
    assert outline == "solid"
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await expect(page.locator("#say")).to_contain_text("也评价过了")
    assert hall.ticket(token).rated


async def test_a_keyboard_alone_waits_and_leaves_and_what_renews_itself_takes_nobodys_place(
    hall: PhoneHall, phone: OpenPhone
) -> None:
    for _ in range(5):
        token = await hall.take()
    page = await phone(token)
    await live(page)
    keys = Keys(page)
    await keys.walk_to("轮到我时响铃")
    await keys.press("Enter")
    await expect(page.locator("#ring")).to_have_attribute("aria-pressed", "true")
    await expect(page.locator("#notify")).to_be_visible()
    await keys.walk_to("不办了")
    await hall.serve()
    await page.wait_for_selector("text=快到您了。请到窗口附近等候", timeout=A_SECOND)
    await expect(page.locator("#leave")).to_be_focused()
    async with page.expect_navigation():
        await keys.press("Enter")
    for step in ("继续等候", "不办了", "退出排队"):
        await keys.follow(step)
    await expect(page.locator("#say")).to_contain_text("您已退出排队")


@pytest.mark.parametrize(
    ("look", "locale"),
    # Each pair of size, colours and language once.
    [("contrast", "zh-CN"), ("elder", "zh-CN"), ("", "en-GB"), ("elder.contrast", "en-GB")],
)
async def test_every_face_is_accessible_and_fits_320_pixels(
    hall: PhoneHall, phone: OpenPhone, look: str, locale: str
) -> None:
    axe = await asyncio.to_thread((ROOT / "node_modules/axe-core/axe.min.js").read_text)
    for _ in range(6):
        token = await hall.take()
    page = await phone(token, size=NARROW, look=look, locale=locale)
    name = f"{look or 'plain'}-{'en' if locale == 'en-GB' else 'zh'}"

    async def looked_at(face: str, path: str = "") -> None:
        await page.goto(f"{hall.base}/t/{token}{path}")
        if not path:
            await page.wait_for_selector("#line.live")
        await page.evaluate(axe)
        found: dict[str, Any] = await page.evaluate(
            "axe.run({resultTypes: ['violations'], preload: false})"
        )
        faults = [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]]
        assert faults == [], face
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= NARROW[0], f"{face} is {wide} px wide"
        small = await page.evaluate(
            "[...document.querySelectorAll('a, button, label[for], .tags label')]"
            ".filter((one) => one.checkVisibility() && !one.classList.contains('skip')"
            " && one.getAttribute('for') !== 'words')"
            ".map((one) => [one.textContent.trim(), one.getBoundingClientRect().height])"
            ".filter(([, height]) => height < 44)"
        )
        assert small == [], face
        await picture(page, f"phone-320-{face}-{name}")

    await looked_at("waiting")
    if name == "elder-zh":
        await page.set_viewport_size({"width": 390, "height": 844})
        await picture(page, "phone-elder")
        await page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    await looked_at("leave", "/leave")
    await until_called(hall, token)
    await looked_at("called")
    said = await page.locator("#say").bounding_box()
    assert said is not None
    assert said["y"] + said["height"] < NARROW[1] * 2 / 3, "where to go is seen without scrolling"
    await hall.at_window("begin", "finish")
    await looked_at("done")
    await looked_at("rate", "/rate/1")
    await page.click("label[for=level-dissatisfied]")
    await page.evaluate(axe)
    assert (await page.evaluate("axe.run({resultTypes: ['violations'], preload: false})"))[
        "violations"
    ] == []
