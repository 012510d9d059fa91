"""Simulated face terminals: people stand before it, and it hands out credentials of the city's platform.

Written from ``docs/integrators/face-terminal.md``; the words are the profile's. It never sees a picture: a person is
an id, recognised after a moment, and only while the terminal was told to look.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from qingting.contract.states import Condition, DeviceKind
from qingting.kernel.aio.clock import Clock
from simulators.device import LINE_FAULTS, Fault, Line, SimulatedDevice
from simulators.profiles import Profile, hex_bytes

RECOGNISE_S = 0.6
"""How long somebody must stand there."""
LOOK_S = 30.0
"""It looks no longer than this, whatever it was told."""
STRANGER = "stranger"
"""Somebody whom the platform does not know."""
MAX_LINE = 600
KEPT = 50
FAULTY = {Fault.CAMERA_FAULT: Condition.CAMERA_FAULT, Fault.PLATFORM_LOST: Condition.PLATFORM_LOST}


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody was before it while it looked; ``recognised``: a credential was handed out."""

    at_ms: int
    person: str
    recognised: bool


def _nobodys(_person: str) -> str:
    return "QTRL.nobodys-" + secrets.token_urlsafe(12)


class FaceTerminalSimulator(SimulatedDevice):
    """``issue`` gives a credential for a person; without a platform it is one that nobody knows."""

    kind: ClassVar[DeviceKind] = DeviceKind.FACE
    possible_faults: frozenset[Fault] = LINE_FAULTS | {Fault.EAGER, *FAULTY}

    def __init__(self, device_id: str, profile: Profile, clock: Clock | None = None) -> None:
        super().__init__(device_id, profile, clock)
        face, commands = profile.section("face"), profile.section("commands")
        self.end = hex_bytes(face["terminators"][0])
        self.issue: Callable[[str], str] = _nobodys
        self.front: str | None = None
        self.looking = False
        self.looks = 0
        """Times that it was told to look."""
        self.seen: deque[Seen] = deque(maxlen=KEPT)
        self._beginning = str(face["credential"])
        self._commands = {hex_bytes(text).strip(): name for name, text in commands.items()}
        self._words = {meaning: word for word, meaning in profile.section("words").items()}
        self._faults = {meaning: word for word, meaning in profile.section("faults").items()}
        self._buffer = bytearray()
        self._until = 0.0
        self._stir = asyncio.Event()

    async def start(self) -> None:
        await super().start()
        _ = self.supervisor.keep("see", self._see)

    # ---- people ----------------------------------------------------------------------------------

    def stand(self, person: str) -> None:
        """Somebody steps before it."""
        self.front = person
        self._stir.set()
        self.changed()

    def walk_away(self) -> None:
        self.front = None
        self.changed()

    # ---- the line --------------------------------------------------------------------------------

    def detach(self, line: Line) -> None:
        """It looks no more once nobody listens."""
        self._go_dark()
        super().detach(line)

    def receive(self, data: bytes) -> None:
        self._buffer += data
        *lines, rest = self._buffer.replace(b"\r", b"\n").split(b"\n")
        self._buffer = bytearray(rest[-MAX_LINE:])
        for line in lines:
            self._obey(self._commands.get(bytes(line).strip(), ""))

    def _obey(self, command: str) -> None:
        fault = next((FAULTY[one] for one in self.faults if one in FAULTY), None)
        if command and fault is not None:
            self._go_dark()
            self._line_out(self._faults[fault])
            return
        match command:
            case "look":
                self.looking, self.looks = True, self.looks + 1
                self._until = self.clock.monotonic() + LOOK_S
                self._stir.set()
            case "stop":
                self._go_dark()
            case "ask":
                self._go_dark_in_time()
            case _:
                return
        self._line_out(self._words["looking" if self.looking else "dark"])
        self.changed()

    def _line_out(self, text: str, *, job: bool = False) -> None:
        self.say(text.encode("ascii") + self.end, job=job)

    def _go_dark(self) -> None:
        if self.looking:
            self.looking = False
            self.changed()

    def _go_dark_in_time(self) -> None:
        if self.clock.monotonic() >= self._until:
            self._go_dark()

    # ---- seeing ----------------------------------------------------------------------------------

    async def _see(self) -> None:
        while True:
            await self._stir.wait()
            self._stir.clear()
            person = self.front
            await self.clock.sleep(RECOGNISE_S)
            if person is not None and person == self.front and self._may_see():
                self._tell(person)

    def _may_see(self) -> bool:
        self._go_dark_in_time()
        broken = any(one in FAULTY for one in self.faults)
        return not broken and (self.looking or Fault.EAGER in self.faults)

    def _tell(self, person: str) -> None:
        known = person != STRANGER
        text = self._beginning + self.issue(person) if known else self._words["nobody"]
        self.seen.append(Seen(at_ms=self.clock.now_ms(), person=person, recognised=known))
        self.looking = False
        self._line_out(text, job=True)
        self.changed()

    def state(self) -> dict[str, Any]:
        return super().state() | {
            "looking": self.looking,
            "front": self.front,
            "seen": [msgspec.to_builtins(one) for one in reversed(self.seen)],
        }
