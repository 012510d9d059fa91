"""The hall manager's pages in a real browser: live within a second, accessible, nothing blocked by the policy."""

from pathlib import Path

import pytest
from by_touch import beyond, covered
from crawl import NEEDS_SCRIPT
from manager_browser import Manager, axe_finds
from pages_looked_at import HALL_PAGES
from patience import limit_ms
from pictures import picture
from playwright.async_api import Route

from hallserver.engine.tickets import ticket_document
from qingting.contract import commands as c
from qingting.contract.errors import Refusal
from qingting.contract.states import Condition, DeviceKind

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
ROOT = Path(__file__).resolve().parents[3]
SHORTEN = """() => {
  for (const list of document.querySelectorAll('main *:not(select, datalist)')) {
    const [first, ...rest] = list.children;
    if (rest.length < 15) continue;
    rest.slice(9).filter((one) => one.tagName === first.tagName).forEach((one) => one.remove());
  }
}"""
"""Rows of a long list are alike: the first ten stand for the hundreds of the page of items."""
COLOURS_SEEN = "{rules: {'color-contrast': {enabled: false}}}"
"""Colours are the same in both languages, and looking at them is most of the work."""
PICTURED = tuple(
    one
    for one in HALL_PAGES
    if "/copy" not in one and one not in ("/manage/rules", "/manage/backups")
)
WIDTHS = (320, 768, 1280)
SPILLED = """() => {
  const inside = (one) => one.closest('.table-box, .visually-hidden, [hidden], details:not([open]) > :not(summary)');
  const controls = 'input:not([type=hidden]), select, textarea, button, a, h1, h2';
  const spilled = [...document.querySelectorAll(`main :is(${controls})`)].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width > 0 && (box.right > innerWidth + 1 || box.left < -1) && !inside(one);
  });
  const page = document.documentElement.scrollWidth - innerWidth;
  const found = page > 0 ? [`the page by ${page}`] : [];
  return [...found, ...spilled.slice(0, 3).map((one) => one.outerHTML.slice(0, 120))];
}"""
"""What does not fit the width; tables scroll in a box of their own."""


async def test_a_fault_appears_by_itself_within_a_second_and_goes_again(manager: Manager) -> None:
    await manager.report()
    await manager.page.goto(f"{manager.base}/manage/devices?show=faults")
    await manager.page.wait_for_selector("text=一切正常")
    await manager.report(Condition.PAPER_OUT)
    await manager.page.wait_for_selector("text=换上新纸卷", timeout=limit_ms(1))
    await manager.report()
    await manager.page.wait_for_selector("text=一切正常", timeout=limit_ms(1))
    assert manager.complaints == []


async def test_a_lost_server_is_said_and_its_return_too(manager: Manager) -> None:
    page = manager.page
    await manager.report()
    await page.context.route("**/manage/live", lambda route: route.abort())
    manager.desk.stopping.set()
    await page.wait_for_selector("text=与服务器的连接断了")
    manager.desk.stopping.clear()
    await manager.report(Condition.JAM)
    await page.context.unroute("**/manage/live")
    await page.wait_for_selector("text=已恢复连接")
    await page.wait_for_selector("text=卡纸", timeout=limit_ms(1))


async def test_a_part_that_could_not_be_fetched_says_so_until_it_could(manager: Manager) -> None:
    async def fail(route: Route) -> None:
        headers = {"HX-Retarget": "#notice", "HX-Reswap": "innerHTML"}
        body = '<div class="banner fault" role="alert"><p>数据库暂时连不上</p></div>'
        await route.fulfill(status=503, headers=headers, content_type="text/html", body=body)

    page = manager.page
    await manager.report()
    await page.goto(f"{manager.base}/manage/devices?show=faults")
    await page.wait_for_selector("text=一切正常")
    await page.route("**/manage/devices?*", fail)
    await manager.report(Condition.JAM)
    await page.wait_for_selector("#notice >> text=数据库暂时连不上")
    await page.unroute("**/manage/devices?*")
    manager.complaints.clear()
    await manager.report()
    await page.wait_for_selector("#notice .fault", state="detached")
    await page.wait_for_selector("text=一切正常")
    assert manager.complaints == []


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_every_page_passes_the_accessibility_rules_and_fits_every_width(
    manager: Manager, language: str
) -> None:
    await manager.report(Condition.PAPER_OUT, Condition.PAPER_LOW)
    page = manager.page
    await page.goto(f"{manager.base}/language?to={language}&back=/manage/")
    links = "all => all.map((one) => one.pathname)"
    menu = set(await page.eval_on_selector_all("nav a[href^='/manage']", links))
    assert menu <= set(HALL_PAGES), "every page of the menu is looked at"
    spilled = {}
    for path in HALL_PAGES:
        answer = await page.goto(manager.base + path)
        assert answer is not None
        assert await page.evaluate(NEEDS_SCRIPT, await answer.text()) == [], path
        if path in PICTURED and language == "zh-CN":
            await picture(page, path.strip("/").replace("/", "-"))
        await page.evaluate(SHORTEN)
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 800})
            if found := [*await page.evaluate(SPILLED), *await covered(page), *await beyond(page)]:
                spilled[path, width] = found
        await page.set_viewport_size({"width": 1440, "height": 900})
        assert await axe_finds(page, COLOURS_SEEN if language == "en" else "{}") == [], path
    assert spilled == {}
    assert manager.complaints == []


async def test_the_whole_of_a_page_can_be_used_by_keyboard(manager: Manager) -> None:
    page = manager.page
    await page.goto(f"{manager.base}/manage/tickets")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.id") == "f-q"


async def test_the_screens_load_under_the_strict_policy(manager: Manager) -> None:
    for path in ("/kiosk/", "/board/", "/tablet/call.html", "/tablet/rate.html"):
        response = await manager.page.goto(manager.base + path)
        assert response is not None
        assert response.status == 200, f"{path}: build the front ends first"
        await manager.page.wait_for_load_state("networkidle")
    assert [one for one in manager.complaints if "Content Security Policy" in one] == []


async def test_a_ticket_layout_is_edited_with_its_preview_and_used_for_the_next_ticket(
    manager: Manager,
) -> None:
    page = manager.page
    await page.goto(f"{manager.base}/manage/ticket-layouts")
    await page.click("text=新建模板")
    await page.fill("#f-name", "户政号票")
    before = await page.get_attribute("#preview img", "src")
    await page.click("button[value='add:text']")
    await page.wait_for_selector("#preview img")
    last = page.locator(".row").last
    await last.locator("input[name$='-text']").fill("请到{windows}号窗口旁等候")
    await page.wait_for_function(
        "before => document.querySelector('#preview img')?.src !== before", arg=before
    )
    await page.check("input[name=kiosks] >> nth=0")
    await page.wait_for_load_state("networkidle")
    await page.evaluate("scrollTo(0, 0)")
    await picture(page, "manage-ticket-layout")
    await page.click("button[value=save]")
    await page.wait_for_selector("text=已保存")
    await picture(page, "manage-ticket-layouts")
    kiosk = next(one for one in manager.desk.state.devices.values() if one.kind is DeviceKind.KIOSK)
    item = next(one for one in manager.desk.state.items.values() if not one.needs_identity)
    command = c.IssueTicket(item=item.id, token="layout-token-1", device=kiosk.id)
    await manager.desk.hall.submit(command, key="layout-key-1", actor="test")
    ticket = manager.desk.state.tokens["layout-token-1"]
    document = ticket_document(manager.desk.state, ticket, "http://hall")
    assert any("号窗口旁等候" in str(element) for element in document)
    assert manager.complaints == []


async def test_kiosk_screens_are_edited_with_the_kiosk_itself_as_preview(manager: Manager) -> None:
    page = manager.page
    await page.goto(f"{manager.base}/manage/kiosk-screens")
    await page.click("text=新建模板")
    look = page.frame_locator("#kiosk-look")
    await look.locator(".kiosk").wait_for()
    await page.fill("#f-name", "户政专用")
    await page.fill("#f-greeting", "户政业务请在这里取号")
    await look.locator("text=户政业务请在这里取号").wait_for()
    await page.click("button[value='block:drop:0']")
    await page.check("input[name=departments][value=gaj]")
    await page.check("input[name=kiosks] >> nth=0")
    await page.click("button[value='notice:add:notice']")
    await page.fill("input[name='notice-0-text']", "11月30日停电检修")
    await look.locator("text=11月30日停电检修").wait_for()
    await page.evaluate("scrollTo(0, 0)")
    await picture(page, "manage-kiosk-screens")
    await page.click("button[value=save]")
    await page.wait_for_selector("text=已保存")
    kiosk = next(one for one in manager.desk.state.devices.values() if one.kind is DeviceKind.KIOSK)
    item = next(one for one in manager.desk.state.items.values() if one.department != "gaj")
    command = c.IssueTicket(item=item.id, token="elsewhere-1", device=kiosk.id, waiver="x")
    with pytest.raises(Refusal) as refused:
        await manager.desk.hall.submit(command, key="elsewhere-key-1", actor="test")
    assert refused.value.code == "ticket.not_at_kiosk"
    assert manager.complaints == []
