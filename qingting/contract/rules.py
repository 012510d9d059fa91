"""Calling rules as data (叫号规则): who is next at a window, versioned and replayable.

A window's choice goes through these steps; the first that gives somebody decides, and its name is the
reason that the clerk reads:

1. whoever was sent to this window or this clerk (transfer, "come back to me");
2. whoever has waited longer than ``max_delay_minutes``, longest first;
3. a condition whose tests hold, in the order of ``conditions``;
4. an ordinary visitor after ``priority_in_a_row`` calls of higher classes;
5. the side of a ratio that is due;
6. the highest score: ``weight + ageing × minutes waited``.

Within one class of one queue the order is always the order of place; no rule can break it.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

from qingting.contract.base import Strict
from qingting.contract.calendar import Period, period_faults
from qingting.contract.faults import Fault, doubled
from qingting.contract.ids import QueueId, ShortText, Slug

ORDINARY = "ordinary"
"""The class of everybody without a claim (普通)."""
BOOKED = "booked"
"""The class of booked visitors who are on time (预约)."""
Minutes = Annotated[int, msgspec.Meta(ge=0, le=1440)]
Points = Annotated[float, msgspec.Meta(ge=0, le=10_000)]


class Place(StrEnum):
    """Where somebody enters a line that others stand in."""

    FIRST = "first"
    LAST = "last"
    KEPT = "kept"
    """By the time they have waited already."""


class PriorityClass(Strict, frozen=True, kw_only=True):
    """A class of visitors (优先类别). ``weight`` is the score at arrival, ``ageing`` what each minute of
    waiting adds.

    ``min_age`` puts holders of an ID card of that age into the class by themselves. ``declared``: the
    citizen may say so at the kiosk; ``proof`` is what the clerk then asks to see. ``statutory`` marks a
    class that a law names (军人、残疾人、老年人…).
    """

    id: Slug
    name: ShortText
    name_en: ShortText
    weight: Points = 0.0
    ageing: Annotated[float, msgspec.Meta(ge=0.01, le=100)] = 1.0
    statutory: bool = False
    min_age: Annotated[int, msgspec.Meta(ge=0, le=150)] = 0
    declared: bool = False
    proof: ShortText = ""
    proof_en: ShortText = ""


class Ratio(Strict, frozen=True, kw_only=True):
    """While both classes wait for a window, it calls ``a`` of ``first`` and then ``b`` of ``second``."""

    first: Slug
    second: Slug
    a: Annotated[int, msgspec.Meta(ge=1, le=9)]
    b: Annotated[int, msgspec.Meta(ge=1, le=9)]


class WaitingOver(Strict, frozen=True, kw_only=True, tag="waiting_over", tag_field="test"):
    """Somebody of these classes (empty: any) has waited at least ``minutes`` in these queues (empty: those
    of the window)."""

    minutes: Minutes
    classes: tuple[Slug, ...] = ()
    queues: tuple[QueueId, ...] = ()


class LineAtLeast(Strict, frozen=True, kw_only=True, tag="line_at_least", tag_field="test"):
    """At least ``people`` of these classes (empty: any) wait in these queues (empty: those of the window)."""

    people: Annotated[int, msgspec.Meta(ge=1)]
    classes: tuple[Slug, ...] = ()
    queues: tuple[QueueId, ...] = ()


class CalledFewer(Strict, frozen=True, kw_only=True, tag="called_fewer", tag_field="test"):
    """Among the window's last ``of`` calls fewer than ``than`` were of these classes."""

    classes: tuple[Slug, ...]
    than: Annotated[int, msgspec.Meta(ge=1, le=12)]
    of: Annotated[int, msgspec.Meta(ge=1, le=12)]


class Between(Strict, frozen=True, kw_only=True, tag="between", tag_field="test"):
    """The hall's clock is within the period."""

    period: Period


RuleTest = WaitingOver | LineAtLeast | CalledFewer | Between


class CallCondition(Strict, frozen=True, kw_only=True):
    """When all tests hold, visitors of these classes and queues (empty: any) are called first."""

    name: ShortText
    name_en: ShortText = ""
    when: tuple[RuleTest, ...]
    classes: tuple[Slug, ...] = ()
    queues: tuple[QueueId, ...] = ()


class Punctuality(Strict, frozen=True, kw_only=True):
    """Booked visitors: from ``early_minutes`` before their time until ``late_minutes`` after its end they
    get their booked place; earlier they are asked to come back, later they are ordinary visitors."""

    early_minutes: Minutes = 30
    late_minutes: Minutes = 15


class Returning(Strict, frozen=True, kw_only=True):
    """Second chances. A missed visitor may come back ``second_chances`` times within
    ``within_minutes`` and stands behind the next ``after_people``."""

    second_chances: Annotated[int, msgspec.Meta(ge=0, le=9)] = 1
    within_minutes: Minutes = 60
    after_people: Annotated[int, msgspec.Meta(ge=0, le=50)] = 3
    parked: Place = Place.KEPT
    """Where somebody enters again who was parked (暂离)."""
    chained: Place = Place.KEPT
    """Where somebody enters the line of their next item (一号多事)."""


_DEFAULT_CLASSES = (
    PriorityClass(id=ORDINARY, name="普通", name_en="Ordinary"),
    PriorityClass(id=BOOKED, name="预约", name_en="Booked", weight=15),
    PriorityClass(
        id="soldier",
        name="军人",
        name_en="Military",
        weight=30,
        statutory=True,
        declared=True,
        proof="军人证件、退役军人优待证",
        proof_en="Military ID or veteran's card",
    ),
    PriorityClass(
        id="rescue",
        name="消防救援人员",
        name_en="Fire and rescue",
        weight=30,
        statutory=True,
        declared=True,
        proof="消防救援人员证件",
        proof_en="Fire and rescue service ID",
    ),
    PriorityClass(
        id="disabled",
        name="残疾人",
        name_en="Disabled",
        weight=30,
        statutory=True,
        declared=True,
        proof="残疾人证",
        proof_en="Disability certificate",
    ),
    PriorityClass(
        id="pregnant",
        name="孕妇、携带婴儿",
        name_en="Pregnant or with an infant",
        weight=30,
        statutory=True,
        declared=True,
    ),
    PriorityClass(
        id="elderly",
        name="老年人",
        name_en="Elderly",
        weight=20,
        statutory=True,
        min_age=60,
        declared=True,
        proof="身份证",
        proof_en="ID card",
    ),
)


class CallingRules(Strict, frozen=True, kw_only=True):
    """One version of a hall's calling rules. ``max_delay_minutes`` 0 sets no bound,
    ``priority_in_a_row`` 0 no cap, ``max_calls`` 0 lets a clerk recall without end."""

    version: Annotated[int, msgspec.Meta(ge=1)] = 1
    name: ShortText = "标准规则"
    name_en: ShortText = "Standard rules"
    classes: tuple[PriorityClass, ...] = _DEFAULT_CLASSES
    max_delay_minutes: Minutes = 90
    priority_in_a_row: Annotated[int, msgspec.Meta(ge=0, le=12)] = 3
    ratios: tuple[Ratio, ...] = ()
    conditions: tuple[CallCondition, ...] = ()
    punctuality: Punctuality = Punctuality()
    returning: Returning = Returning()
    recall_pause_seconds: Annotated[int, msgspec.Meta(ge=0, le=600)] = 5
    max_calls: Annotated[int, msgspec.Meta(ge=0, le=20)] = 0


def rules_faults(rules: CallingRules, queues: set[str]) -> list[Fault]:
    """Broken references and doubled classes; empty when sound."""
    ids = [one.id for one in rules.classes]
    known = set(ids)
    classes = Fault("", "rules", key="classes", name=" ")
    faults = [
        classes._replace(code="fault.class_missing", what=one)
        for one in (ORDINARY, BOOKED)
        if one not in known
    ]
    faults += [classes._replace(code="fault.class_twice", what=one) for one in doubled(ids)]
    for ratio in rules.ratios:
        at = Fault("", "rules", key="ratios", name=" ")
        faults += _unknown(at, "fault.no_class", (ratio.first, ratio.second), known)
        if ratio.first == ratio.second:
            faults.append(at._replace(code="fault.both_sides", what=ratio.first))
    for condition in rules.conditions:
        faults += _condition_faults(condition, known, queues)
    return faults


def _condition_faults(condition: CallCondition, classes: set[str], queues: set[str]) -> list[Fault]:
    at = Fault(
        "",
        "rules",
        key=f"conditions {condition.name}",
        name=condition.name,
        name_en=condition.name_en,
    )
    faults = _unknown(at, "fault.no_class", condition.classes, classes)
    faults += _unknown(at, "fault.no_queue", condition.queues, queues)
    for test in condition.when:
        if isinstance(test, Between):
            faults += period_faults(at, (test.period,))
        else:
            faults += _unknown(at, "fault.no_class", test.classes, classes)
        if isinstance(test, WaitingOver | LineAtLeast):
            faults += _unknown(at, "fault.no_queue", test.queues, queues)
    return faults


def _unknown(at: Fault, code: str, named: tuple[str, ...], known: set[str]) -> list[Fault]:
    return [at._replace(code=code, what=one) for one in named if one not in known]
