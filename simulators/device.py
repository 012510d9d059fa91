"""What all simulated devices share: a line to the outside, faults of that line, and observers.

A device knows nothing of ports and sockets. A carrier attaches a :class:`Line`, hands over every
received chunk, and detaches the line when the cable is pulled.
"""

import asyncio
from collections.abc import Callable
from enum import StrEnum
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self

from qingting.contract.states import DeviceKind
from qingting.kernel.aio.clock import Clock, SystemClock
from qingting.kernel.aio.tasks import Supervisor
from simulators.profiles import Profile

SPLIT_PAUSE_S = 0.002
"""Gap between two bytes of a split answer; long enough that the reader sees two chunks."""
MAX_PIECES = 256
"""A split answer is torn into no more pieces, so that a long one still comes within a reader's patience."""
SLOW_S = 0.3
"""Delay of each answer of a slow device."""


class Line(Protocol):
    """The device's end of a cable that somebody listens to."""

    def send(self, data: bytes) -> None: ...


class Fault(StrEnum):
    """What may be wrong with the way a device talks. The first five are possible on every line."""

    MUTE = "mute"
    SPLIT_BYTES = "split_bytes"
    GARBAGE_PREFIX = "garbage_prefix"
    SLOW = "slow"
    DUPLICATE_ANSWER = "duplicate_answer"
    """Everything is said twice."""
    STUCK = "stuck"
    """It goes on saying what it said before, whatever has happened since."""
    WRONG_CHECKSUM = "wrong_checksum"
    SAM_FAULT = "sam_fault"
    UNAUTHORISED = "unauthorised"
    NO_TERMINATOR = "no_terminator"
    BUSY = "busy"
    EAGER = "eager"
    """It looks although nobody asked."""
    CAMERA_FAULT = "camera_fault"
    PLATFORM_LOST = "platform_lost"


LINE_FAULTS = frozenset(
    {
        Fault.MUTE,
        Fault.SPLIT_BYTES,
        Fault.GARBAGE_PREFIX,
        Fault.SLOW,
        Fault.DUPLICATE_ANSWER,
    }
)


class SimulatedDevice:
    """Ground of all simulators. Use as ``async with``, or ``start`` and ``close``."""

    kind: ClassVar[DeviceKind]
    garbage: ClassVar[bytes] = b"\xa5\xff\xc3"
    """Noise before each answer when the line is disturbed."""
    possible_faults: frozenset[Fault] = LINE_FAULTS

    def __init__(self, device_id: str, profile: Profile, clock: Clock | None = None) -> None:
        self.id = device_id
        self.profile = profile
        self.clock = clock or SystemClock()
        self.faults: set[Fault] = set()
        self.supervisor = Supervisor(f"simulator/{device_id}")
        self.pull_cable = asyncio.Event()
        """Set when a job that was to be interrupted is under way: whoever owns the cable pulls it."""
        self._cut_armed = False
        self._line: Line | None = None
        self._outbox: asyncio.Queue[tuple[bytes, bool]] = asyncio.Queue()
        self._observers: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Puts the device under power."""
        _ = self.supervisor.keep("speak", self._speak)

    async def close(self) -> None:
        """Takes the power away; no task is left behind."""
        await self.supervisor.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # ---- the line --------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """True while somebody listens at the other end."""
        return self._line is not None

    def attach(self, line: Line) -> None:
        """A cable with a listener was plugged in. The latest line wins."""
        self._line = line
        self._forget_answers()
        self.changed()

    def detach(self, line: Line) -> None:
        """The listener or the cable is gone; answers still waiting are lost, as on a real line."""
        if self._line is line:
            self._line = None
            self._forget_answers()
            self.changed()

    def receive(self, data: bytes) -> None:
        """Bytes from the outside. Every simulator overrides this."""
        raise NotImplementedError

    def say(self, data: bytes, *, job: bool = False) -> None:
        """Queues an answer; it leaves in order, disturbed by the faults of the line. ``job``: it carries what the
        device is there for (a card, a code), and a cable that is to go in the middle of a job goes here."""
        if self._line is not None:
            self._outbox.put_nowait((data, job))

    def _forget_answers(self) -> None:
        while not self._outbox.empty():
            self._outbox.get_nowait()

    async def _speak(self) -> None:
        while True:
            data, job = await self._outbox.get()
            if Fault.SLOW in self.faults:
                await self.clock.sleep(SLOW_S)
            if Fault.MUTE in self.faults:
                continue
            if Fault.GARBAGE_PREFIX in self.faults:
                data = self.garbage + data
            if Fault.DUPLICATE_ANSWER in self.faults:
                data *= 2
            if job and self._cut_armed:
                data = data[: len(data) // 2]
            await self._put_on_line(data)
            if job:
                self.job_under_way()

    async def _put_on_line(self, data: bytes) -> None:
        if Fault.SPLIT_BYTES not in self.faults:
            if self._line is not None:
                self._line.send(data)
            return
        size = -(-len(data) // MAX_PIECES)
        for at in range(0, len(data), size):
            if self._line is not None:
                self._line.send(data[at : at + size])
            await self.clock.sleep(SPLIT_PAUSE_S)

    # ---- faults and observers --------------------------------------------------------------------

    def set_fault(self, fault: Fault, on: bool) -> None:
        """Switches a fault on or off; raises ValueError for one that this device cannot have."""
        if fault not in self.possible_faults:
            raise ValueError(f"a {self.kind.value} never has {fault.value}")
        if on:
            self.faults.add(fault)
        else:
            self.faults.discard(fault)
        self.changed()

    def disconnect_mid_job(self) -> None:
        """Asks whoever owns the cable to pull it in the middle of the next job."""
        self.pull_cable.clear()
        self._cut_armed = True
        self.changed()

    def keep_cable(self) -> None:
        """Takes :meth:`disconnect_mid_job` back."""
        self._cut_armed = False
        self.changed()

    def job_under_way(self) -> None:
        """The middle of a job: here the cable goes, if it is to."""
        if self._cut_armed:
            self._cut_armed = False
            self.pull_cable.set()
            self.changed()

    def observe(self, observer: Callable[[], None]) -> Callable[[], None]:
        """Calls ``observer`` after every change until the returned function is called."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    def changed(self) -> None:
        for observer in tuple(self._observers):
            observer()

    def state(self) -> dict[str, Any]:
        """What the control page shows; plain JSON values."""
        return {
            "id": self.id,
            "kind": self.kind.value,
            "profile": self.profile.id,
            "vendor": self.profile.vendor,
            "model": self.profile.model,
            "connected": self.connected,
            "faults": sorted(self.faults),
            "possible_faults": sorted(self.possible_faults),
            "disconnect_mid_job": self._cut_armed,
        }
