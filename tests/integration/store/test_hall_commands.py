"""What a hall promises to whoever sends it a command."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from engine_builders import CARE, KIOSK, LI, MONDAY_9, PERSON, RENEW, W1, small_hall
from patience import HANG_S

from hallserver import hall as hall_module
from hallserver.engine import decide as decide_module
from hallserver.hall import Hall, open_hall
from hallserver.store.verify import Verification, verify
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.errors import Refusal
from qingting.contract.states import TicketState
from qingting.kernel.aio.clock import ManualClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hall.sqlite"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MONDAY_9)


def opened(path: Path, clock: ManualClock) -> AbstractAsyncContextManager[Hall]:
    return open_hall(path, clock=clock, config=small_hall())


@pytest.fixture
async def hall(path: Path, clock: ManualClock) -> AsyncIterator[Hall]:
    async with opened(path, clock) as hall:
        yield hall


def issue(number: int, item: object = CARE) -> c.IssueTicket:
    person = PERSON if item == RENEW else None
    return c.IssueTicket(item=item, token=f"token-{number}", device=KIOSK, person=person)  # type: ignore[arg-type]


async def take(hall: Hall, number: int) -> e.TicketIssued:
    committed = await hall.submit(issue(number), key=f"k1:{number:08d}", actor="kiosk:k1")
    body = committed.events[0].b
    assert isinstance(body, e.TicketIssued)
    return body


async def checked(path: Path) -> Verification:
    found = await asyncio.to_thread(verify, path)
    assert found.faults == []
    return found


async def test_ten_thousand_people_at_once_get_ten_thousand_numbers(hall: Hall, path: Path) -> None:
    tickets = await asyncio.gather(*(take(hall, number) for number in range(10_000)))
    assert len({one.number for one in tickets}) == 10_000
    assert sorted(one.serial for one in tickets) == list(range(1, 10_001))
    found = await checked(path)
    assert len(found.state.tickets) == 10_000
    assert found.state == hall.state


async def test_an_answer_comes_only_after_the_commit(hall: Hall) -> None:
    ticket = await take(hall, 1)
    stored = await hall.store.events(0, 1000)
    assert ticket in [one.event().b for one in stored]


async def test_listeners_hear_of_a_batch_before_its_senders_do(hall: Hall) -> None:
    heard: list[str] = []
    unsubscribe = hall.subscribe(lambda events: heard.extend(event.cmd for event in events))

    async def press(number: int) -> bool:
        await take(hall, number)
        return f"k1:{number:08d}" in heard

    assert all(await asyncio.gather(*(press(number) for number in range(50))))
    unsubscribe()
    before = len(heard)
    await take(hall, 99)
    assert len(heard) == before


async def test_a_listener_that_fails_harms_nobody(hall: Hall) -> None:
    def broken(events: tuple[e.Event, ...]) -> None:
        raise RuntimeError("broken screen")

    hall.subscribe(broken)
    assert (await take(hall, 1)).number == "A001"
    assert (await take(hall, 2)).number == "A002"


async def test_a_refusal_leaves_nothing(hall: Hall) -> None:
    seq = hall.state.seq
    with pytest.raises(Refusal, match=r"window\.not_open"):
        await hall.submit(c.CallNext(window=W1), key="w1:call-0001", actor="staff:li")
    assert hall.state.seq == seq
    assert (await hall.store.tip()).seq == seq
    assert await hall.store.former(["w1:call-0001"]) == {}


class TestARepeatedPress:
    async def test_gets_the_first_answer_again(self, hall: Hall) -> None:
        first = await hall.submit(issue(1), key="k1:press-1", actor="kiosk:k1")
        again = await hall.submit(issue(2), key="k1:press-1", actor="kiosk:k1")
        assert (first.repeated, again.repeated) == (False, True)
        assert again.events == first.events
        assert len(hall.state.tickets) == 1

    async def test_at_the_same_moment_is_carried_out_once(self, hall: Hall) -> None:
        answers = await asyncio.gather(
            *(hall.submit(issue(n), key="k1:press-1", actor="kiosk:k1") for n in range(20))
        )
        assert len({one.events for one in answers}) == 1
        assert sum(not one.repeated for one in answers) == 1
        assert len(hall.state.tickets) == 1

    async def test_gets_the_first_answer_after_a_restart(
        self, path: Path, clock: ManualClock
    ) -> None:
        async with opened(path, clock) as hall:
            first = await hall.submit(issue(1), key="k1:press-1", actor="kiosk:k1")
        async with opened(path, clock) as hall:
            again = await hall.submit(issue(1), key="k1:press-1", actor="kiosk:k1")
        assert again.repeated
        assert again.events == first.events

    async def test_is_known_when_its_key_has_left_the_memory(
        self, path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hall_module, "KEYS_REMEMBERED", 3)
        async with opened(path, clock) as hall:
            first = await hall.submit(issue(1), key="k1:press-1", actor="kiosk:k1")
            await hall.submit(c.OpenWindow(window=W1, staff=LI), key="w1:open-1", actor="staff:li")
            called = await hall.submit(c.CallNext(window=W1), key="w1:call-1", actor="staff:li")
            for number in range(2, 10):
                await take(hall, number)
            again, recalled, reopened = await asyncio.gather(
                hall.submit(issue(1), key="k1:press-1", actor="kiosk:k1"),
                hall.submit(c.CallNext(window=W1), key="w1:call-1", actor="staff:li"),
                hall.submit(c.OpenWindow(window=W1, staff=LI), key="w1:open-1", actor="staff:li"),
            )
        assert again.events == first.events
        assert recalled.events == called.events
        assert again.repeated
        assert recalled.repeated
        assert reopened.repeated
        await checked(path)

    async def test_after_a_refusal_is_judged_anew(self, hall: Hall) -> None:
        call = c.CallNext(window=W1)
        with pytest.raises(Refusal):
            await hall.submit(call, key="w1:call-1", actor="staff:li")
        await take(hall, 1)
        await hall.submit(c.OpenWindow(window=W1, staff=LI), key="w1:open-1", actor="staff:li")
        committed = await hall.submit(call, key="w1:call-1", actor="staff:li")
        assert isinstance(committed.events[0].b, e.TicketCalled)
        assert not committed.repeated


class TestAFaultInTheProgram:
    async def test_refuses_its_own_command_only(
        self, hall: Hall, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(state: object, command: object, now: int) -> list[e.EventBody]:
            raise ZeroDivisionError

        monkeypatch.setitem(decide_module._RULES, c.RequestHelp, broken)
        results = await asyncio.gather(
            take(hall, 1),
            hall.submit(c.RequestHelp(device=KIOSK), key="k1:help-1", actor="kiosk:k1"),
            take(hall, 2),
            return_exceptions=True,
        )
        assert isinstance(results[1], Refusal)
        assert results[1].code == "internal"
        assert [one.number for one in (results[0], results[2])] == ["A001", "A002"]  # type: ignore[union-attr]

    async def test_in_applying_spoils_neither_state_nor_neighbours(
        self, hall: Hall, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(state: object, command: object, now: int) -> list[e.EventBody]:
            return [e.ServiceBegun(ticket="nobody", window=W1, staff=LI)]  # type: ignore[arg-type]

        monkeypatch.setitem(decide_module._RULES, c.RequestHelp, broken)
        results = await asyncio.gather(
            take(hall, 1),
            hall.submit(c.RequestHelp(device=KIOSK), key="k1:help-1", actor="kiosk:k1"),
            take(hall, 2),
            return_exceptions=True,
        )
        assert isinstance(results[1], Refusal)
        assert results[1].code == "internal"
        assert [one.number for one in (results[0], results[2])] == ["A001", "A002"]  # type: ignore[union-attr]
        assert (await checked(path)).state == hall.state


async def test_a_sender_that_goes_away_does_not_stop_the_others(hall: Hall) -> None:
    gone = asyncio.create_task(take(hall, 1))
    await asyncio.sleep(0)
    gone.cancel()
    others = await asyncio.gather(*(take(hall, number) for number in range(2, 20)))
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert len({one.number for one in others}) == 18
    retried = await hall.submit(issue(1), key="k1:00000001", actor="kiosk:k1")
    assert retried.repeated


async def test_a_closed_hall_refuses(path: Path, clock: ManualClock) -> None:
    async with opened(path, clock) as hall:
        pass
    with pytest.raises(Refusal, match=r"store\.unavailable"):
        await take(hall, 1)


async def test_commands_under_way_are_answered_before_a_hall_closes(
    path: Path, clock: ManualClock
) -> None:
    async with opened(path, clock) as hall:
        presses = [asyncio.create_task(take(hall, number)) for number in range(300)]
        await asyncio.sleep(0)
    assert len({one.number for one in await asyncio.gather(*presses)}) == 300


class TestARestart:
    async def test_finds_the_same_state(self, path: Path, clock: ManualClock) -> None:
        async with opened(path, clock) as hall:
            await take(hall, 1)
            await hall.submit(c.OpenWindow(window=W1, staff=LI), key="w1:open-1", actor="staff:li")
            before = hall.state
        async with opened(path, clock) as hall:
            assert hall.state == before
            assert (await take(hall, 2)).number == "A002"
        await checked(path)

    async def test_finds_the_same_state_without_a_readable_snapshot(
        self, path: Path, clock: ManualClock
    ) -> None:
        async with opened(path, clock) as hall:
            await take(hall, 1)
            await hall.store.save_snapshot(hall.state.seq + 1, 1, b"{broken")
            before = hall.state
        async with opened(path, clock) as hall:
            assert hall.state == before

    async def test_applies_a_newer_configuration_once(self, path: Path, clock: ManualClock) -> None:
        async with opened(path, clock) as hall:
            seq = hall.state.seq
        async with opened(path, clock) as hall:
            assert hall.state.seq == seq
        async with open_hall(path, clock=clock, config=small_hall(version=2)) as hall:
            assert hall.state.config is not None
            assert hall.state.config.version == 2
        async with opened(path, clock) as hall:
            assert hall.state.config is not None
            assert hall.state.config.version == 2

    async def test_keeps_the_epoch(self, path: Path, clock: ManualClock) -> None:
        async with opened(path, clock) as hall:
            epoch = hall.store.epoch
        await clock.advance(60)
        async with opened(path, clock) as hall:
            assert hall.store.epoch == epoch


class TestTheDayTurns:
    async def test_without_anybody_pressing(self, hall: Hall, clock: ManualClock) -> None:
        await take(hall, 1)
        monday = hall.state.day
        turned = asyncio.Event()
        hall.subscribe(lambda events: turned.set())
        await clock.advance(15 * 3600 + 60)
        async with asyncio.timeout(HANG_S):
            await turned.wait()
        assert monday == "2026-11-23"
        assert hall.state.day == "2026-11-24"
        assert hall.state.tickets == {}
        kinds = [type(one.event().b).__name__ for one in await hall.store.events(0, 100)]
        assert kinds[-3:] == ["TicketCancelled", "DayClosed", "DayOpened"]
        assert (await take(hall, 2)).number == "A001"

    async def test_with_a_snapshot_that_makes_the_next_start_quick(
        self, hall: Hall, clock: ManualClock, path: Path
    ) -> None:
        await take(hall, 1)
        await clock.advance(24 * 3600)
        await take(hall, 2)
        snapshots = await hall.store.snapshots()
        assert snapshots
        assert (await checked(path)).state.tickets


async def test_the_projections_say_what_the_state_says(hall: Hall, path: Path) -> None:
    await hall.submit(c.OpenWindow(window=W1, staff=LI), key="w1:open-1", actor="staff:li")
    for number in range(4):
        await take(hall, number)
    for number, command in enumerate(
        (
            c.CallNext(window=W1),
            c.BeginService(window=W1),
            c.FinishService(window=W1),
            c.CallNext(window=W1),
            c.MarkNoShow(window=W1),
            c.CallNext(window=W1),
        )
    ):
        await hall.submit(command, key=f"w1:{number:08d}", actor="staff:li")
    rows = await hall.store.read(
        lambda connection: connection.exec_driver_sql("SELECT id, state FROM ticket").all()
    )
    assert {row[0]: row[1] for row in rows} == {
        ticket.id: ticket.state.value for ticket in hall.state.tickets.values()
    }
    states = sorted(row[1] for row in rows)
    assert states == sorted([TicketState.DONE, TicketState.NO_SHOW, "called", "waiting"])
    open_visits = await hall.store.read(
        lambda connection: connection.exec_driver_sql(
            "SELECT ticket, window FROM visit WHERE ended_at IS NULL"
        ).all()
    )
    assert [tuple(row) for row in open_visits] == [(hall.state.windows[W1].ticket, W1)]
    await checked(path)


async def test_no_clear_personal_data_is_stored(hall: Hall, path: Path) -> None:
    await hall.submit(issue(1, RENEW), key="k1:00000001", actor="kiosk:k1")
    row = await hall.store.read(
        lambda connection: connection.exec_driver_sql(
            "SELECT masked_name, masked_number, sealed FROM ticket"
        ).one()
    )
    assert tuple(row) == (PERSON.masked_name, PERSON.masked_number, PERSON.sealed)
    columns = await hall.store.read(
        lambda connection: [
            one[1] for one in connection.exec_driver_sql("PRAGMA table_info(ticket)")
        ]
    )
    assert not {"name", "certificate", "id_number", "phone"} & set(columns)
