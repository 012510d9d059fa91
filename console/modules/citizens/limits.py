"""How often one address and one browser may ask: so that one who hammers does not keep the others out."""

from collections import OrderedDict
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from console.core.web import address_of
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import digest

REMEMBERED = 50_000
"""Addresses and browsers whose measure is kept; who has been quiet longest is forgotten first."""
CHANGE_COSTS = 5
"""What changes something counts as so many looks."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Limiter:
    """A measure for each key that fills up by ``per_minute`` and holds that much; 0: no limit. One worker counts for
    itself."""

    def __init__(self, clock: Clock, per_minute: int) -> None:
        self._clock = clock
        self._most = per_minute
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key: str, cost: int = 1) -> None:
        """Raises ``citizen.too_many`` when the measure is empty."""
        if not self._most:
            return
        now = self._clock.monotonic()
        bucket = self._buckets.setdefault(key, _Bucket(self._most, now))
        self._buckets.move_to_end(key)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        bucket.left = min(self._most, bucket.left + (now - bucket.at) * self._most / 60)
        bucket.at = now
        if bucket.left < cost:
            missing = (cost - bucket.left) * 60 / self._most
            raise Refusal("citizen.too_many", seconds=max(1, round(missing)))
        bucket.left -= cost


def limited(addresses: Limiter, browsers: Limiter, cookie: str) -> Middleware:
    """Asked before anything else is done for a request."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        cost = 1 if request.method in ("GET", "HEAD") else CHANGE_COSTS
        addresses.take(address_of(request), cost)
        if secret := request.cookies.get(cookie):
            browsers.take(digest(secret), cost)
        return await handler(request)

    return middleware
