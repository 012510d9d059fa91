"""What was done with bookings that are over, and which places they had, goes after a while; the bookings themselves, with
what was missed and punished, after a longer one. Figures of the city are counted from what halls did, not from these."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import sqlalchemy as sa

from console.core.pruning import Prune
from console.core.retention import DAY_MS, RetentionSettings
from console.core.uow import Uow
from console.halls.api import HallsApi
from console.modules.appointments import models as m
from console.modules.appointments.api import Life
from console.modules.appointments.domain import OPEN
from qingting.kernel.aio.clock import Clock

PRUNE_LOCK = 0x71746176
"""Advisory lock: one worker prunes what is left of visits at a time."""
_a = m.appointment.c
_OPEN = [one.value for one in OPEN]


def prunes(clock: Clock, keep: RetentionSettings, halls: HallsApi) -> Sequence[Prune]:
    """What is removed, in this order."""

    def before() -> int:
        return clock.now_ms() - keep.keep_visits_days * DAY_MS

    async def seats(uow: Uow, most: int) -> int:
        s, at = m.seat.c, before()
        keys = (s.hall, s.pool, s.day, s.start, s.no)
        still = sa.exists().where(_a.id == s.appointment, ~_over(at))
        old = sa.select(*keys).where(s.day < _day(at), s.until < at, ~still).limit(most)
        # A booked place has no end of its own: it is over when its visit is.
        done = (
            sa.select(*keys)
            .join(m.appointment, _a.id == s.appointment)
            .where(s.day < _day(at), _over(at))
            .limit(most)
        )
        gone = await uow.run(sa.delete(m.seat).where(sa.tuple_(*keys).in_(old)))
        if gone < most:
            done = done.limit(most - gone)
            gone += await uow.run(sa.delete(m.seat).where(sa.tuple_(*keys).in_(done)))
        return gone

    async def sent(uow: Uow, most: int) -> int:
        """Nobody finds the citizens in those directives afterwards, so they are taken out of them first."""
        s = m.sent.c
        rows = await uow.all(
            sa.select(s.hall, s.no)
            .join(m.appointment, _a.id == s.appointment)
            .where(_over(before()))
            .limit(most)
        )
        old = [(str(row["hall"]), int(row["no"])) for row in rows]
        await halls.empty_people(uow, old)
        return await uow.run(sa.delete(m.sent).where(sa.tuple_(s.hall, s.no).in_(old)))

    async def history(uow: Uow, most: int) -> int:
        h, at = m.history.c, before()
        old = (
            sa.select(h.no)
            .join(m.appointment, _a.id == h.appointment)
            .where(_over(at), h.at < at)
            .limit(most)
        )
        return await uow.run(sa.delete(m.history).where(h.no.in_(old)))

    def long_before() -> int:
        """Nothing of a booking outlives it, so it stays as long as what was done with it."""
        return clock.now_ms() - max(keep.keep_bookings_days, keep.keep_visits_days) * DAY_MS

    async def bookings(uow: Uow, most: int) -> int:
        left = [
            sa.exists().where(table.c.appointment == _a.id)
            for table in (m.seat, m.sent, m.history, m.outgoing)
        ]
        over = sa.select(_a.id).where(_over(long_before()), *(~one for one in left)).limit(most)
        old = [row["id"] for row in await uow.all(over)]
        await uow.run(sa.delete(m.breach).where(m.breach.c.appointment.in_(old)))
        return await uow.run(sa.delete(m.appointment).where(_a.id.in_(old)))

    async def punished(uow: Uow, most: int) -> int:
        c, at = m.ban.c, long_before()
        old = sa.select(c.no).where(c.until < at).limit(most)
        return await uow.run(sa.delete(m.ban).where(c.no.in_(old)))

    async def listed(uow: Uow, most: int) -> int:
        c, at = m.listed.c, long_before()
        ended = (c.ended_at > 0) & (c.ended_at < at)
        old = sa.select(c.no).where(ended | ((c.until > 0) & (c.until < at))).limit(most)
        return await uow.run(sa.delete(m.listed).where(c.no.in_(old)))

    return (seats, sent, history, bookings, punished, listed)


def _over(before: int) -> sa.ColumnElement[bool]:
    """Visits that are over and were to be before that instant. A hold that nobody confirmed is over by itself."""
    lapsed = (_a.state == Life.HELD.value) & (_a.held_until < before)
    return (_a.day < _day(before)) & (_a.end_at < before) & (_a.state.not_in(_OPEN) | lapsed)


def _day(at: int) -> date:
    return datetime.fromtimestamp(at / 1000, UTC).date()
