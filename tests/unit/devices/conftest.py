"""A bench: one driver, a null modem, a clock that the test moves, and a log that can be read."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Protocol

import pytest
from structlog.testing import capture_logs

from hallserver.devices.api import DeviceStatus
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.aio.pipe import BytePipe, NullModemEnd, PipeClosedError, null_modem

STEP_S = 0.01
LATE_S, BESIDE_S = 5.0, 0.005
"""Real seconds for work beside the loop once the clock stands still, looked at so often."""
ROUNDS = 12
"""Rounds of the loop per step: enough for a question and its answer over the null modem."""


class Driver(Protocol):
    @property
    def status(self) -> DeviceStatus: ...

    def subscribe(self, listener: Callable[[DeviceStatus], None]) -> Callable[[], None]: ...

    async def run(self) -> None: ...


class Bench:
    """Plugs a scripted device (``answer``) into a driver."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.answer: Callable[[bytes], bytes | list[bytes]] = lambda _: b""
        self.plugged = True
        self.silent = False
        self.received = bytearray()
        self.end: NullModemEnd | None = None
        self.opened = 0
        self.statuses: list[DeviceStatus] = []

    async def open_line(self, url: str, settings: object) -> BytePipe:
        """Stands in for ``open_transport``."""
        if not self.plugged:
            raise PipeClosedError(f"nothing at {url}")
        near, far = null_modem()
        far.on_data(lambda data: self._heard(far, data))
        self.end = far
        self.opened += 1
        return near

    def _heard(self, end: NullModemEnd, data: bytes) -> None:
        self.received += data
        answer = self.answer(data)
        if not self.silent:
            self.say(*([answer] if isinstance(answer, bytes) else answer), end=end)

    def say(self, *pieces: bytes, end: NullModemEnd | None = None) -> None:
        """Sends pieces from the device's end."""
        speaker = end or self.end
        assert speaker is not None
        assert speaker._peer is not None
        for piece in pieces:
            if piece:
                asyncio.get_running_loop().call_soon(speaker._peer._take, piece)

    def unplug(self) -> None:
        self.plugged = False
        if self.end is not None:
            self.end.unplug(OSError(5, "gone"))

    def plug(self) -> None:
        self.plugged = True

    async def pass_time(self, seconds: float) -> None:
        """Moves the clock in small steps and lets everybody act in each."""
        for _ in range(round(seconds / STEP_S)):
            await self.clock.advance(STEP_S)
            for _ in range(ROUNDS):
                await asyncio.sleep(0)

    async def until(self, true: Callable[[], bool], at_most: float = 5.0) -> float:
        """Moves the clock until ``true``; how long it took. Fails after ``at_most`` seconds, of which a busy machine's work
        beside the loop takes none: the clock stands still until that is done."""
        began = self.clock.monotonic()
        while not true():
            if self.clock.monotonic() - began >= at_most:
                await _late(true)
                break
            await self.pass_time(STEP_S)
            await asyncio.sleep(0.0005)  # real time for work beside the loop
        return self.clock.monotonic() - began

    @asynccontextmanager
    async def running(self, driver: Driver) -> AsyncIterator[None]:
        driver.subscribe(self.statuses.append)
        task = asyncio.create_task(driver.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _late(true: Callable[[], bool]) -> None:
    for _ in range(round(LATE_S / BESIDE_S)):
        if true():
            return
        await asyncio.sleep(BESIDE_S)
    raise AssertionError("it did not happen in time")


class StallingLine:
    """A line that delivers answers in their order, ``gap_s`` apart, and stands still for a while.

    Until the question ``begins`` it behaves.
    """

    def __init__(
        self,
        bench: Bench,
        device: Callable[[bytes], bytes | list[bytes]],
        begins: Callable[[bytes], bool] = lambda _: True,
    ) -> None:
        self._bench = bench
        self._device = device
        self._begins = begins
        self._begun = False
        self._due: deque[bytes] = deque()
        bench.answer = self._hear

    def _hear(self, data: bytes) -> bytes:
        answer = self._device(data)
        whole = answer if isinstance(answer, bytes) else b"".join(answer)
        self._begun = self._begun or self._begins(data)
        if not self._begun:
            return whole
        if whole:
            self._due.append(whole)
        return b""

    async def run(self, seconds: float, gap_s: float) -> None:
        for _ in range(round(seconds / gap_s)):
            await self._bench.pass_time(gap_s)
            if self._due:
                self._bench.say(self._due.popleft())

    async def stall(self, seconds: float) -> None:
        """Nothing arrives from the next question on, for ``seconds``."""
        await self._bench.until(lambda: bool(self._due))
        await self._bench.pass_time(seconds)


@pytest.fixture
def stalling_line(bench: Bench) -> Callable[..., StallingLine]:
    return lambda *details: StallingLine(bench, *details)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def events() -> Iterator[Callable[[], list[str]]]:
    """Names of what was logged so far."""
    with capture_logs() as entries:
        yield lambda: [str(entry["event"]) for entry in entries]
