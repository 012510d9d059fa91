"""Who was turned away at the door (拒绝接入), told to the log so that nobody can fill it.

The first refusal of a device for a reason becomes an event at once; further ones are counted, and the
count follows after ten minutes. All devices together make at most twenty such events in ten minutes.
"""

from collections import deque
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from qingting.contract.commands import RefuseDevice
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId
from qingting.contract.states import AddressClass, TurnedAway
from qingting.kernel.aio.clock import Clock

QUIET_SECONDS = 10 * 60.0
MOST_EVENTS = 20
"""In :data:`QUIET_SECONDS`, whoever was claimed to be knocking."""


class TurnedAwayRefusal(Refusal):
    """Somebody is not who they claim to be. ``device`` is whom they claim to be or to speak for, ``by`` whose
    key they have where that is known."""

    def __init__(
        self,
        code: str,
        why: TurnedAway,
        device: DeviceId,
        by: DeviceId | None = None,
    ) -> None:
        super().__init__(code, device=device)
        self.why, self.device, self.by = why, device, by


@dataclass(slots=True)
class _Line:
    """``waiting`` refusals are not told yet; ``told_at`` is when the last were (monotonic seconds)."""

    latest: TurnedAwayRefusal
    origin: AddressClass
    waiting: int = 0
    told_at: float | None = None


class DoorBook:
    """Counts and says what the log should learn. Pure but for the clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines: dict[tuple[TurnedAway, str], _Line] = {}
        self._told: deque[float] = deque()

    def note(self, refusal: TurnedAwayRefusal, address: str) -> None:
        """Once for every refusal. Ids that nobody knows share a line: they are anybody's invention."""
        unknown = refusal.why is TurnedAway.UNKNOWN_DEVICE
        name = (refusal.why, "" if unknown else refusal.device)
        origin = address_class(address)
        line = self._lines.setdefault(name, _Line(refusal, origin))
        if not line.waiting or not unknown:
            line.latest, line.origin = refusal, origin
        line.waiting += 1

    def due(self) -> list[RefuseDevice]:
        """What may be told now; stays due until :meth:`told`."""
        now = self._clock.monotonic()
        while self._told and now - self._told[0] >= QUIET_SECONDS:
            self._told.popleft()
        self._forget(now)
        ripe = [line for line in self._lines.values() if line.waiting and _may_speak(line, now)]
        return [_command(line) for line in ripe[: MOST_EVENTS - len(self._told)]]

    def told(self, command: RefuseDevice) -> None:
        """The log has it. What came meanwhile is counted on."""
        now = self._clock.monotonic()
        self._told.append(now)
        line = next(one for one in self._lines.values() if _is_of(one, command))
        line.waiting -= command.count
        line.told_at = now

    def _forget(self, now: float) -> None:
        """Quiet lines go, so that who comes back after that is told at once."""
        over = [
            name
            for name, line in self._lines.items()
            if not line.waiting and line.told_at is not None and _may_speak(line, now)
        ]
        for name in over:
            del self._lines[name]


def _may_speak(line: _Line, now: float) -> bool:
    return line.told_at is None or now - line.told_at >= QUIET_SECONDS


def _is_of(line: _Line, command: RefuseDevice) -> bool:
    if line.latest.why is not command.why:
        return False
    return command.why is TurnedAway.UNKNOWN_DEVICE or line.latest.device == command.device


def _command(line: _Line) -> RefuseDevice:
    return RefuseDevice(
        device=line.latest.device,
        why=line.latest.why,
        origin=line.origin,
        count=line.waiting,
        by=line.latest.by,
    )


def address_class(address: str) -> AddressClass:
    """Where an address lies; what is none lies elsewhere."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return AddressClass.ELSEWHERE
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if parsed.is_loopback:
        return AddressClass.THIS_MACHINE
    return AddressClass.OWN_NETWORK if parsed.is_private else AddressClass.ELSEWHERE
