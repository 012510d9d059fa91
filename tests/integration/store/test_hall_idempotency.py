"""Whatever is pressed, in whatever order and however often: a key changes a hall at most once."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from engine_builders import CARE, KIOSK, LI, MONDAY_9, W1, small_hall
from hypothesis import given, settings
from hypothesis import strategies as st

from hallserver.hall import Committed, Hall, open_hall
from hallserver.store.verify import verify
from qingting.contract import commands as c
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import ManualClock

COMMANDS: tuple[c.Command, ...] = (
    c.OpenWindow(window=W1, staff=LI),
    *(c.IssueTicket(item=CARE, token=f"token-{one}", device=KIOSK) for one in range(3)),
    c.CallNext(window=W1),
    c.Recall(window=W1),
    c.BeginService(window=W1),
    c.FinishService(window=W1),
    c.CallNext(window=W1),
    c.MarkNoShow(window=W1),
    c.CloseWindow(window=W1),
)
"""The key of each is its place."""
PRESSES = st.lists(
    st.lists(st.integers(0, len(COMMANDS) - 1), min_size=1, max_size=5), min_size=1, max_size=12
)
MEMORY = Path("/dev/shm")


async def _press(hall: Hall, one: int) -> Committed | Refusal:
    try:
        return await hall.submit(COMMANDS[one], key=f"key-{one}", actor="pad:w1")
    except Refusal as refusal:
        return refusal


async def _check(path: Path, presses: list[list[int]]) -> None:
    """Those of one group are pressed at the same instant."""
    first: dict[int, Committed] = {}
    async with open_hall(path, clock=ManualClock(MONDAY_9), config=small_hall()) as hall:
        for group in presses:
            answers = await asyncio.gather(*(_press(hall, one) for one in group))
            for one, answer in zip(group, answers, strict=True):
                if one in first:
                    assert isinstance(answer, Committed)
                    assert answer.events == first[one].events
                    assert answer.repeated
                elif isinstance(answer, Committed) and answer.events:
                    assert not answer.repeated
                    first[one] = answer
        live = hall.state
    found = await asyncio.to_thread(verify, path)
    assert found.faults == []
    assert found.state == live
    told = [event for answer in first.values() for event in answer.events]
    assert len({event.s for event in told}) == len(told)


@settings(max_examples=25, deadline=None)
@given(PRESSES)
def test_a_key_changes_the_hall_once_and_is_answered_alike_for_ever(
    presses: list[list[int]],
) -> None:
    folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
    try:
        asyncio.run(_check(folder / "hall.sqlite", presses))
    finally:
        shutil.rmtree(folder)
