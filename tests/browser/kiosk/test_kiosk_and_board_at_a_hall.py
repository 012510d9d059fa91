"""The shipped kiosk and board in Chromium, at a real hall server: the whole way from card to call."""

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from kiosk_place import AXE, FAULTS, Agent, Place, choose_item
from patience import HANG_MS, limit_ms
from pictures import picture
from playwright.async_api import Browser, Page, expect

from hallserver.app.code_platform import open_code_service
from hallserver.app.settings import HallSettings
from qingting.contract import commands as c
from qingting.contract.ids import StaffId, WindowId
from qingting.contract.states import (
    Condition,
    DeviceState,
    PrintOutcome,
)
from qingting.kernel.aio.clock import SystemClock
from simulators.citizen_code import CitizenCodePlatform, Fault, create_platform_app

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def place(tmp_path: Path, shipped: Callable[[str], Path]) -> AsyncIterator[Place]:
    made = Place(folder=tmp_path, pages=shipped("kiosk"))
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def agent(place: Place) -> AsyncIterator[Agent]:
    made = await place.agent()
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    page = await browser.new_page(viewport={"width": 1080, "height": 1920})
    page.set_default_timeout(HANG_MS)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    assert not faults


async def open_kiosk(place: Place, page: Page) -> None:
    await page.goto(await place.url("k1", "index.html"))
    await choose_item(page)


async def take_with_card(page: Page, agent: Agent, party: int = 1) -> str:
    await page.click("[data-act=proceed]")
    await page.click("[data-act=agree]")
    await agent.card()
    await expect(page.get_by_text("张*三")).to_be_visible()
    for _ in range(party - 1):
        await page.click("[data-act=several]")
    if party > 1:
        await picture(page, "kiosk-parties")
    await page.click("[data-act=confirm]")
    number = page.locator("[data-number]")
    await expect(number).to_have_text(re.compile(r"[A-Z]\d{3}"))
    return await number.inner_text()


async def test_a_citizen_takes_a_number_for_two_with_a_card(
    place: Place, agent: Agent, page: Page
) -> None:
    await open_kiosk(place, page)
    number = await take_with_card(page, agent, party=2)
    await expect(page.locator("[data-paper=printed]")).to_be_visible()
    (ticket,) = place.hall.state.tickets.values()
    assert (ticket.number, ticket.party) == (number, 2)
    assert page.url == f"http://127.0.0.1:{place.port}/kiosk/index.html"


async def test_a_card_that_cannot_be_used_is_explained_and_a_good_one_taken_after_it(
    place: Place, agent: Agent, page: Page
) -> None:
    await open_kiosk(place, page)
    await page.click("[data-act=proceed]")
    await page.click("[data-act=agree]")
    await agent.card(valid_to="20200101")
    await expect(page.get_by_text("这张证件已于 2020-01-01 到期")).to_be_visible()
    await expect(page.get_by_role("status")).to_contain_text("不用按键")
    await agent.card()
    await expect(page.get_by_text("张*三")).to_be_visible()


async def test_a_citizen_takes_a_number_by_code_by_face_and_by_card_when_both_fail(
    place: Place, page: Page
) -> None:
    codes = CitizenCodePlatform("hall", "a secret")
    async with TestServer(create_platform_app(codes)) as server:
        settings = HallSettings(
            citizen_code_url=str(server.make_url("/api")),
            citizen_code_key="hall",
            citizen_code_secret="a secret",
        )
        await place.stop()
        async with open_code_service(settings, SystemClock()) as place.code_service:
            await place.start()
            agent = await place.agent()
            await open_kiosk(place, page)
            await page.click("[data-nav=home]")
            await agent.scan(codes.shown("citizen").text)
            await expect(page.get_by_role("alert")).to_contain_text("请先选要办的事")
            await page.click("[data-act=pick]")
            assert codes.asked == 0
            await page.click("[data-nav=home]")
            await choose_item(page)
            await page.click("[data-act=proceed]")
            await page.click("[data-act=agree]")
            await expect(page.locator("[data-way=face]")).to_be_visible()
            await expect(page.locator("[data-way=card]")).to_be_visible()
            await expect(page.locator("[data-way=code]")).to_be_visible()
            await page.add_script_tag(path=AXE)
            for view in ("elder", "language", "elder", "language"):
                await page.click(f"[data-view={view}]")
                assert await page.evaluate(FAULTS) == [], view
                assert await page.evaluate(SPILLS) == [], view
            await picture(page, "kiosk-identity")
            await agent.scan("no-code-of-anybody")
            await expect(page.get_by_role("alert")).to_contain_text("平台不认识这个码")
            assert not agent.looking.is_set(), "nobody asked for the camera"
            await page.click("[data-act=face]")
            await expect(page.get_by_role("status")).to_contain_text("请看着终端")
            await agent.recognise("QTRL.nobody-knows-this-one")
            await expect(page.get_by_role("alert")).to_contain_text("核验平台不认识")
            await page.click("[data-act=face]")
            await agent.recognise(codes.recognise("woman"))
            await expect(page.get_by_text("李*本")).to_be_visible()
            await page.click("[data-nav=back]")
            await page.click("[data-act=agree]")
            await agent.scan(codes.shown("citizen").text)
            await expect(page.get_by_text("张*例")).to_be_visible()
            await page.click("[data-act=confirm]")
            await expect(page.locator("[data-number]")).to_have_text(re.compile(r"[A-Z]\d{3}"))
            (ticket,) = place.hall.state.tickets.values()
            assert ticket.person is not None
            assert ticket.person.masked_name == "张*例"
            await page.click("[data-act=done]")

            codes.set_fault(Fault.DOWN)
            await choose_item(page)
            await page.click("[data-act=proceed]")
            await page.click("[data-act=agree]")
            await agent.scan(codes.shown("woman").text)
            await expect(page.get_by_role("alert")).to_contain_text("市民码服务暂时连不上")
            await expect(page.locator("[data-way=code]")).to_have_count(0)
            await expect(page.locator("[data-way=face]")).to_have_count(0)
            await agent.card()
            await expect(page.get_by_text("张*三")).to_be_visible()
            await agent.close()
            await place.stop()


async def test_paper_out_is_said_within_two_seconds_and_the_number_can_be_printed_again(
    place: Place, agent: Agent, page: Page
) -> None:
    await open_kiosk(place, page)
    agent.outcome, agent.cause = PrintOutcome.FAILED, Condition.PAPER_OUT
    number = await take_with_card(page, agent)
    await expect(page.locator("[data-paper=failed]")).to_contain_text("缺纸")
    agent.outcome, agent.cause = PrintOutcome.PRINTED, None
    await page.click("[data-act=reprint]")
    await expect(page.locator("[data-paper=printed]")).to_be_visible()
    await expect(page.locator("[data-number]")).to_have_text(number)
    await page.click("[data-act=done]")
    await agent.report("k1-printer", DeviceState.DEGRADED, Condition.PAPER_OUT)
    await expect(page.get_by_text("打印机故障：缺纸")).to_be_visible(timeout=limit_ms(2))
    await agent.report("k1-printer", DeviceState.READY)
    await expect(page.locator("[data-act=take]")).to_be_visible(timeout=limit_ms(2))


async def test_the_kiosk_comes_back_by_itself_after_the_hall_server_was_restarted(
    place: Place, page: Page
) -> None:
    agent = await place.agent()
    await open_kiosk(place, page)
    await page.click("[data-nav=home]")
    await agent.close()
    await place.stop()
    await expect(page.get_by_text("正在恢复与大厅的连接")).to_be_visible()
    await place.start()
    agent = await place.agent()
    await expect(page.locator("[data-act=take]")).to_be_visible()
    await agent.close()


async def test_a_call_appears_on_the_board(place: Place, agent: Agent, page: Page) -> None:
    await open_kiosk(place, page)
    number = await take_with_card(page, agent)
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await page.goto(await place.url("board-1", "board.html"))
    await expect(page.get_by_text("现在没有叫号")).to_be_visible()
    (ticket,) = place.hall.state.tickets.values()
    window = next(one for one in place.config.windows if ticket.queue in one.queues)
    await place.act(
        c.OpenWindow(window=WindowId(window.id), staff=StaffId(place.config.staff[0].id))
    )
    await place.act(c.CallNext(window=WindowId(window.id)))
    row = page.locator(".call")
    await expect(row).to_contain_text(number)
    await expect(row).to_contain_text(f"{window.number}号窗口")
    await expect(row).to_contain_text("张*三")


async def test_a_board_without_any_voice_says_that_it_only_chimes(place: Place, page: Page) -> None:
    await place.stop()
    place.speech_program = ""
    await place.start()
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await page.goto(await place.url("board-1", "board.html"))
    await expect(page.get_by_text("只有提示音，没有语音")).to_be_visible()


SPILLS = """() => [...document.querySelectorAll('[data-way]')]
  .filter((one) => one.scrollHeight > one.clientHeight + 1)
  .map((one) => one.textContent)"""
OUTSIDE = """() => {
  const frame = document.querySelector('.kiosk__main').getBoundingClientRect();
  return [...document.querySelectorAll('.home button, .home h1, .home__scan')]
    .filter((one) => {
      const { top, bottom, left, right } = one.getBoundingClientRect();
      return top < frame.top || bottom > frame.bottom || left < 0 || right > frame.width;
    })
    .map((one) => one.textContent);
}"""


async def test_the_first_screen_fits_reads_and_is_reached_in_every_view(
    place: Place, agent: Agent, page: Page
) -> None:
    """Presses of the buttons that change the view; each pair of language, colours, size and height is met."""
    await page.goto(await place.url("k1", "index.html"))
    await page.locator("[data-act=take]").wait_for()
    await page.add_script_tag(path=AXE)
    await page.add_style_tag(content="* { transition: none !important; }")
    for views in ("", "elder", "low", "elder", "contrast", "elder", "language", "low", "contrast"):
        if views:
            await page.click(f"[data-view={views}]")
        assert await page.evaluate(OUTSIDE) == [], views
        assert await page.evaluate(FAULTS) == [], views
    await page.click("[data-view=low]")
    boxes = [await one.bounding_box() for one in await page.locator("button:enabled").all()]
    assert min(box["y"] for box in boxes if box is not None) >= 0.6 * 1920, "from a wheelchair"
