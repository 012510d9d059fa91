"""What many ask for at once is read once, is never older than it may be, and a failed reading harms nobody else."""

import asyncio
import gc
import weakref

import pytest

from console.core.kept import LATE, Kept
from qingting.kernel.aio.clock import ManualClock

START = 1_795_395_600_000


class Source:
    """Counts how often it is read; a reading lasts until ``let`` is set."""

    def __init__(self) -> None:
        self.read = 0
        self.let = asyncio.Event()
        self.let.set()
        self.broken = False

    async def __call__(self) -> int:
        self.read += 1
        found = self.read
        await self.let.wait()
        if self.broken:
            raise ConnectionError("away")
        return found


async def test_a_thousand_who_ask_at_once_cause_one_reading() -> None:
    kept, source = Kept[str, int](ManualClock(START), 3.0), Source()
    assert set(await asyncio.gather(*(kept.get("k", source) for _ in range(1000)))) == {1}
    assert source.read == 1
    assert await kept.get("other", source) == 2, "keys are read apart"


async def test_who_comes_while_it_is_read_anew_gets_the_former_value_but_no_old_one() -> None:
    clock, source = ManualClock(START), Source()
    kept = Kept[str, int](clock, 3.0)
    assert await kept.get("k", source) == 1
    await clock.advance(3.0)
    source.let.clear()
    reader = asyncio.create_task(kept.get("k", source))
    await asyncio.sleep(0)
    assert await kept.get("k", source) == 1
    await clock.advance(3.0 * LATE)
    late = asyncio.create_task(kept.get("k", source))
    await asyncio.sleep(0)
    assert not late.done(), "too old to be shown"
    source.let.set()
    assert await reader == 2
    assert await late in (2, 3)


async def test_a_failed_reading_is_told_to_its_reader_and_the_next_one_reads_again() -> None:
    kept, source = Kept[str, int](ManualClock(START), 3.0), Source()
    source.broken = True
    with pytest.raises(ConnectionError):
        await kept.get("k", source)
    source.broken = False
    assert await kept.get("k", source) == 2


class Name(str):
    """A key whose end can be seen."""

    __slots__ = ("__weakref__",)


async def test_what_is_not_there_is_not_remembered_however_many_ask_for_it() -> None:
    kept, source = Kept[str, int](ManualClock(START), 3.0), Source()
    source.broken = True
    names = weakref.WeakSet[Name]()
    for number in range(100):
        name = Name(f"hall-{number}")
        names.add(name)
        with pytest.raises(ConnectionError):
            await kept.get(name, source)
    del name
    gc.collect()
    assert len(names) == 0
