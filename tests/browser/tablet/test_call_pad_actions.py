"""A clerk's day beyond the next step, by touch on a real call pad: in both languages, by day and by night."""

from pathlib import Path
from typing import Any

import pytest
from pad_hands import clerk_at_desk, press
from pictures import picture
from playwright.async_api import Browser, Page, expect

from qingting.contract.ids import WindowId
from qingting.contract.states import TicketState

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SmallHall = Any
AXE = Path(__file__).resolve().parents[3] / "node_modules" / "axe-core" / "axe.min.js"
TOUCH = 48
RULES = """{
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'], resultTypes: ['violations'], preload: false
}"""
SMALL = """least => [...document.querySelectorAll('button:not([disabled]), input, textarea')]
    .map(one => [one.innerText, one.getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && (box.width < least || box.height < least))
    .map(([text]) => text)"""


async def fit_for_everybody(pad: Page) -> None:
    """No fault for axe, nothing too small for a thumb, nothing beyond the screen."""
    await pad.evaluate(AXE.read_text("utf-8"))
    found = f"async () => (await axe.run(document, {RULES})).violations.map(one => one.id)"
    assert await pad.evaluate(found) == []
    assert await pad.evaluate(SMALL, TOUCH) == []
    wide, high = await pad.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert (wide, high) == (1280, 800)


async def tap(pad: Page, *names: str) -> None:
    for name in names:
        await pad.click(f"[data-test={name}]")


async def test_a_visitor_goes_away_and_is_brought_back_in_one_tap(
    small_hall: SmallHall, browser: Browser
) -> None:
    pad = await clerk_at_desk(small_hall, browser)
    await small_hall.take_number("visit-0001")
    await press(pad, "呼叫 A001")
    await expect(pad.locator("[data-test=why]")).to_contain_text("只有这一位在等")
    await tap(pad, "more")
    await fit_for_everybody(pad)
    await tap(pad, "more-park", "span-30")
    await picture(pad, "call-pad-park")
    await fit_for_everybody(pad)
    await tap(pad, "sheet-go", "tab-away")
    await picture(pad, "call-pad-lists")
    await fit_for_everybody(pad)
    (ticket,) = small_hall.hall.state.tickets.values()
    assert ticket.state is TicketState.PARKED
    await tap(pad, "resume-A001")
    await press(pad, "开始办理 A001")
    await expect(pad.locator("[data-test=primary]")).to_contain_text("办结 A001")
    await tap(pad, "day")
    await expect(pad.get_by_role("dialog")).to_contain_text("压力值")
    assert small_hall.hall.state.windows[WindowId("w3")].ticket == ticket.id


async def test_the_sheets_fit_in_english_and_by_night(
    small_hall: SmallHall, browser: Browser
) -> None:
    pad = await clerk_at_desk(small_hall, browser)
    await pad.get_by_role("button", name="English").click()
    await pad.get_by_role("button", name="Dark").click()
    await small_hall.take_number("visit-0001")
    await small_hall.take_number("visit-0002")
    await press(pad, "Call A001")
    await press(pad, "Begin A001")
    for sheet in ("more-transfer", "more-addItem", "more-password"):
        await tap(pad, "more", sheet)
        await fit_for_everybody(pad)
        await picture(pad, f"call-{sheet.replace('more', 'pad')}")
        await pad.keyboard.press("Escape")
    await picture(pad, "call-pad-night")
    await tap(pad, "day")
    await expect(pad.get_by_role("dialog")).to_contain_text("Pressure value")
    await fit_for_everybody(pad)
    await pad.keyboard.press("Escape")
    await tap(pad, "row-A002", "class-elderly")
    await fit_for_everybody(pad)
    await tap(pad, "sheet-go")
    await expect(pad.locator("[data-test=row-A002]")).to_contain_text("Elderly")


async def test_the_login_code_is_shown_and_fits(small_hall: SmallHall, browser: Browser) -> None:
    pad = await clerk_at_desk(small_hall, browser)
    await pad.get_by_role("button", name="窗口", exact=True).click()
    await tap(pad, "logout", "scan")
    await expect(pad.locator("[data-test=scan-code]")).to_be_visible()
    await fit_for_everybody(pad)
