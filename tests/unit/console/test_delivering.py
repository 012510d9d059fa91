"""What the ways outside share: a round of tries is over only when every try is."""

import asyncio

import pytest

from console.core.delivering import all_of


async def test_a_round_that_fails_leaves_no_try_behind() -> None:
    going, over = asyncio.Event(), asyncio.Event()

    async def fails() -> None:
        raise ValueError("first")

    async def slow() -> None:
        await going.wait()
        over.set()

    round_ = asyncio.create_task(all_of([fails(), slow()]))
    await asyncio.sleep(0.01)
    assert not round_.done()
    going.set()
    with pytest.raises(ValueError, match="first"):
        await round_
    assert over.is_set()


async def test_a_round_that_is_ended_ends_its_tries() -> None:
    ended = asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    round_ = asyncio.create_task(all_of([slow()]))
    await asyncio.sleep(0.01)
    round_.cancel()
    with pytest.raises(asyncio.CancelledError):
        await round_
    assert ended.is_set()
