"""How often one address and one browser may ask, over all workers: so that one who hammers does not keep the others out.

What ordinary people do never reaches the database: each worker lets a little through by itself, and only who asks for
more than that takes from the measure that all workers share. Both together are at most what was set.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from sqlalchemy.dialects.postgresql import insert

from console.core.db import Database
from console.core.web import address_of
from console.modules.citizens import models as m
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import digest

REMEMBERED = 50_000
"""Addresses and browsers whose measure is kept; who has been quiet longest is forgotten first."""
CHANGE_COSTS = 5
"""What changes something counts as so many looks."""
WINDOW_MS = 60_000
WORKERS = 8
"""With more workers than these, a little more than what was set can come through."""
OWN_SHARE = 32
"""A worker lets the 32nd part through without asking."""
LEASE_SHARE = 10
"""Who takes from the shared measure takes the tenth part at once: so many requests ask the database once."""


class Measures(Protocol):
    """The measure that all workers share."""

    async def take(self, key: str, cost: float, most: float) -> float:
        """0 when ``cost`` was there of ``most``, else how much is missing."""
        ...


class PgMeasures:
    """Implements :class:`Measures` in PostgreSQL; ``hide`` makes of a key what may stand in a table."""

    def __init__(self, db: Database, clock: Clock, hide: Callable[[str], str]) -> None:
        self._db = db
        self._clock = clock
        self._hide = hide

    async def take(self, key: str, cost: float, most: float) -> float:
        """While the database is away nothing is missing: no page can be had then either."""
        if cost > most:
            return cost - most
        c, now = m.measure.c, self._clock.now_ms()
        # What was used comes back evenly over a minute. Another worker's clock may be ahead.
        back = sa.func.greatest(0, now - c.at) * (most / WINDOW_MS)
        left = sa.func.greatest(0.0, c.used - back)
        statement = insert(m.measure).values(key=self._hide(key), used=cost, at=now)
        statement = statement.on_conflict_do_update(
            index_elements=["key"],
            set_={"used": left + cost, "at": sa.func.greatest(c.at, now)},
            where=left + cost <= most,
        )
        try:
            async with self._db.write() as uow:
                if await uow.run(statement):
                    return 0.0
                used = await uow.scalar(sa.select(left).where(c.key == self._hide(key)))
        except Refusal as refusal:
            if refusal.code != "city.unavailable":
                raise
            return 0.0
        return max(1.0, float(used or 0.0) + cost - most)


@dataclass(slots=True)
class _Bucket:
    """``own`` is what this worker may let through by itself, ``leased`` what it took of the shared measure, until
    ``leased_until``; before ``closed_until`` it need not ask again. Seconds of the steady clock."""

    own: float
    at: float
    leased: float = 0.0
    leased_until: float = 0.0
    closed_until: float = 0.0


class Limiter:
    """A measure for each key that fills up by ``per_minute`` and holds that much; 0: no limit."""

    def __init__(self, clock: Clock, measures: Measures, kind: str, per_minute: int) -> None:
        self._clock = clock
        self._measures = measures
        self._kind = kind
        self._most = per_minute
        self._own = per_minute // OWN_SHARE
        self._shared = per_minute - WORKERS * self._own
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    async def take(self, key: str, cost: int = 1) -> None:
        """Raises ``citizen.too_many`` when the measure is empty."""
        if not self._most:
            return
        now = self._clock.monotonic()
        bucket = self._bucket(key, now)
        if bucket.own >= cost:
            bucket.own -= cost
            return
        if bucket.leased_until <= now:
            bucket.leased = 0.0
        if bucket.leased < cost:
            await self._lease(key, bucket, cost)
        bucket.leased -= cost

    def _bucket(self, key: str, now: float) -> _Bucket:
        bucket = self._buckets.setdefault(key, _Bucket(self._own, now))
        self._buckets.move_to_end(key)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        bucket.own = min(self._own, bucket.own + (now - bucket.at) * self._own / 60)
        bucket.at = now
        return bucket

    async def _lease(self, key: str, bucket: _Bucket, cost: int) -> None:
        now = self._clock.monotonic()
        if bucket.closed_until > now:
            raise _too_many(bucket.closed_until - now)
        name = f"{self._kind} {key}"
        wanted = max(cost, self._shared // LEASE_SHARE)
        missing = await self._measures.take(name, wanted, self._shared)
        if missing and wanted > cost:
            wanted = cost
            missing = await self._measures.take(name, wanted, self._shared)
        if missing:
            seconds = missing * 60 / self._shared
            bucket.closed_until = now + seconds
            raise _too_many(seconds)
        bucket.leased += wanted
        bucket.leased_until = now + WINDOW_MS / 1000


def _too_many(seconds: float) -> Refusal:
    return Refusal("citizen.too_many", seconds=max(1, round(seconds)))


def limited(addresses: Limiter, browsers: Limiter, cookie: str) -> Middleware:
    """Asked before anything else is done for a request."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        cost = 1 if request.method in ("GET", "HEAD") else CHANGE_COSTS
        await addresses.take(address_of(request), cost)
        if secret := request.cookies.get(cookie):
            await browsers.take(digest(secret), cost)
        return await handler(request)

    return middleware
