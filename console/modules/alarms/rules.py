"""Alarm rules (告警规则) as data, and the built-in set. A rule says when what holds somewhere becomes an alarm."""

from enum import StrEnum
from typing import Annotated

import msgspec

from console.modules.devices.api import GONE, REFUSALS
from qingting.contract.base import Strict
from qingting.contract.conditions import Severity, condition_texts
from qingting.contract.ids import HallId, ShortText, Slug
from qingting.contract.states import Condition, DeviceKind
from qingting.contract.supervision import PADS

MAX_SECONDS = 7 * 86_400


class RuleForm(StrEnum):
    """How long or how often something must hold."""

    SIMPLE = "simple"
    """As soon as it holds."""
    DURATION = "duration"
    """Once it has held for ``seconds``."""
    REPEAT = "repeat"
    """Once it has begun ``times`` times within ``seconds``."""


class HallTrouble(StrEnum):
    """What can be wrong with a hall's line, beside its devices."""

    OFFLINE = "hall_offline"
    STALLED = "hall_stalled"
    """Connected, and yet events wait for the city."""
    QUARANTINED = "hall_quarantined"
    PARKED = "hall_parked"
    """Events that the city could not process."""
    BACKUP = "hall_backup"
    """The hall has no fresh backup of itself: making it fails, or it is too old."""


CONDITIONS: tuple[str, ...] = tuple(one.value for one in Condition if one is not Condition.OFFLINE)
"""Conditions of a device that can be reached; that it cannot be is ``gone``."""
WHATS: tuple[str, ...] = (
    *(one.value for one in HallTrouble),
    GONE,
    *CONDITIONS,
    *REFUSALS,
)
"""Everything that a rule can be about."""


class AlarmRule(Strict, frozen=True, kw_only=True):
    """One rule. ``whats`` empty: every condition whose severity is in ``severities``. ``kinds`` and ``halls``
    empty: everywhere; ``seconds`` and ``times`` as :class:`RuleForm` says. ``severity`` is the alarm's.

    An alarm that cleared itself and whose cause is back within ``again_seconds`` is raised again and
    counted, instead of a new one. ``notify`` False: it is listed and nobody is told.
    """

    id: Slug
    name: ShortText
    name_en: ShortText = ""
    form: RuleForm = RuleForm.SIMPLE
    whats: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    kinds: tuple[DeviceKind, ...] = ()
    halls: tuple[HallId, ...] = ()
    seconds: Annotated[int, msgspec.Meta(ge=0, le=MAX_SECONDS)] = 0
    times: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    severity: Severity
    again_seconds: Annotated[int, msgspec.Meta(ge=0, le=MAX_SECONDS)] = 600
    notify: bool = True
    enabled: bool = True


class HeldRule(Strict, frozen=True, kw_only=True):
    """A rule in force: its ``version``, since when it reads so, and whether it came with the program."""

    rule: AlarmRule
    version: int = 0
    since: int = 0
    changed_by: str = ""
    built_in: bool = True


def severity_of(what: str) -> Severity:
    """How grave ``what`` is in itself."""
    if what in CONDITIONS:
        return condition_texts()[Condition(what)].severity
    mild = what in (HallTrouble.PARKED, HallTrouble.BACKUP)
    return Severity.WARNING if mild else Severity.CRITICAL


def applies(rule: AlarmRule, *, hall: str, kind: DeviceKind | None, what: str) -> bool:
    """True when ``rule`` is about ``what`` at such a device; ``kind`` None: of the hall itself or of something that
    the hall does not know."""
    if not rule.enabled or (rule.halls and hall not in rule.halls):
        return False
    if rule.kinds and (kind is None or kind not in rule.kinds):
        return False
    if rule.whats:
        return what in rule.whats
    return what in CONDITIONS and severity_of(what) in rule.severities


def rule_fault(rule: AlarmRule) -> str:
    """Why a rule could never work: name of the field at fault, empty when it is sound."""
    if not rule.whats and not rule.severities:
        return "whats"
    if any(one not in WHATS for one in rule.whats):
        return "whats"
    if rule.form is not RuleForm.SIMPLE and rule.seconds == 0:
        return "seconds"
    if rule.form is RuleForm.REPEAT and rule.times < 2:
        return "times"
    if rule.form is RuleForm.REPEAT and set(rule.whats) & {one.value for one in HallTrouble}:
        # How often a hall's line broke is not kept.
        return "whats"
    return ""


_NOT_PADS = tuple(one for one in DeviceKind if one not in PADS)

BUILT_IN: tuple[AlarmRule, ...] = (
    AlarmRule(
        id="hall-offline",
        name="大厅离线",
        name_en="Hall offline",
        form=RuleForm.DURATION,
        whats=(HallTrouble.OFFLINE,),
        seconds=60,
        severity=Severity.CRITICAL,
    ),
    AlarmRule(
        id="hall-stalled",
        name="大厅在线但数据滞后",
        name_en="Hall connected but behind",
        form=RuleForm.DURATION,
        whats=(HallTrouble.STALLED,),
        seconds=60,
        severity=Severity.CRITICAL,
    ),
    AlarmRule(
        id="hall-quarantined",
        name="大厅数据已停止合并",
        name_en="Hall quarantined",
        whats=(HallTrouble.QUARANTINED,),
        severity=Severity.CRITICAL,
    ),
    AlarmRule(
        id="hall-parked",
        name="有记录无法处理",
        name_en="Events not processed",
        whats=(HallTrouble.PARKED,),
        severity=Severity.WARNING,
    ),
    AlarmRule(
        id="hall-backup",
        name="大厅没有新的备份",
        name_en="Hall without a fresh backup",
        form=RuleForm.DURATION,
        whats=(HallTrouble.BACKUP,),
        seconds=1800,
        severity=Severity.WARNING,
    ),
    AlarmRule(
        id="device-refused",
        name="设备身份可疑",
        name_en="Suspicious device",
        whats=REFUSALS,
        severity=Severity.CRITICAL,
    ),
    AlarmRule(
        id="device-gone",
        name="设备失联",
        name_en="Device lost",
        form=RuleForm.DURATION,
        whats=(GONE,),
        kinds=_NOT_PADS,
        seconds=60,
        severity=Severity.CRITICAL,
    ),
    AlarmRule(
        id="pad-gone",
        name="开放窗口的平板失联",
        name_en="Pad of an open window lost",
        form=RuleForm.DURATION,
        whats=(GONE,),
        kinds=tuple(sorted(PADS)),
        seconds=300,
        severity=Severity.WARNING,
    ),
    AlarmRule(
        id="device-fault",
        name="设备故障",
        name_en="Device fault",
        severities=(Severity.CRITICAL,),
        severity=Severity.CRITICAL,
    ),
    AlarmRule(
        id="paper-low",
        name="纸快用完已超过半小时",
        name_en="Paper low for half an hour",
        form=RuleForm.DURATION,
        whats=(Condition.PAPER_LOW,),
        seconds=1800,
        severity=Severity.WARNING,
    ),
    AlarmRule(
        id="device-warning",
        name="设备异常持续十分钟",
        name_en="Device warning for ten minutes",
        form=RuleForm.DURATION,
        whats=tuple(
            one
            for one in CONDITIONS
            if severity_of(one) is Severity.WARNING and one != Condition.PAPER_LOW
        ),
        seconds=600,
        severity=Severity.WARNING,
    ),
    AlarmRule(
        id="device-flapping",
        name="设备反复失联",
        name_en="Device lost again and again",
        form=RuleForm.REPEAT,
        whats=(GONE,),
        seconds=1800,
        times=4,
        severity=Severity.WARNING,
    ),
    AlarmRule(
        id="fault-repeats",
        name="同一故障反复出现",
        name_en="Same fault again and again",
        form=RuleForm.REPEAT,
        severities=(Severity.CRITICAL,),
        seconds=7200,
        times=4,
        severity=Severity.WARNING,
    ),
)
"""Rules that come with the program; each may be edited or switched off, none is deleted."""
