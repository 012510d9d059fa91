"""The manager changes a calling rule, tries it on yesterday, switches it on, and the next call says so."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from manager_browser import Manager, axe_finds
from pictures import picture
from playwright.async_api import expect
from whatif_days import SimulatedDay

from hallserver.store.batch import Batch, Tip
from hallserver.store.store import HallStore
from qingting.contract import commands as c
from qingting.contract.config import HallConfig
from qingting.contract.ids import StaffId, WindowId
from qingting.contract.states import DeviceKind, StaffRole
from qingting.kernel.aio.clock import SystemClock

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
ROOT = Path(__file__).resolve().parents[3]


def busy_monday(config: HallConfig) -> SimulatedDay:
    """560 people at the demonstration hall, a clerk at every window."""
    clerks = [one.id for one in config.staff if one.role is StaffRole.CLERK]
    windows = {one.id: clerk for one, clerk in zip(config.windows, clerks, strict=False)}
    queues = {queue for one in config.windows if one.id in windows for queue in one.queues}
    items = [one.id for one in config.items if one.queue in queues and 1 in one.weekdays]
    day = SimulatedDay(
        7,
        people=560,
        hours=7,
        pause=8_000,
        config=config,
        windows=windows,
        items=items,
    )
    _ = day.run()
    return day


@pytest.fixture(scope="module")
def past() -> Any:
    async def fill(database: Path, config: HallConfig) -> None:
        await asyncio.to_thread(database.parent.mkdir, parents=True, exist_ok=True)
        day = await asyncio.to_thread(busy_monday, config)
        async with HallStore.open(database, clock=SystemClock()) as store:
            batch = Batch(store.epoch, Tip())
            start = 0
            for place, event in enumerate(day.log):
                if place + 1 == len(day.log) or day.log[place + 1].cmd != event.cmd:
                    batch.add(event.cmd, day.log[start : place + 1])
                    start = place + 1
            await store.append(batch)

    return fill


async def test_a_rule_is_tried_on_a_past_day_switched_on_and_read_on_the_call_pad(
    manager: Manager,
) -> None:
    page, desk = manager.page, manager.desk
    await page.goto(f"{manager.base}/manage/rules")
    await picture(page, "manage-rules", whole=True)
    await page.click("text=修改规则")
    await page.fill("input[name=name]", "控制优先规则")
    await page.fill("input[name=max_delay_minutes]", "60")
    await page.click("button[value='condition/add:condition']")
    await page.fill("input[name=condition-1-name]", "任何时候先叫老年人")
    await page.select_option("select[name='condition-1-t0.test']", "line_at_least")
    await page.click("button[value=test]")
    await page.fill("input[name='condition-1-t0.people']", "2")
    await page.click(
        ".row:has(input[name=condition-1-name]) >> summary:has-text('人员类别') >> nth=-1"
    )
    await page.check("input[name='condition-1-classes:elderly']")
    await picture(page, "manage-rules-edit", whole=True)
    assert await page.input_value("select[name=day]") == "2026-11-23"
    await page.click("button[value=try]")
    await page.wait_for_selector("text=启用这套规则", timeout=60_000)
    await picture(page, "manage-replay", whole=True)
    page.on("dialog", lambda one: asyncio.ensure_future(one.accept()))
    await page.click("text=启用这套规则")
    await page.wait_for_selector("text=新规则已启用")
    assert desk.state.rules.name == "控制优先规则"
    await _the_pad_says_so(manager)
    assert manager.complaints == []


async def _the_pad_says_so(manager: Manager) -> None:
    """An ordinary visitor waits first; the clerk presses once and reads why the elderly one is next."""
    desk = manager.desk
    pad = next(one for one in desk.state.devices.values() if one.kind is DeviceKind.CALL_PAD)
    assert pad.window is not None
    queue = desk.state.window_config[pad.window].queues[0]
    item = next(one for one in desk.state.items.values() if one.queue == queue)
    for number, priority in enumerate(("ordinary", "ordinary", "elderly")):
        command = c.IssueTicket(
            item=item.id, token=f"rules-{number}", priority=priority, waiver="测试"
        )
        await desk.hall.submit(command, key=f"rules-key-{number}", actor="test")
    clerk = next(one for one in desk.state.staff.values() if one.role is StaffRole.CLERK)
    for window, life in desk.state.windows.items():
        if life.staff is not None:
            close = c.CloseWindow(window=window)
            await desk.hall.submit(close, key=f"rules-close-{window}", actor="test")
    open_it = c.OpenWindow(window=WindowId(pad.window), staff=StaffId(clerk.id))
    await desk.hall.submit(open_it, key="rules-open", actor="test")
    called = await desk.hall.submit(
        c.CallNext(window=pad.window), key="rules-call", actor=f"staff:{clerk.id}"
    )
    assert called.events[0].b.reason == "condition"
    assert called.events[0].b.why["name"] == "任何时候先叫老年人"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_forecasts_of_a_busy_day_are_scored_on_their_page(
    manager: Manager, language: str
) -> None:
    page = manager.page
    await page.goto(f"{manager.base}/manage/forecast?lang={language}")
    assert await page.locator("tbody tr").count() > 10
    verdict = {"zh-CN": "准", "en": "Good"}[language]
    await expect(page.locator("tbody .badge").filter(has_text=verdict).first).to_be_visible()
    assert await page.locator(".spread-row:not(.head)").count() > 5
    assert await axe_finds(page) == []
    await picture(page, f"manage-forecast{'' if language == 'zh-CN' else '-en'}")
    assert manager.complaints == []


async def test_the_next_two_weeks_follow_the_hours_as_they_are_typed(manager: Manager) -> None:
    page = manager.page
    await page.goto(f"{manager.base}/manage/hours")
    await page.click("button[value='weekly/add:weekly']")
    for day in "12345":
        await page.check(f"input[name='weekly-0-days:{day}']")
    await page.fill("input[name=weekly-0-periods]", "09:00-12:00 13:30-17:00")
    await page.wait_for_selector("#preview li:has-text('09:00–12:00') >> nth=9")
    await page.fill("input[name=weekly-0-periods]", "09:00-8")
    await page.wait_for_selector("#preview >> text=没有填对")
    await page.fill("input[name=weekly-0-periods]", "08:30-16:30")
    await page.wait_for_selector("#preview li:has-text('08:30–16:30') >> nth=9")
    await picture(page, "manage-hours")
    await page.click("button[value=save]")
    await page.wait_for_selector("text=新的开放时间已启用")
    assert manager.desk.state.config is not None
    assert manager.desk.state.config.calendar.weekly[0].weekdays == (1, 2, 3, 4, 5)
