"""A running hall server of the demonstration's first hall, and what happens at its windows."""

import asyncio
import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from argon2 import PasswordHasher

from hallserver.app.desk import DESK, Desk
from hallserver.app.phone.access import PHONE, Phone
from hallserver.app.server import HallSettings, open_hall_app
from qingting.contract import commands as c
from qingting.contract.config import HallConfig, Item
from qingting.contract.ids import ItemId, StaffId, WindowId
from qingting.contract.people import Person
from qingting.contract.states import CertificateKind, Language
from qingting.demo.builder import build_hall, hall_ids
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.config_file import dump_config
from qingting.kernel.security.passwords import Passwords

PERSON = Person(
    kind=CertificateKind.RESIDENT_ID,
    masked_name="欧*娜",
    masked_number="230602********1238",
    sealed="k1.c2VhbGVkLWJveA==",
    index="66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
)
STEPS = {
    "call": c.CallNext,
    "recall": c.Recall,
    "begin": c.BeginService,
    "finish": c.FinishService,
    "no_show": c.MarkNoShow,
    "park": partial(c.ParkVisit, minutes=10),
}


class MovedClock(SystemClock):
    """The machine's clock, moved on by a test. In the hall it is nine at the beginning, whenever the test runs: an hour
    later is still the same day."""

    shift = 0.0

    def __init__(self) -> None:
        day, hour = 86_400_000, 3_600_000
        self._to_nine = 9 * hour - (super().now_ms() + 8 * hour) % day

    def now_ms(self) -> int:
        return super().now_ms() + self._to_nine + round(self.shift * 1000)

    def monotonic(self) -> float:
        return super().monotonic() + self.shift


@dataclass
class PhoneHall:
    """``item`` needs no card; ``window`` serves its queue with ``staff``."""

    app: web.Application
    config: HallConfig
    clock: MovedClock
    base: str
    item: ItemId = field(init=False)
    window: WindowId = field(init=False)
    staff: StaffId = field(init=False)
    _keys: int = 0
    _tokens: int = 0

    def __post_init__(self) -> None:
        item = next(one for one in self.config.items if not one.needs_identity and one.materials)
        self.item = item.id
        window = next(one for one in self.config.windows if item.queue in one.queues)
        self.window, self.staff = window.id, self.config.staff[-1].id

    @property
    def desk(self) -> Desk:
        return self.app[DESK]

    @property
    def phone(self) -> Phone:
        return self.app[PHONE]

    @property
    def number_of_window(self) -> str:
        return self.desk.state.window_config[self.window].number

    async def do(self, command: c.Command) -> Any:
        self._keys += 1
        return await self.desk.hall.submit(command, key=f"test-{self._keys:06d}", actor="test")

    async def take(
        self,
        *,
        person: Person | None = None,
        language: Language = Language.ZH,
        more: tuple[ItemId, ...] = (),
    ) -> str:
        """A number for the hall's item; returns the token of its page."""
        self._tokens += 1
        token = f"phone-token-{self._tokens:04d}-{id(self):x}"
        await self.do(
            c.IssueTicket(item=self.item, token=token, person=person, language=language, more=more)
        )
        return token

    def two_items(self) -> tuple[Item, Item]:
        """The hall's item and another one that needs no card either."""
        found = [one for one in self.config.items if not one.needs_identity and one.materials]
        return found[0], found[1]

    async def open(self) -> None:
        await self.do(c.OpenWindow(window=self.window, staff=self.staff))

    async def at_window(self, *steps: str) -> None:
        for step in steps:
            if step == "recall":
                self.clock.shift += 6
            await self.do(STEPS[step](window=self.window))

    async def serve(self) -> None:
        """The next visitor from the call to the end."""
        await self.at_window("call", "begin", "finish")

    def ticket(self, token: str) -> Any:
        return self.desk.state.tickets[self.desk.state.tokens[token]]


@asynccontextmanager
async def open_phone_hall(tmp_path: Path, **settings: Any) -> AsyncIterator[PhoneHall]:
    """Serves on a port of its own until the end of the block."""
    config = await asyncio.to_thread(lambda: build_hall(hall_ids(1)[0]))
    await asyncio.to_thread(dump_config, config, tmp_path / "hall.json")
    passwords = await asyncio.to_thread(
        lambda: Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    )
    found = HallSettings(
        data=str(tmp_path / "data"),
        config=str(tmp_path / "hall.json"),
        voice_bank="",
        speech_program="",
        **settings,
    )
    clock = MovedClock()
    async with open_hall_app(found, clock=clock, passwords=passwords) as app:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        hall = PhoneHall(app, config, clock, f"http://127.0.0.1:{runner.addresses[0][1]}")
        await hall.open()
        try:
            yield hall
        finally:
            await runner.cleanup()


def csrf_in(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None, "no form on the page"
    return found[1]


def plain(text: str) -> str:
    """As a person reads it: characters that only guide line breaks are none."""
    return html.unescape(text).replace("\u00a0", " ").replace("\u2060", "")


@dataclass
class Browser:
    """``get`` and ``post`` give status and text; redirects are followed."""

    http: aiohttp.ClientSession
    base: str

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.http.get(self.base + path, headers=headers) as answer:
            return answer.status, plain(await answer.text())

    async def post(self, path: str, *, form_at: str, **data: object) -> tuple[int, str]:
        """Sends a form with the token of the page that holds it."""
        _, page = await self.get(form_at)
        fields = aiohttp.FormData({"csrf": csrf_in(page)})
        for name, value in data.items():
            for one in value if isinstance(value, list) else [value]:
                fields.add_field(name, str(one))
        async with self.http.post(self.base + path, data=fields) as answer:
            return answer.status, plain(await answer.text())
