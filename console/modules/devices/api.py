"""What other modules may know of devices."""

from dataclasses import dataclass
from typing import Protocol

from console.core.module import ApiKey
from console.core.uow import ReadUow
from console.modules.devices.domain import needs_somebody
from qingting.contract.ids import HallId
from qingting.contract.states import Condition, DeviceKind, DeviceState, Language


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionSince:
    condition: Condition
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceInfo:
    """A device as the city knows it. ``since`` is when its state began, ``seen`` when it was last heard of.

    ``fresh`` is False while its hall is not connected: then this is what was true at ``seen``.
    ``parent_name`` is the kiosk it belongs to, ``help_since`` when somebody there called for help.
    """

    hall: HallId
    hall_name: str
    hall_name_en: str
    id: str
    kind: DeviceKind
    name: str
    name_en: str
    parent: str
    parent_name: str
    parent_name_en: str
    window: str
    state: DeviceState
    conditions: tuple[ConditionSince, ...]
    detail: str
    since: int
    seen: int
    fresh: bool
    help_since: int = 0

    def title(self, language: Language) -> str:
        return self.name if language is Language.ZH else self.name_en or self.name

    def hall_title(self, language: Language) -> str:
        return self.hall_name if language is Language.ZH else self.hall_name_en

    def parent_title(self, language: Language) -> str:
        return self.parent_name if language is Language.ZH else self.parent_name_en

    @property
    def needs_somebody(self) -> bool:
        """Somebody has to go there now."""
        faults = tuple(one.condition for one in self.conditions)
        return bool(self.help_since) or needs_somebody(self.state, faults)


class DevicesApi(Protocol):
    """Devices of all halls."""

    async def devices(self, uow: ReadUow, hall: HallId | None = None) -> list[DeviceInfo]:
        """Present state; what a connected hall said last goes before the log's backlog."""
        ...


DEVICES = ApiKey[DevicesApi]("DEVICES")
