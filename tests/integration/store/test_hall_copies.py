"""Backups of a hall: made while it runs, proven, put back the same; a damaged one is refused."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from engine_builders import CARE, KIOSK, small_hall

from hallserver.hall import open_hall
from hallserver.store.copies import back_up
from hallserver.store.errors import StoreInUseError, StoreOpenError
from hallserver.store.exchange import RestoreState, complete, latest, prepare, put_back, want
from hallserver.store.verify import verify
from qingting.contract import commands as c
from qingting.kernel.aio.clock import SystemClock

NOW = 1_795_395_600_000


def spoil(copy: Path, target: Path) -> None:
    """A page in the middle is something else."""
    data = bytearray(copy.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4096] = b"\x55" * 4096
    target.write_bytes(bytes(data))


async def test_a_running_hall_is_backed_up_and_what_is_put_back_is_what_it_was(
    tmp_path: Path,
) -> None:
    database, copy = tmp_path / "hall.db", tmp_path / "copy.db"
    async with open_hall(database, clock=SystemClock(), config=small_hall()) as hall:
        take = c.IssueTicket(item=CARE, token="t" * 20, device=KIOSK)
        await hall.submit(take, key="k1:00000001", actor="kiosk:k1")
        found = await asyncio.to_thread(back_up, database, copy)
        assert found.faults == []
        at_backup = found.tip
        second = c.IssueTicket(item=CARE, token="u" * 20, device=KIOSK)
        await hall.submit(second, key="k1:00000002", actor="kiosk:k1")
        with pytest.raises(StoreInUseError):
            await asyncio.to_thread(put_back, copy, database, NOW)
    assert (await asyncio.to_thread(verify, database)).tip != at_backup
    damaged = tmp_path / "damaged.db"
    await asyncio.to_thread(spoil, copy, damaged)
    with pytest.raises(StoreOpenError):
        await asyncio.to_thread(put_back, damaged, database, NOW)
    restored, former = await asyncio.to_thread(put_back, copy, database, NOW)
    assert restored.tip == at_backup
    assert former is not None
    assert (await asyncio.to_thread(verify, former)).faults == []
    async with open_hall(database, clock=SystemClock()) as hall:
        assert len(hall.state.tickets) == 1


class Killed(BaseException):
    """The machine lost its power here."""


class Fuse:
    """Breaks at the ``n``-th change of a name on the disk."""

    def __init__(self, patch: pytest.MonkeyPatch, error: BaseException) -> None:
        self.left = 0
        self._error = error
        for owner, name in ((os, "link"), (Path, "replace"), (Path, "unlink")):
            patch.setattr(owner, name, self._blown(getattr(owner, name)))

    def _blown(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise self._error
            return real(*given, **named)

        return call


def tickets(database: Path) -> int:
    with closing(sqlite3.connect(database)) as raw:
        return int(raw.execute("SELECT count(*) FROM ticket").fetchone()[0])


async def two_states(folder: Path) -> tuple[Path, Path]:
    """A hall with two tickets and a backup of it with one."""
    database, copy = folder / "hall.db", folder / "copy.db"
    async with open_hall(database, clock=SystemClock(), config=small_hall()) as hall:
        for number in (1, 2):
            take = c.IssueTicket(item=CARE, token=f"{number}" * 20, device=KIOSK)
            await hall.submit(take, key=f"k1:{number:08d}", actor="kiosk:k1")
            if number == 1:
                await asyncio.to_thread(back_up, database, copy)
    return database, copy


def no_links(*given: Any) -> None:
    raise PermissionError


def killed_at(step: int, database: Path, copy: Path, patch: pytest.MonkeyPatch) -> bool:
    """False when the restore has gone through before that step."""
    prepare(copy, database)
    fuse = Fuse(patch, Killed())
    fuse.left = step
    try:
        want(database, copy.name, last_event(copy), "0109", NOW)
        complete(database, NOW)
    except Killed:
        return True
    return False


@pytest.mark.parametrize("link", [True, False], ids=["hard links", "none"])
async def test_a_kill_at_any_point_leaves_one_hall_and_the_next_start_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: bool
) -> None:
    database, copy = await two_states(tmp_path)

    def once(step: int) -> bool:
        with monkeypatch.context() as patch:
            if not link:
                patch.setattr(os, "link", no_links)
            return killed_at(step, database, copy, patch)

    def run() -> int:
        before = database.read_bytes()
        step = 1
        while once(step):
            assert tickets(database) in (1, 2) if database.is_file() else not link
            wanted = latest(database)
            ended = complete(database, NOW + 1)
            if wanted is not None and wanted.state is RestoreState.WANTED:
                assert ended is not None
                assert (ended.state, ended.problem) == (RestoreState.DONE, "")
                assert tickets(tmp_path / ended.former) == 2
            assert tickets(database) == (2 if wanted is None else 1)
            for left in tmp_path.glob("hall.*re*"):
                left.unlink()
            database.write_bytes(before)
            step += 1
        return step

    assert await asyncio.to_thread(run) > 4


def last_event(copy: Path) -> int:
    with closing(sqlite3.connect(copy)) as raw:
        return int(raw.execute("SELECT max(seq) FROM event").fetchone()[0])


async def test_a_restore_that_cannot_be_done_is_undone_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, copy = await two_states(tmp_path)

    def run() -> None:
        prepare(copy, database)
        want(database, copy.name, last_event(copy), "0109", NOW)
        with monkeypatch.context() as patch:
            fuse = Fuse(patch, OSError(5, "the disk says no"))
            fuse.left = 3
            ended = complete(database, NOW)
        assert ended is not None
        assert ended.state is RestoreState.FAILED
        assert "the disk says no" in ended.problem
        assert tickets(database) == 2
        assert list(tmp_path.glob("hall.before-restore-*")) == []
        assert complete(database, NOW) is None

    await asyncio.to_thread(run)
    async with open_hall(database, clock=SystemClock()) as hall:
        assert len(hall.state.tickets) == 2


async def test_whoever_opens_a_hall_after_a_power_cut_opens_what_was_confirmed(
    tmp_path: Path,
) -> None:
    database, copy = await two_states(tmp_path)
    await asyncio.to_thread(prepare, copy, database)
    await asyncio.to_thread(want, database, copy.name, 0, "0109", NOW)
    async with open_hall(database, clock=SystemClock()) as hall:
        assert len(hall.state.tickets) == 1


async def test_a_damaged_hall_can_be_put_back(tmp_path: Path) -> None:
    database, copy = await two_states(tmp_path)
    await asyncio.to_thread(spoil, database, database)
    _, former = await asyncio.to_thread(put_back, copy, database, NOW)
    assert former is not None
    async with open_hall(database, clock=SystemClock()) as hall:
        assert len(hall.state.tickets) == 1
