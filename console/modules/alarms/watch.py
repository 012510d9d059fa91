"""The jobs of alarms in every worker: looking, and delivering what must be told outside."""

from collections.abc import Awaitable, Callable

from console.core.db import Database
from console.core.delivering import Waker, work_when_woken
from console.core.signals import Signals
from console.modules.alarms.looking import Lookout
from console.modules.alarms.outbox import Outbox

ACTS = "alarms.acts"
"""Named by an act that the next look must take into account."""


def looking(db: Database, signals: Signals, lookout: Lookout) -> Callable[[], Awaitable[None]]:
    """The job that decides about alarms; any number of workers may run it."""
    waker = Waker(signals, frozenset({"devices", "halls", ACTS}))

    async def look() -> bool:
        async with db.write() as uow:
            return await lookout.look(uow)

    async def run() -> None:
        await work_when_woken(waker, look)

    return run


def delivering(signals: Signals, outbox: Outbox) -> Callable[[], Awaitable[None]]:
    """The job that sends what is due; any number of workers may run it."""
    waker = Waker(signals, frozenset({"alarms"}))

    async def run() -> None:
        await work_when_woken(waker, outbox.deliver)

    return run
