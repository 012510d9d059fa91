"""Two who do something at one moment: the second begins before what the first did is committed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import sqlalchemy as sa
from patience import HANG_S, until

from console.core.db import Database
from console.core.uow import Uow
from qingting.contract.errors import Refusal

T = TypeVar("T")
WAITING = sa.text(
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND (database IS NULL OR database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


async def second_of_two(
    db: Database, first: Callable[[Uow], Awaitable[object]], second: Callable[[Uow], Awaitable[T]]
) -> T | Refusal:
    """What the second got, which may be a refusal. The first commits once the second waits for it, or is done."""

    async def late() -> T | Refusal:
        try:
            async with db.write() as uow:
                return await second(uow)
        except Refusal as refusal:
            return refusal

    async with asyncio.timeout(HANG_S), db.write() as uow:
        await first(uow)
        other = asyncio.create_task(late())
        async with db.read() as looking:
            await until(lambda: other.done() or looking.scalar(WAITING))
    return await other


def code_of(found: object) -> str:
    """Of a refusal; empty for anything else."""
    return found.code if isinstance(found, Refusal) else ""
