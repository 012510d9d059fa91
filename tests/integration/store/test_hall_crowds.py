"""Crowds at one hall: nobody gets another's number, no two windows the same person, killed or not."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from engine_builders import CARE, HEALTH, KIOSK, small_hall
from hall_crowd import WINDOWS, open_windows, press, wide_hall

from hallserver.hall import open_hall
from hallserver.store.verify import verify
from qingting.contract import commands as c
from qingting.contract.events import TicketIssued
from qingting.contract.states import TicketState
from qingting.kernel.aio.clock import SystemClock

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PEOPLE = 10_000
KILLS = 2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hall.sqlite"


def crowd(path: Path, lines: list[str], kill_after: int | None) -> tuple[dict[str, str], bool]:
    """Presses ``lines`` at once in a process; kills it after so many answers. What was answered, and
    whether it came to the end."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests/unit/engine"))),
    }
    with subprocess.Popen(
        [sys.executable, str(HERE / "hall_crowd.py"), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n".join(lines))
        process.stdin.close()
        said = []
        for line in process.stdout:
            said.append(line)
            if kill_after is not None and len(said) > kill_after:
                process.send_signal(signal.SIGKILL)
                break
        said += process.stdout.readlines()
    whole = [line.split() for line in said if line.endswith("\n")]
    answered = {words[0]: words[1] for words in whole if len(words) == 2}
    return answered, ["done"] in whole


def until_done(path: Path, lines: list[str]) -> dict[str, str]:
    """Killed again and again at random answers, always started again with every key; then to the end."""
    answered: dict[str, str] = {}
    for _ in range(KILLS):
        told, _ = crowd(path, lines, random.randrange(len(lines) // 2))
        assert all(answered.get(key, ticket) == ticket for key, ticket in told.items())
        answered |= told
    told, ended = crowd(path, lines, None)
    assert ended
    assert answered.items() <= told.items(), "a repeated press got another answer"
    return told


async def test_ten_thousand_people_at_once_get_ten_thousand_numbers(path: Path) -> None:
    async with open_hall(path, clock=SystemClock(), config=small_hall()) as hall:
        lease = c.LeaseNumbers(device=KIOSK, queue=HEALTH, upto=50)
        await hall.submit(lease, key="lease:0001", actor="kiosk:k1")

        async def take(number: int) -> str:
            key = f"k1:{number:08d}"
            command = c.IssueTicket(item=CARE, token=key)
            done = await hall.submit(command, key=key, actor="kiosk:k1")
            return next(one.b.number for one in done.events if isinstance(one.b, TicketIssued))

        numbers = await asyncio.gather(*map(take, range(PEOPLE)))
    assert len(set(numbers)) == PEOPLE
    leased = {f"A{one}" for one in range(9001, 9051)}
    assert leased.isdisjoint(numbers), "a number that a kiosk holds was given at the desk"
    found = await asyncio.to_thread(verify, path)
    assert found.faults == []
    assert len(found.state.tickets) == PEOPLE


async def test_64_windows_that_press_at_once_get_64_people(path: Path) -> None:
    async with open_hall(path, clock=SystemClock(), config=wide_hall()) as hall:
        await open_windows(hall)
        await asyncio.gather(*(press(hall, f"take k1:{one:08d}") for one in range(WINDOWS)))
        called = await asyncio.gather(
            *(press(hall, f"next w{one} pad:{one:08d}") for one in range(1, WINDOWS + 1))
        )
        assert len({ticket for _, ticket in called}) == WINDOWS
        assert {life.ticket for life in hall.state.windows.values()} == set(hall.state.tickets)


def test_killed_among_ten_thousand_presses_nothing_is_lost_and_nothing_twice(path: Path) -> None:
    lines = [f"take k1:{one:08d}" for one in range(PEOPLE)]
    answered = until_done(path, lines)
    assert len(answered) == len(set(answered.values())) == PEOPLE
    found = verify(path)
    assert found.faults == []
    assert set(found.state.tickets) == set(answered.values())


def test_killed_while_64_windows_press_each_still_has_a_person_of_its_own(path: Path) -> None:
    crowd(path, [f"take k1:{one:08d}" for one in range(WINDOWS)], None)
    answered = until_done(path, [f"next w{one} pad:{one:08d}" for one in range(1, WINDOWS + 1)])
    assert len(set(answered.values())) == WINDOWS
    found = verify(path)
    assert found.faults == []
    at_windows = [life.ticket for life in found.state.windows.values()]
    assert sorted(map(str, at_windows)) == sorted(answered.values())
    assert {one.state for one in found.state.tickets.values()} == {TicketState.CALLED}
