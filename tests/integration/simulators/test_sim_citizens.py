"""Simulated citizens fill a real hall: numbers are taken, called, served and rated, whatever breaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from argon2 import PasswordHasher
from patience import HANG_S, until

from hallserver.hall import Hall, open_hall
from hallserver.hub.accounts import Accounts, open_accounts
from hallserver.hub.hub import Hub
from qingting.contract import config as cfg
from qingting.contract import hub as h
from qingting.contract.ids import DepartmentId, DeviceId, HallId, ItemId, QueueId, StaffId, WindowId
from qingting.contract.states import CertificateKind, DeviceKind, DeviceState, TicketState
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.security.passwords import Passwords
from qingting.kernel.security.seal import Sealer, new_key, parse_keys
from simulators.citizen_roles import Habits
from simulators.citizens import Citizens, Crew, Kiosk
from simulators.hub_client import Credentials, hub_session
from simulators.id_cards import Card

PASSWORD = "Lotus-2026-pond"
DEVICES = [
    ("k1", DeviceKind.KIOSK, None, None),
    ("k1-agent", DeviceKind.AGENT, "k1", None),
    ("k1-reader", DeviceKind.ID_READER, "k1", None),
    ("pad1", DeviceKind.CALL_PAD, None, "w1"),
    ("rate1", DeviceKind.RATING_PAD, None, "w1"),
]
QUICK = Habits(walk_s=(1, 2), serve_s=(5, 20), rate_s=(1, 3), pause_s=(0.5, 1), no_show=0.2)


def configuration() -> cfg.HallConfig:
    police, queue = DepartmentId("gaj"), QueueId("ga")
    return cfg.HallConfig(
        version=1,
        hall=cfg.HallInfo(id=HallId("h"), name="示例大厅", name_en="Sample", division="230602"),
        departments=(
            cfg.Department(id=police, name="公安局", name_en="Police", short_name="公安"),
        ),
        queues=(cfg.Queue(id=queue, name="综合", name_en="General", prefix="A"),),
        items=tuple(
            cfg.Item(
                id=ItemId(name),
                name=name,
                name_en=name,
                department=police,
                queue=queue,
                needs_identity=name == "renewal",
            )
            for name in ("renewal", "advice")
        ),
        windows=(
            cfg.Window(
                id=WindowId("w1"), number="1", name="1号", name_en="Window 1", queues=(queue,)
            ),
        ),
        staff=(cfg.Staff(id=StaffId("s-01"), number="0101", name="李演示"),),
        devices=tuple(
            cfg.Device(
                id=DeviceId(name),
                kind=kind,
                name=name,
                parent=DeviceId(parent) if parent else None,
                window=WindowId(window) if window else None,
            )
            for name, kind, parent, window in DEVICES
        ),
    )


class SmallHall:
    """A real hall server on a free port; ``restart`` keeps file and port."""

    def __init__(self, path: Path) -> None:
        self._path, self._port = path, 0
        self._keys: dict[str, str] = {}
        self._sealer = Sealer(parse_keys(new_key("k1")))
        self._stack = AsyncExitStack()
        self.hall: Hall
        self.accounts: Accounts

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        clock = SystemClock()
        async with open_hall(self._path, clock=clock, config=configuration()) as self.hall:
            hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
            passwords = await asyncio.to_thread(lambda: Passwords(hasher=hasher))
            self.accounts = open_accounts(self.hall.store, clock, passwords)
            hub = Hub(self.hall, self.accounts, self._sealer, clock, base_url="http://h.example")
            async with hub.running():
                app = web.Application()
                app.router.add_get("/hub", hub.socket)
                server = TestServer(app, port=self._port or None)
                await server.start_server()
                self._port = server.port or 0
                try:
                    yield
                finally:
                    await hub.close()
                    await server.close()

    async def start(self) -> None:
        await self._stack.enter_async_context(self._running())

    async def stop(self) -> None:
        await self._stack.aclose()

    async def restart(self) -> None:
        await self.stop()
        await asyncio.sleep(0.3)
        await self.start()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._port}/hub"

    async def device(self, name: str) -> Credentials:
        if name not in self._keys:
            self._keys[name] = await self.accounts.devices.issue_key(DeviceId(name))
        return Credentials(device=name, key=self._keys[name])

    async def crew(self) -> Crew:
        await self.accounts.staff.seed({StaffId("s-01"): PASSWORD})
        return Crew(
            window=WindowId("w1"),
            call_pad=await self.device("pad1"),
            rating_pad=await self.device("rate1"),
            staff_number="0101",
            password=PASSWORD,
        )

    def tickets(self, state: TicketState | None = None) -> int:
        known = self.hall.state.tickets.values()
        return sum(state is None or one.state is state for one in known)


@pytest.fixture
async def small_hall(tmp_path: Path) -> AsyncIterator[SmallHall]:
    one = SmallHall(tmp_path / "hall.db")
    await one.start()
    yield one
    await one.stop()


@asynccontextmanager
async def busy(small_hall: SmallHall, habits: Habits = QUICK) -> AsyncIterator[Citizens]:
    people = Citizens(
        small_hall.url,
        [Kiosk(credentials=await small_hall.device("k1"))],
        [await small_hall.crew()],
        rate_per_minute=4,
        speed=120,
        habits=habits,
        seed=7,
    )
    async with people:
        yield people


def assert_each_number_once(small_hall: SmallHall, people: Citizens) -> None:
    """One press may have been under way when everybody was sent home."""
    assert small_hall.tickets() - people.counts.of(h.TakeTicket) in (0, 1)


async def test_the_hall_lives_numbers_are_taken_called_served_and_rated(
    small_hall: SmallHall,
) -> None:
    async with busy(small_hall) as people:
        counts = people.counts
        await until(lambda: counts.of(h.Finish) >= 8 and counts.of(h.SubmitRating) >= 2)
        await until(lambda: counts.of(h.Absent) >= 1)
    assert small_hall.tickets(TicketState.DONE) >= counts.of(h.Finish)
    assert_each_number_once(small_hall, people)
    assert "hub.bad_message" not in counts.refused
    assert counts.reconnects == 0


async def test_without_a_reader_nobody_asks_for_an_item_that_needs_a_card(
    small_hall: SmallHall,
) -> None:
    async with busy(small_hall) as people:
        await until(lambda: people.counts.of(h.TakeTicket) >= 5)
    items = {one.item for one in small_hall.hall.state.tickets.values()}
    assert items == {ItemId("advice")}
    assert "ticket.identity_needed" not in people.counts.refused


async def test_after_a_restart_of_the_hall_the_day_goes_on_and_no_number_is_lost(
    small_hall: SmallHall,
) -> None:
    async with busy(small_hall) as people:
        await until(lambda: people.counts.of(h.Finish) >= 2)
        await small_hall.restart()
        before = people.counts.of(h.Finish)
        await until(lambda: people.counts.of(h.Finish) >= before + 2)
    assert people.counts.reconnects >= 3
    assert_each_number_once(small_hall, people)


async def test_silence_and_skipping_are_never_turned_into_a_rating(small_hall: SmallHall) -> None:
    nobody = Habits(walk_s=(1, 2), serve_s=(2, 4), rate_s=(1, 2), rates=0, declines=0.5, no_show=0)
    async with busy(small_hall, nobody) as people:
        await until(lambda: people.counts.of(h.DeclineRating) >= 3 and people.counts.silent >= 1)
    assert people.counts.of(h.SubmitRating) == 0


class Hand:
    """A card hand whose card an agent reports, as a driver would."""

    def __init__(self) -> None:
        self.card = asyncio.Event()

    def put(self, card: Card) -> None:
        assert card.readable
        self.card.set()

    def take(self) -> None:
        self.card.clear()


async def test_where_there_is_a_reader_people_lay_their_card_down(small_hall: SmallHall) -> None:
    hand, reader = Hand(), DeviceId("k1-reader")
    read = h.CardRead(
        device=reader,
        kind=CertificateKind.RESIDENT_ID,
        name="张示例",
        number="230602199001011238",
        valid_from="20190501",
        valid_to="20390501",
    )
    agent = await small_hall.device("k1-agent")
    kiosk = Kiosk(credentials=await small_hall.device("k1"), reader="r")
    async with aiohttp.ClientSession() as http, hub_session(http, small_hall.url, agent) as line:
        kind, ready = DeviceKind.ID_READER, DeviceState.READY
        await line.press(h.DeviceReport(device=reader, kind=kind, state=ready))
        people = Citizens(
            small_hall.url, [kiosk], [], rate_per_minute=6, speed=60, hands={"r": hand}, seed=1
        )
        async with people:
            for _ in range(3):
                await asyncio.wait_for(hand.card.wait(), HANG_S)
                await line.ask(read)
                await until(lambda: not hand.card.is_set())
            await until(lambda: people.counts.of(h.TakeTicket) >= 3)
    persons = [one.person for one in small_hall.hall.state.tickets.values() if one.person]
    assert len(persons) >= 2
    assert {one.masked_name for one in persons} == {"张*例"}


async def test_a_device_the_hall_does_not_know_waits_and_is_counted(small_hall: SmallHall) -> None:
    stranger = Kiosk(credentials=Credentials(device="nobody", key="wrong-key-of-nobody"))
    async with Citizens(small_hall.url, [stranger], []) as people:
        await until(lambda: sum(people.counts.refused.values()) == 1)
    assert set(people.counts.refused) <= {"hub.unknown_device", "hub.not_authenticated"}


def test_secrets_do_not_show_when_a_crew_is_printed() -> None:
    pad = Credentials(device="pad1", key="secret-key")
    crew = Crew(window=WindowId("w1"), call_pad=pad, staff_number="0101", password="secret-word")
    assert "secret" not in f"{pad} {crew!r} {Kiosk(credentials=pad)}"
