"""Changes that come one after the other: whoever finds a long one under way is told whose it is, and does not wait for it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import sqlalchemy as sa

from console.core.days import wall_time
from console.core.permissions import Subject
from console.core.uow import ReadUow, Uow
from qingting.contract.errors import Refusal

WAIT_MS = 3_000
"""Most changes take milliseconds: for so long one waits for another's before it is refused."""
_LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Long work that has the turn: who began it, when (UTC milliseconds), and its job where the asker may see it, else 0."""

    name: str
    since: int
    job: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """``lock`` is the number of an advisory lock, held to the end of the transaction that took the turn. ``who`` says
    which long work is under way; ``offset`` is the city's time zone in minutes."""

    lock: int
    who: Callable[[ReadUow, Subject], Awaitable[UnderWay | None]]
    offset: int

    async def take(self, uow: Uow, subject: Subject) -> None:
        """Raises ``turn.under_way`` (who, since when) or ``turn.busy`` when it is another's for longer than
        :data:`WAIT_MS`."""
        if await self._within(uow, WAIT_MS):
            return
        found = await self.who(uow, subject)
        if found is None:
            raise Refusal("turn.busy")
        began = wall_time(found.since, self.offset)
        at = f"{began:%m-%d %H:%M}"
        raise Refusal("turn.under_way", name=found.name, at=at, job=found.job)

    async def wait(self, uow: Uow, meanwhile: Callable[[], Awaitable[None]]) -> None:
        """For a job, which has the time: calls ``meanwhile`` again and again until it is its turn."""
        while not await self._within(uow, WAIT_MS):
            await meanwhile()

    async def _within(self, uow: Uow, ms: int) -> bool:
        try:
            async with uow.savepoint():
                await uow.run(sa.text(f"SET LOCAL lock_timeout = {ms}"))
                await uow.scalar(
                    sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": self.lock}
                )
                await uow.run(sa.text("SET LOCAL lock_timeout = 0"))
        except sa.exc.DBAPIError as error:
            if getattr(error.orig, "sqlstate", "") != _LOCK_NOT_AVAILABLE:
                raise
            return False
        return True
