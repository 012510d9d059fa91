"""A hall manager's browser without scripts, in front of a running hall server; needs ``clock`` and ``config``."""

import asyncio
import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher

from hallserver.app.desk import DESK, Desk
from hallserver.app.server import HallSettings, open_hall_app
from qingting.contract import commands as c
from qingting.contract.config import HallConfig
from qingting.contract.ids import DeviceId, ItemId, StaffId, TicketId, WindowId
from qingting.contract.states import RatingLevel
from qingting.kernel.config_file import dump_config
from qingting.kernel.security.passwords import Passwords

PASSWORD = "Lotus-2026-pond"


@dataclass
class Site:
    """A browser without scripts, in front of a running hall server."""

    client: TestClient[web.Request, web.Application]
    desk: Desk
    clock: Any
    first_password: str = ""
    pages: list[str] = field(default_factory=list)
    keys: int = 0

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        response = await self.client.get(path, headers=headers)
        return response.status, html.unescape(await response.text())

    async def post(self, path: str, *, form_at: str, **data: str) -> tuple[int, str]:
        """Posts a form with the token of the page that holds it; follows redirects."""
        _, page = await self.get(form_at)
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        assert token is not None, f"no form on {form_at}"
        response = await self.client.post(path, data=data | {"csrf": token[1]})
        return response.status, html.unescape(await response.text())

    async def log_in(self, number: str = "0109", password: str = PASSWORD) -> tuple[int, str]:
        return await self.post(
            "/manage/login", form_at="/manage/login", number=number, password=password
        )

    async def do(self, command: c.Command) -> Any:
        self.keys += 1
        return await self.desk.hall.submit(command, key=f"test-key-{self.keys:05d}", actor="test")

    async def issue(self, device: str | None = None) -> TicketId:
        token = f"token-of-number-{self.keys}"
        done = await self.do(
            c.IssueTicket(
                item=ItemId("advice"), token=token, device=DeviceId(device) if device else None
            )
        )
        return next(one.b.ticket for one in done.events if hasattr(one.b, "serial"))

    async def visit(self, level: RatingLevel, tags: tuple[str, ...] = (), words: str = "") -> None:
        """One citizen from number to rating at window 1."""
        ticket, window = await self.issue(), WindowId("w1")
        await self.do(c.OpenWindow(window=window, staff=StaffId("s-01")))
        for command in (c.CallNext, c.BeginService, c.FinishService):
            await self.do(command(window=window))
        await self.do(c.RateVisit(ticket=ticket, level=level, tags=tags, words=words))


@dataclass(slots=True)
class Starts:
    """Hall servers on one folder, one after the other. ``shown`` is the password that the last start printed."""

    settings: HallSettings
    clock: Any
    passwords: Passwords
    capsys: pytest.CaptureFixture[str]
    shown: str | None = None

    @asynccontextmanager
    async def site(self) -> AsyncIterator[Site]:
        async with (
            open_hall_app(self.settings, clock=self.clock, passwords=self.passwords) as app,
            TestClient(TestServer(app)) as client,
        ):
            found = re.search(r"one-time password: (\S+)", self.capsys.readouterr().out)
            self.shown = found[1] if found is not None else None
            yield Site(client, app[DESK], self.clock, first_password=self.shown or "")


@pytest.fixture
async def starts(
    tmp_path: Path, clock: Any, config: HallConfig, capsys: pytest.CaptureFixture[str]
) -> Starts:
    file = tmp_path / "hall.json"
    await asyncio.to_thread(dump_config, config, file)
    passwords = await asyncio.to_thread(
        lambda: Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    )
    settings = HallSettings(
        data=str(tmp_path / "data"), config=str(file), base_url="http://hall.test"
    )
    return Starts(settings, clock, passwords, capsys)


@pytest.fixture
async def site(starts: Starts) -> AsyncIterator[Site]:
    async with starts.site() as made:
        assert starts.shown is not None, "the first start prints the manager's password"
        yield made


@pytest.fixture
async def inside(site: Site) -> Site:
    """Logged in as the manager, with an own password."""
    await site.desk.accounts.staff.put(StaffId("s-09"), PASSWORD, must_change=False)
    status, _ = await site.log_in()
    assert status == 200
    return site
