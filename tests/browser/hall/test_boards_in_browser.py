"""Boards in a real browser: edited with the true preview, shown at once, said in turn and never twice."""

import re

import pytest
from manager_browser import Manager, axe_finds
from patience import until
from pictures import picture
from playwright.async_api import Page, expect

from qingting.contract import commands as c
from qingting.contract.ids import DeviceId, ItemId, StaffId, WindowId

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
BOARD = DeviceId("board-1")
WALL = (1920, 1080)
HEAR = """
window.heard = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...rest) {
  const samples = this.buffer.getChannelData(0);
  const power = samples.reduce((sum, one) => sum + one * one, 0) / samples.length;
  const words = { seconds: this.buffer.duration, loudness: Math.sqrt(power), begun: performance.now() };
  this.addEventListener('ended', () => window.heard.push({ ...words, ended: performance.now() }));
  start.apply(this, rest);
};
"""
"""Notes every announcement that went through the loudspeaker to its end."""


async def open_board(manager: Manager) -> Page:
    """A board of the hall beside the manager's page."""
    page = await manager.screen(BOARD, "/board/", WALL, HEAR)
    await expect(page.locator("[data-layout]")).to_be_visible()
    return page


async def call(manager: Manager, number: int) -> None:
    """A citizen takes a number and is called to window 1 or 2, whose former visit is over then."""
    place = 1 + (number - 1) % 2
    window, staff = WindowId(f"w{place}"), StaffId(list(manager.desk.state.staff)[place])
    steps: list[c.Command] = [c.OpenWindow(window=window, staff=staff)]
    if manager.desk.state.windows[window].ticket is not None:
        steps += [c.BeginService(window=window), c.FinishService(window=window)]
    token = f"board-{manager.desk.state.seq:06d}-token"
    steps += [c.IssueTicket(item=ItemId("id-first"), token=token), c.CallNext(window=window)]
    await manager.hall.do(*steps)


def said(manager: Manager) -> int:
    """The newest call that the board has reported said."""
    calls = manager.desk.state.calls.values()
    return max((one.said[BOARD] for one in calls if BOARD in one.said), default=0)


async def test_layouts_are_edited_with_their_preview_and_the_board_shows_them_at_once(
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
    await picture(page, "boards-editor")
    await page.fill("input[name=part-0-0-text]", "等候 {phone}")
    await page.click("button[value=save]")
    await expect(page.locator(".slot.wrong")).to_contain_text("不认识{phone}")
    await expect(page.locator("input[name=part-0-0-text]")).to_have_value("等候 {phone}")
    await page.fill("input[name=part-0-0-text]", "请看您的号码")
    await page.check(f"input[name=boards][value={BOARD}]")
    await page.click("button[value=save]")
    await expect(page.get_by_text("已保存")).to_be_visible()
    await expect(board.get_by_text("请看您的号码")).to_be_visible()
    await call(manager, 1)
    await expect(board.locator(".call")).to_contain_text("1号窗口")
    await picture(board, "board-area")
    await until(lambda: said(manager) == 1)
    assert await axe_finds(board) == []
    await page.goto(f"{manager.base}/manage/boards/new/window-strip")
    lamps = page.locator(".strip-picture")
    await expect(lamps).to_be_visible()
    before = await lamps.get_attribute("src")
    await page.select_option("select[name=slot-0-motion]", "static")
    await expect(lamps).not_to_have_attribute("src", before or "")
    await expect(page.locator("#board-frame")).to_be_hidden()
    await picture(page, "boards-strip-editor")
    await page.select_option("select[name=kind]", "page_area")
    await expect(page.locator("#board-frame")).to_be_visible()
    assert [one for one in manager.complaints if "422" not in one] == []


async def test_calls_are_said_in_turn_and_none_twice_after_a_reconnect_nor_aloud_in_a_quiet_hour(
    manager: Manager,
) -> None:
    board = await open_board(manager)
    asked: list[int] = []
    board.on(
        "request",
        lambda one: asked.extend(int(no) for no in re.findall(r"/voice/(\d+)\.wav", one.url)),
    )
    first = len(manager.desk.state.calls) + 1
    await call(manager, 1)
    await call(manager, 2)
    await until(lambda: said(manager) == first + 1)
    await board.wait_for_function("() => window.heard.length >= 2")
    one, other = (await board.evaluate("window.heard"))[:2]
    assert other["begun"] > one["ended"], "no announcement over another"
    for sentence in (one, other):
        assert 1 < sentence["seconds"] < 8
        assert sentence["loudness"] > 0.02, "this is silence"
    await manager.desk.hub.close()  # the line of every screen is cut; they come back by themselves
    await call(manager, 3)
    await until(lambda: said(manager) == first + 2)
    await board.reload()
    await call(manager, 4)
    await until(lambda: said(manager) == first + 3)
    assert asked == list(range(first, first + 4)), "each once, although the page was reloaded"
    page = manager.page
    await page.goto(f"{manager.base}/manage/announcements")
    await page.fill("input[name=quiet-0-start]", "00:00")
    await page.fill("input[name=quiet-0-end]", "24:00")
    await picture(page, "announcements")
    await page.click("text=保存并启用")
    await expect(page.get_by_text("已保存")).to_be_visible()
    aloud = await board.evaluate("window.heard.length")
    await call(manager, 5)
    await expect(board.get_by_text("静音时段")).to_be_visible()
    await until(lambda: said(manager) == first + 4)
    assert await board.evaluate("window.heard.length") == aloud
