"""The job that carries rollouts on, in every worker; the database lets one of them decide at a time."""

from collections.abc import Awaitable, Callable

from console.core.db import Database
from console.core.delivering import Waker, work_when_woken
from console.core.signals import Signals
from console.modules.rollouts.service import RolloutService

_WAKES = frozenset({"acts", "rollouts", "halls", "devices", "alarms", "live"})


def advancing(
    db: Database, signals: Signals, service: RolloutService
) -> Callable[[], Awaitable[None]]:
    """Any number of workers may run it."""
    waker = Waker(signals, _WAKES)

    async def look() -> bool:
        async with db.write() as uow:
            await service.advance(uow)
        return True

    async def run() -> None:
        await work_when_woken(waker, look)

    return run
