"""From ID card to city console: the main job, at the screens, as ``qingting demo`` starts it."""

import pytest
from demo_stage import Demo, OpenPage, shot
from people import first_login, go_home, log_in, press, take_number
from playwright.async_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
NEW_PASSWORD = "Lotus-2026-pond"


async def open_desks(demo: Demo, screen: OpenPage) -> tuple[Page, Page]:
    """The city console and the hall manager's pages, past their first login."""
    console = await screen("desk", demo.report["console"])
    await first_login(
        console, demo.report["console"], demo.report["user"], demo.report["password"], NEW_PASSWORD
    )
    manager = await screen("desk", demo.hall["manage"])
    person = demo.hall["manager"]
    await first_login(
        manager, demo.hall["manage"], person["number"], person["password"], NEW_PASSWORD
    )
    return console, manager


async def test_a_visit_from_the_card_on_the_kiosk_to_the_rating_in_the_city(
    demo: Demo, screen: OpenPage
) -> None:
    console, manager = await open_desks(demo, screen)
    kiosk = await screen("kiosk", demo.url("k1"))
    board = await screen("board", demo.url("board-1"))
    pad = await screen("call_pad", demo.url("cp-1"))
    rate = await screen("rating_pad", demo.url("rp-1"))

    await shot(kiosk, "kiosk-home")
    number = await take_number(kiosk, demo)
    await expect(kiosk.locator("[data-paper=printed]")).to_be_visible()
    await shot(kiosk, "kiosk-result")

    paper = await demo.printed("k1-printer")
    written = "".join(paper["lines"])
    for word in (
        "萨尔图区政务服务中心",
        "大庆市公安局",
        "居民身份证换领",
        number,
        "0 人",
        "张*例",
        "230602********1238",
    ):
        assert word in written, word
    drawing = await screen("paper", demo.drawing("k1-printer", paper["no"]))
    await shot(drawing, "ticket")
    await go_home(kiosk)

    await log_in(pad, demo.hall["clerks"][0])
    await press(pad, "开始服务")
    await press(pad, f"呼叫 {number}")
    await expect(board.get_by_text(number).first).to_be_visible()
    await shot(board, "board")
    await shot(pad, "call-pad")
    await press(pad, f"开始办理 {number}")
    await press(pad, f"办结 {number}")
    await shot(rate, "rating-pad")
    await rate.click("[data-test=level-very_satisfied]")
    await rate.click("[data-test=tag-517]")
    await rate.click("[data-test=send]")
    await expect(rate.get_by_text("谢谢您")).to_be_visible()

    await console.goto(f"{demo.report['console']}ratings")
    await expect(console.get_by_role("row").filter(has_text="非常满意").first).to_be_visible()
    await expect(console.get_by_text("服务热情效率高").first).to_be_visible()
    await shot(console, "console-ratings")
    await console.goto(f"{demo.report['console']}tickets")
    await expect(console.get_by_text(number).first).to_be_visible()
    await manager.goto(f"{demo.hall['manage']}tickets")
    await expect(manager.get_by_text(number).first).to_be_visible()


@pytest.mark.parametrize(
    ("device", "action", "undo", "words"),
    [
        ("k1-printer", "paper_out", "paper_in", "缺纸"),
        ("k1-printer", "open_cover", "close_cover", "机盖打开"),
        ("k1-printer", "jam_cutter", "free_cutter", "切刀故障"),
    ],
)
async def test_a_printer_fault_is_seen_everywhere_within_two_seconds(
    demo: Demo, screen: OpenPage, device: str, action: str, undo: str, words: str
) -> None:
    console, manager = await open_desks(demo, screen)
    kiosk = await screen("kiosk", demo.url("k1"))
    await expect(kiosk.locator("[data-act=search]")).to_be_visible()
    await console.goto(f"{demo.report['console']}devices")
    await manager.goto(f"{demo.hall['manage']}devices")
    await demo.device(device, action)
    for page in (kiosk, manager, console):
        await expect(page.get_by_text(words).first).to_be_visible(timeout=2000)
    await shot(kiosk, "kiosk-out-of-service")
    await shot(console, "console-devices")
    await shot(manager, "hall-devices")
    await demo.device(device, undo)
    for page in (kiosk, manager, console):
        await expect(page.get_by_text(words)).to_have_count(0, timeout=2000)
