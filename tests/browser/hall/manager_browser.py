"""A browser in which the hall's manager is logged in; ``past`` puts days into the log before."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from argon2 import PasswordHasher
from patience import HANG_MS
from playwright.async_api import Page, async_playwright

from hallserver.app.desk import DESK, Desk
from hallserver.app.server import HallSettings, open_hall_app
from qingting.contract import commands as c
from qingting.contract.config import HallConfig
from qingting.contract.ids import StaffId
from qingting.contract.states import Condition, DeviceKind, DeviceState, StaffRole
from qingting.demo.builder import build_hall, hall_ids
from qingting.kernel.config_file import dump_config
from qingting.kernel.security.passwords import Passwords

PASSWORD = "Lotus-2026-pond"
Past = Callable[[Path, HallConfig], Awaitable[None]]


@pytest.fixture
def past() -> Past | None:
    """Fills the database before the hall opens it; a test file may have its own."""
    return None


@dataclass
class Manager:
    """A browser in which the manager is logged in. ``complaints`` is what its console said."""

    page: Page
    desk: Desk
    base: str
    complaints: list[str]

    async def report(self, *conditions: Condition) -> None:
        printer = next(
            one for one in self.desk.state.devices.values() if one.kind is DeviceKind.PRINTER
        )
        command = c.ReportDevice(
            device=printer.id,
            kind=printer.kind,
            state=DeviceState.DEGRADED if conditions else DeviceState.READY,
            conditions=conditions,
        )
        key = f"browser-{self.desk.state.seq:06d}"
        await self.desk.hall.submit(command, key=key, actor="test")


@pytest.fixture
async def manager(tmp_path: Path, past: Past | None) -> AsyncIterator[Manager]:
    config = build_hall(hall_ids(1)[0])
    await asyncio.to_thread(dump_config, config, tmp_path / "hall.json")
    hasher = Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    settings = HallSettings(data=str(tmp_path / "data"), config=str(tmp_path / "hall.json"))
    if past is not None:
        await past(settings.database, config)
    async with open_hall_app(settings, passwords=hasher) as app, async_playwright() as playwright:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(HANG_MS)
        complaints: list[str] = []
        page.on("console", lambda one: complaints.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda one: complaints.append(str(one)))
        desk = app[DESK]
        staff = next(one for one in config.staff if one.role is StaffRole.MANAGER)
        await desk.accounts.staff.put(StaffId(staff.id), PASSWORD, must_change=False)
        await page.goto(f"{base}/manage/login")
        await page.fill("#f-number", staff.number)
        await page.fill("#f-password", PASSWORD)
        await page.click("button[type=submit]")
        await page.wait_for_selector("#now")
        yield Manager(page, desk, base, complaints)
        await browser.close()
        await runner.cleanup()
