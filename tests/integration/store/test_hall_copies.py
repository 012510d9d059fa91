"""Backups of a hall: made while it runs, proven, put back the same; a damaged one is refused."""

import asyncio
from pathlib import Path

import pytest
from engine_builders import CARE, KIOSK, small_hall

from hallserver.hall import open_hall
from hallserver.store.copies import back_up, put_back
from hallserver.store.errors import StoreInUseError, StoreOpenError
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
