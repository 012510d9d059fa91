"""A hall is put back to its backup from the manager's page, and is there again by itself: the program that people run."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
from argon2 import PasswordHasher
from manager_browser import PASSWORD, axe_finds, watched
from patience import until
from pictures import picture
from playwright.async_api import Browser, Page

from hallserver.app.server import HallSettings, run_hall
from hallserver.hall import open_hall
from hallserver.hub.accounts import open_accounts
from hallserver.store.verify import verify
from qingting.contract import commands as c
from qingting.contract.config import Staff
from qingting.contract.states import StaffRole
from qingting.demo.builder import build_hall, hall_ids
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.security.passwords import Passwords

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
TAKEN = 3


class Inside(NamedTuple):
    """The manager's page, and the staff number to log in with."""

    page: Page
    number: str


async def a_hall_that_has_worked(settings: HallSettings) -> Staff:
    """Some numbers were taken today; the manager has a password."""
    config = await asyncio.to_thread(lambda: build_hall(hall_ids(1)[0]))
    manager = next(one for one in config.staff if one.role is StaffRole.MANAGER)
    item = next(one for one in config.items if not one.needs_identity)
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    clock = SystemClock()
    async with open_hall(settings.database, clock=clock, config=config) as hall:
        passwords = await asyncio.to_thread(lambda: Passwords(hasher=cheap))
        accounts = open_accounts(hall.store, clock, passwords)
        await accounts.staff.put(manager.id, PASSWORD, must_change=False)
        for number in range(TAKEN):
            take = c.IssueTicket(item=item.id, token=f"token-of-number-{number:04d}")
            await hall.submit(take, key=f"past-{number:08d}", actor="test")
    return manager


@pytest_asyncio.fixture(loop_scope="session")
async def inside(tmp_path: Path, browser: Browser) -> AsyncIterator[Inside]:
    """The manager, logged in to a hall that was started as people start it."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    settings = HallSettings(
        data=str(tmp_path / "data"), port=port, voice_bank="", speech_program=""
    )
    manager = await a_hall_that_has_worked(settings)
    running = asyncio.create_task(run_hall(settings))
    context = await browser.new_context(viewport=DESK, locale="zh-CN", base_url=settings.public_url)
    found = await watched(context, [])

    async def there() -> bool:
        assert not running.done(), running
        with suppress(ConnectionError):
            _, line = await asyncio.open_connection("127.0.0.1", port)
            line.close()
            await line.wait_closed()
            return True
        return False

    try:
        await until(there)
        await found.goto("/manage/login")
        await log_in(found, manager.number)
        yield Inside(found, manager.number)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def log_in(page: Page, number: str) -> None:
    await page.fill("#f-number", number)
    await page.fill("#f-password", PASSWORD)
    await page.click("button[type=submit]")
    await page.wait_for_selector("#now")


async def seen(page: Page, name: str) -> None:
    """In both languages and on a phone; nothing that keeps people out."""
    where = page.url.partition("/manage")[2]
    for language, size in (("en", PHONE), ("zh-CN", DESK)):
        await page.set_viewport_size(size)
        await page.goto(f"/language?to={language}&back=/manage{where}")
        assert await axe_finds(page) == []
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0
        end = f"-{language}-{size['width']}" if (language, size) != ("zh-CN", DESK) else ""
        await picture(page, name + end, whole=True)


async def test_a_hall_is_restored_from_its_page_and_comes_back_by_itself(
    inside: Inside, tmp_path: Path
) -> None:
    page, number = inside
    await page.goto("/manage/backups")
    await page.click("text=立即备份")
    await page.wait_for_selector("text=条记录，完整无误")
    await seen(page, "manage-backups")

    await page.goto("/manage/hall")
    await page.fill("#f-phone", "0459-1234567")
    await page.click("main button[type=submit]")
    await page.wait_for_selector(".banner.done")
    await page.goto("/manage/backups")
    await page.click("text=恢复…")
    await page.wait_for_selector("text=备份之后的 1 条记录")
    await seen(page, "manage-backup")
    await page.fill("#f-password", "not-this-one")
    await page.check("[name=sure]")
    await page.click("button.danger")
    await page.wait_for_selector("text=还可以试")
    await page.fill("#f-password", PASSWORD)
    await page.check("[name=sure]")
    await page.click("button.danger")
    # The page waits for the hall, which knows no session of before.
    await page.wait_for_selector("#f-number")
    await log_in(page, number)
    await page.goto("/manage/backups")
    await page.wait_for_selector("text=已恢复到")
    await picture(page, "manage-backups-restored", whole=True)
    await page.goto("/manage/hall")
    assert await page.input_value("#f-phone") != "0459-1234567"
    data = tmp_path / "data"
    (former,) = await asyncio.to_thread(lambda: list(data.glob("hall.before-restore-*.db")))
    assert (await asyncio.to_thread(verify, former)).faults == []
