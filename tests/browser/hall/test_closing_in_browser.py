"""Near closing time a citizen is told, before the ticket is taken and on all that is kept of it, that it may be too late."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from manager_browser import RunningHall, axe_finds, running_hall, watched
from phone_hall import MovedClock
from pictures import picture
from playwright.async_api import Browser, Page, expect

from hallserver.engine.tickets import ticket_document
from qingting.contract import commands as c
from qingting.contract.calendar import HallCalendar, Period, WeeklyHours
from qingting.contract.config import HallConfig, Item
from qingting.contract.ids import DeviceId, StaffId, WindowId
from qingting.contract.states import DeviceKind, DeviceState
from qingting.demo.builder import build_hall, hall_ids

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
KIOSK_SIZE, PHONE_SIZE = (1080, 1920), (320, 640)
BEIJING = timezone(timedelta(hours=8))
CLOSES = Period(start="09:00", end="17:00")
WAITING = 9
WARNING = {("confirm", "zh"): "kiosk-closing-warning"}


@dataclass
class Evening:
    """A hall a quarter of an hour before it closes: one window, and more people than it can serve."""

    hall: RunningHall
    item: Item
    config: HallConfig


def quarter_to_five(item: Item, clock: MovedClock) -> None:
    """Moves the clock on to 16:45 of a day on which the item is done."""
    now = datetime.fromtimestamp(clock.now_ms() / 1000, UTC).astimezone(BEIJING)
    then = now.replace(hour=16, minute=45, second=0)
    while then <= now or then.isoweekday() not in item.weekdays:
        then += timedelta(days=1)
    clock.shift += (then - now).total_seconds()


@pytest_asyncio.fixture(loop_scope="session")
async def evening(tmp_path: Path) -> AsyncIterator[Evening]:
    built = await asyncio.to_thread(lambda: build_hall(hall_ids(1)[0]))
    weekly = WeeklyHours(weekdays=(1, 2, 3, 4, 5, 6, 7), periods=(CLOSES,))
    config = msgspec.structs.replace(built, calendar=HallCalendar(weekly=(weekly,)))
    item = next(one for one in config.items if not one.needs_identity)
    clock = MovedClock()
    quarter_to_five(item, clock)
    async with running_hall(tmp_path, config=config, clock=clock) as hall:
        window = next(one for one in config.windows if item.queue in one.queues)
        await hall.do(c.OpenWindow(window=WindowId(window.id), staff=StaffId(config.staff[-1].id)))
        for number in range(WAITING):
            await hall.do(c.IssueTicket(item=item.id, token=f"token-of-number-{number:04d}"))
        await hall.do(c.CallNext(window=WindowId(window.id)))
        await hall.do(c.BeginService(window=WindowId(window.id)))
        for device in config.devices:
            if device.parent == "k1" or device.kind is DeviceKind.AGENT:
                ready = c.ReportDevice(
                    device=DeviceId(device.id), kind=device.kind, state=DeviceState.READY
                )
                await hall.do(ready)
        yield Evening(hall, item, config)


async def page_of(evening: Evening, browser: Browser, size: tuple[int, int], path: str) -> Page:
    viewport: Any = {"width": size[0], "height": size[1]}
    context = await browser.new_context(viewport=viewport, locale="zh-CN")
    page = await watched(context, [])
    await page.goto(evening.hall.base + path)
    return page


async def turn_to(kiosk: Page, choice: str) -> None:
    """The page of a list on which the choice is."""
    await kiosk.locator("[data-choice]").first.wait_for()
    while not await kiosk.locator(f"[data-choice={choice}]").count():
        await kiosk.click(".pager button >> nth=1")


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_it_is_said_that_one_may_not_be_reached_before_closing(
    evening: Evening, browser: Browser, language: str
) -> None:
    hall, item = evening.hall, evening.item
    english = language == "en"
    kiosk = await page_of(evening, browser, KIOSK_SIZE, f"/kiosk/#pair={await hall.pairing('k1')}")
    await kiosk.locator("[data-act=take]").wait_for()
    if english:
        await kiosk.click("[data-view=language]")
        await kiosk.click("[data-view=elder]")
    await kiosk.click("[data-act=take]")
    await turn_to(kiosk, item.department)
    await kiosk.click(f"[data-choice={item.department}]")
    await turn_to(kiosk, item.id)
    short = "may not be reached today" if english else "今天可能排不到"
    await expect(kiosk.locator(f"[data-choice={item.id}]")).to_contain_text(short)
    await picture(kiosk, f"kiosk-closing-items-{language}")
    await kiosk.click(f"[data-choice={item.id}]")
    words = "You may not be called before closing" if english else "下班前可能排不到您"
    for act, name in (("review", "item"), ("confirm", "confirm")):
        await expect(kiosk.locator("[data-wait=beyond]")).to_contain_text(words)
        await expect(kiosk.locator(f"[data-act={act}]")).to_be_visible()
        assert await axe_finds(kiosk) == []
        await picture(kiosk, WARNING.get((name, language), f"kiosk-closing-{name}-{language}"))
        await kiosk.click(f"[data-act={act}]")
    await expect(kiosk.locator("[data-number]")).to_be_visible()
    await expect(kiosk.locator("[data-wait=beyond]")).to_contain_text(words)
    await picture(kiosk, f"kiosk-closing-result-{language}")
    ticket = list(hall.desk.state.tickets.values())[-1]
    paper = str(ticket_document(hall.desk.state, ticket.id, hall.base))
    assert ("may be after closing" if english else "下班前可能排不到") in paper
    phone = await page_of(evening, browser, PHONE_SIZE, f"/t/{ticket.token}")
    told = "you may not be called before closing" if english else "下班前可能排不到"
    await expect(phone.locator("#say")).to_contain_text(told)
    await picture(phone, f"phone-closing-{language}")
