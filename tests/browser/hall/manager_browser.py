"""A browser in which the hall's manager is logged in; ``past`` puts days into the log before."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web
from argon2 import PasswordHasher
from patience import HANG_MS
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

from hallserver.app.desk import DESK, Desk
from hallserver.app.server import HallSettings, open_hall_app
from hallserver.hub import presence
from hallserver.hub.accounts import Pairing
from qingting.contract import commands as c
from qingting.contract.config import HallConfig
from qingting.contract.ids import DeviceId, StaffId
from qingting.contract.states import Condition, DeviceKind, DeviceState, StaffRole
from qingting.demo.builder import build_hall, hall_ids
from qingting.kernel.aio.clock import Clock
from qingting.kernel.config_file import dump_config
from qingting.kernel.security.passwords import Passwords

PASSWORD = "Lotus-2026-pond"
DESK_SIZE = (1440, 900)
ROOT = Path(__file__).resolve().parents[3]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
QUICK = "{resultTypes: ['violations'], preload: false}"
"""What is right needs no list, and no rule that is asked for reads style sheets: half of the time."""
Past = Callable[[Path, HallConfig], Awaitable[None]]


@dataclass
class RunningHall:
    """The demonstration's first hall, served in this process. ``cookies`` are a manager's who has logged in, ``routes`` all that
    is asked for with GET."""

    desk: Desk
    base: str
    routes: tuple[str, ...] = ()
    cookies: Any = None

    async def do(self, *commands: c.Command) -> None:
        for command in commands:
            key = f"browser-{self.desk.state.seq:08d}"
            await self.desk.hall.submit(command, key=key, actor="test")

    async def pairing(self, device: str) -> str:
        """A code that makes a screen the hall's ``device``."""
        found = self.desk.state.devices[DeviceId(device)]
        pairing = Pairing(
            device=found.id,
            kind=found.kind,
            name=found.name,
            name_en=found.name_en,
            parent=found.parent,
            window=found.window,
        )
        staff = next(iter(self.desk.state.staff))
        code, _ = await self.desk.accounts.devices.make_code(pairing, staff)
        return code


@asynccontextmanager
async def running_hall(
    folder: Path,
    *,
    config: HallConfig | None = None,
    past: Past | None = None,
    clock: Clock | None = None,
    **settings_of: Any,
) -> AsyncIterator[RunningHall]:
    """``settings_of``: more of :class:`HallSettings`."""
    if config is None:
        sample = await asyncio.to_thread(build_hall, hall_ids(1)[0])
        config = msgspec.structs.replace(sample, kiosk_templates=())  # nothing is bound yet
    await asyncio.to_thread(dump_config, config, folder / "hall.json")
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    passwords = await asyncio.to_thread(lambda: Passwords(hasher=hasher))
    files = {"data": str(folder / "data"), "config": str(folder / "hall.json")}
    settings = HallSettings(**files, **settings_of)
    if past is not None:
        await past(settings.database, config)
    async with open_hall_app(settings, clock=clock, passwords=passwords) as app:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            base = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield RunningHall(app[DESK], base, routes_of(app))
        finally:
            await runner.cleanup()


def routes_of(app: web.Application) -> tuple[str, ...]:
    """Everything that is asked for with GET."""
    return tuple(
        {
            one.resource.canonical
            for one in app.router.routes()
            if one.method == "GET" and one.resource is not None
        }
    )


async def log_in(hall: RunningHall, browser: Browser) -> None:
    """The manager's cookies from now on. Everybody else who is to log in has :data:`PASSWORD` too."""
    state = hall.desk.state
    manager = next(one for one in state.staff.values() if one.role is StaffRole.MANAGER)
    await hall.desk.accounts.staff.put(StaffId(manager.id), PASSWORD, must_change=False)
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{hall.base}/manage/login")
    await page.fill("#f-number", manager.number)
    await page.fill("#f-password", PASSWORD)
    await page.click("button[type=submit]")
    await page.wait_for_selector("#now")
    hall.cookies = await context.storage_state()
    await context.close()


@dataclass
class Manager:
    """A browser in which the manager is logged in. ``complaints`` is what its console said."""

    page: Page
    hall: RunningHall
    complaints: list[str]

    @property
    def desk(self) -> Desk:
        return self.hall.desk

    @property
    def base(self) -> str:
        return self.hall.base

    async def report(self, *conditions: Condition) -> None:
        """What the first printer says of itself."""
        printer = next(
            one for one in self.desk.state.devices.values() if one.kind is DeviceKind.PRINTER
        )
        command = c.ReportDevice(
            device=printer.id,
            kind=printer.kind,
            state=DeviceState.DEGRADED if conditions else DeviceState.READY,
            conditions=conditions,
        )
        await self.hall.do(command)

    async def screen(self, device: str, path: str, size: tuple[int, int], script: str = "") -> Page:
        """A screen of the hall in a profile of its own, paired as ``device``."""
        assert self.page.context.browser is not None
        context = await self.page.context.browser.new_context(viewport=_size(size), locale="zh-CN")
        page = await watched(context, self.complaints)
        if script:
            await page.add_init_script(script)
        await page.goto(f"{self.base}{path}#pair={await self.hall.pairing(device)}")
        return page


def _size(size: tuple[int, int]) -> Any:
    return {"width": size[0], "height": size[1]}


def _complains(message: ConsoleMessage) -> bool:
    """A press that leaves a page ends what the page is asking just then (a preview): no fault, and it may come or not."""
    ended = message.text.startswith(("htmx:sendAbort,", "htmx:afterRequest,"))
    return message.type == "error" and not ended


async def watched(context: BrowserContext, complaints: list[str]) -> Page:
    """A page whose errors are kept."""
    page = await context.new_page()
    page.set_default_timeout(HANG_MS)
    page.on("console", lambda one: complaints.append(one.text) if _complains(one) else None)
    page.on("pageerror", lambda one: complaints.append(str(one)))
    return page


AT_REST = """() => !document.querySelector('[class*=-enter-], [class*=-leave-]')
    && document.getAnimations().every(one => one.playState !== 'running'
        || one.effect?.getComputedTiming().iterations === Infinity)"""
"""Half seen, a row has no contrast yet. What never ends, such as the flash of a call, is part of how a page looks."""


async def axe_finds(page: Page, rules: str = "{}") -> list[Any]:
    """Faults of accessibility, each with its first places; what comes in or goes out has done so by then."""
    await page.wait_for_function(AT_REST)
    if not await page.evaluate("typeof window.axe === 'object'"):
        await page.evaluate(await asyncio.to_thread(AXE.read_text))
    found = await page.evaluate(f"axe.run(document, {{...{QUICK}, ...{rules}}})")
    return [(one["id"], [node["html"] for node in one["nodes"][:3]]) for one in found["violations"]]


# ---- fixtures ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def past() -> Past | None:
    """Fills the database before the hall opens it; a test file may have its own."""
    return None


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hall(
    tmp_path_factory: pytest.TempPathFactory, past: Past | None, chromium: Browser
) -> AsyncIterator[RunningHall]:
    """One for the tests of a file; each makes what it needs and leaves nothing that hinders another.

    No agent is connected: what tests report of peripherals must not be taken for lost a while after the start.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(presence, "START_GRACE_SECONDS", 3600.0)
        async with running_hall(tmp_path_factory.mktemp("hall"), past=past) as made:
            await log_in(made, chromium)
            yield made


@pytest_asyncio.fixture(loop_scope="session")
async def manager(hall: RunningHall, browser: Browser) -> Manager:
    context = await browser.new_context(
        viewport=_size(DESK_SIZE), storage_state=hall.cookies, locale="zh-CN"
    )
    complaints: list[str] = []
    page = await watched(context, complaints)
    await page.goto(f"{hall.base}/manage/")
    await page.wait_for_selector("#now")
    return Manager(page, hall, complaints)
