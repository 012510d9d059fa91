"""What other modules may know of devices."""

from dataclasses import dataclass
from typing import Protocol

from console.core.module import ApiKey
from console.core.uow import ReadUow
from console.core.words import DEVICE_TONES, condition_words
from console.modules.devices.domain import out_of_order
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
    def out_of_order(self) -> bool:
        """Service stops here until a person goes there."""
        return out_of_order(self.kind, self.state, tuple(one.condition for one in self.conditions))

    @property
    def needs_somebody(self) -> bool:
        """It is out of order, or somebody there called for help."""
        return bool(self.help_since) or self.out_of_order


@dataclass(frozen=True, slots=True)
class ConditionLine:
    tone: str
    text: str
    hint: str
    since: int


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A device in the reader's words."""

    device: DeviceInfo
    hall: str
    name: str
    parent: str
    tone: str
    state_key: str
    conditions: tuple[ConditionLine, ...]


def device_line(device: DeviceInfo, language: Language) -> DeviceLine:
    """A hall that is away makes the present state of its devices unknown, not good or bad."""
    found = []
    for one in device.conditions:
        words = condition_words(one.condition, language)
        found.append(ConditionLine(words.tone, words.text, words.hint, one.since))
    return DeviceLine(
        device=device,
        hall=device.hall_title(language),
        name=device.title(language),
        parent=device.parent_title(language),
        tone=DEVICE_TONES[device.state] if device.fresh else "off",
        state_key=f"device.state.{device.state.value}" if device.fresh else "device.state.unknown",
        conditions=tuple(found),
    )


class DevicesApi(Protocol):
    """Devices of all halls."""

    async def devices(self, uow: ReadUow, hall: HallId | None = None) -> list[DeviceInfo]:
        """Present state; what a connected hall said last goes before the log's backlog."""
        ...


DEVICES = ApiKey[DevicesApi]("DEVICES")
