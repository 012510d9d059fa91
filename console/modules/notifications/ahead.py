"""Three before you (前面还有三位): told once to whoever came with a booking and waits.

The hall decides whom it calls; the city knows from the hall's log who waits. So it says how many wait before the
citizen, as long as it hears the hall, once, when there are few of them, and never after the call. Whoever had few
before them from the start is not told: their ticket says it.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from console.core.db import Database
from console.core.uow import Uow
from console.halls.api import HallsApi, HallStatus, LinkState
from console.modules.notifications import models as m
from console.modules.notifications.service import NotificationService
from console.modules.notifications.topics import Channel, FieldKind, Topic, TopicField, topics
from console.modules.statistics.api import InLine, StatisticsApi
from qingting.contract.ids import HallId
from qingting.contract.states import Language, TicketState

FEW = 3
AT_ONCE = 500
FEW_AHEAD = "queue.few_ahead"
TOPICS = topics(
    "console.modules.notifications",
    Topic(
        id=FEW_AHEAD,
        fields=(
            TopicField(
                id="hall",
                example="萨尔图区政务服务中心",
            ),
            TopicField(id="hall_en", example="Saertu Government Service Center"),
            TopicField(id="ticket", example="A023"),
            TopicField(id="ahead", kind=FieldKind.NUMBER, example=3),
        ),
        chain=(Channel.PUSH, Channel.SMS),
        keep_minutes=10,
    ),
)
_f = m.follow.c
_ON_THE_WAY = (TicketState.WAITING, TicketState.PARKED)


def outcome(seen: int | None, place: InLine) -> str:
    """What to do about somebody who wants to know: ``tell``, ``few`` (from the start), ``called``, or nothing yet."""
    if place.state not in _ON_THE_WAY:
        return "called"
    if place.state != TicketState.WAITING or place.ahead > FEW:
        return ""
    return "few" if seen is None else "tell"


class Watcher:
    """Looks whenever tickets change; of several workers one has each citizen."""

    def __init__(
        self,
        db: Database,
        service: NotificationService,
        halls: HallsApi,
        statistics: StatisticsApi,
    ) -> None:
        self._db = db
        self._service = service
        self._halls = halls
        self._statistics = statistics

    async def look(self) -> bool:
        """True: there is nothing more to do now."""
        after: tuple[str, str] | None = ("", "")
        while after is not None:
            async with self._db.write() as uow:
                after = await self._look_behind(uow, after)
        return True

    async def _look_behind(self, uow: Uow, after: tuple[str, str]) -> tuple[str, str] | None:
        """Looks at the next ones behind hall and booking, and gives those of the last one; None at the end."""
        rows = await uow.all(
            sa.select(m.follow)
            .where(_f.outcome == "", _f.until > self._service.clock.now_ms())
            .where(sa.tuple_(_f.hall, _f.booking) > sa.tuple_(*map(sa.literal, after)))
            .order_by(_f.hall, _f.booking)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        wanted: dict[str, dict[str, sa.RowMapping]] = {}
        for row in rows:
            wanted.setdefault(row["hall"], {})[row["booking"]] = row
        for hall, follows in wanted.items():
            await self._look_at(uow, HallId(hall), follows)
        return (rows[-1]["hall"], rows[-1]["booking"]) if len(rows) == AT_ONCE else None

    async def _look_at(self, uow: Uow, hall: HallId, follows: Mapping[str, sa.RowMapping]) -> None:
        status = await self._halls.hall(uow, hall)
        if status.state is not LinkState.ONLINE or status.stalled(self._service.clock.now_ms()):
            # What the city knows of the line is old: it says nothing.
            return
        day = self._statistics.today()
        for place in await self._statistics.in_line(uow, day, hall, follows):
            await self._settle(uow, status, follows[place.booking], place)

    async def _settle(self, uow: Uow, hall: HallStatus, row: sa.RowMapping, place: InLine) -> None:
        found = outcome(row["seen"], place)
        values = {"outcome": found, "seen": row["seen"]}
        if not found and place.state == TicketState.WAITING and row["seen"] is None:
            values["seen"] = place.ahead
        if found == "tell":
            await self._service.tell(
                uow,
                FEW_AHEAD,
                row["citizen"],
                {
                    "hall": hall.title(Language.ZH),
                    "hall_en": hall.title(Language.EN) or hall.title(Language.ZH),
                    "ticket": place.number,
                    "ahead": place.ahead,
                },
                key=f"{FEW_AHEAD}:{row['hall']}:{row['booking']}",
                hall=hall.id,
            )
        if values != {"outcome": row["outcome"], "seen": row["seen"]}:
            await uow.run(
                sa.update(m.follow)
                .where(_f.hall == row["hall"], _f.booking == row["booking"])
                .values(**values)
            )
