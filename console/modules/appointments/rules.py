"""Rules of appointments (预约规则): what can be said, where it is said, and which saying holds. Pure.

A rule is said for a target: the city, a division, a department, a hall, an item, or one of the last two within a
hall. Each field is inherited by itself: the most specific target that says it wins, so a district may set the days and
one item in one hall nothing but its number of places.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Annotated

import msgspec

from console.core.permissions import stem
from qingting.contract.base import Strict
from qingting.contract.calendar import ALL_WEEK, Period, Weekday, clock_minutes


class Level(StrEnum):
    """How surely the city knows who books (认证级别), weakest first."""

    BASIC = "basic"
    REAL_NAME = "real_name"
    FACE = "face"

    def reaches(self, needed: "Level") -> bool:
        order = tuple(Level)
        return order.index(self) >= order.index(needed)


class CapacityBy(StrEnum):
    """Where the number of places of a period comes from."""

    NUMBER = "number"
    WINDOWS = "windows"
    """Windows of the hall's configuration that serve the queue, times ``per_window``."""


class DayChoice(StrEnum):
    """On which days there are places."""

    WORKDAYS = "workdays"
    """Working days by the calendar on which the hall opens."""
    OPEN_DAYS = "open_days"
    """Whenever the hall opens."""


class LateRule(StrEnum):
    """What becomes of somebody who comes after the pick-up window."""

    ORDINARY = "ordinary"
    """Waits like everybody (转为现场号)."""
    REFUSED = "refused"
    """The booking is good for nothing any more and counts as missed."""


Minutes = Annotated[int, msgspec.Meta(ge=0, le=43_200)]
Count = Annotated[int, msgspec.Meta(ge=0, le=999)]
Days = Annotated[int, msgspec.Meta(ge=0, le=366)]


class Rule(Strict, frozen=True, kw_only=True):
    """What one target says; None: nothing about it, so it is inherited.

    ``open``: places are given. Items of the catalogue are also bound to its flag. ``periods`` within the hall's hours,
    empty: all of them; ``minutes`` the length of a place. ``kept`` places of each period are for staff alone.
    From ``horizon_days`` ahead to ``lead_minutes`` before. ``closed_dates`` and ``open_dates`` go before ``days``
    and ``weekdays``. A hold lasts ``hold_minutes``, ``holds`` at once for one citizen. ``per_day``, ``open_at_once``
    and ``same_item`` bound the bookings of one citizen: on one day, open ones, open ones for one item; 0: no limit.
    ``reminders``: minutes before the start. Citizens cancel and change until ``cancel_minutes`` before the start;
    after ``cancels_per_day`` cancellations a citizen books no more on that day, 0: no limit. ``breaches`` missed
    visits within ``breach_days`` are punished with no bookings for ``ban_days``; 0 breaches: never. Released places
    are offered again after a random delay between ``reoffer_from`` and ``reoffer_to`` minutes.
    """

    open: bool | None = None
    periods: tuple[Period, ...] | None = None
    minutes: Annotated[int, msgspec.Meta(ge=5, le=480)] | None = None
    capacity_by: CapacityBy | None = None
    capacity: Count | None = None
    per_window: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    kept: Count | None = None
    horizon_days: Days | None = None
    lead_minutes: Minutes | None = None
    days: DayChoice | None = None
    weekdays: tuple[Weekday, ...] | None = None
    closed_dates: tuple[date, ...] | None = None
    open_dates: tuple[date, ...] | None = None
    hold_minutes: Annotated[int, msgspec.Meta(ge=1, le=60)] | None = None
    holds: Annotated[int, msgspec.Meta(ge=1, le=9)] | None = None
    per_day: Count | None = None
    open_at_once: Count | None = None
    same_item: Count | None = None
    identity: Level | None = None
    party_most: Annotated[int, msgspec.Meta(ge=1, le=200)] | None = None
    reminders: tuple[Minutes, ...] | None = None
    cancel_minutes: Minutes | None = None
    cancels_per_day: Count | None = None
    breaches: Count | None = None
    breach_days: Days | None = None
    ban_days: Days | None = None
    early_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] | None = None
    late_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] | None = None
    late: LateRule | None = None
    reoffer_from: Minutes | None = None
    reoffer_to: Minutes | None = None


FIELDS: tuple[str, ...] = Rule.__struct_fields__
GRID: frozenset[str] = frozenset(
    {"periods", "minutes", "capacity_by", "capacity", "per_window", "kept"}
)
"""Fields that make the places; who says one of these for itself has places of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """What holds somewhere, field by field as in :class:`Rule`. ``open`` None: as the catalogue says."""

    open: bool | None = None
    periods: tuple[Period, ...] = ()
    minutes: int = 30
    capacity_by: CapacityBy = CapacityBy.WINDOWS
    capacity: int = 4
    per_window: float = 2.0
    kept: int = 0
    horizon_days: int = 14
    lead_minutes: int = 60
    days: DayChoice = DayChoice.WORKDAYS
    weekdays: tuple[int, ...] = ALL_WEEK
    closed_dates: tuple[date, ...] = ()
    open_dates: tuple[date, ...] = ()
    hold_minutes: int = 10
    holds: int = 1
    per_day: int = 2
    open_at_once: int = 5
    same_item: int = 1
    identity: Level = Level.REAL_NAME
    party_most: int = 5
    reminders: tuple[int, ...] = (1440, 120)
    cancel_minutes: int = 60
    cancels_per_day: int = 3
    breaches: int = 3
    breach_days: int = 90
    ban_days: int = 30
    early_minutes: int = 30
    late_minutes: int = 15
    late: LateRule = LateRule.ORDINARY
    reoffer_from: int = 5
    reoffer_to: int = 30


DEFAULTS = Effective()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """For what a rule is said; all parts empty: the city. ``department`` is an id of the halls' lists. ``item`` is an
    item's id within ``hall``, or without a hall its implementation code, for all halls."""

    division: str = ""
    department: str = ""
    hall: str = ""
    item: str = ""

    @property
    def key(self) -> str:
        """As stored: ``city``, ``hall:saertu``, ``hall:saertu/item:id-renew`` …"""
        parts = (f"{name}:{value}" for name, value in self._parts() if value)
        return "/".join(parts) or "city"

    def _parts(self) -> tuple[tuple[str, str], ...]:
        return (
            ("division", self.division),
            ("hall", self.hall),
            ("department", self.department),
            ("item", self.item),
        )

    @property
    def rank(self) -> tuple[bool, bool, bool, int]:
        """Grows with how specific it is."""
        return (bool(self.item), bool(self.hall), bool(self.department), len(stem(self.division)))

    def sound(self) -> bool:
        """True for a combination that means something."""
        if self.division:
            return not (self.department or self.hall or self.item)
        return not (self.department and self.item)

    @classmethod
    def of(cls, key: str) -> "Target | None":
        """The target with that key; None for what is no key."""
        if key == "city":
            return cls()
        found: dict[str, str] = {}
        for part in key.split("/"):
            name, _, value = part.partition(":")
            if name not in ("division", "hall", "department", "item") or not value or name in found:
                return None
            found[name] = value
        target = cls(**found)
        return target if target.sound() and target.key == key else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """An item in a hall. ``divisions`` are the codes of the hall's division and all it is within."""

    divisions: tuple[str, ...] = ()
    department: str = ""
    hall: str = ""
    item: str = ""
    code: str = ""


def applies(target: Target, where: Where) -> bool:
    """True where what is said for ``target`` holds."""
    item = where.item if target.hall else where.code
    return (
        (not target.division or target.division in where.divisions)
        and (not target.department or target.department == where.department)
        and (not target.hall or target.hall == where.hall)
        and (not target.item or target.item == item)
    )


@dataclass(frozen=True, slots=True)
class Resolved:
    """What holds for an item in a hall; ``sources`` says for each field that is said anywhere who says it."""

    rule: Effective
    sources: Mapping[str, Target]

    def source(self, field: str) -> Target | None:
        """Who says a field; None: it is as the program has it."""
        return self.sources.get(field)


def resolve(rules: Iterable[tuple[Target, Rule]], where: Where) -> Resolved:
    """Every field from the most specific target that says it."""
    held = sorted((one for one in rules if applies(one[0], where)), key=lambda one: one[0].rank)
    chosen: dict[str, object] = {}
    sources: dict[str, Target] = {}
    for target, rule in held:
        for field in FIELDS:
            value = getattr(rule, field)
            if value is not None:
                chosen[field], sources[field] = value, target
    return Resolved(dataclasses.replace(DEFAULTS, **chosen), sources)  # type: ignore[arg-type]


def strictest(rules: Iterable[Effective]) -> Level:
    """How surely one must show who one is, for several items at once."""
    return max((one.identity for one in rules), key=tuple(Level).index)


def pool_of(resolved: Resolved, *, queue: str, department: str, item: str) -> str:
    """Whose places an item uses: the queue's together with all its items, unless a field of :data:`GRID` is said for
    the department or the item, which then has places of its own. Items of one pool have the same grid."""
    said = [resolved.sources[one] for one in GRID if one in resolved.sources]
    if any(one.item for one in said):
        return f"item:{item}"
    if any(one.department for one in said):
        return f"queue:{queue}@{department}"
    return f"queue:{queue}"


def rule_faults(rule: Rule) -> list[tuple[str, str]]:
    """What makes a rule unusable: field and text key."""
    found: list[tuple[str, str]] = []
    spans = sorted(rule.periods or (), key=lambda one: clock_minutes(one.start))
    if any(clock_minutes(one.end) <= clock_minutes(one.start) for one in spans):
        found.append(("periods", "appointments.bad.ends_early"))
    if any(clock_minutes(b.start) < clock_minutes(a.end) for a, b in pairwise(spans)):
        found.append(("periods", "appointments.bad.overlap"))
    first = DEFAULTS.reoffer_from if rule.reoffer_from is None else rule.reoffer_from
    last = DEFAULTS.reoffer_to if rule.reoffer_to is None else rule.reoffer_to
    said = rule.reoffer_from is not None or rule.reoffer_to is not None
    if said and first > last:
        found.append(("reoffer_to", "appointments.bad.reoffer"))
    if rule.closed_dates and rule.open_dates and set(rule.closed_dates) & set(rule.open_dates):
        found.append(("open_dates", "appointments.bad.both_dates"))
    return found
