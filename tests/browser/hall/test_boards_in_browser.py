"""Boards in a real browser: edited with the true preview, shown at once, said in turn and never twice."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from manager_browser import Manager
from patience import until
from playwright.async_api import Page, expect

from hallserver.hub.accounts import Pairing
from qingting.contract import commands as c
from qingting.contract.ids import DeviceId, ItemId, StaffId, WindowId
from qingting.contract.states import DeviceKind

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[3]
BOARD = DeviceId("board-1")
HEAR = """
window.heard = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...rest) {
  const begun = performance.now();
  this.addEventListener('ended', () => window.heard.push({ begun, ended: performance.now() }));
  start.apply(this, rest);
};
"""
"""Notes every announcement that went through the loudspeaker to its end."""


async def open_board(manager: Manager) -> Page:
    """A board of the hall beside the manager's page, touched once so that it may sound."""
    staff = next(iter(manager.desk.state.staff.values()))
    pairing = Pairing(device=BOARD, kind=DeviceKind.BOARD, name="等候区大屏")
    code, _ = await manager.desk.accounts.devices.make_code(pairing, staff.id)
    browser = manager.page.context.browser
    assert browser is not None
    page = await browser.new_page(viewport={"width": 1920, "height": 1080})
    await page.add_init_script(HEAR)
    page.on("pageerror", lambda error: manager.complaints.append(str(error)))
    await page.goto(f"{manager.base}/board/#pair={code}")
    await expect(page.locator("[data-layout]")).to_be_visible()
    await page.mouse.click(900, 500)
    return page


async def call(manager: Manager, number: int) -> None:
    """A citizen takes a number and is called to window 1 or 2, whose former visit is over then."""
    place = 1 + (number - 1) % 2
    window, staff = WindowId(f"w{place}"), StaffId(list(manager.desk.state.staff)[place])
    key = f"boards-{manager.desk.state.seq:06d}"
    steps: list[c.Command] = [c.OpenWindow(window=window, staff=staff)]
    if manager.desk.state.windows[window].ticket is not None:
        steps += [c.BeginService(window=window), c.FinishService(window=window)]
    steps += [
        c.IssueTicket(item=ItemId("id-first"), token=f"{key}-token"),
        c.CallNext(window=window),
    ]
    for step, command in enumerate(steps):
        await manager.desk.hall.submit(command, key=f"{key}-{step}", actor="test")


def said(manager: Manager) -> list[int]:
    """Numbers of the calls that the board has reported said."""
    calls = manager.desk.state.calls.values()
    return sorted(one.said[BOARD] for one in calls if BOARD in one.said)


async def picture(page: Page, name: str) -> None:
    folder = ROOT / "test-results" / "boards"
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    await page.screenshot(path=str(folder / f"{name}.png"))


async def test_a_layout_is_edited_with_its_preview_and_the_board_shows_it_at_once(
    manager: Manager,
) -> None:
    board = await open_board(manager)
    await expect(board.locator("[data-layout=overview]")).to_be_visible()
    page = manager.page
    await page.goto(f"{manager.base}/manage/boards")
    await page.click("a[href='/manage/boards/new/area']")
    preview = page.frame_locator("#board-frame")
    await expect(preview.locator(".call")).to_have_count(6)
    await page.fill("input[name=name]", "一楼东侧区域屏")
    await page.fill("input[name=rows]", "3")
    await expect(preview.locator(".call")).to_have_count(3)
    await page.fill("input[name=part-0-0-text]", "请看您的号码")
    await expect(preview.get_by_text("请看您的号码")).to_be_visible()
    await picture(page, "editor")
    await page.check(f"input[name=boards][value={BOARD}]")
    await page.click("button[value=save]")
    await expect(page.get_by_text("已保存")).to_be_visible()
    await picture(page, "list")
    await expect(board.get_by_text("请看您的号码")).to_be_visible()
    await call(manager, 1)
    await expect(board.locator(".call")).to_contain_text("1号窗口")
    await picture(board, "area")
    assert manager.complaints == []


async def test_what_is_wrong_is_marked_and_what_was_typed_stays(manager: Manager) -> None:
    page = manager.page
    await page.goto(f"{manager.base}/manage/boards/new/overview")
    await page.fill("input[name=part-2-0-text]", "等候 {phone}")
    await page.click("button[value=save]")
    await expect(page.locator(".slot.wrong")).to_contain_text("不认识{phone}")
    await expect(page.locator("input[name=part-2-0-text]")).to_have_value("等候 {phone}")
    manager.complaints[:] = [one for one in manager.complaints if "422" not in one]
    assert manager.complaints == []


async def test_the_lamps_of_a_strip_follow_the_form(manager: Manager) -> None:
    page = manager.page
    await page.goto(f"{manager.base}/manage/boards/new/window-strip")
    lamps = page.locator(".strip-picture")
    await expect(lamps).to_be_visible()
    before = await lamps.get_attribute("src")
    await page.select_option("select[name=slot-0-motion]", "static")
    await expect(lamps).not_to_have_attribute("src", before or "")
    await expect(page.locator("#board-frame")).to_be_hidden()
    await picture(page, "strip-editor")
    await page.select_option("select[name=kind]", "page_area")
    await expect(page.locator("#board-frame")).to_be_visible()
    assert manager.complaints == []


async def test_two_quick_calls_are_said_in_turn_and_nothing_twice_after_a_reconnect(
    manager: Manager,
) -> None:
    board = await open_board(manager)
    asked: list[str] = []
    board.on("request", lambda one: asked.extend(re.findall(r"/voice/(\d+)\.wav", one.url)))
    await call(manager, 1)
    await call(manager, 2)
    await until(lambda: said(manager) == [1, 2])
    await board.wait_for_function("window.heard.length === 2")
    first, second = await board.evaluate("window.heard")
    assert second["begun"] > first["ended"], "no announcement over another"
    await manager.desk.hub.close()  # the line of every screen is cut; they come back by themselves
    await call(manager, 3)
    await until(lambda: said(manager) == [1, 2, 3])
    await board.reload()
    await board.mouse.click(900, 500)
    await call(manager, 4)
    await until(lambda: said(manager) == [1, 2, 3, 4])
    assert asked == ["1", "2", "3", "4"], (
        "each call once, although the line was cut and the page reloaded"
    )
    await picture(board, "overview")
    assert manager.complaints == []


async def test_a_quiet_hall_flashes_a_call_and_makes_no_sound(manager: Manager) -> None:
    page = manager.page
    await page.goto(f"{manager.base}/manage/announcements")
    await page.fill("input[name=quiet-0-start]", "00:00")
    await page.fill("input[name=quiet-0-end]", "24:00")
    await picture(page, "announcements")
    await page.click("text=保存并启用")
    await expect(page.get_by_text("已保存")).to_be_visible()
    board = await open_board(manager)
    await call(manager, 1)
    await expect(board.get_by_text("静音时段")).to_be_visible()
    await until(lambda: said(manager) == [1])
    await picture(board, "quiet")
    assert await board.evaluate("window.heard.length") == 0


async def test_a_board_passes_the_accessibility_rules(manager: Manager) -> None:
    axe = await asyncio.to_thread((ROOT / "node_modules/axe-core/axe.min.js").read_text)
    board = await open_board(manager)
    await call(manager, 1)
    await expect(board.locator(".call")).to_be_visible()
    await board.evaluate(axe)
    found: dict[str, Any] = await board.evaluate("axe.run()")
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
