"""Halls that open and close their day, told to integrators from the halls' own logs."""

from collections.abc import Sequence

import msgspec

from console.core.api import ApiEvents, ApiEventType, Both, Instant
from console.core.api_scopes import HALLS_READ
from console.core.projection import StoredEvent
from console.core.uow import Uow
from qingting.contract import events as e
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import Clock

FRESH_MS = 86_400_000
"""What is older when it comes, as after a long cut or when the read model is built anew, is no news."""


class HallDayTold(msgspec.Struct, frozen=True, kw_only=True):
    """A hall began or ended its business day. ``at`` is the hall's own time of it."""

    hall: str
    day: str
    at: Instant


HALL_OPENED = ApiEventType(
    kind="hall.opened",
    payload=HallDayTold,
    scope=HALLS_READ,
    summary=Both("大厅开始一天", "A hall opened its day"),
    purpose=Both(
        "大厅开始新的业务日，重新编号。", "A hall began its business day; numbers start again."
    ),
)
HALL_CLOSED = ApiEventType(
    kind="hall.closed",
    payload=HallDayTold,
    scope=HALLS_READ,
    summary=Both("大厅结束一天", "A hall closed its day"),
    purpose=Both(
        "大厅结束业务日，不再取号。", "A hall ended its business day; no tickets are given."
    ),
)


class HallDayProjector:
    """Implements :class:`console.core.projection.Projector`. Events bear the place in the log as their name, so none
    is told twice."""

    name = "gateway"

    def __init__(self, clock: Clock, events: ApiEvents) -> None:
        self._clock = clock
        self._events = events

    async def apply(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
        oldest = self._clock.now_ms() - FRESH_MS
        for one in events:
            body = one.event.b
            if not isinstance(body, e.DayOpened | e.DayClosed) or one.event.at < oldest:
                continue
            kind = HALL_OPENED if isinstance(body, e.DayOpened) else HALL_CLOSED
            told = HallDayTold(hall=hall, day=body.day, at=one.event.at)
            key = f"{hall}:{one.epoch}:{one.seq}"
            await self._events.tell(uow, kind, told, hall=hall, key=key)

    async def forget(self, uow: Uow, hall: HallId) -> None:
        """Nothing is kept of a hall but what was told."""
