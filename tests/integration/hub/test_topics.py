"""Snapshot, then numbered deltas; the slow are dropped; nobody's data goes too far."""

import asyncio
import time
from typing import Any

import msgspec
from patience import HANG_S, limit_s

from hallserver.hub import session as session_module
from qingting.contract import hub as h
from qingting.contract import views as v
from qingting.contract.ids import DeviceId, ItemId, TicketId
from qingting.contract.states import TicketState

House = Any


def called_on(board: Any) -> set[str]:
    views = board.topics["board"].values()
    return {one.ticket for one in views if isinstance(one, v.BoardCall)}


async def test_a_call_is_on_board_pad_and_rating_pad_at_once(house: House) -> None:
    async with (
        await house.join("k1") as kiosk,
        await house.clerk() as pad,
        await house.join("lcd") as board,
        await house.join("rate1") as rating,
    ):
        await board.ask(h.Subscribe(topics=("board",)), key=None)
        await rating.ask(h.Subscribe(topics=("rating:w1",)), key=None)
        await pad.ask(h.Subscribe(topics=("window:w1",)), key=None)
        ticket = await house.ticket(kiosk)
        started = time.monotonic()
        await pad.ask(h.Next())
        await board.until(lambda: ticket in called_on(board) or None)
        await pad.until(lambda: pad.topics["window:w1"]["window"].visit)
        await rating.until(lambda: rating.topics["rating:w1"]["pad"].serving_number)
        assert time.monotonic() - started < limit_s(0.15)
        assert pad.topics["window:w1"]["window"].visit.state is TicketState.CALLED


async def test_changes_of_lists_come_together_and_soon(house: House) -> None:
    async with await house.join("lcd") as board:
        await board.ask(h.Subscribe(topics=("queues",)), key=None)
        await asyncio.gather(*(house.issue(f"together-{one}") for one in range(10)))
        await board.until(lambda: board.topics["queues"]["ga"].waiting == 10 or None)
        deltas = [one for one in board.messages if isinstance(one, h.Delta)]
        assert len(deltas) < 5


async def test_who_comes_later_gets_the_present_and_goes_on_from_there(house: House) -> None:
    async with await house.join("k1") as kiosk, await house.join("lcd") as first:
        await first.ask(h.Subscribe(topics=("queues",)), key=None)
        await house.ticket(kiosk)
        async with await house.join("k2") as second:
            await second.ask(h.Subscribe(topics=("queues",)), key=None)
            assert second.topics["queues"]["ga"].waiting == 1
            await house.ticket(kiosk)
            for client in (first, second):
                await client.until(
                    lambda client=client: client.topics["queues"]["ga"].waiting == 2 or None
                )
            assert first.seqs == second.seqs


async def test_asking_again_after_a_gap_gives_a_fresh_snapshot(house: House) -> None:
    async with await house.join("k1") as kiosk, await house.join("lcd") as board:
        await board.ask(h.Subscribe(topics=("queues",)), key=None)
        await house.ticket(kiosk)
        await board.ask(h.Subscribe(topics=("queues",)), key=None)
        snapshots = [one for one in board.messages if isinstance(one, h.Snapshot)]
        assert len(snapshots) == 2
        assert snapshots[1].seq >= snapshots[0].seq
        await house.ticket(kiosk)
        await board.until(lambda: board.topics["queues"]["ga"].waiting == 2 or None)


async def test_numbers_of_a_topic_never_start_again(house: House) -> None:
    async with await house.join("lcd") as board:
        await board.ask(h.Subscribe(topics=("board",)), key=None)
        first = board.seqs["board"]
    async with await house.join("lcd") as board:
        await board.ask(h.Subscribe(topics=("board",)), key=None)
        assert board.seqs["board"] > first


async def test_what_nobody_watches_is_not_kept(house: House) -> None:
    async with await house.join("lcd") as board:
        await board.ask(h.Subscribe(topics=("board", "queues")), key=None)
    await house.until(lambda: not house.hub.board.topics._topics)


async def test_a_client_that_does_not_read_is_dropped_and_nobody_else_waits(
    house: House, monkeypatch: Any
) -> None:
    monkeypatch.setattr(session_module, "MAX_QUEUED", 20)
    slow = await house.join("lcd")
    async with await house.join("k1") as kiosk:
        victim = house.hub.board.session_of(DeviceId("lcd"))
        blocked = asyncio.Event()

        async def never(*_: object) -> None:
            blocked.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(victim.outbox._socket, "send_frame", never)
        await slow.say(h.Ask(id=1, body=h.Subscribe(topics=("board",))))
        await blocked.wait()
        started = time.monotonic()
        for _ in range(25):
            victim.outbox.put(b"{}")
        await kiosk.ask(h.Ping(), key=None)
        assert time.monotonic() - started < limit_s(0.5)
        assert victim.outbox.ending.code == "hub.too_slow"
        async with asyncio.timeout(HANG_S):
            await slow.line.wait_closed()
    await slow.close()


async def test_a_flood_of_bytes_also_counts_as_slow(house: House, monkeypatch: Any) -> None:
    client = await house.join("lcd")
    session = house.hub.board.session_of(DeviceId("lcd"))
    for _ in range(5):
        session.outbox.put(b"x" * (1024 * 1024))
    bye = await client.bye()
    assert (bye.problem.code, bye.retry) == ("hub.too_slow", True)


async def test_no_certificate_number_reaches_a_board(house: House) -> None:
    async with (
        await house.agent() as agent,
        await house.join("k1") as kiosk,
        await house.clerk() as pad,
        await house.join("lcd") as board,
    ):
        await board.ask(h.Subscribe(topics=("board", "queues", "windows", "hall")), key=None)
        token = await house.identify(kiosk, agent)
        await kiosk.ask(h.TakeTicket(item=ItemId("id-renew"), identity=token))
        await pad.ask(h.Next())
        await board.until(lambda: len(board.topics["board"]) > 1 or None)
        seen = msgspec.json.encode(board.messages).decode()
        assert "张*三" in seen
        assert "230602" not in seen
        assert "张小三" not in seen


async def test_the_hall_is_seen_again_after_a_restart(house: House) -> None:
    kiosk = await house.join("k1")
    ticket = await house.ticket(kiosk)
    await kiosk.close()
    await house.restart()
    async with await house.join("k1") as again:
        await again.ask(h.Subscribe(topics=("queues", "kiosk:k1")), key=None)
        assert again.topics["queues"]["ga"].waiting == 1
        assert f"ticket:{ticket}" in again.topics["kiosk:k1"]
        assert TicketId(ticket) in house.hall.state.tickets
