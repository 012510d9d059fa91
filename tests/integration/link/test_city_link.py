"""A real hall dials a city over a real socket: cut, silent, refusing, slow or forgetful."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from engine_builders import CARE, KIOSK, small_hall
from patience import limit_s, until, within
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from hallserver.engine.views import Ambient
from hallserver.hall import Hall, open_hall
from hallserver.link import city_link as city_link_module
from hallserver.link import session as session_module
from hallserver.link.city_link import CityLink
from hallserver.link.uplink import LinkState
from hallserver.store.batch import Batch
from hallserver.store.store import StoredEvent
from hallserver.store.verify import verify
from qingting.contract import commands as c
from qingting.contract.directives import PutConfig, PutNotice
from qingting.contract.errors import error_texts
from qingting.contract.events import DirectiveRefused
from qingting.contract.ids import HallId
from qingting.contract.link import (
    GENESIS,
    Ack,
    Dack,
    Dir,
    Events,
    Frame,
    Hello,
    LinkPing,
    LinkPong,
    Live,
    Nack,
    Welcome,
    chain_hash,
    decode_frame,
    encode_frame,
    write_directive,
)
from qingting.kernel.aio.clock import SystemClock

KEY = "hall-secret"


@dataclass
class City:
    """The city's end as the contract describes it, with faults to order."""

    cursor: int = 0
    hash: str = GENESIS
    epoch: int = 0
    applied: list[str] = field(default_factory=list)
    hellos: list[Hello] = field(default_factory=list)
    seen: list[Frame] = field(default_factory=list)
    directives: list[Dir] = field(default_factory=list)
    answer: Callable[[Events], Frame | None] | None = None
    verdict: str = "resume"
    retry_after: float = 0.0
    cut_after: int = 0
    server: Server | None = None
    port: int = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/link"

    async def open(self) -> None:
        self.server = await serve(self._serve, "127.0.0.1", self.port, compression=None)
        self.port = next(iter(self.server.sockets)).getsockname()[1]

    async def close(self) -> None:
        if self.server is not None:
            self.server.close()
            await self.server.wait_closed()
            self.server = None

    async def _serve(self, socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await self._talk(socket)

    async def _talk(self, socket: ServerConnection) -> None:
        hello = decode_frame(await socket.recv())  # type: ignore[arg-type]
        assert isinstance(hello, Hello)
        self.hellos.append(hello)
        self.epoch = self.epoch or hello.epoch
        await self._send(
            socket,
            Welcome(
                proto=1,
                session="s",
                cursor=self.cursor,
                hash_at_cursor=self.hash,
                credit=4,
                verdict=self.verdict,
                code="" if self.verdict == "resume" else "link.fork",
                retry_after=self.retry_after,
            ),
        )
        for directive in self.directives:
            await self._send(socket, directive)
        frames = 0
        async for message in socket:
            frame = decode_frame(message)  # type: ignore[arg-type]
            self.seen.append(frame)
            if isinstance(frame, LinkPing):
                await self._send(socket, LinkPong(t0=frame.t0, t1=frame.t0))
            if not isinstance(frame, Events):
                continue
            frames += 1
            if frames == self.cut_after:
                socket.transport.abort()
                return
            answer = (self.answer or self.take)(frame)
            if answer is not None:
                await self._send(socket, answer)

    def take(self, frame: Events) -> Frame:
        if frame.first > self.cursor + 1:
            return Nack(code="gap", expect=self.cursor + 1)
        for seq, text in enumerate(frame.events, frame.first):
            if seq > self.cursor:
                self.cursor, self.hash = seq, chain_hash(self.hash, text.encode())
                self.applied.append(text)
        return Ack(epoch=frame.epoch, upto=self.cursor, hash=self.hash, credit=4)

    async def _send(self, socket: ServerConnection, frame: Frame) -> None:
        await socket.send(encode_frame(frame))

    def of(self, kind: type) -> list[Frame]:
        return [frame for frame in self.seen if isinstance(frame, kind)]


@pytest.fixture
async def city() -> AsyncIterator[City]:
    city = City()
    await city.open()
    yield city
    await city.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hall.sqlite"


@pytest.fixture
async def hall(path: Path) -> AsyncIterator[Hall]:
    async with open_hall(path, clock=SystemClock(), config=small_hall()) as hall:
        yield hall


@asynccontextmanager
async def linked(hall: Hall, city: City) -> AsyncIterator[CityLink]:
    link = CityLink(hall, hall.store, city.url, HallId("test"), KEY, SystemClock(), build="t1")
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not link.connected


async def take(hall: Hall, number: int) -> None:
    command = c.IssueTicket(item=CARE, token=f"token-{number}", device=KIOSK)
    await hall.submit(command, key=f"k1:{number:08d}", actor="kiosk:k1")


async def work(hall: Hall, first: int, last: int) -> None:
    await asyncio.gather(*(take(hall, number) for number in range(first, last)))


async def assert_same(hall: Hall, city: City) -> None:
    stored = await hall.store.events(0, 100_000)
    assert [one.json.decode() for one in stored] == city.applied


async def test_the_city_gets_every_event_within_a_moment(hall: Hall, city: City) -> None:
    async with linked(hall, city) as link:
        await until(lambda: link.connected)
        await work(hall, 0, 50)
        await within(2.0, lambda: city.cursor == hall.state.seq)
        await within(2.0, lambda: link.lag == 0)
        assert link.oldest_unacked_age == 0
    await assert_same(hall, city)
    hello = city.hellos[0]
    assert (hello.hall, hello.key, hello.epoch, hello.build) == (
        "test",
        KEY,
        hall.store.epoch,
        "t1",
    )


async def test_a_frame_that_ran_ahead_of_the_halls_state_breaks_no_connection(
    hall: Hall, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk has an event a moment before the state follows; the link may read it in that moment."""
    append, events = hall.store.append, hall.store.events
    stored, follow = asyncio.Event(), asyncio.Event()
    monkeypatch.setattr(session_module, "LINGER_SECONDS", 0.0)

    async def held(batch: Batch) -> None:
        await append(batch)
        stored.set()
        await follow.wait()

    async def late(after_seq: int, limit: int) -> list[StoredEvent]:
        await stored.wait()
        return await events(after_seq, limit)

    async with linked(hall, city) as link:
        await until(lambda: link.lag == 0)
        monkeypatch.setattr(hall.store, "events", late)
        await take(hall, 1)
        monkeypatch.setattr(hall.store, "append", held)
        second = asyncio.create_task(take(hall, 2))
        await until(lambda: city.cursor > hall.state.seq)
        await until(lambda: link.lag == 0)
        follow.set()
        await second
        await take(hall, 3)
        await until(lambda: city.cursor == hall.state.seq)
    assert len(city.hellos) == 1
    await assert_same(hall, city)


async def test_an_hour_alone_is_caught_up_without_loss_or_duplicate(hall: Hall, city: City) -> None:
    async with linked(hall, city) as link:
        await until(lambda: link.connected)
        await take(hall, 0)
        await until(lambda: link.lag == 0)
        await city.close()
        await until(lambda: not link.connected)
        await work(hall, 1, 2000)
        assert link.lag > 3900
        assert link.oldest_unacked_age > 0
        await city.open()
        await until(lambda: link.lag == 0)
    await assert_same(hall, city)
    assert max(len(frame.events) for frame in city.of(Events) if isinstance(frame, Events)) <= 500


async def test_a_line_that_breaks_after_every_frame_still_brings_everything(
    hall: Hall, city: City
) -> None:
    city.cut_after = 2
    await work(hall, 0, 1500)
    async with linked(hall, city) as link:
        await until(lambda: city.cursor == hall.state.seq)
        city.cut_after = 0
        await until(lambda: link.connected and link.lag == 0)
    await assert_same(hall, city)
    assert len(city.hellos) > 2


async def test_a_restarted_hall_goes_on_from_the_citys_cursor(path: Path, city: City) -> None:
    for run in range(2):
        async with open_hall(path, clock=SystemClock(), config=small_hall()) as hall:
            await work(hall, run * 10, run * 10 + 10)
            async with linked(hall, city) as link:
                await until(lambda: link.connected and link.lag == 0)
            await assert_same(hall, city)
    assert [frame.first for frame in city.of(Events) if isinstance(frame, Events)][-1] > 20


async def test_a_city_that_forgets_gets_the_log_again(hall: Hall, city: City) -> None:
    await work(hall, 0, 20)
    async with linked(hall, city) as link:
        await until(lambda: link.connected and link.lag == 0)
    city.cursor, city.hash = 0, GENESIS
    city.applied.clear()
    async with linked(hall, city) as link:
        await until(lambda: link.connected and link.lag == 0)
    await assert_same(hall, city)


class TestStalls:
    async def test_a_silent_city_is_left_and_dialled_again(
        self, hall: Hall, city: City, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(session_module, "SILENCE_SECONDS", 0.3)
        city.answer = lambda frame: None
        await work(hall, 0, 5)
        async with linked(hall, city) as link:
            await until(lambda: len(city.hellos) >= 2)
            city.answer = None
            await until(lambda: link.lag == 0)
        await assert_same(hall, city)

    async def test_a_lost_acknowledgement_does_not_stop_the_link(
        self, hall: Hall, city: City, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(session_module, "WATCH_SECONDS", 0.05)
        monkeypatch.setattr("hallserver.link.uplink.ACK_SECONDS", 0.3)
        monkeypatch.setattr(session_module, "PING_SECONDS", 0.1)
        lost = iter([True])

        def forget_one(frame: Events) -> Frame | None:
            answer = city.take(frame)
            return None if next(lost, False) else answer

        city.answer = forget_one
        await work(hall, 0, 5)
        async with linked(hall, city) as link:
            await until(lambda: link.connected and link.lag == 0)
        await assert_same(hall, city)
        assert len(city.hellos) >= 2

    async def test_a_busy_city_is_asked_again(self, hall: Hall, city: City) -> None:
        city.answer = lambda frame: Nack(code="busy", expect=frame.first, retry_after=0.1)
        await work(hall, 0, 5)
        async with linked(hall, city) as link:
            await until(lambda: len(city.hellos) >= 2)
            city.answer = None
            await until(lambda: link.lag == 0)
        await assert_same(hall, city)

    async def test_nobody_at_the_address_is_no_trouble_for_the_hall(
        self, hall: Hall, city: City
    ) -> None:
        await city.close()
        async with linked(hall, city) as link:
            await work(hall, 0, 50)
            await until(lambda: link.problem)
            assert link.state is LinkState.OFFLINE


class TestAFork:
    @pytest.fixture(autouse=True)
    def _quick_decisions(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(city_link_module, "DECISION_SECONDS", 0.1)

    async def test_stops_the_events_says_so_and_goes_on_once_it_is_decided(
        self, hall: Hall, city: City
    ) -> None:
        city.verdict = "fork"
        await work(hall, 0, 5)
        changes: list[LinkState] = []
        async with linked(hall, city) as link:
            link.subscribe(lambda: changes.append(link.state))
            await until(lambda: link.state is LinkState.QUARANTINED)
            assert link.problem == "link.fork"
            await take(hall, 99)
            assert city.of(Events) == []
            city.verdict = "resume"
            await until(lambda: link.connected and link.lag == 0)
        assert changes[:2] == [LinkState.QUARANTINED, LinkState.CONNECTED]
        await assert_same(hall, city)

    async def test_is_seen_by_the_hall_itself(self, hall: Hall, city: City) -> None:
        city.cursor, city.hash = 3, "f" * 64
        async with linked(hall, city) as link:
            await until(lambda: link.state is LinkState.QUARANTINED)
            await work(hall, 0, 5)
        assert city.of(Events) == []

    async def test_a_city_ahead_of_a_restored_disk_is_a_fork(self, hall: Hall, city: City) -> None:
        city.cursor, city.hash = hall.state.seq + 1000, "f" * 64
        async with linked(hall, city) as link:
            await until(lambda: link.state is LinkState.QUARANTINED)


class TestDirectives:
    async def test_are_applied_once_and_acknowledged(self, hall: Hall, city: City) -> None:
        city.directives = [
            Dir(no=1, directive=write_directive(PutNotice(text="11月30日停电检修"))),
            Dir(no=2, directive=write_directive(PutConfig(config=small_hall(version=2)))),
        ]
        for _ in range(2):
            async with linked(hall, city) as link:
                await until(lambda: Dack(no=2) in city.seen and link.lag == 0)
                city.seen.clear()
        assert hall.state.notice == "11月30日停电检修"
        assert hall.state.config is not None
        assert hall.state.config.version == 2
        applied = [one for one in city.applied if '"directive.applied"' in one]
        assert len(applied) == 2

    async def test_too_late_are_refused_by_an_event_so_that_the_numbers_go_on(
        self, hall: Hall, city: City
    ) -> None:
        city.directives = [
            Dir(no=1, directive=write_directive(PutNotice(text="gone")), expires_at=1),
            Dir(no=2, directive=write_directive(PutNotice(text="here"))),
        ]
        async with linked(hall, city):
            await until(lambda: Dack(no=2) in city.seen)
        assert hall.state.notice == "here"
        bodies = [one.event().b for one in await hall.store.events(0, 100)]
        refused = [body for body in bodies if isinstance(body, DirectiveRefused)]
        assert refused == [DirectiveRefused(no=1, code="directive.expired")]
        assert refused[0].code in error_texts()

    async def test_that_the_program_does_not_know_are_refused_and_the_next_one_is_applied(
        self, hall: Hall, city: City
    ) -> None:
        city.directives = [
            Dir(no=1, directive=msgspec.Raw(b'{"type":"pads.repaint","colour":"indigo"}')),
            Dir(no=2, directive=write_directive(PutNotice(text="here"))),
        ]
        async with linked(hall, city):
            await until(lambda: Dack(no=2) in city.seen)
        assert hall.state.notice == "here"
        bodies = [one.event().b for one in await hall.store.events(0, 100)]
        assert DirectiveRefused(no=1, code="directive.unknown") in bodies

    async def test_with_a_gap_change_nothing_and_are_asked_for_by_the_acknowledgement(
        self, hall: Hall, city: City
    ) -> None:
        city.directives = [Dir(no=5, directive=write_directive(PutNotice(text="too early")))]
        async with linked(hall, city) as link:
            await until(lambda: Dack(no=0) in city.seen)
            assert link.connected
        assert hall.state.notice == ""


async def test_the_present_overtakes_the_backlog_and_comes_at_most_once_a_second(
    hall: Hall, city: City
) -> None:
    async with linked(hall, city) as link:
        await until(lambda: link.connected and city.of(Live))
        started = asyncio.get_running_loop().time()
        for number in range(60):
            await take(hall, number)
            await asyncio.sleep(0.02)
        await until(lambda: any(_waiting(frame) == 60 for frame in city.of(Live)))
        passed = asyncio.get_running_loop().time() - started
        assert len(city.of(Live)) <= passed + 2


async def test_the_present_says_when_a_device_was_last_heard_of_and_that_a_backup_is_missing(
    hall: Hall, city: City
) -> None:
    async with linked(hall, city) as link:
        link.backup_bad = lambda: 1_111
        link.ambient = lambda: Ambient(now=2_000, seen={KIOSK: 1_234})
        await until(lambda: city.of(Live))
    live = city.of(Live)[0]
    assert isinstance(live, Live)
    assert {device.id: device.seen for device in live.devices}[KIOSK] == 1_234
    assert live.backup_bad == 1_111


def _waiting(frame: Frame) -> int:
    assert isinstance(frame, Live)
    return sum(queue.waiting for queue in frame.queues)


async def test_a_quiet_hall_tells_its_present_again_by_itself(
    hall: Hall, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue closes by the clock alone: nothing is written in the log then."""
    monkeypatch.setattr(session_module, "PRESENT_SECONDS", 0.01)
    monkeypatch.setattr(session_module, "LIVE_SECONDS", 0.01)
    async with linked(hall, city):
        await until(lambda: sum(isinstance(one, Live) for one in city.seen) >= 3)


async def test_the_hall_is_as_quick_with_a_city_that_never_answers(
    hall: Hall, city: City, path: Path
) -> None:
    city.answer = lambda frame: None

    async def timed(action: Awaitable[None]) -> float:
        started = asyncio.get_running_loop().time()
        await action
        return asyncio.get_running_loop().time() - started

    alone = await timed(work(hall, 0, 300))
    async with linked(hall, city) as link:
        await until(lambda: link.connected)
        beside = await timed(work(hall, 300, 600))
    assert beside < alone * 5 + limit_s(0.5)
    assert (await asyncio.to_thread(verify, path)).faults == []
