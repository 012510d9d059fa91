"""A running console and a person's browser without scripts, for tests."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import aiohttp
from argon2 import PasswordHasher
from city_hall import LinkClient, Log

from console.app.server import ConsoleReady, ConsoleSettings, open_console
from console.modules.identity.api import IDENTITY
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.security.passwords import Passwords

HALL = HallId("saertu")
NEW_PASSWORD = "Daqing-2026-ok"
KEY_LINE = f"k1:{'5a' * 32}"
"""The same for every console of a test: one that is started again opens what it sealed."""


class Browser:
    """A person's browser without scripts: cookies, forms with their hidden fields, redirects."""

    def __init__(self, url: str) -> None:
        self.http = aiohttp.ClientSession(base_url=url, cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.http.get(path, headers=headers) as answer:
            return answer.status, await answer.text()

    async def submit(self, page: str, path: str, **fields: str) -> tuple[int, str, str]:
        """Fills in the form on ``page``; gives status, path after redirects and text."""
        _, text = await self.get(page)
        token = re.search(r'name="csrf" value="([^"]+)"', text)
        assert token is not None
        async with self.http.post(path, data={"csrf": token[1], **fields}) as answer:
            return answer.status, answer.url.path, await answer.text()

    async def submit_here(self, path: str, **fields: str) -> tuple[int, str]:
        """Posts a form as scripts off would, with the token that this browser was given; gives status and path."""
        twins = [one.value for one in self.http.cookie_jar if one.key == "qt_form"]
        if not twins:
            await self.get("/login")
            twins = [one.value for one in self.http.cookie_jar if one.key == "qt_form"]
        async with self.http.post(path, data={"csrf": twins[0], **fields}) as answer:
            return answer.status, answer.url.path

    async def login(self, password: str, name: str = "admin") -> tuple[int, str, str]:
        return await self.submit("/login", "/login", name=name, password=password)

    async def enter(self, ready: ConsoleReady) -> None:
        """First login of the first administrator."""
        assert ready.one_time_passwords
        await self.enter_with(ready.one_time_passwords[0].password)

    async def enter_with(self, first: str) -> None:
        """The same with the password that the first start shows."""
        assert (await self.login(first))[1] == "/password"
        status, path, _ = await self.submit(
            "/password", "/password", present=first, new=NEW_PASSWORD, again=NEW_PASSWORD
        )
        assert (status, path) == (200, "/")


@asynccontextmanager
async def console(
    url: str, clock: ManualClock | None = None, *, grace_days: int = 30, port: int = 0, **more: Any
) -> AsyncIterator[ConsoleReady]:
    """A console over the database at ``url``; ``more`` are further settings. ``grace_days``: so long nobody needs a
    second factor, as most tests are about other promises."""
    folder = await asyncio.to_thread(_folder_with_keys)
    try:
        settings = ConsoleSettings(
            data=folder.name,
            database_url=url,
            port=port,
            mail_server="127.0.0.1:9",
            mail_from="console@city.example",
            **more,
        )
        with mock.patch("console.modules.identity.module.Passwords", _quick_passwords):
            async with open_console(settings, clock=clock) as ready:
                if ready.one_time_passwords:
                    async with ready.city.db.write() as uow:
                        await ready.city.context.take(IDENTITY).grant_grace(uow, grace_days)
                yield ready
    finally:
        await asyncio.to_thread(folder.cleanup)


def _folder_with_keys() -> "TemporaryDirectory[str]":
    folder = TemporaryDirectory(prefix="qingting-console-")
    (Path(folder.name) / "seal.keys").write_text(KEY_LINE)
    return folder


def _quick_passwords() -> Passwords:
    """Real argon2id at its least cost: a journey hashes a dozen passwords and none of its promises is about
    how long that takes."""
    return Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@asynccontextmanager
async def browser(ready: ConsoleReady) -> AsyncIterator[Browser]:
    one = Browser(ready.url)
    try:
        yield one
    finally:
        await one.http.close()


async def connect_hall(ready: ConsoleReady, client: LinkClient, log: Log) -> None:
    key = await ready.city.enrol_hall(HALL, name="萨尔图区政务服务中心", name_en="Saertu Hall")
    await client.greet(log, key)
    await client.push(log.frame(1))
    await ready.city.runner.catch_up_all()


def link_of(ready: ConsoleReady) -> LinkClient:
    return LinkClient(f"{ready.url}/link")
