"""What boards show and say (LED屏幕模板, 语音播报): layouts and announcement settings, edited on screen.

A layout is a template: *what* (``parts`` of a slot), *how* (motion, size, colour, place), *how long*
(``seconds``) and *how often* (``repeats``, ``every_seconds``), for a *scope* of windows. It draws a page
in a browser or the programme of an LED strip.

A screen is divided into zones, a zone into lines. Slots on different lines are shown together, slots on
one line take turns.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, NamedTuple

import msgspec

from qingting.contract.base import Strict
from qingting.contract.calendar import ClockTime, DayMoment
from qingting.contract.faults import Fault, doubled
from qingting.contract.ids import DepartmentId, DeviceId, ShortText, Slug, WindowId
from qingting.contract.printing import Align
from qingting.contract.states import Language

Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]
SlotText = Annotated[str, msgspec.Meta(max_length=300)]
MAX_LINES = 8
LEAST_DOTS = 12
"""Height of a line below which Chinese characters cannot be told apart."""


class LayoutKind(StrEnum):
    """Where a layout is shown (屏幕类型): three pages of a browser, two of them also LED strips."""

    PAGE_OVERVIEW = "page_overview"
    PAGE_AREA = "page_area"
    WINDOW_STRIP = "window_strip"
    AREA_STRIP = "area_strip"
    NOTICE = "notice"


STRIP_KINDS = frozenset({LayoutKind.WINDOW_STRIP, LayoutKind.AREA_STRIP})
"""Drawn in dots: by an LED controller, or by the browser of an LED card PC."""


class ScopeHall(Strict, frozen=True, kw_only=True, tag="hall", tag_field="of"):
    """Calls of every window."""


class ScopeAreas(Strict, frozen=True, kw_only=True, tag="areas", tag_field="of"):
    """Calls of windows whose ``area`` is one of these (区域)."""

    areas: Annotated[tuple[ShortText, ...], msgspec.Meta(min_length=1, max_length=64)]


class ScopeWindows(Strict, frozen=True, kw_only=True, tag="windows", tag_field="of"):
    """Calls of these windows."""

    windows: Annotated[tuple[WindowId, ...], msgspec.Meta(min_length=1, max_length=256)]


class ScopeDepartments(Strict, frozen=True, kw_only=True, tag="departments", tag_field="of"):
    """Calls to windows of these departments, or for their items where a window serves several."""

    departments: Annotated[tuple[DepartmentId, ...], msgspec.Meta(min_length=1, max_length=128)]


Scope = ScopeHall | ScopeAreas | ScopeWindows | ScopeDepartments


class Zone(StrEnum):
    """Part of a screen: head, called now, beside it, foot. A strip has ``calls`` and ``foot`` only:
    the foot is what it shows while nobody is called."""

    HEAD = "head"
    CALLS = "calls"
    SIDE = "side"
    FOOT = "foot"


class Content(StrEnum):
    """What a part shows (展示内容). Those of :data:`OF_A_CALL` need a call; those of :data:`OF_A_WINDOW`
    need a layout for one window and may then stand anywhere. ``state`` is whether that window is open."""

    NUMBER = "number"
    WINDOW = "window"
    WINDOW_NAME = "window_name"
    PLACE = "place"
    NAME = "name"
    ITEM = "item"
    DEPARTMENT = "department"
    STATE = "state"
    WAITING = "waiting"
    EARLIER = "earlier"
    NOTICE = "notice"
    CLOCK = "clock"
    DATE = "date"
    HALL = "hall"
    TEXT = "text"


OF_A_CALL = frozenset(
    {
        Content.NUMBER,
        Content.WINDOW,
        Content.WINDOW_NAME,
        Content.PLACE,
        Content.NAME,
        Content.ITEM,
        Content.DEPARTMENT,
    }
)
OF_A_WINDOW = frozenset({Content.WINDOW, Content.WINDOW_NAME, Content.PLACE, Content.STATE})
PLACEHOLDERS = (
    OF_A_CALL | OF_A_WINDOW | {Content.WAITING, Content.CLOCK, Content.DATE, Content.HALL}
)
"""What may stand in braces in a text: 请{number}到{window}号窗口. ``name`` is always the masked name."""
_BRACES = re.compile(r"\{([^{}]*)\}")


class Motion(StrEnum):
    """How a line moves (展示方式)."""

    STATIC = "static"
    SCROLL_LEFT = "scroll_left"
    APPEAR = "appear"
    BLINK = "blink"
    PAGE = "page"


class Size(StrEnum):
    """Letter size on a page. On a strip letters are as high as their line."""

    SMALL = "small"
    NORMAL = "normal"
    LARGE = "large"
    HUGE = "huge"


class Colour(StrEnum):
    """Role of a colour; the screen's own tokens or lamps decide which one it is."""

    TEXT = "text"
    MUTED = "muted"
    CALLED = "called"
    DONE = "done"
    FAULT = "fault"


class Lamps(StrEnum):
    """Colours that a matrix can show: red alone, red and green and both, or all."""

    SINGLE = "single"
    DOUBLE = "double"
    FULL = "full"


class Matrix(Strict, frozen=True, kw_only=True):
    """An LED panel in dots (点阵): 16×128 is one line of eight characters."""

    height: Annotated[int, msgspec.Meta(ge=8, le=256, multiple_of=8)]
    width: Annotated[int, msgspec.Meta(ge=32, le=2048, multiple_of=8)]
    lamps: Lamps = Lamps.SINGLE


class Part(Strict, frozen=True, kw_only=True):
    """One thing in a line. ``text`` belongs to ``text`` and, instead of the hall's notice, to ``notice``.

    ``share`` is the part of the line's width in percent; 0 = what it needs. ``under`` puts it below the part
    before it instead of beside it; pages only. ``lang`` keeps it in one language whatever the layout's.
    """

    what: Content
    text: SlotText = ""
    text_en: SlotText = ""
    size: Size = Size.NORMAL
    colour: Colour = Colour.TEXT
    align: Align = Align.LEFT
    share: Percent = 0
    under: bool = False
    lang: Language | None = None


class Slot(Strict, frozen=True, kw_only=True):
    """One showing: what stands in a line, how, how long and how often.

    ``seconds`` is how long it stays before the next slot of the line (展示时间). ``repeats`` is how many
    times it is shown for one call, or since it came into force; 0 = as long as it may (展示次数).
    ``every_seconds`` is the least time between the starts of two showings. ``starts`` and ``ends`` bound
    it in hall time, end exclusive.
    """

    zone: Zone
    line: Annotated[int, msgspec.Meta(ge=1, le=MAX_LINES)] = 1
    parts: Annotated[tuple[Part, ...], msgspec.Meta(min_length=1, max_length=6)]
    motion: Motion = Motion.STATIC
    seconds: Annotated[float, msgspec.Meta(ge=1, le=600)] = 8.0
    repeats: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    every_seconds: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 0
    starts: DayMoment = ""
    ends: DayMoment = ""


class BoardLayout(Strict, frozen=True, kw_only=True):
    """A board layout (屏幕模板). ``rows`` is how many calls a page shows, or the lines of a strip; ``earlier``
    how many former calls stand beside them. ``aloud``: a board with it says its calls.

    ``languages``: with two, what differs between them is shown in each in turn. ``matrix`` belongs to
    strips only.
    """

    id: Slug
    name: ShortText
    name_en: ShortText = ""
    kind: LayoutKind
    scope: Scope = msgspec.field(default_factory=ScopeHall)
    rows: Annotated[int, msgspec.Meta(ge=1, le=MAX_LINES)] = 4
    earlier: Annotated[int, msgspec.Meta(ge=0, le=12)] = 6
    aloud: bool = True
    languages: Annotated[tuple[Language, ...], msgspec.Meta(min_length=1, max_length=2)] = (
        Language.ZH,
    )
    matrix: Matrix | None = None
    slots: Annotated[tuple[Slot, ...], msgspec.Meta(min_length=1, max_length=40)]


# ---- announcements ------------------------------------------------------------------------------


class Named(StrEnum):
    """How the voice names a visitor. The masked name comes with the number, never instead of it."""

    NUMBER = "number"
    MASKED_NAME = "masked_name"


class QuietSpan(Strict, frozen=True, kw_only=True):
    """A span of the day without sound (静音时段): calls flash instead. End exclusive; a span whose end is
    not after its start goes over midnight."""

    start: ClockTime
    end: ClockTime


class LoudSpan(Strict, frozen=True, kw_only=True):
    """Volume in a span of the day (分时音量)."""

    start: ClockTime
    end: ClockTime
    percent: Percent


class Announcements(Strict, frozen=True, kw_only=True):
    """How a hall calls aloud (语音播报).

    ``languages`` in the order in which every call is said; ``ticket_language`` adds the language of the
    ticket when it is not among them. ``repeats`` is how many times a call is said in all.
    ``pause_seconds`` parts repeats and calls. ``elder_slow`` says calls for tickets of the elder version
    (长辈版) slowly and once more. ``too_old_seconds``: a call that could not be said for so long is not
    said any more, because its window has moved on. ``speakers`` says which calls a loudspeaker (音箱) says;
    one without an entry says those of the whole hall.
    """

    languages: Annotated[tuple[Language, ...], msgspec.Meta(min_length=1, max_length=2)] = (
        Language.ZH,
    )
    ticket_language: bool = True
    repeats: Annotated[int, msgspec.Meta(ge=1, le=3)] = 1
    pause_seconds: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.6
    chime: bool = True
    named: Named = Named.NUMBER
    elder_slow: bool = True
    volume: Percent = 80
    volumes: Annotated[tuple[LoudSpan, ...], msgspec.Meta(max_length=12)] = ()
    quiet: Annotated[tuple[QuietSpan, ...], msgspec.Meta(max_length=6)] = ()
    too_old_seconds: Annotated[int, msgspec.Meta(ge=30, le=900)] = 120
    speakers: dict[DeviceId, Scope] = msgspec.field(default_factory=dict)


# ---- faults -------------------------------------------------------------------------------------


class Known(Strict, frozen=True, kw_only=True):
    """What layouts may refer to."""

    areas: frozenset[str]
    windows: frozenset[str]
    departments: frozenset[str]


class LayoutFault(NamedTuple):
    """One thing that is wrong. ``code`` is a key of :data:`FAULT_LINES`, ``what`` its parameter, ``slot`` the
    number of the slot, 0 for the layout as a whole."""

    code: str
    what: str = ""
    slot: int = 0

    def line(self) -> str:
        """In English, for the shell and the log; pages have their own sentences."""
        where = f"slots.{self.slot}: " if self.slot else ""
        return where + FAULT_LINES[self.code].format(what=self.what)


FAULT_LINES = {
    "unreadable": "{what} cannot be read",
    "no_area": "no area {what!r}",
    "no_window": "no window {what!r}",
    "no_department": "no department {what!r}",
    "matrix_missing": "a strip needs a matrix",
    "matrix_surplus": "a page has none of the lamps of a matrix",
    "lines_too_many": "{what} dots are too few for its lines",
    "language_twice": "languages: one appears twice",
    "strip_zone": "a strip has no {what}",
    "strip_line": "it has no line {what}",
    "notice_calls": "a notice board shows no calls",
    "ends_early": "it ends before it starts",
    "shares": "the shares of its parts are more than 100",
    "under_nothing": "a part stands under nothing",
    "needs_call": "{what} needs a call",
    "needs_window": "{what} needs a layout for one window",
    "earlier_place": "earlier calls stand beside the calls of a page",
    "text_empty": "a text is empty",
    "text_surplus": "{what} has no text of its own",
    "placeholder": "unknown placeholder {what!r}",
    "brace": "a brace stands alone",
}


def layouts_faults(
    layouts: tuple[BoardLayout, ...], bound: dict[DeviceId, str], known: Known
) -> list[Fault]:
    """Every broken reference or impossible wish of the layouts."""
    ids = [one.id for one in layouts]
    faults = [Fault("fault.twice", "layouts", name=one, what=one) for one in doubled(ids)]
    for layout in layouts:
        faults += [_as_fault(layout, one) for one in layout_faults(layout, known)]
    faults += [
        Fault("fault.no_layout", "board_layouts", key=device, what=layout)
        for device, layout in bound.items()
        if layout not in ids
    ]
    return faults


def _as_fault(layout: BoardLayout, fault: LayoutFault) -> Fault:
    """Only references can break by an edit elsewhere; the layout's own editor names the rest in words."""
    code = _REFERENCES.get(fault.code, "fault.layout")
    return Fault(code, "layouts", layout.id, layout.name, fault.what, fault.line(), layout.name_en)


_REFERENCES = {
    "no_area": "fault.no_area",
    "no_window": "fault.no_window",
    "no_department": "fault.no_department",
}


def layout_faults(layout: BoardLayout, known: Known) -> Iterator[LayoutFault]:
    """What is wrong with one layout."""
    yield from _scope_faults(layout.scope, known)
    strip = layout.kind in STRIP_KINDS
    if strip and layout.matrix is None:
        yield LayoutFault("matrix_missing")
    if not strip and layout.matrix is not None:
        yield LayoutFault("matrix_surplus")
    if layout.matrix is not None and layout.matrix.height // layout.rows < LEAST_DOTS:
        yield LayoutFault("lines_too_many", str(layout.matrix.height))
    if len(set(layout.languages)) != len(layout.languages):
        yield LayoutFault("language_twice")
    for number, slot in enumerate(layout.slots, start=1):
        yield from (fault._replace(slot=number) for fault in _slot_faults(layout, slot))


def scope_faults(at: Fault, scope: Scope, known: Known) -> list[Fault]:
    """What a scope outside a layout names that is not there; ``at`` says where it stands."""
    wrong = _scope_faults(scope, known)
    return [at._replace(code=_REFERENCES[one.code], what=one.what) for one in wrong]


def _scope_faults(scope: Scope, known: Known) -> Iterator[LayoutFault]:
    match scope:
        case ScopeAreas(areas=areas):
            yield from (LayoutFault("no_area", one) for one in areas if one not in known.areas)
        case ScopeWindows(windows=windows):
            wrong = (one for one in windows if one not in known.windows)
            yield from (LayoutFault("no_window", one) for one in wrong)
        case ScopeDepartments(departments=departments):
            missing = (one for one in departments if one not in known.departments)
            yield from (LayoutFault("no_department", one) for one in missing)
        case ScopeHall():
            return


def _slot_faults(layout: BoardLayout, slot: Slot) -> Iterator[LayoutFault]:
    strip = layout.kind in STRIP_KINDS
    if strip and slot.zone not in (Zone.CALLS, Zone.FOOT):
        yield LayoutFault("strip_zone", slot.zone.value)
    if strip and slot.line > layout.rows:
        yield LayoutFault("strip_line", str(slot.line))
    if layout.kind is LayoutKind.NOTICE and slot.zone is Zone.CALLS:
        yield LayoutFault("notice_calls")
    if slot.starts and slot.ends and slot.starts >= slot.ends:
        yield LayoutFault("ends_early")
    if sum(part.share for part in slot.parts if not part.under) > 100:
        yield LayoutFault("shares")
    if slot.parts[0].under or (strip and any(part.under for part in slot.parts)):
        yield LayoutFault("under_nothing")
    allowed = _allowed(layout, slot)
    for part in slot.parts:
        yield from _part_faults(slot, part, allowed, strip=strip)


def _allowed(layout: BoardLayout, slot: Slot) -> frozenset[Content]:
    """What of a call or of a window may stand in this slot."""
    one_window = isinstance(layout.scope, ScopeWindows) and len(layout.scope.windows) == 1
    of_call = OF_A_CALL if slot.zone is Zone.CALLS else frozenset()
    return of_call | (OF_A_WINDOW if one_window else frozenset())


def _part_faults(
    slot: Slot, part: Part, allowed: frozenset[Content], *, strip: bool
) -> Iterator[LayoutFault]:
    if part.what in (OF_A_CALL | OF_A_WINDOW) - allowed:
        yield LayoutFault(_needed(part.what), part.what.value)
    if part.what is Content.EARLIER and (strip or slot.zone is not Zone.SIDE):
        yield LayoutFault("earlier_place")
    if part.what is Content.TEXT and not part.text.strip():
        yield LayoutFault("text_empty")
    if part.what not in (Content.TEXT, Content.NOTICE) and (part.text or part.text_en):
        yield LayoutFault("text_surplus", part.what.value)
    for text in (part.text, part.text_en):
        yield from _text_faults(text, allowed)


def _needed(what: Content) -> str:
    return "needs_window" if what is Content.STATE else "needs_call"


def _text_faults(text: str, allowed: frozenset[Content]) -> Iterator[LayoutFault]:
    for name in placeholders(text):
        if name not in PLACEHOLDERS:
            yield LayoutFault("placeholder", f"{{{name}}}")
        elif (what := Content(name)) in (OF_A_CALL | OF_A_WINDOW) - allowed:
            yield LayoutFault(_needed(what), f"{{{name}}}")
    if re.search(r"[{}]", _BRACES.sub("", text)):
        yield LayoutFault("brace")


def placeholders(text: str) -> list[str]:
    """The names in braces of a slot's text, in order."""
    return _BRACES.findall(text)


def fill(text: str, values: dict[Content, str]) -> str:
    """``text`` with every placeholder replaced by its value; one without a value becomes empty."""
    return _BRACES.sub(lambda found: values.get(Content(found.group(1)), ""), text)
