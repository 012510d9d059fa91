"""Moves every projector along every hall's log: woken by notifications, with a slow poll behind them.

One transaction per batch: it locks the projector's cursor of the hall, applies the events in order
and moves the cursor. An event that cannot be applied, or is of a type this program does not know, is
parked with its error and shown; the rest goes on. What only met others at the wrong moment is tried again.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert

from console.core.db import Database, is_away, is_passing
from console.core.models import parked_event, projection_cursor
from console.core.projection import REBUILD, Projector, StoredEvent
from console.core.signals import EVERYTHING, Signals
from console.core.uow import Uow
from console.halls import models as m
from console.halls.repository import EVENTS_CHANNEL
from qingting.contract.errors import Refusal
from qingting.contract.events import Event
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import Clock
from qingting.kernel.aio.tasks import Supervisor

log = structlog.get_logger(__name__)

BATCH = 500
POLL_SECONDS = 5.0
UNKNOWN_TYPE = "unknown_type"
_events = msgspec.json.Decoder(Event)


class Runner:
    """Runs all projectors of this worker. Several workers may run the same ones."""

    def __init__(
        self, db: Database, signals: Signals, clock: Clock, projectors: Sequence[Projector]
    ) -> None:
        self._db = db
        self._clock = clock
        self._projectors = tuple(projectors)
        self._wakers: dict[str, _Waker] = {one.name: _Waker() for one in projectors}
        signals.subscribe(EVENTS_CHANNEL, self._wake)

    def start(self, supervisor: Supervisor) -> None:
        for projector in self._projectors:
            _ = supervisor.keep(f"projector {projector.name}", partial(self._serve, projector))

    def _wake(self, hall: str) -> None:
        for waker in self._wakers.values():
            waker.wake(hall)

    async def _serve(self, projector: Projector) -> None:
        waker = self._wakers[projector.name]
        while True:
            try:
                for hall in await self._due(projector, await waker.wait(POLL_SECONDS)):
                    await self.catch_up(projector, hall)
            except Exception as error:
                # Whose turn did not come is found with everybody's, however busy others keep this.
                waker.wake(EVERYTHING)
                if not isinstance(error, Refusal) or error.code != "city.unavailable":
                    raise
                await asyncio.sleep(1)

    async def _due(self, projector: Projector, woken: frozenset[str]) -> list[HallId]:
        """The woken halls, or at a poll all whose log is ahead of the projector."""
        if woken and EVERYTHING not in woken:
            return sorted(HallId(one) for one in woken)
        mine = sa.select(projection_cursor).where(projection_cursor.c.projector == projector.name)
        held = mine.subquery()
        async with self._db.read() as uow:
            rows = await uow.all(
                sa.select(m.cursor.c.hall)
                .outerjoin(held, held.c.hall == m.cursor.c.hall)
                .where(
                    held.c.seq.is_(None)
                    | (
                        sa.tuple_(held.c.epoch, held.c.seq)
                        < sa.tuple_(m.cursor.c.epoch, m.cursor.c.seq)
                    )
                )
                .order_by(m.cursor.c.hall)
            )
        return [HallId(row["hall"]) for row in rows]

    async def catch_up(self, projector: Projector, hall: HallId) -> None:
        """Applies everything that the log holds for ``hall``."""
        while await self._batch(projector, hall) == BATCH:
            pass

    async def catch_up_all(self) -> None:
        """Everything for every hall and projector; for tools and tests."""
        for projector in self._projectors:
            for hall in await self._due(projector, frozenset()):
                await self.catch_up(projector, hall)

    async def rebuild(self, name: str | None = None) -> None:
        """Drops read models (all, or one projector's) and builds them again from the log."""
        chosen = [one for one in self._projectors if name in (None, one.name)]
        if not chosen:
            raise LookupError(f"no projector {name!r}")
        for projector in chosen:
            async with self._db.write() as uow:
                await uow.run(
                    sa.update(projection_cursor)
                    .where(projection_cursor.c.projector == projector.name)
                    .values(epoch=REBUILD, seq=0)
                )
            async with self._db.read() as reader:
                halls = await reader.all(
                    sa.select(projection_cursor.c.hall).where(
                        projection_cursor.c.projector == projector.name
                    )
                )
            for row in halls:
                await self.catch_up(projector, HallId(row["hall"]))

    async def _batch(self, projector: Projector, hall: HallId) -> int:
        async with self._db.write() as uow:
            epoch, seq = await self._lock(uow, projector, hall)
            if epoch == REBUILD:
                await self._forget(uow, projector, hall)
                epoch, seq = 0, 0
            rows = await uow.all(_next_events(hall, epoch, seq))
            if not rows:
                return 0
            events = await self._readable(uow, projector, hall, rows)
            if events:
                await self._apply(uow, projector, hall, events)
            last = rows[-1]
            await uow.run(
                sa.update(projection_cursor)
                .where(_mine(projector, hall))
                .values(epoch=last["epoch"], seq=last["seq"])
            )
            return len(rows)

    async def _lock(self, uow: Uow, projector: Projector, hall: HallId) -> tuple[int, int]:
        statement = insert(projection_cursor).values(
            projector=projector.name, hall=hall, epoch=0, seq=0
        )
        await uow.run(statement.on_conflict_do_nothing())
        row = await uow.first(
            sa.select(projection_cursor).where(_mine(projector, hall)).with_for_update()
        )
        assert row is not None
        return row["epoch"], row["seq"]

    async def _forget(self, uow: Uow, projector: Projector, hall: HallId) -> None:
        await projector.forget(uow, hall)
        await uow.run(
            sa.delete(parked_event).where(
                parked_event.c.projector == projector.name, parked_event.c.hall == hall
            )
        )
        await uow.run(
            sa.update(projection_cursor).where(_mine(projector, hall)).values(epoch=0, seq=0)
        )

    async def _readable(
        self, uow: Uow, projector: Projector, hall: HallId, rows: Sequence[sa.RowMapping]
    ) -> list[StoredEvent]:
        events = []
        for row in rows:
            try:
                event = _events.decode(row["raw"])
            except msgspec.DecodeError:
                await self._park(uow, projector, hall, row, UNKNOWN_TYPE)
                continue
            events.append(
                StoredEvent(
                    epoch=row["epoch"],
                    seq=row["seq"],
                    received_at=row["received_at"],
                    event=event,
                )
            )
        return events

    async def _apply(
        self, uow: Uow, projector: Projector, hall: HallId, events: list[StoredEvent]
    ) -> None:
        """The batch at once; when that fails, one by one, parking what fails alone."""
        try:
            async with uow.savepoint():
                await projector.apply(uow, hall, events)
        except Exception as error:
            if is_away(error) or is_passing(error):
                raise
            if len(events) > 1:
                for event in events:
                    await self._apply(uow, projector, hall, [event])
                return
            poison = events[0]
            log.exception("projector.parked", projector=projector.name, hall=hall, seq=poison.seq)
            row = {
                "epoch": poison.epoch,
                "seq": poison.seq,
                "kind": type(poison.event.b).__name__,
            }
            # The class of the error only: its text may hold what a citizen wrote.
            await self._park(uow, projector, hall, row, type(error).__name__)

    async def _park(
        self,
        uow: Uow,
        projector: Projector,
        hall: HallId,
        row: "sa.RowMapping | dict[str, object]",
        error: str,
    ) -> None:
        statement = insert(parked_event).values(
            projector=projector.name,
            hall=hall,
            epoch=row["epoch"],
            seq=row["seq"],
            kind=row["kind"],
            error=error,
            at=self._clock.now_ms(),
        )
        await uow.run(statement.on_conflict_do_nothing())
        uow.changed("halls")


class _Waker:
    """Collects the halls that have news while the projector is busy."""

    def __init__(self) -> None:
        self._halls: set[str] = set()
        self._event = asyncio.Event()

    def wake(self, hall: str) -> None:
        self._halls.add(hall)
        self._event.set()

    async def wait(self, seconds: float) -> frozenset[str]:
        """Halls with news; empty after ``seconds`` without any."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return frozenset()
        self._event.clear()
        halls, self._halls = frozenset(self._halls), set()
        return halls


def _mine(projector: Projector, hall: HallId) -> sa.ColumnElement[bool]:
    return (projection_cursor.c.projector == projector.name) & (projection_cursor.c.hall == hall)


def _next_events(hall: HallId, epoch: int, seq: int) -> sa.Select[tuple[object, ...]]:
    return (
        sa.select(
            m.event.c.epoch, m.event.c.seq, m.event.c.kind, m.event.c.raw, m.event.c.received_at
        )
        .where(m.event.c.hall == hall, ~m.event.c.lost)
        .where(sa.tuple_(m.event.c.epoch, m.event.c.seq) > sa.tuple_(epoch, seq))
        .order_by(m.event.c.epoch, m.event.c.seq)
        .limit(BATCH)
    )
