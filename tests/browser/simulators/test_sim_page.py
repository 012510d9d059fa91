"""The control page in a real browser: clicks are hands at the machines, tickets come out on paper."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from qingting.contract.states import DeviceKind
from simulators.bench import DeviceSpec
from simulators.serve import RunningBench, serve_bench

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
JOB = b"\x1b@\x1c&\x1ba\x01\x1d!\x33A023\n\x1d!\x00" + "请留意叫号".encode("gb18030") + b"\n"
CODE = b"https://hall.example/t/abc"
QR = b"\x1d(k" + (len(CODE) + 3).to_bytes(2, "little") + b"1P0" + CODE + b"\x1d(k\x03\x001Q0"
CUT = b"\x1dVA\x10"


def specs(group: str, group_en: str, prefix: str) -> list[DeviceSpec]:
    kinds = {
        "printer": (DeviceKind.PRINTER, "epson.tm-t88"),
        "reader": (DeviceKind.ID_READER, "generic.samv"),
        "scanner": (DeviceKind.SCANNER, "generic.serial-line"),
    }
    return [
        DeviceSpec(
            id=f"{prefix}-{name}", kind=kind, profile=profile, group=group, group_en=group_en
        )
        for name, (kind, profile) in kinds.items()
    ]


@pytest_asyncio.fixture(loop_scope="session")
async def running(tmp_path: Path) -> AsyncIterator[RunningBench]:
    devices = specs("萨尔图1号机", "Sartu 1", "a") + specs("龙凤1号机", "Longfeng 1", "b")
    async with serve_bench(devices, folder=tmp_path / "dev", port=0, mm_per_s=0) as one:
        yield one


@pytest_asyncio.fixture(loop_scope="session")
async def page(running: RunningBench, browser: Browser) -> AsyncIterator[Page]:
    one = await browser.new_page(viewport={"width": 1560, "height": 1150})
    faults: list[str] = []
    one.on("pageerror", lambda error: faults.append(str(error)))
    await one.goto(running.page)
    await expect(one.locator("#link")).to_have_text("实时")
    yield one
    assert faults == []


async def test_a_click_on_a_card_lays_it_down_and_another_takes_it_away(
    page: Page, running: RunningBench
) -> None:
    await page.get_by_role("button", name="王演示").click()
    await expect(page.locator(".pad")).to_contain_text("230604195212311016")
    card = running.bench.reader("a-reader").card
    assert card is not None
    assert card.id == "elder"
    await page.get_by_role("button", name="拿走证件").click()
    await expect(page.locator(".pad")).to_contain_text("请将证件放在此处")
    assert running.bench.reader("a-reader").card is None


async def test_the_code_on_a_ticket_can_be_followed_like_a_phone_would(
    page: Page, running: RunningBench
) -> None:
    printer = running.bench.printer("a-printer")
    printer.receive(b"\x1b@" + QR + CUT)
    link = page.locator(".caption a")
    await expect(link).to_have_text("像手机扫码一样打开")
    await expect(link).to_have_attribute("href", "/api/a-printer/tickets/1/code")


async def test_paper_cover_and_cable_follow_the_clicks(page: Page, running: RunningBench) -> None:
    printer = page.locator("[data-device=a-printer]")
    for row, word in (("纸卷", "用完"), ("机盖", "打开"), ("线缆", "拔下")):
        choice = printer.get_by_role("group", name=row).get_by_role("button", name=word)
        await choice.click()
        await expect(choice).to_have_attribute("aria-pressed", "true")
    assert running.bench.printer("a-printer").conditions == {"paper_out", "cover_open"}
    assert not running.bench.seat("a-printer").carrier.plugged
    await expect(printer.locator(".pill")).to_have_text("线已拔下")
    await printer.get_by_role("group", name="纸卷").get_by_role("button", name="充足").click()
    await printer.get_by_role("group", name="线缆").get_by_role("button", name="插上").click()
    await expect(printer.locator(".pill")).to_have_text("无人连接")
    assert running.bench.printer("a-printer").conditions == {"cover_open"}


async def test_a_ticket_comes_out_by_itself_and_its_code_can_be_scanned(
    page: Page, running: RunningBench
) -> None:
    outlet = page.locator("[data-outlet=a-printer]")
    await expect(outlet).to_contain_text("还没有打印过")
    running.bench.printer("a-printer").receive(JOB + QR + CUT)
    ticket = outlet.locator(".paper img")
    await expect(ticket).to_have_attribute("alt", re.compile("A023"))
    assert await ticket.evaluate("image => image.decode().then(() => image.naturalWidth)") > 500
    await page.get_by_role("button", name="扫最近一张号票").click()
    await expect(page.locator(".scans code").first).to_have_text(CODE.decode())


async def test_what_cannot_be_done_is_said_in_words(page: Page) -> None:
    await page.get_by_role("button", name="扫最近一张号票").click()
    await expect(page.get_by_role("alert")).to_have_text("最近的票上没有二维码，请先打印一张。")


async def test_each_kiosk_has_its_own_bench_behind_a_tab_that_shows_trouble(
    page: Page, running: RunningBench
) -> None:
    await running.bench.seat("b-scanner").unplug()
    other = page.get_by_role("button", name="龙凤1号机")
    await expect(other.get_by_label("有设备不正常")).to_be_visible()
    await other.click()
    await expect(page.locator("[data-device=b-scanner] .pill")).to_have_text("线已拔下")
    await expect(page.locator("[data-device=a-scanner]")).to_have_count(0)


async def test_the_page_speaks_english_too(page: Page) -> None:
    await page.get_by_role("link", name="English").click()
    await expect(page.get_by_role("heading", name="Ticket printer")).to_be_visible()
    await expect(page.get_by_role("link", name="中文")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1024, 1560])
async def test_nothing_spills_over_the_side(page: Page, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 900})
    spill = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert spill <= 0
