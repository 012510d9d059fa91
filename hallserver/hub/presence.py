"""Who is there. Connections come and go; the log learns of it only when it means something.

Devices with a connection of their own are ``ready`` while connected and ``lost`` after a grace that
lets a blink pass. Peripherals are reported by their agent; when the agent is gone they are lost too. The same holds
for a kiosk's camera and the kiosk's screen, which alone opens it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hallserver.engine.state import DeviceLife, HallState, children_of
from hallserver.hub.authority import PERIPHERALS, agent_speaks_for, is_hall_driven, spoken_for
from hallserver.hub.pad_watch import PadWatch
from hallserver.hub.session import ROLES
from qingting.contract.commands import ReportDevice
from qingting.contract.ids import DeviceId
from qingting.contract.states import Condition, DeviceKind, DeviceState
from qingting.contract.supervision import PADS
from qingting.kernel.aio.clock import Clock

BLINK_SECONDS = 3.0
"""A screen that is back within this time was never away."""
AGENT_GRACE_SECONDS = 1.0
"""Shorter for agents: a kiosk that cannot print must say so within two seconds."""
START_GRACE_SECONDS = 10.0
"""After a start of the server, the time in which devices come back by themselves."""
TICK_SECONDS = 0.25

_GONE = (DeviceState.LOST, DeviceState.ABSENT)


@dataclass(slots=True)
class _Line:
    """Connections of one device, and since when there has been none (monotonic seconds)."""

    sessions: int = 0
    dropped_at: float = 0.0


class Presence:
    """Keeps what is known of connections and says what should be reported. Pure but for the clock."""

    def __init__(self, clock: Clock, pads: PadWatch) -> None:
        self._clock = clock
        self._pads = pads
        self._started = clock.monotonic()
        self._lines: dict[DeviceId, _Line] = {}
        self._seen: dict[DeviceId, int] = {}

    @property
    def seen(self) -> Mapping[DeviceId, int]:
        """When each device was last heard of, UTC milliseconds."""
        return self._seen

    def joined(self, device: DeviceId) -> None:
        self._lines.setdefault(device, _Line()).sessions += 1
        self.heard(device)

    def left(self, device: DeviceId) -> None:
        line = self._lines[device]
        line.sessions -= 1
        line.dropped_at = self._clock.monotonic()
        if not line.sessions:
            self._pads.gone(device)
        self.heard(device)

    def heard(self, device: DeviceId) -> None:
        self._seen[device] = self._clock.now_ms()

    def heard_agent(self, state: HallState, agent: DeviceId) -> None:
        """An agent that speaks vouches for the peripherals that it has not given up."""
        now = self._clock.now_ms()
        self._seen[agent] = now
        for life in spoken_for(state, agent):
            if life.state not in _GONE:
                self._seen[life.id] = now

    def heard_kiosk(self, state: HallState, kiosk: DeviceId) -> None:
        """A kiosk's screen that speaks vouches for its camera."""
        now = self._clock.now_ms()
        self._seen[kiosk] = now
        for life in children_of(state, kiosk):
            if life.kind is DeviceKind.CAMERA and life.state not in _GONE:
                self._seen[life.id] = now

    def connected(self, device: DeviceId) -> bool:
        line = self._lines.get(device)
        return line is not None and line.sessions > 0

    def away_for(self, device: DeviceId) -> float:
        """Seconds since the device was last connected, or since the server's start; 0 while it is."""
        line = self._lines.get(device)
        if line is None:
            return self._clock.monotonic() - self._started
        return 0.0 if line.sessions > 0 else self._clock.monotonic() - line.dropped_at

    def missing(self, device: DeviceId, grace: float) -> bool:
        """True when the device has been away for longer than its grace, or the start's."""
        grace = grace if device in self._lines else START_GRACE_SECONDS
        return self.away_for(device) >= grace

    def due(self, state: HallState) -> list[ReportDevice]:
        """What the log does not know yet."""
        agents = [one.id for one in state.devices.values() if one.kind is DeviceKind.AGENT]
        reports = []
        for life in state.devices.values():
            if life.kind in PERIPHERALS:
                report = self._peripheral(state, life, agents)
            elif life.kind is DeviceKind.CAMERA:
                report = self._camera(life)
            else:
                report = self._own(state, life)
            if report is not None:
                reports.append(report)
        return reports

    def _own(self, state: HallState, life: DeviceLife) -> ReportDevice | None:
        if life.kind not in ROLES:
            return None
        if self.connected(life.id):
            return self._connected(state, life)
        grace = AGENT_GRACE_SECONDS if life.kind is DeviceKind.AGENT else BLINK_SECONDS
        if life.state in _GONE or not self.missing(life.id, grace):
            return None
        return _report(life, DeviceState.LOST)

    def _connected(self, state: HallState, life: DeviceLife) -> ReportDevice | None:
        """Conditions of other devices with a connection are told by themselves."""
        is_ready = life.state is DeviceState.READY
        if life.kind not in PADS:
            return None if is_ready else _report(life, DeviceState.READY)
        conditions = self._pads.conditions(state, life)
        if is_ready and conditions == set(life.conditions):
            return None
        return _report(life, DeviceState.READY, tuple(sorted(conditions)))

    def _camera(self, life: DeviceLife) -> ReportDevice | None:
        if life.state in _GONE or life.parent is None:
            return None
        if not self.missing(life.parent, BLINK_SECONDS):
            return None
        return _report(life, DeviceState.LOST, (Condition.COMM_ERROR,))

    def _peripheral(
        self, state: HallState, life: DeviceLife, agents: list[DeviceId]
    ) -> ReportDevice | None:
        if life.state in _GONE or is_hall_driven(life):
            return None
        own = [one for one in agents if agent_speaks_for(state, one, life.id)]
        if any(not self.missing(one, AGENT_GRACE_SECONDS) for one in own):
            return None
        if not own and self._clock.monotonic() - self._started < START_GRACE_SECONDS:
            return None
        return _report(life, DeviceState.LOST, (Condition.COMM_ERROR,))


def _report(
    life: DeviceLife, state: DeviceState, conditions: tuple[Condition, ...] = ()
) -> ReportDevice:
    detail = "" if state is DeviceState.READY else "no connection"
    return ReportDevice(
        device=life.id, kind=life.kind, state=state, conditions=conditions, detail=detail
    )
