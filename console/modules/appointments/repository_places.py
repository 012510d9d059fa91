"""SQL of places: locks, what is taken, taking and giving back.

Who takes a place first locks it and the citizen, both as transaction-level advisory locks taken in one order over the
whole city, so that nobody waits in a circle. After that everything read is settled until the commit. The key of
``app_seat`` keeps the promise by itself as well.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from console.core.uow import ReadUow, Uow
from console.modules.appointments import models as m
from console.modules.appointments.places import FOREVER, Taken

_s = m.seat.c
_SEATS = sa.select(_s.no, _s.until, _s.by_staff).where(
    _s.hall == sa.bindparam("its"),
    _s.pool == sa.bindparam("from"),
    _s.day == sa.bindparam("on"),
    _s.start == sa.bindparam("at"),
    _s.until > sa.bindparam("now"),
)
_TAKEN = (
    sa.select(
        _s.pool,
        _s.day,
        _s.start,
        sa.func.count().label("all"),
        sa.func.count().filter(_s.by_staff).label("by_staff"),
    )
    .where(
        _s.hall == sa.bindparam("its"),
        _s.pool.in_(sa.bindparam("pools", expanding=True)),
        _s.day.between(sa.bindparam("first"), sa.bindparam("last")),
        _s.until > sa.bindparam("now"),
    )
    .group_by(_s.pool, _s.day, _s.start)
)
_LOCK = sa.text("SELECT pg_advisory_xact_lock(one) FROM unnest(CAST(:keys AS bigint[])) AS one")
_TAKE = sa.text("""
    INSERT INTO app_seat (hall, pool, day, start, no, until, appointment, by_staff)
    VALUES (:hall, :pool, :day, :start, :no, :until, :appointment, :by_staff)
    ON CONFLICT (hall, pool, day, start, no) DO UPDATE
    SET until = excluded.until, appointment = excluded.appointment, by_staff = excluded.by_staff
    WHERE app_seat.until <= :now
    RETURNING no""")


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """A period of a pool. ``start`` in minutes of the day."""

    hall: str
    pool: str
    day: date
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seats:
    """Seat numbers of a spot with until when they are taken, and how many of the taken ones by staff."""

    until: Mapping[int, int]
    by_staff: int


def lock_key(*parts: object) -> int:
    """A number for an advisory lock: 64 bits, so that two things share one only by a miracle, and then just wait."""
    text = "\x1f".join(map(str, ("app", *parts)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), signed=True)


async def lock(uow: Uow, citizen: str, spots: Collection[Spot] = ()) -> None:
    """Waits for its turn with a citizen and with places."""
    keys = {lock_key("citizen", citizen)}
    keys |= {lock_key("spot", one.hall, one.pool, one.day, one.start) for one in spots}
    await lock_keys(uow, keys)


async def lock_keys(uow: Uow, keys: Collection[int]) -> None:
    """In one order, until the commit."""
    await uow.all(_LOCK, {"keys": sorted(keys)})


async def seats(uow: ReadUow, spots: Sequence[Spot], now: int) -> dict[Spot, Seats]:
    """What is taken of each spot now."""
    found = {}
    for spot in spots:
        wanted = {"its": spot.hall, "from": spot.pool, "on": spot.day, "at": spot.start, "now": now}
        rows = await uow.all(_SEATS, wanted)
        found[spot] = Seats(
            until={row["no"]: row["until"] for row in rows},
            by_staff=sum(row["by_staff"] for row in rows),
        )
    return found


async def taken(
    uow: ReadUow, hall: str, pools: Collection[str], first: date, last: date, now: int
) -> dict[Spot, Taken]:
    """How much is taken of each period of some pools; periods of which nothing is are left out."""
    wanted = {"its": hall, "pools": sorted(pools), "first": first, "last": last, "now": now}
    return {
        Spot(hall, row["pool"], row["day"], row["start"]): Taken(row["all"], row["by_staff"])
        for row in await uow.all(_TAKEN, wanted)
    }


async def take(
    uow: Uow, spot: Spot, no: int, appointment: str, *, until: int, by_staff: bool, now: int
) -> bool:
    """False when somebody has that seat."""
    found = await uow.scalar(
        _TAKE,
        {
            "hall": spot.hall,
            "pool": spot.pool,
            "day": spot.day,
            "start": spot.start,
            "no": no,
            "until": until,
            "appointment": appointment,
            "by_staff": by_staff,
            "now": now,
        },
    )
    return found is not None


async def spots_of(uow: ReadUow, appointment: str) -> list[Spot]:
    """The places that an appointment has."""
    rows = await uow.all(
        sa.select(_s.hall, _s.pool, _s.day, _s.start).where(_s.appointment == appointment)
    )
    return [Spot(**row) for row in rows]


async def keep(uow: Uow, appointment: str) -> int:
    """Makes held places booked ones; gives how many there were."""
    return await uow.run(
        sa.update(m.seat).where(_s.appointment == appointment).values(until=FOREVER)
    )


async def prolong(uow: Uow, appointment: str, *, until: int) -> int:
    """Keeps held places longer; gives how many there were."""
    return await uow.run(sa.update(m.seat).where(_s.appointment == appointment).values(until=until))


async def give_back(
    uow: Uow, appointment: str, *, until: int, only: Collection[Spot] | None = None
) -> None:
    """Lets go of an appointment's places, all or ``only`` some; nobody gets them before ``until``."""
    where = [_s.appointment == appointment]
    if only is not None:
        where.append(
            sa.tuple_(_s.hall, _s.pool, _s.day, _s.start).in_(
                [(one.hall, one.pool, one.day, one.start) for one in only]
            )
        )
    await uow.run(
        sa.update(m.seat).where(*where).values(until=until, appointment="", by_staff=False)
    )
