"""What the city promises to a hall on the link, over a real socket and a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from aiohttp import web
from city_hall import DAY, START, LinkClient, Log
from patience import until

from console.app.city import City, open_city
from console.core.models import parked_event
from console.core.permissions import SYSTEM, Permission
from console.halls import models as m
from console.halls.api import HALLS, HallStatus, LinkState
from qingting.contract import link as k
from qingting.contract.directives import PutNotice
from qingting.contract.ids import HallId

pytestmark = pytest.mark.postgres
HALL = HallId("saertu")


class Served:
    """A worker of the city with its link on a free port."""

    def __init__(self, city: City, url: str, key: str) -> None:
        self.city, self.url, self.key = city, url, key

    def client(self) -> LinkClient:
        return LinkClient(self.url)

    async def stored(self) -> list[tuple[int, int, bool]]:
        async with self.city.db.read() as uow:
            rows = await uow.all(
                sa.select(m.event.c.epoch, m.event.c.seq, m.event.c.lost).order_by(
                    m.event.c.epoch, m.event.c.seq
                )
            )
        return [(row["epoch"], row["seq"], row["lost"]) for row in rows]

    async def raws(self) -> list[str]:
        async with self.city.db.read() as uow:
            rows = await uow.all(
                sa.select(m.event.c.raw)
                .where(~m.event.c.lost)
                .order_by(m.event.c.epoch, m.event.c.seq)
            )
        return [row["raw"].decode() for row in rows]

    async def status(self) -> HallStatus:
        async with self.city.db.read() as uow:
            return await self.city.context.take(HALLS).hall(uow, HALL)

    async def state(self) -> LinkState:
        return (await self.status()).state

    async def is_state(self, state: LinkState) -> bool:
        return await self.state() is state

    async def decide(self, *, accept: bool) -> None:
        async with self.city.db.write() as uow:
            await self.city.context.take(HALLS).decide_fork(uow, SYSTEM, HALL, accept=accept)


async def serve(url: str) -> AsyncIterator[Served]:
    async with open_city(url) as city:
        app = web.Application()
        app.router.add_get("/link", city.link.handle)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        key = await city.enrol_hall(HALL, name="萨尔图区政务服务中心", key="key-of-the-hall")
        port = runner.addresses[0][1]
        yield Served(city, f"http://127.0.0.1:{port}/link", key)
        await city.link.close()
        await runner.cleanup()


@pytest.fixture
async def served(city_url: str) -> AsyncIterator[Served]:
    async for one in serve(city_url):
        yield one


@pytest.fixture
def log() -> Log:
    log = Log(HALL)
    log.configure()
    for serial in range(1, 9):
        log.issue(serial)
    return log


async def test_events_arrive_exactly_as_the_hall_stored_them(served: Served, log: Log) -> None:
    async with served.client() as client:
        welcome = await client.greet(log, served.key)
        assert (welcome.verdict, welcome.cursor, welcome.hash_at_cursor) == ("resume", 0, k.GENESIS)
        ack = await client.push(log.frame(1))
        assert (ack.epoch, ack.upto, ack.hash) == (1, log.head, log.hashes[-1])
    assert await served.raws() == log.raws


async def test_a_hall_that_comes_back_goes_on_behind_the_citys_cursor(
    served: Served, log: Log
) -> None:
    async with served.client() as client:
        await client.greet(log, served.key)
        await client.push(log.frame(1, 4))
    async with served.client() as client:
        welcome = await client.greet(log, served.key)
        assert (welcome.cursor, welcome.hash_at_cursor) == (4, log.hashes[4])
        await client.push(log.frame(5))
    assert await served.raws() == log.raws


async def test_repeated_and_overlapping_frames_change_nothing(served: Served, log: Log) -> None:
    async with served.client() as client:
        await client.greet(log, served.key)
        await client.push(log.frame(1, 6))
        assert (await client.push(log.frame(1, 6))).upto == 6
        assert (await client.push(log.frame(2, 4))).upto == 6
        assert (await client.push(log.frame(3))).upto == log.head
    assert await served.raws() == log.raws


async def test_a_gap_is_refused_and_says_what_is_expected(served: Served, log: Log) -> None:
    async with served.client() as client:
        await client.greet(log, served.key)
        await client.push(log.frame(1, 3))
        await client.send(log.frame(5))
        nack = await client.expect(k.Nack)
        assert (nack.code, nack.expect) == ("gap", 4)
        assert await client.closed()
    assert await served.raws() == log.raws[:3]


async def test_an_event_in_another_events_place_is_a_gap(served: Served, log: Log) -> None:
    async with served.client() as client:
        await client.greet(log, served.key)
        wrong = k.Events(epoch=1, first=1, prev_hash=k.GENESIS, events=(log.raws[1],))
        await client.send(wrong)
        assert (await client.expect(k.Nack)).code == "gap"
    assert await served.raws() == []


async def test_a_broken_chain_stores_nothing_and_stops_the_hall_until_a_person_decides(
    served: Served, log: Log
) -> None:
    async with served.client() as client:
        await client.greet(log, served.key)
        await client.push(log.frame(1, 3))
        frame = log.frame(4)
        await client.send(k.Events(epoch=1, first=4, prev_hash="0" * 64, events=frame.events))
        assert (await client.expect(k.Nack)).code == "hash"
    assert await served.raws() == log.raws[:3]
    assert await served.state() is LinkState.QUARANTINED


async def test_a_changed_past_is_found_even_in_a_repeated_frame(served: Served, log: Log) -> None:
    async with served.client() as client:
        await client.greet(log, served.key)
        await client.push(log.frame(1, 6))
        changed = log.cut(1)
        changed.add_raw(log.raws[1].replace('"by":"test"', '"by":"evil"'))
        changed.add_raw(log.raws[2])
        await client.send(changed.frame(2))
        assert (await client.expect(k.Nack)).code == "hash"
    assert await served.raws() == log.raws[:6]
    assert await served.state() is LinkState.QUARANTINED


async def test_two_sessions_of_one_hall_at_once_lose_and_double_nothing(
    served: Served, log: Log
) -> None:
    for serial in range(9, 209):
        log.issue(serial)

    async def send_all() -> None:
        async with served.client() as client:
            welcome = await client.greet(log, served.key)
            for first in range(welcome.cursor + 1, log.head + 1, 7):
                await client.push(log.frame(first, min(first + 6, log.head)))

    await asyncio.gather(send_all(), send_all(), send_all())
    assert await served.raws() == log.raws


async def test_an_unknown_hall_or_key_is_refused(served: Served, log: Log) -> None:
    for hall, key in ((HALL, "wrong-key"), (HallId("nowhere"), served.key)):
        async with served.client() as client:
            log.hall = hall
            welcome = await client.greet(log, key)
            assert (welcome.verdict, welcome.code) == ("refuse", "link.unknown_hall")
            assert await client.closed()


async def test_a_hall_of_another_generation_is_refused(served: Served, log: Log) -> None:
    async with served.client() as client:
        hello = log.hello(served.key)
        await client.send(k.Hello(**{**_fields(hello), "proto": (7, 9)}))
        welcome = await client.expect(k.Welcome)
        assert (welcome.verdict, welcome.code) == ("refuse", "link.version")


def _fields(hello: k.Hello) -> dict[str, object]:
    return {name: getattr(hello, name) for name in hello.__struct_fields__}


async def test_garbage_ends_the_session_and_nothing_else(served: Served, log: Log) -> None:
    async with served.client() as client:
        await client.greet(log, served.key)
        await client.socket.send_bytes(b"\x01garbage")
        await client.expect(k.LinkBye)
        assert await client.closed()
    async with served.client() as client:
        assert (await client.greet(log, served.key)).verdict == "resume"


async def test_an_event_type_of_the_future_is_stored_acknowledged_and_parked(
    served: Served, log: Log
) -> None:
    log.add_raw(
        f'{{"s":{log.head + 1},"at":{START},"bd":"{DAY}","by":"x","cmd":"c","b":{{"k":"robot.danced"}},"v":1}}'
    )
    log.add_raw("not even json")
    log.issue(9)
    async with served.client() as client:
        await client.greet(log, served.key)
        assert (await client.push(log.frame(1))).upto == log.head
    assert await served.raws() == log.raws
    await served.city.runner.catch_up_all()
    async with served.city.db.read() as uow:
        rows = await uow.all(sa.select(parked_event).where(parked_event.c.projector == "tickets"))
        waiting = await uow.scalar(sa.text("SELECT count(*) FROM stat_ticket"))
    assert {(row["kind"], row["error"]) for row in rows} == {
        ("robot.danced", "unknown_type"),
        ("?", "unknown_type"),
    }
    assert waiting == 9


async def test_directives_reach_the_hall_in_order_and_again_until_confirmed(
    served: Served, log: Log
) -> None:
    halls = served.city.context.take(HALLS)

    async def send(text: str) -> int:
        async with served.city.db.write() as uow:
            return await halls.send(
                uow, SYSTEM, HALL, PutNotice(text=text), under=Permission.HALLS_DECIDE
            )

    assert [await send("一"), await send("二")] == [1, 2]
    async with served.client() as client:
        await client.greet(log, served.key)
        assert [(await client.expect(k.Dir)).no for _ in range(2)] == [1, 2]
        await client.send(k.Dack(no=1))
        await client.send(k.LinkPing(t0=1))
        await client.expect(k.LinkPong)
        assert await send("三") == 3
        third = await client.expect(k.Dir)
        assert k.read_directive(third.directive) == PutNotice(text="三")
    async with served.client() as client:
        await client.greet(log, served.key)
        assert [(await client.expect(k.Dir)).no for _ in range(2)] == [2, 3]


async def test_the_present_goes_past_the_backlog(served: Served, log: Log) -> None:
    async with served.client() as client:
        await client.greet(log, served.key)
        await client.send(k.Live(at=START, oldest_unacked=START - 90_000, backup_bad=START - 5))

        async def told() -> bool:
            return bool((await served.status()).oldest_unacked)

        await until(told)
        status = await served.status()
        assert status.lag_ms(START) == 90_000
        assert status.backup_bad == START - 5
        assert status.state is LinkState.ONLINE
    await until(lambda: served.is_state(LinkState.OFFLINE))


async def test_the_present_of_a_quiet_hall_holds_as_long_as_its_line_is_up(
    served: Served, log: Log
) -> None:
    """LIVE comes after a change, so it may be old and still be true: the line itself says whether it is."""
    minute = 60_000

    async def aged(*, live: int, since: int, seen: int) -> bool:
        now = served.city.context.clock.now_ms()
        async with served.city.db.write() as uow:
            await uow.run(sa.update(m.live).values(received_at=now - live))
            await uow.run(sa.update(m.link).values(since=now - since, seen_at=now - seen))
        async with served.city.db.read() as uow:
            return HALL in await served.city.context.take(HALLS).live(uow)

    async def kept() -> bool:
        async with served.city.db.read() as uow:
            return await uow.scalar(sa.select(m.live.c.hall)) is not None

    async with served.client() as client:
        await client.greet(log, served.key)
        await client.send(k.Live(at=START, oldest_unacked=0))
        await until(kept)
        assert await aged(live=10 * minute, since=11 * minute, seen=0)
        assert not await aged(live=11 * minute, since=10 * minute, seen=0), "of the line before"
        assert not await aged(live=10 * minute, since=11 * minute, seen=minute), "nobody listens"


class TestRestoredDisk:
    """A hall whose disk is an old or a copied one."""

    async def test_an_older_disk_is_not_merged(self, served: Served, log: Log) -> None:
        async with served.client() as client:
            await client.greet(log, served.key)
            await client.push(log.frame(1))
        old = log.cut(5)
        async with served.client() as client:
            welcome = await client.greet(old, served.key)
            assert (welcome.verdict, welcome.code) == ("fork", "link.fork")
            assert (welcome.cursor, welcome.hash_at_cursor) == (5, log.hashes[5])
        assert await served.state() is LinkState.QUARANTINED
        assert await served.raws() == log.raws

    async def test_after_the_decision_the_new_branch_counts_and_the_old_suffix_is_history(
        self, served: Served, log: Log
    ) -> None:
        async with served.client() as client:
            await client.greet(log, served.key)
            await client.push(log.frame(1))
        await served.city.runner.catch_up_all()
        branch = log.cut(5)
        branch.epoch, branch.parent = 2, (1, 5)
        branch.issue(77)
        async with served.client() as client:
            assert (await client.greet(branch, served.key)).verdict == "fork"
        await served.decide(accept=True)
        async with served.client() as client:
            welcome = await client.greet(branch, served.key)
            assert (welcome.verdict, welcome.cursor) == ("resume", 5)
            await client.push(branch.frame(6))
        assert await served.raws() == branch.raws
        lost = sorted(seq for _, seq, gone in await served.stored() if gone)
        assert lost == list(range(6, log.head + 1))
        await served.city.runner.catch_up_all()
        async with served.city.db.read() as uow:
            numbers = await uow.all(sa.text("SELECT number FROM stat_ticket ORDER BY number"))
        assert [row["number"] for row in numbers] == ["A001", "A002", "A003", "A077"]

    async def test_a_store_made_anew_goes_on_from_its_own_beginning(
        self, served: Served, log: Log
    ) -> None:
        async with served.client() as client:
            await client.greet(log, served.key)
            await client.push(log.frame(1))
        fresh = Log(HALL, epoch=2, now=START + 3_600_000)
        fresh.configure()
        async with served.client() as client:
            assert (await client.greet(fresh, served.key)).verdict == "fork"
        await served.decide(accept=True)
        async with served.client() as client:
            assert (await client.greet(fresh, served.key)).verdict == "resume"
            await client.push(fresh.frame(1))
        assert await served.raws() == log.raws + fresh.raws

    async def test_an_older_disk_that_keeps_its_epoch_is_followed_after_the_decision(
        self, served: Served, log: Log
    ) -> None:
        async with served.client() as client:
            await client.greet(log, served.key)
            await client.push(log.frame(1))
        old = log.cut(5)
        async with served.client() as client:
            assert (await client.greet(old, served.key)).verdict == "fork"
        await served.decide(accept=True)
        old.issue(77)
        async with served.client() as client:
            welcome = await client.greet(old, served.key)
            assert (welcome.verdict, welcome.hash_at_cursor) == (
                "resume",
                old.hashes[welcome.cursor],
            )
            await client.push(old.frame(welcome.cursor + 1))
        assert await served.raws() == old.raws
        assert await served.state() is not LinkState.QUARANTINED
        assert len([seq for _, seq, gone in await served.stored() if gone]) >= log.head - 5

    async def test_a_log_that_went_on_differently_and_further_is_followed_after_the_decision(
        self, served: Served, log: Log
    ) -> None:
        async with served.client() as client:
            await client.greet(log, served.key)
            await client.push(log.frame(1))
        other = log.cut(5)
        for serial in range(50, 60):
            other.issue(serial)
        async with served.client() as client:
            assert (await client.greet(other, served.key)).verdict == "resume"
            await client.send(other.frame(log.head + 1))
            assert (await client.expect(k.Nack)).code == "hash"
        for _ in range(2):
            async with served.client() as client:
                await client.greet(other, served.key)
                await client.send(other.frame(log.head + 1))
                assert (await client.expect(k.Nack)).code == "hash"
        assert await served.state() is LinkState.QUARANTINED
        await served.decide(accept=True)
        async with served.client() as client:
            assert (await client.greet(other, served.key)).cursor == 0
            await client.push(other.frame(1))
        assert await served.raws() == other.raws

    async def test_a_hall_that_sees_the_fork_itself_says_so(self, served: Served, log: Log) -> None:
        async with served.client() as client:
            await client.greet(log, served.key)
            await client.push(log.frame(1))
            await client.send(k.LinkBye(code="link.fork"))
        await until(lambda: served.is_state(LinkState.QUARANTINED))

    async def test_without_a_decision_or_against_it_nothing_is_taken(
        self, served: Served, log: Log
    ) -> None:
        async with served.client() as client:
            await client.greet(log, served.key)
            await client.push(log.frame(1))
        branch = log.cut(5)
        branch.epoch, branch.parent = 2, (1, 5)
        branch.issue(77)
        for decide in (False, True):
            async with served.client() as client:
                assert (await client.greet(branch, served.key)).verdict == "fork"
            if not decide:
                await served.decide(accept=False)
        assert await served.raws() == log.raws

    async def test_the_right_disk_put_back_goes_on_without_a_decision(
        self, served: Served, log: Log
    ) -> None:
        async with served.client() as client:
            await client.greet(log, served.key)
            await client.push(log.frame(1))
        async with served.client() as client:
            assert (await client.greet(log.cut(5), served.key)).verdict == "fork"
        log.issue(9)
        async with served.client() as client:
            assert (await client.greet(log, served.key)).verdict == "resume"
            await client.push(log.frame(log.head))
        assert await served.raws() == log.raws
        assert await served.state() is not LinkState.QUARANTINED
