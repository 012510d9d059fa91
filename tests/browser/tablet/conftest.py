"""The pads as they ship, a Chromium, and a small hall with its real hub behind both."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from argon2 import PasswordHasher
from playwright.async_api import Browser, Page

from hallserver.hall import Hall, open_hall
from hallserver.hub.accounts import Accounts, Pairing, open_accounts
from hallserver.hub.hub import Hub
from qingting.contract import commands as c
from qingting.contract import config as cfg
from qingting.contract.events import Event
from qingting.contract.ids import DepartmentId, DeviceId, HallId, ItemId, QueueId, StaffId, WindowId
from qingting.contract.states import App, DeviceKind, StaffRole
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.security.passwords import Passwords
from qingting.kernel.security.seal import Sealer, new_key, parse_keys

CLERK, MANAGER, WINDOW = StaffId("s-01"), StaffId("s-09"), WindowId("w3")


def small_config() -> cfg.HallConfig:
    """One queue, one window, one clerk; the pads are paired by the test."""
    return cfg.HallConfig(
        version=1,
        hall=cfg.HallInfo(
            id=HallId("saertu"), name="萨尔图区政务服务大厅", name_en="Saertu", division="230602"
        ),
        departments=(
            cfg.Department(
                id=DepartmentId("rsj"), name="人社局", name_en="Labour", short_name="人社"
            ),
        ),
        queues=(cfg.Queue(id=QueueId("rs"), name="社保", name_en="Insurance", prefix="A"),),
        items=(
            cfg.Item(
                id=ItemId("card"),
                name="社会保障卡申领",
                name_en="Social security card",
                department=DepartmentId("rsj"),
                queue=QueueId("rs"),
                materials=("居民身份证原件", "近期一寸白底照片"),
                needs_identity=False,
            ),
        ),
        windows=(
            cfg.Window(
                id=WINDOW, number="3", name="社保综合", name_en="Insurance", queues=(QueueId("rs"),)
            ),
        ),
        staff=(
            cfg.Staff(id=CLERK, number="0101", name="李敏"),
            cfg.Staff(id=MANAGER, number="0109", name="赵主任", role=StaffRole.MANAGER),
        ),
        devices=(),
    )


@dataclass
class SmallHall:
    """A hall server of the parts that pads need, on one port for its whole life."""

    path: Path
    shell: Path
    port: int = 0
    pad_build: str = ""
    clock: SystemClock = field(default_factory=SystemClock)
    sealer: Sealer = field(default_factory=lambda: Sealer(parse_keys(new_key("k1"))))
    events: list[Event] = field(default_factory=list)
    hall: Hall = field(init=False)
    accounts: Accounts = field(init=False)
    _life: AsyncExitStack | None = None

    async def start(self) -> None:
        self._life = AsyncExitStack()
        await self._life.enter_async_context(self._run())

    async def stop(self) -> None:
        if self._life is not None:
            life, self._life = self._life, None
            await life.aclose()

    @asynccontextmanager
    async def _run(self) -> AsyncIterator[None]:
        async with open_hall(self.path, clock=self.clock, config=small_config()) as self.hall:
            quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
            passwords = await asyncio.to_thread(lambda: Passwords(hasher=quick))
            self.accounts = open_accounts(self.hall.store, self.clock, passwords)
            self.hall.subscribe(self.events.extend)
            hub = Hub(
                self.hall,
                self.accounts,
                self.sealer,
                self.clock,
                base_url="http://hall.test",
                builds={App.PAD: self.pad_build} if self.pad_build else {},
            )
            async with hub.running():
                app = web.Application()
                app.router.add_get("/hub", hub.socket)
                app.router.add_static("/tablet", self.shell)
                runner = web.AppRunner(app, shutdown_timeout=0.1)
                await runner.setup()
                await web.TCPSite(runner, "127.0.0.1", self.port).start()
                self.port = runner.addresses[0][1]
                try:
                    yield
                finally:
                    await hub.close()
                    await runner.cleanup()

    async def code_for(self, device: str, kind: DeviceKind) -> str:
        """A pairing code for a pad of the window."""
        pairing = Pairing(device=DeviceId(device), kind=kind, name=device, window=WINDOW)
        code, _ = await self.accounts.devices.make_code(pairing, MANAGER)
        return code

    async def take_number(self, key: str) -> None:
        command = c.IssueTicket(item=ItemId("card"), token=f"token-of-{key}")
        await self.hall.submit(command, key=f"kiosk:{key}", actor="kiosk:k1")

    def page(self, entry: str, code: str = "") -> str:
        return f"http://127.0.0.1:{self.port}/tablet/{entry}.html" + (
            f"#pair={code}" if code else ""
        )


@pytest.fixture
def built(tmp_path: Path, shipped: Callable[[str], Path]) -> Path:
    """A copy that a test may change."""
    return shutil.copytree(shipped("tablet"), tmp_path / "shell")


@pytest_asyncio.fixture(loop_scope="session")
async def small_hall(tmp_path: Path, built: Path) -> AsyncIterator[SmallHall]:
    hall = SmallHall(path=tmp_path / "hall.db", shell=built)
    await hall.start()
    yield hall
    await hall.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> Page:
    return await browser.new_page(viewport={"width": 1280, "height": 800})
