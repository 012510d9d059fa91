"""``/metrics`` for Prometheus: figures gathered at the moment they are asked for, and of the process itself.

Figures carry ids of queues, windows and devices, never of people. They are given to this machine alone, or to who
knows the token (``Authorization: Bearer …``).
"""

import asyncio
import hmac
from collections.abc import Iterable
from ipaddress import ip_address

from aiohttp import web
from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from qingting.contract.errors import Refusal
from qingting.kernel.web.sender import sender_of

Labels = tuple[str, ...]


def gauge(
    name: str, meaning: str, labels: Labels, rows: Iterable[tuple[Labels, float]]
) -> GaugeMetricFamily:
    """Values that go up and down, one for each combination of label values."""
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def counter(name: str, meaning: str, value: float) -> CounterMetricFamily:
    """A value that only grows."""
    return CounterMetricFamily(name, meaning, value=value)


class _Gathered:
    """A collector of figures that are there already."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def check_asker(request: web.Request, token: str, proxies: frozenset[str] = frozenset()) -> None:
    """Raises ``metrics.forbidden`` for a stranger: without ``token`` only this machine is none."""
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        allowed = hmac.compare_digest(given.encode(), token.encode())
    else:
        allowed = _is_here(sender_of(request, proxies))
    if not allowed:
        raise Refusal("metrics.forbidden")


def _is_here(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


async def exposition(families: Iterable[Metric]) -> web.Response:
    """The answer in the text format that every Prometheus reads, with memory, processor and files of the process,
    which are read from the system in a thread."""
    text = await asyncio.to_thread(_written, list(families))
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})


def _written(families: list[Metric]) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Gathered(families))
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return generate_latest(registry)
