"""The city is restored on screen while processes of their own serve it, staff by one and citizens by others: all let go, all
come back, and nobody ever hears from the database before again."""

import asyncio
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import aiohttp
import msgspec
import pytest
from citizen_stage import CARD, ITEMS, enter, set_up
from console_browser import KEY_LINE, NEW_PASSWORD, Browser
from patience import HANG_S, until
from restore_steps import asked, job, over
from sso_provider import served

from console.app.city import open_city
from console.core.databases import connected, maintaining
from console.core.db import Database
from console.core.sealing import KeyFile
from console.modules.catalogue import repository as catalogue
from console.modules.identity.api import IDENTITY
from qingting.kernel.aio.clock import ManualClock
from simulators.identity_provider import Audience as ClientOf

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).resolve().parents[3]
LATER = "社会保障卡补办（新办法）"
"""What an item is called in the city of after the backup alone."""
PAGE = f"/c/items/{CARD}"
LONG_S = 3 * HANG_S
"""Four processes begin, and a machine may have others to do: the limits guard against hanging alone."""


@dataclass
class Worker:
    """A process of the console, with the browser that this test has open at it. ``password``: of the first administrator, at
    the very first start."""

    process: asyncio.subprocess.Process
    url: str
    person: Browser
    password: str = ""

    @property
    def alive(self) -> bool:
        return self.process.returncode is None


@dataclass
class House:
    """Starts workers with the same settings but for ``serve``, and stops those that still live."""

    stack: AsyncExitStack
    folder: Path
    settings: dict[str, str]

    async def start(self, name: str, serve: str) -> Worker:
        lines = {**self.settings, "serve": serve, "data": str(self.folder / name)}
        file = self.folder / f"{name}.toml"
        text = "".join(f"{key} = {msgspec.json.encode(v).decode()}\n" for key, v in lines.items())
        await asyncio.to_thread(
            file.write_text,
            f"port = 0\ncitizen_address_per_minute = 0\ndrill_days = 0\nbackup_hour = 23\n{text}",
        )
        log = await asyncio.to_thread((self.folder / f"{name}.log").open, "wb")
        self.stack.callback(log.close)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "qingting.cli", "console", "--settings", str(file),
            cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=log,
        )  # fmt: skip
        self.stack.push_async_callback(_stop, process)
        assert process.stdout is not None
        text = ""
        # What it greets with is one piece; the first start shows a password below the address.
        while not (found := re.search(r"(http://127\.0\.0\.1:\d+)/\n", text)):
            piece = await asyncio.wait_for(process.stdout.read(4096), LONG_S)
            assert piece, await asyncio.to_thread(Path(log.name).read_text)
            text += piece.decode()
        password = re.search(r"admin .*password  (\S+)", text)
        person = Browser(found[1])
        self.stack.push_async_callback(person.http.close)
        return Worker(process, found[1], person, password[1] if password else "")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), LONG_S) == 0


@dataclass
class Asking:
    """A citizen's browser that asks again and again; ``heard`` is what it was answered, repetitions left out."""

    http: aiohttp.ClientSession
    heard: list[str] = field(default_factory=list)

    async def run(self) -> None:
        while True:
            word = await self._ask()
            if self.heard[-1:] != [word]:
                self.heard.append(word)
            await asyncio.sleep(0.1)

    async def _ask(self) -> str:
        try:
            async with self.http.get(PAGE) as answer:
                text = await answer.text()
        except aiohttp.ClientConnectorError:
            return "gone"
        except (aiohttp.ClientError, ConnectionError) as error:
            return f"broken {error!r}"
        if answer.status == 200:
            return "later" if LATER in text else "then"
        if answer.status == 503:
            calm = "正在维护" in text and {"Retry-After", "Refresh"} <= set(answer.headers)
            return "away" if calm else f"bare {text[:2000]}"
        return f"{answer.status} {text[:2000]}"

    def now(self, word: str) -> bool:
        return self.heard[-1:] == [word]


@asynccontextmanager
async def asking(*workers: Worker) -> AsyncIterator[list[Asking]]:
    """At each worker one browser that keeps its connection, and one with a new connection for each page."""
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        found, tasks = [], []
        for worker in workers:
            for close in (False, True):
                connector = aiohttp.TCPConnector(force_close=close)
                http = aiohttp.ClientSession(worker.url, connector=connector)
                await stack.enter_async_context(http)
                found.append(Asking(http))
                tasks.append(group.create_task(found[-1].run()))
        yield found
        for task in tasks:
            task.cancel()


async def change(url: str) -> None:
    """What the backup knows nothing of."""
    db = Database(url, pool_size=1)
    async with db.write() as uow:
        body = msgspec.structs.replace(ITEMS[CARD], name=LATER)
        await catalogue.put_draft(uow, CARD, body, origin="hand", at=2, by="test")
        await catalogue.publish(uow, CARD, 2, date(2026, 1, 2), 2, "test")
    await db.close()


@pytest.fixture
async def house(city_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A city with content and its sign-on; no worker has run yet."""
    # Other processes have their own clock, which the tests' does not move.
    now = ManualClock(time.time_ns() // 1_000_000)
    file = tmp_path / "seal.keys"
    await asyncio.to_thread(file.write_text, KEY_LINE)
    async with served(now) as provider, AsyncExitStack() as stack:
        keys = await KeyFile.open(file, now)
        async with open_city(city_url, keys=keys, clock=now, quiet=True) as city:
            await set_up(city)
            async with city.db.write() as uow:
                await city.context.take(IDENTITY).grant_grace(uow, 30)
        client = provider.register(ClientOf.CITIZENS, "http://127.0.0.1/c/login/back")
        settings = {
            "database_url": city_url,
            "seal_keys": str(file),
            "backup_folder": str(tmp_path / "backups"),
            "citizen_oidc_issuer": provider.issuer,
            "citizen_oidc_client_id": client.id,
            "citizen_oidc_client_secret": client.secret,
        }
        yield House(stack, tmp_path, settings)


async def open_again(person: Browser) -> bool:
    return (await person.get("/login"))[0] == 200


async def test_workers_of_staff_and_of_citizens_come_back_together_whoever_is_killed_or_begins_meanwhile(
    house: House, city_url: str
) -> None:
    staff = await house.start("staff", "staff")
    person = staff.person
    await person.enter_with(staff.password)
    first, second = await asyncio.gather(
        house.start("first", "citizens"), house.start("second", "citizens")
    )
    assert "/c/logout" in await enter(first.person, "person-citizen")
    await over(person, await job(person, "/backups", "/backups"))
    (archive,) = await asyncio.to_thread(lambda: list((house.folder / "backups").glob("*.tar")))
    await change(city_url)
    async with asking(first, second) as browsers:
        await until(lambda: all(one.now("later") for one in browsers), LONG_S)
        page = f"/backups/restore?file={archive.name}"
        sure = {"typed": await asked(person, page), "password": NEW_PASSWORD}
        async with connected(city_url):
            # Somebody is still connected: all wait, one dies, and one more begins.
            await job(person, page, "/backups/restore", file=archive.name, **sure)
            await until(lambda: all(one.now("away") for one in browsers), LONG_S)
            await away_for_everybody(staff, first)
            second.process.kill()
            await second.process.wait()
            starting = asyncio.create_task(house.start("third", "citizens"))
            await until(lambda: waiting_to_begin(city_url, 3), LONG_S)
        third = await starting
        await until(lambda: open_again(person), LONG_S)
        await until(lambda: all(one.now("then") for one in browsers[:2]), LONG_S)
    assert [one.heard[:3] for one in browsers] == [["later", "away", "then"]] * 2 + [
        ["later", "away", "gone"]
    ] * 2
    assert LATER not in (await third.person.get(PAGE))[1]
    assert (await first.person.get("/c/me"))[1].count("/c/logout") == 0, "nobody is logged in"
    assert staff.alive
    assert first.alive


async def away_for_everybody(staff: Worker, citizens: Worker) -> None:
    """Programs, staff and citizens are told that it is over soon, each in words of their own."""
    for worker, path in ((staff, "/healthz"), (staff, "/api/v1/halls"), (citizens, "/healthz")):
        async with worker.person.http.get(path) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
            assert (await answer.json())["code"] == "city.restoring"
    status, text = await staff.person.get("/halls")
    assert (status, "等所有连接断开" in text) == (503, True)
    async with citizens.person.http.post("/c/logout", data={"csrf": "x"}) as answer:
        text = await answer.text()
        assert (answer.status, answer.headers["Refresh"]) == (503, "2; url=/c")
    assert "大庆市政务服务" in text
    assert "网上服务正在维护，通常一分钟以内恢复" in text
    assert "数据库" not in text


THERE = (
    "SELECT count(*) >= $1 FROM pg_stat_activity"
    " WHERE application_name = 'qingting exchange' AND datname = 'postgres'"
)


async def waiting_to_begin(url: str, count: int) -> bool:
    """So many workers wait for the exchange."""
    async with maintaining(url) as connection:
        return bool(await connection.fetchval(THERE, count))
