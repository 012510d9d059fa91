"""What other modules may know of alarms."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from console.core.channels import Channel
from console.core.module import ApiKey
from console.core.permissions import Scope
from console.core.uow import ReadUow
from console.modules.alarms.availability import Availability
from console.modules.alarms.domain import AlarmState
from qingting.contract.conditions import Severity
from qingting.contract.ids import HallId


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmInfo:
    """One alarm. ``device`` empty: about the hall's line; ``kind``: the device's, ``hall``, or empty for something
    the hall does not know. ``times`` it was raised; ``root`` is the alarm that it stands behind, 0 for none;
    ``behind`` counts the devices behind it. ``cleared_by`` empty: it cleared itself. ``told_at``: when people were
    last told of it; ``asked_at``: since when somebody is asked to acknowledge it.
    """

    no: int
    rule: str
    hall: HallId
    device: str
    kind: str
    what: str
    severity: Severity
    state: AlarmState
    began: int
    raised_at: int
    times: int
    acked_at: int
    acked_by: str
    cleared_at: int
    cleared_by: str
    root: int
    behind: int
    maintained: bool
    notify: bool
    told: bool
    told_at: int
    asked_at: int

    @property
    def open(self) -> bool:
        return self.state is not AlarmState.CLEARED


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """``hall`` or one device with what hangs on it is worked on from ``start`` to ``until``."""

    no: int
    hall: HallId
    device: str
    start: int
    until: int
    reason: str
    by: str
    ended_by: str

    def holds(self, now: int) -> bool:
        return self.start <= now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """``what`` held ``times`` times at a device, ``total`` milliseconds in all, and began last at ``last``."""

    what: str
    times: int
    total: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
    """History of one device: availability of today, of 7 and of 30 days (``day``, ``week``, ``month``), what held in
    the last 30 days, its alarms and its maintenance. ``known_until``: nobody knows what came later."""

    hall: HallId
    device: str
    availability: Mapping[str, Availability]
    held: tuple[Held, ...]
    alarms: tuple[AlarmInfo, ...]
    maintenance: tuple[Maintenance, ...]
    known_until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAlarms:
    """Open alarms that stand for themselves. ``new_by_severity`` of them nobody has acknowledged; those of what is
    maintained count apart."""

    by_severity: Mapping[Severity, int]
    new_by_severity: Mapping[Severity, int]
    maintained: int
    behind: int

    @property
    def count(self) -> int:
        return sum(self.by_severity.values())

    @property
    def new(self) -> int:
        return sum(self.new_by_severity.values())


class AlarmsApi(Protocol):
    """Alarms of all halls."""

    async def open(self, uow: ReadUow, scope: Scope, hall: HallId | None = None) -> OpenAlarms: ...

    async def begun(self, uow: ReadUow, since: int) -> dict[tuple[HallId, str], tuple[int, ...]]:
        """When alarms that are open now began, by hall and device, those since ``since``."""
        ...

    async def undelivered(self, uow: ReadUow) -> dict[tuple[str, str], int]:
        """Deliveries that wait or were given up within a week, by channel and state."""
        ...

    async def hearers(self, uow: ReadUow, severity: Severity) -> Mapping[str, Channel]:
        """Who hears of what concerns the city itself, by name: channels that carry everything, and receivers whose
        scope is the whole city. Quiet hours and escalation are for alarms of halls."""
        ...

    async def record(self, uow: ReadUow, hall: HallId, device: str) -> DeviceRecord:
        """Raises ``hall.unknown`` and ``device.unknown``."""
        ...


ALARMS = ApiKey[AlarmsApi]("ALARMS")
