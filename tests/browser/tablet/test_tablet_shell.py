"""The pads' program stays on the device: it starts while the hall is away, and is renewed when nobody needs it."""

import json
from pathlib import Path
from typing import Any

import pytest
from pad_hands import clerk_at_desk, pad_of, press
from patience import until
from pictures import picture
from playwright.async_api import Browser, Page, expect

from qingting.contract.states import DeviceKind

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SmallHall = Any
NEW = "0123456789ab"


async def kept(page: Page) -> None:
    """Waits until the program lies on the device."""
    await page.wait_for_function("() => navigator.serviceWorker.controller !== null")


async def test_installed_pads_start_without_their_hall_say_so_and_go_on_when_it_is_back(
    small_hall: SmallHall, browser: Browser
) -> None:
    pads = {
        entry: await pad_of(browser, small_hall.page(entry, await small_hall.code_for(entry, kind)))
        for entry, kind in (("call", DeviceKind.CALL_PAD), ("rate", DeviceKind.RATING_PAD))
    }
    for page in pads.values():
        await kept(page)
        assert await manifest_faults(page) == []
    await expect(pads["call"].locator("input[name=number]")).to_be_visible()
    await expect(pads["rate"].get_by_text("窗口未开放")).to_be_visible()
    await small_hall.stop()
    for entry, page in pads.items():
        await page.reload()
        away = page.locator(".away")
        await expect(away).to_contain_text("暂时联系不上大厅服务器")
        await expect(away).to_contain_text("上次联系")
        await picture(page, f"pad-away-{entry}")
        assert await _stored(page) == set(), "an answer of the hall was kept"
    await small_hall.start()
    await expect(pads["call"].locator("input[name=number]")).to_be_visible()
    await expect(pads["rate"].get_by_text("窗口未开放")).to_be_visible()


async def manifest_faults(page: Page) -> list[str]:
    """What keeps Chromium from installing the page as an app; a test's window is private, which is one."""
    session = await page.context.new_cdp_session(page)
    found = await session.send("Page.getInstallabilityErrors")
    told = [one["errorId"] for one in found["installabilityErrors"]]
    return [one for one in told if one != "in-incognito"]


async def _stored(page: Page) -> set[str]:
    """What is kept on the device beyond the program itself."""
    found = await page.evaluate(
        """async () => {
            const names = await caches.keys();
            const all = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
            return all.flat().map((one) => new URL(one.url).pathname);
        }"""
    )
    return {one for one in found if not one.startswith("/tablet/")}


def renew(built: Path) -> None:
    """The hall got another program: its page, its worker, its name."""
    page, worker, build = built / "call.html", built / "sw.js", built / "build.json"
    former = json.loads(build.read_text("utf-8"))["build"]
    page.write_text(page.read_text("utf-8").replace("呼叫平板 ·", "新版呼叫平板 ·"), "utf-8")
    worker.write_text(worker.read_text("utf-8").replace(former, NEW), "utf-8")


async def test_a_new_program_is_taken_after_the_visit_and_never_during_it(
    small_hall: SmallHall, built: Path, browser: Browser
) -> None:
    pad = await clerk_at_desk(small_hall, browser)
    await kept(pad)
    await small_hall.take_number("visit-0001")
    await press(pad, "呼叫 A001")
    await press(pad, "开始办理 A001")
    renew(built)
    small_hall.pad_build = NEW
    await small_hall.stop()
    await small_hall.start()
    waits = "() => navigator.serviceWorker.getRegistration().then((one) => one.waiting !== null)"
    await until(lambda: pad.evaluate(waits))
    await pad.clock.install()
    await pad.clock.fast_forward("10:00")
    await expect(pad.locator("[data-test=primary]")).to_contain_text("办结 A001")
    assert await pad.title() == "呼叫平板 · 庆厅"
    await press(pad, "办结 A001")
    await expect(pad.get_by_text("现在没有人等候本窗口")).to_be_visible()
    assert await pad.title() == "呼叫平板 · 庆厅", "somebody touched it a moment ago"
    await pad.clock.fast_forward("02:00")
    await expect(pad).to_have_title("新版呼叫平板 · 庆厅")
    await expect(pad.get_by_text("现在没有人等候本窗口")).to_be_visible()
