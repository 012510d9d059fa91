"""What other modules may know of devices."""

from dataclasses import dataclass
from typing import Protocol

from console.core.module import ApiKey
from console.core.permissions import Scope
from console.core.uow import ReadUow, Uow
from console.core.words import DEVICE_TONES, condition_words
from qingting.contract import events as e
from qingting.contract.acts import DeviceHands
from qingting.contract.calendar import HallCalendar
from qingting.contract.ids import HallId
from qingting.contract.pads import PadFacts, PadWord, pad_words
from qingting.contract.programs import program_words
from qingting.contract.releases import Runs
from qingting.contract.states import Condition, DeviceKind, DeviceState, Language, TurnedAway
from qingting.contract.supervision import is_gone, out_of_order

GONE = "gone"
"""Nobody could reach the device though it ought to be there (失联)."""
DOWN = "down"
"""The device was out of order: service stopped there."""
REFUSALS: tuple[str, ...] = tuple(f"refused_{why.value}" for why in TurnedAway)
"""The hall turned away who claimed to be the device; this stands until the device is paired anew or its key revoked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionSince:
    condition: Condition
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceInfo:
    """A device as the city knows it. ``since`` is when its state began, ``seen`` when it was last heard of.

    ``fresh`` is False while its hall is not connected: then this is what was true at ``seen``.
    ``parent_name`` is the kiosk it belongs to, ``help_since`` when somebody there called for help.
    ``at_work`` is False for a pad whose window is closed, ``pad`` what a pad says of itself at the moment, ``runs`` which
    program a screen or agent says that it runs, ``hands`` what was set there from afar.
    ``gone_at`` is when it began to be missed, where its hall's log tells it; ``known_since`` when the city first
    heard of the device.
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
    pad: PadFacts | None = None
    runs: Runs | None = None
    hands: DeviceHands | None = None
    at_work: bool = True
    gone_at: int = 0
    known_since: int = 0

    def title(self, language: Language) -> str:
        return self.name if language is Language.ZH else self.name_en or self.name

    def hall_title(self, language: Language) -> str:
        return self.hall_name if language is Language.ZH else self.hall_name_en

    def parent_title(self, language: Language) -> str:
        return self.parent_name if language is Language.ZH else self.parent_name_en

    @property
    def pad_words(self) -> tuple[PadWord, ...]:
        """What a connected pad says of itself; a hall that is away tells nothing of the present."""
        return pad_words(self.pad) if self.pad is not None and self.fresh else ()

    @property
    def program(self) -> Runs | None:
        """What runs there now; a hall that is away tells nothing of the present."""
        return self.runs if self.fresh else None

    @property
    def program_words(self) -> tuple[PadWord, ...]:
        """Which program, release and models run there, as far as it says, and which should where they differ."""
        if self.program is None:
            return ()
        return program_words(self.kind, self.program, self.hands)

    @property
    def out_of_order(self) -> bool:
        """Service stops here until a person goes there."""
        return out_of_order(self.kind, self.state, self._present, at_work=self.at_work)

    @property
    def gone(self) -> bool:
        """It ought to be there and nobody can reach it."""
        return is_gone(self.kind, self.state, self._present, at_work=self.at_work)

    @property
    def gone_since(self) -> int:
        """When it began to be missed; only while it is :attr:`gone`."""
        return self.gone_at or self.since

    @property
    def _present(self) -> tuple[Condition, ...]:
        return tuple(one.condition for one in self.conditions)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Something that held at a device from ``began`` to ``ended`` (None: it still does), as its hall's log says.

    ``what`` is a condition, :data:`GONE`, :data:`DOWN` or one of :data:`REFUSALS`.
    """

    hall: HallId
    device: str
    what: str
    began: int
    ended: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HallHours:
    """Opening hours of a hall as they are set now, and its time zone."""

    calendar: HallCalendar
    utc_offset_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetQuery:
    """Which devices of all halls, in which order. ``text`` is looked for in names and ids of devices and names
    of halls. ``fresh`` keeps those whose hall is connected. ``rows`` 0: all of them."""

    hall: str = ""
    kind: str = ""
    state: str = ""
    condition: str = ""
    text: str = ""
    problems: bool = False
    fresh: bool = False
    sort: str = "state"
    descending: bool = False
    page: int = 1
    rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPage:
    """The answer. ``kept`` counts what fits the query, ``known`` all devices, ``problems`` those of connected
    halls that need somebody."""

    devices: tuple[DeviceInfo, ...]
    kept: int
    known: int
    problems: int


@dataclass(frozen=True, slots=True)
class HallCount:
    """Devices of a hall, and how many of them need somebody as far as is known now."""

    devices: int
    needs: int


class DevicesApi(Protocol):
    """Devices of all halls."""

    async def devices(
        self, uow: ReadUow, scope: Scope, hall: HallId | None = None
    ) -> list[DeviceInfo]:
        """Present state within ``scope``; what a connected hall said last goes before the log's backlog."""
        ...

    async def device(self, uow: ReadUow, hall: HallId, id: str) -> DeviceInfo:  # noqa: A002
        """Raises ``device.unknown``."""
        ...

    async def search(self, uow: ReadUow, scope: Scope, query: FleetQuery) -> FleetPage:
        """The fleet filtered, ordered and cut by the database; the same present as :meth:`devices`."""
        ...

    async def counts(self, uow: ReadUow, scope: Scope) -> dict[HallId, HallCount]:
        """By hall; halls without devices are left out."""
        ...

    async def spans(
        self, uow: ReadUow, hall: HallId, device: str, first: int, last: int
    ) -> list[Span]:
        """What held at a device at any time between two instants, oldest first."""
        ...

    async def begins(
        self, uow: ReadUow, since: int, times: int
    ) -> dict[tuple[HallId, str, str], tuple[int, ...]]:
        """Instants since ``since`` at which something began, by hall, device and what; only what began at
        least ``times`` times."""
        ...

    async def refusals(self, uow: ReadUow) -> list[Span]:
        """Who was turned away and is not settled; the device of such a span may be unknown to its hall."""
        ...

    async def take_ended(self, uow: Uow) -> list[Span]:
        """Hands out each span once when it is over, in the caller's transaction: for one reader only."""
        ...

    async def hours(self, uow: ReadUow, hall: HallId) -> HallHours | None:
        """None while the hall has told no configuration."""
        ...


def devices_of(event: e.Event) -> set[str]:
    """Ids of the devices that ``event`` is about."""
    match event.b:
        case e.ConfigApplied(config=config):
            return {str(one.id) for one in config.devices}
        case (
            e.DeviceRegistered(device=device)
            | e.DeviceChanged(device=device)
            | e.HelpRequested(device=device)
            | e.HelpAnswered(device=device)
        ):
            return {str(device)}
        case _:
            return set()


DEVICES = ApiKey[DevicesApi]("DEVICES")
