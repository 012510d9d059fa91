"""How long a test waits for the real world: files, sockets, other processes, a browser.

A wait is one of two things, and each has its own limit:

- **It only waits** for something to go on with (:func:`until`). Then the limit is a guard against
  hanging, far above what any machine needs: the wait ends as soon as its condition holds.
- **It measures a promise** such as "seen within two seconds" (:func:`within`). Then the promise counts,
  plus :data:`ALLOWANCE_S`: the tests run beside others on machines with two cores, where any process
  may stand still for a moment. ``QT_ALLOWANCE_S=0`` holds every promise to the letter; run it so on a
  quiet machine before a release.

What must *not* happen is shown by an order of events ("the later one came, the earlier did not"), by
a count or by a clock that the test moves, never by waiting for a while.
"""

import asyncio
import inspect
import os
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

HANG_S = 60.0
"""A wait that takes this long hangs."""
HANG_MS = HANG_S * 1000
ALLOWANCE_S = float(os.environ.get("QT_ALLOWANCE_S", "6"))
"""What a promise in seconds may be exceeded by on a busy machine."""


def limit_s(promise_s: float) -> float:
    """The seconds in which a promise of ``promise_s`` must be kept on this machine."""
    return promise_s + ALLOWANCE_S


def limit_ms(promise_s: float) -> float:
    """:func:`limit_s` in the unit of a browser."""
    return limit_s(promise_s) * 1000


async def until(
    condition: Callable[[], T | Awaitable[T]], seconds: float = HANG_S, every: float = 0.01
) -> T:
    """What ``condition`` gives once it is true; fails when it never is."""
    ends = time.monotonic() + seconds
    while True:
        found = condition()
        held = await found if inspect.isawaitable(found) else found
        if held:
            return held
        assert time.monotonic() < ends, f"not within {seconds} s"
        await asyncio.sleep(every)


async def within(promise_s: float, condition: Callable[[], T | Awaitable[T]]) -> float:
    """Waits for ``condition`` and gives the seconds it took; fails when the promise is broken."""
    began = time.monotonic()
    await until(condition, limit_s(promise_s))
    return time.monotonic() - began
