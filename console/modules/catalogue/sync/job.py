"""The job of the sync in every worker: pages one after the other, and word to the outside when the source is silent."""

import secrets
from collections.abc import Awaitable, Callable, Sequence

import structlog

from console.core.channels import Channel, Message
from console.core.db import Database
from console.core.delivering import DeliveryError, Waker, work_when_woken
from console.core.signals import Signals
from console.modules.catalogue.sync import service as sync
from console.modules.catalogue.sync import store
from console.modules.catalogue.sync.words import back, silence
from qingting.contract.conditions import Severity
from qingting.kernel.aio.clock import Clock

log = structlog.get_logger(__name__)


class Teller:
    """Tells each channel once while the item system is silent, and once that it is back; a channel that fails is tried again at the next look.

    One worker tells at a time: the row of the sync is locked. A worker that dies in between may have told a channel that
    is told once more, with the same id.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        service: sync.SyncService,
        channels: Sequence[Channel],
    ) -> None:
        self._db = db
        self._clock = clock
        self._service = service
        self._channels = [
            one for one in channels if one.carries_all and one.least.rank <= Severity.WARNING.rank
        ]

    async def tell(self) -> None:
        async with self._db.read() as uow:
            standing = await store.standing(uow)
        silent = self._service.is_silent(standing)
        if silent == bool(standing.told) and not self._untold(standing):
            return
        async with self._db.write() as uow:
            standing = await store.lock_standing(uow)
            told = list(standing.told)
            if not self._service.is_silent(standing):
                # Whoever heard that it was silent hears that it answers again; one that fails is tried once more.
                knows = [one for one in self._channels if one.name in told]
                told = [
                    one.name
                    for one in knows
                    if not await self._send(one, back(standing.answered_at))
                ]
            else:
                told += [
                    one.name
                    for one in self._untold(standing)
                    if await self._send(one, self._silence(standing))
                ]
            await store.put_standing(uow, told=told)

    def _untold(self, standing: store.Standing) -> list[Channel]:
        return [one for one in self._channels if one.name not in standing.told]

    def _silence(self, standing: store.Standing) -> Message:
        since = max(standing.answered_at, standing.asked_at)
        return silence(since, standing.rules.silent_hours, self._clock.now_ms())

    async def _send(self, channel: Channel, message: Message) -> bool:
        try:
            await channel.send(message)
        except DeliveryError as error:
            log.warning("items.silence_not_told", channel=channel.name, why=error.reason)
            return False
        return True


def syncing(
    signals: Signals, service: sync.SyncService, teller: Teller
) -> Callable[[], Awaitable[None]]:
    """Any number of workers may run it: the database lets one have the run."""
    worker = secrets.token_hex(8)
    waker = Waker(signals, frozenset({sync.CHANGED}))

    async def work() -> bool:
        while await service.turn(worker):
            pass
        await teller.tell()
        return True

    async def run() -> None:
        await work_when_woken(waker, work)

    return run
