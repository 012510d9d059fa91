"""Remote hands (远程处置): what a person far away may have a device do, and what became of it.

An act is asked once, under an id of its own, and carried out at most once: the hall hands it to the device a single time,
and whatever interrupts it ends it as ``unknown``. Nothing here names a citizen.
"""

import hashlib
from typing import Annotated, NewType

import msgspec

from qingting.contract.base import Record, Strict
from qingting.contract.calendar import ClockTime
from qingting.contract.ids import Millis, ShortText, Slug
from qingting.contract.releases import APP_OF, ReleaseId
from qingting.contract.states import DeviceKind
from qingting.contract.supervision import OWN_CONNECTION

ActId = NewType("ActId", str)
"""One act (处置), unique in its hall; made by whoever asks."""
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]
MAX_BUNDLE_BYTES = 256 * 1024
BundleId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$|^$")]
"""Digest of a profile bundle; empty: the models that came with the program."""


class PrintTest(Strict, frozen=True, kw_only=True, tag="print.test", tag_field="do"):
    """A test ticket (测试号票) with the device's name, its model, the time and a density pattern."""


class PlayTest(Strict, frozen=True, kw_only=True, tag="sound.test", tag_field="do"):
    """A test sound (测试音): a chime and a short sentence, as loud as a call would be now."""


class ReprintNumber(Strict, frozen=True, kw_only=True, tag="print.number", tag_field="do"):
    """One of today's open tickets once more, by its number (补打)."""

    number: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{1,2}\d{1,5}$")]


class RecoverPrinter(Strict, frozen=True, kw_only=True, tag="print.recover", tag_field="do"):
    """The model's own recovery after a cutter error (切刀复位); what was half printed is thrown away."""


class NewRoll(Strict, frozen=True, kw_only=True, tag="paper.new", tag_field="do"):
    """A roll was put in: the paper counter (纸卷计数) begins again. ``metres`` is its length, 0 for unknown."""

    metres: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0


class RestartAgent(Strict, frozen=True, kw_only=True, tag="agent.restart", tag_field="do"):
    """The peripheral host ends itself; its service manager starts it again."""


class RestartBrowser(Strict, frozen=True, kw_only=True, tag="browser.restart", tag_field="do"):
    """A screen loads its page again; an agent runs the command that its settings name for it."""


class SetVolume(Strict, frozen=True, kw_only=True, tag="volume.set", tag_field="do"):
    percent: Percent


class SetBrightness(Strict, frozen=True, kw_only=True, tag="brightness.set", tag_field="do"):
    """Never quite dark: a screen that nobody can read looks broken."""

    percent: Annotated[int, msgspec.Meta(ge=10, le=100)]


class SwitchScreen(Strict, frozen=True, kw_only=True, tag="screen.switch", tag_field="do"):
    on: bool


class ScreenHours(Strict, frozen=True, kw_only=True):
    """From ``on`` to ``off`` by the hall's clock on ``days`` (1 = Monday)."""

    days: Annotated[
        tuple[Annotated[int, msgspec.Meta(ge=1, le=7)], ...],
        msgspec.Meta(min_length=1, max_length=7),
    ]
    on: ClockTime
    off: ClockTime


class PlanScreen(Strict, frozen=True, kw_only=True, tag="screen.plan", tag_field="do"):
    """When the screen is on (开关屏计划); without hours it is always on."""

    hours: Annotated[tuple[ScreenHours, ...], msgspec.Meta(max_length=14)] = ()


class TakePicture(Strict, frozen=True, kw_only=True, tag="picture.take", tag_field="do"):
    """A picture of the kiosk's first screen (截屏); refused while a citizen is there."""


class FetchDiagnostics(Strict, frozen=True, kw_only=True, tag="diagnostics.fetch", tag_field="do"):
    """Versions, settings without secrets, states, latest log lines (诊断信息), as one text."""


class UseProfiles(Strict, frozen=True, kw_only=True, tag="profiles.use", tag_field="do"):
    """Device models of ``bundle`` from now on; back to the former ones when a device that was there has not
    come back within ``trial_s`` seconds."""

    bundle: BundleId = ""
    trial_s: Annotated[int, msgspec.Meta(ge=10, le=1800)] = 180


class UseRelease(Strict, frozen=True, kw_only=True, tag="release.use", tag_field="do"):
    """The program of ``release`` from the next quiet moment on, which the screen waits for up to ``within_s`` seconds;
    back to the former one when the new one has not said ``start_s`` seconds later that it runs."""

    release: ReleaseId = ""
    start_s: Annotated[int, msgspec.Meta(ge=5, le=600)] = 45
    within_s: Annotated[int, msgspec.Meta(ge=30, le=43_200)] = 3600


Action = (
    PrintTest
    | PlayTest
    | ReprintNumber
    | RecoverPrinter
    | NewRoll
    | RestartAgent
    | RestartBrowser
    | SetVolume
    | SetBrightness
    | SwitchScreen
    | PlanScreen
    | TakePicture
    | FetchDiagnostics
    | UseProfiles
    | UseRelease
)

_PRINTER = frozenset({DeviceKind.PRINTER})
_AGENT = frozenset({DeviceKind.AGENT})
_SPEAKER = frozenset({DeviceKind.SPEAKER})
PAGES = OWN_CONNECTION - _AGENT
"""Devices that are a page of the hall server."""
ALLOWED: dict[type[Action], frozenset[DeviceKind]] = {
    PrintTest: _PRINTER,
    PlayTest: _SPEAKER,
    ReprintNumber: _PRINTER,
    RecoverPrinter: _PRINTER,
    NewRoll: _PRINTER,
    RestartAgent: _AGENT,
    RestartBrowser: PAGES | _AGENT,
    SetVolume: frozenset({DeviceKind.BOARD}) | _SPEAKER | _AGENT,
    SetBrightness: PAGES | _AGENT,
    SwitchScreen: PAGES | _AGENT,
    PlanScreen: PAGES | _AGENT,
    TakePicture: frozenset({DeviceKind.KIOSK}),
    FetchDiagnostics: _AGENT,
    UseProfiles: _AGENT,
    UseRelease: frozenset(APP_OF),
}
"""Which kinds of devices an action is for. Of the pages only a board makes sounds."""
DISRUPTIVE: frozenset[type[Action]] = frozenset(
    {ReprintNumber, RestartAgent, RestartBrowser, SwitchScreen, UseProfiles, UseRelease}
)
"""Actions that interrupt service or put another paper into the world: asked once more before they leave."""


def name_of(action: Action) -> str:
    """The action's word on the wire, as in ``print.test``."""
    return str(action.__struct_config__.tag)


class ProfileBundle(Strict, frozen=True, kw_only=True):
    """Device models (机型配置包) by ``<folder>/<file>.toml``. ``id`` is :func:`bundle_id` of ``files``."""

    id: BundleId
    name: ShortText
    files: dict[
        Annotated[str, msgspec.Meta(pattern=r"^[a-z_]+/[A-Za-z0-9][A-Za-z0-9._-]*\.toml$")], str
    ]


def bundle_id(files: dict[str, str]) -> str:
    """The same for the same texts, whatever their order."""
    whole = msgspec.json.encode(sorted(files.items()))
    return hashlib.sha256(whole).hexdigest()[:16]


class PaperRoll(Record, frozen=True, kw_only=True):
    """Paper used since the roll was changed at ``since``: millimetres and tickets. ``metres`` as in :class:`NewRoll`."""

    since: Millis = 0
    metres: int = 0
    mm: int = 0
    tickets: int = 0

    @property
    def rest_mm(self) -> int | None:
        """What should be left; None for a roll of unknown length."""
        return max(0, self.metres * 1000 - self.mm) if self.metres else None


class DeviceHands(Record, frozen=True, kw_only=True):
    """What remote hands have set at a device and is in force there; None: never touched.

    ``bundle`` are the models of an agent, ``former`` those before, for going back; ``release`` and
    ``former_release`` likewise a screen's program.
    """

    volume: int | None = None
    brightness: int | None = None
    screen_on: bool | None = None
    hours: tuple[ScreenHours, ...] = ()
    roll: PaperRoll = PaperRoll()
    bundle: str = ""
    former: str | None = None
    release: str = ""
    former_release: str | None = None


def screen_is_on(
    hours: tuple[ScreenHours, ...], by_hand: bool | None, weekday: int, minute: int
) -> bool:
    """Whether a screen is to be on at ``minute`` of a ``weekday`` (1 = Monday) by the hall's clock. What was switched by
    hand goes before the plan, until there is a new one. A span whose end is not after its beginning lasts to midnight."""
    if by_hand is not None:
        return by_hand
    if not hours:
        return True
    return any(
        weekday in span.days and _minute(span.on) <= minute and not _over(span, minute)
        for span in hours
    )


def _over(span: ScreenHours, minute: int) -> bool:
    return _minute(span.on) < _minute(span.off) <= minute


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


ActCode = Annotated[str, msgspec.Meta(pattern=r"^[a-z_]+(\.[a-z_]+)*$|^$", max_length=60)]
Figures = dict[Slug, int]
"""Small numbers that a result names, such as ``mm``."""
