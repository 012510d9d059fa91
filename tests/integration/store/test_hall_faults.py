"""Kill the process, fill the disk, lie about a commit: what was promised is there, nothing else is."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from engine_builders import CARE, KIOSK, LI, MONDAY_9, W1, small_hall

from hallserver.hall import Committed, Hall, open_hall
from hallserver.store import store as store_module
from hallserver.store.batch import Batch
from hallserver.store.errors import CommitError
from hallserver.store.verify import verify
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import ManualClock, SystemClock

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
KILLS = 6


def run_and_kill(path: Path, run: int, seconds: float) -> dict[str, str]:
    """Keys and tickets that were answered before the process was killed after ``seconds`` of work."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests/unit/engine"))),
    }
    process = subprocess.Popen(
        [sys.executable, str(HERE / "hall_under_fire.py"), str(path), str(run)],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        killer = time.monotonic() + seconds
        lines = []
        while time.monotonic() < killer:
            lines.append(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    assert process.returncode == -signal.SIGKILL
    # The kill may cut the last line, but a whole line was an answer.
    return dict(line.split() for line in lines if line.endswith("\n"))


async def carry_on(path: Path, answered: dict[str, str]) -> None:
    async with open_hall(path, clock=SystemClock()) as hall:
        key, ticket = random.choice(list(answered.items()))
        command = c.IssueTicket(item=CARE, token="retry", device=KIOSK)
        again = await hall.submit(command, key=key, actor="kiosk:k1")
        assert again.repeated
        assert ticket in [getattr(event.b, "ticket", "") for event in again.events]


def test_killed_at_any_moment_every_answered_ticket_is_there_and_none_twice(
    tmp_path: Path,
) -> None:
    path = tmp_path / "hall.sqlite"
    answered: dict[str, str] = {}
    for run in range(KILLS):
        answered |= run_and_kill(path, run, random.uniform(0.02, 0.6))
        found = verify(path)
        assert found.faults == []
        assert set(answered.values()) <= set(found.state.tickets)
        serials = [ticket.serial for ticket in found.state.tickets.values()]
        assert sorted(serials) == list(range(1, len(serials) + 1))
    assert len(set(answered.values())) == len(answered) > KILLS
    asyncio.run(carry_on(path, answered))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hall.sqlite"


@pytest.fixture
async def hall(path: Path) -> AsyncIterator[Hall]:
    async with open_hall(path, clock=ManualClock(MONDAY_9), config=small_hall()) as hall:
        yield hall


async def take(hall: Hall, number: int, token: str = "") -> Committed:
    command = c.IssueTicket(item=CARE, token=token or f"token-{number}", device=KIOSK)
    return await hall.submit(command, key=f"k1:{number:08d}", actor="kiosk:k1")


async def limit_pages(hall: Hall, pages: int) -> None:
    await hall.store._writer.run(
        lambda writer: writer.raw.execute(f"PRAGMA max_page_count={pages}").fetchall()
    )


async def assert_whole(hall: Hall, path: Path) -> None:
    found = await asyncio.to_thread(verify, path)
    assert found.faults == []
    assert found.state == hall.state


async def test_a_full_disk_refuses_loses_nothing_and_goes_on_when_there_is_room(
    hall: Hall, path: Path
) -> None:
    heard: list[int] = []
    hall.subscribe(lambda events: heard.extend(event.s for event in events))
    await take(hall, 0)
    pages = await hall.store._writer.run(
        lambda writer: writer.raw.execute("PRAGMA page_count").fetchone()[0]
    )
    await limit_pages(hall, pages + 3)
    results = await asyncio.gather(
        *(take(hall, number) for number in range(1, 400)), return_exceptions=True
    )
    refused = [one for one in results if isinstance(one, Refusal)]
    assert {one.code for one in refused} == {"store.unavailable"}
    assert not hall.writable
    await assert_whole(hall, path)
    assert len(hall.state.tickets) == 400 - len(refused)

    await limit_pages(hall, 1_000_000)
    retried = await asyncio.gather(*(take(hall, number) for number in range(400)))
    assert hall.writable
    numbers = [
        one.events[0].b.number for one in retried if isinstance(one.events[0].b, e.TicketIssued)
    ]
    assert sorted(numbers) == [f"A{number:03d}" for number in range(1, 401)]
    assert heard == list(range(heard[0], hall.state.seq + 1))
    await assert_whole(hall, path)


async def test_one_poison_command_does_not_fail_its_neighbours(hall: Hall, path: Path) -> None:
    await take(hall, 0, token="shared-token")
    results = await asyncio.gather(
        take(hall, 1),
        take(hall, 2, token="shared-token"),
        take(hall, 3),
        return_exceptions=True,
    )
    assert isinstance(results[1], Refusal)
    assert results[1].code == "internal"
    assert not isinstance(results[0], BaseException)
    assert not isinstance(results[2], BaseException)
    assert hall.writable
    assert [ticket.number for ticket in hall.state.tickets.values()] == ["A001", "A002", "A003"]
    await assert_whole(hall, path)


async def test_a_commit_that_landed_although_it_was_reported_lost_counts_once(
    hall: Hall, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    hall.subscribe(lambda events: heard.extend(event.s for event in events))
    really, failures = store_module._append, iter([True])

    def lying(raw: Any, batch: Batch) -> None:
        really(raw, batch)
        if next(failures, False):
            raise CommitError(conflict=False)

    monkeypatch.setattr(store_module, "_append", lying)
    results = await asyncio.gather(*(take(hall, number) for number in range(20)))
    tickets = {
        event.b.ticket
        for one in results
        for event in one.events
        if isinstance(event.b, e.TicketIssued)
    }
    assert len(tickets) == len(hall.state.tickets) == 20
    assert heard == list(range(heard[0], hall.state.seq + 1))
    await assert_whole(hall, path)


async def test_a_disk_that_fails_for_good_refuses_everybody_soon(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    def broken(raw: Any, batch: Batch) -> None:
        nonlocal tries
        tries += 1
        raise CommitError(conflict=False)

    await take(hall, 0)
    before = hall.state.seq
    monkeypatch.setattr(store_module, "_append", broken)
    results = await asyncio.gather(
        *(take(hall, number) for number in range(1, 101)), return_exceptions=True
    )
    assert {getattr(one, "code", None) for one in results} == {"store.unavailable"}
    assert tries <= 10
    assert hall.state.seq == before
    assert not hall.writable


async def test_a_read_only_command_is_answered_while_the_disk_is_full(hall: Hall) -> None:
    await hall.submit(c.OpenWindow(window=W1, staff=LI), key="w1:open-1", actor="staff:li")
    await limit_pages(hall, 1)
    presses = (take(hall, number) for number in range(400))
    results = await asyncio.gather(*presses, return_exceptions=True)
    assert any(isinstance(one, Refusal) for one in results)
    same = await hall.submit(c.OpenWindow(window=W1, staff=LI), key="w1:open-2", actor="staff:li")
    assert same.events == ()
