"""Forms of the alarm pages."""

from datetime import UTC, datetime, timedelta

import msgspec

from console.core.days import wall_time
from console.modules.alarms.rules import AlarmRule, HeldRule, RuleForm
from qingting.contract.base import Strict
from qingting.contract.conditions import Severity
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.contract.states import DeviceKind


class NoteForm(Strict, frozen=True, kw_only=True):
    note: str = ""


class ReadForm(Strict, frozen=True, kw_only=True):
    upto: int


class MaintenanceForm(Strict, frozen=True, kw_only=True):
    """``start`` empty: now. Both are times of the city as a browser writes them."""

    place: str = ""
    start: str = ""
    until: str = ""
    reason: str = ""


class RuleFields(Strict, frozen=True, kw_only=True):
    """A rule as its page has it, with minutes for people."""

    id: str = ""
    version: int | None = None
    name: str = ""
    name_en: str = ""
    form: RuleForm = RuleForm.SIMPLE
    whats: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    kinds: tuple[DeviceKind, ...] = ()
    halls: tuple[HallId, ...] = ()
    minutes: float = 0
    times: int = 2
    severity: Severity = Severity.WARNING
    again_minutes: float = 10
    notify: bool = False
    enabled: bool = False

    @classmethod
    def of(cls, held: HeldRule) -> "RuleFields":
        rule = held.rule
        return cls(
            id=rule.id,
            version=held.version,
            name=rule.name,
            name_en=rule.name_en,
            form=rule.form,
            whats=rule.whats,
            severities=rule.severities,
            kinds=rule.kinds,
            halls=rule.halls,
            minutes=rule.seconds / 60,
            times=max(2, rule.times),
            severity=rule.severity,
            again_minutes=rule.again_seconds / 60,
            notify=rule.notify,
            enabled=rule.enabled,
        )

    def rule(self) -> AlarmRule:
        """Raises ``form.invalid`` naming the field, ``alarm.rule_seconds``, ``alarm.rule_times``."""
        values = {
            "id": self.id,
            "name": self.name,
            "name_en": self.name_en,
            "form": self.form,
            "whats": self.whats,
            "severities": () if self.whats else self.severities,
            "kinds": self.kinds,
            "halls": self.halls,
            "seconds": 0 if self.form is RuleForm.SIMPLE else round(self.minutes * 60),
            "times": self.times if self.form is RuleForm.REPEAT else 1,
            "severity": self.severity,
            "again_seconds": round(self.again_minutes * 60),
            "notify": self.notify,
            "enabled": self.enabled,
        }
        if not self.name.strip():
            raise Refusal("form.invalid", field="name")
        try:
            return msgspec.convert(values, AlarmRule)
        except msgspec.ValidationError as error:
            raise _refused(str(error)) from error


def _refused(message: str) -> Refusal:
    for field, code in (("seconds", "alarm.rule_seconds"), ("times", "alarm.rule_times")):
        if f"$.{field}" in message or f"$.again_{field}" in message:
            return Refusal(code)
    field = message.split("`$.", 1)[1].split("`", 1)[0] if "`$." in message else "?"
    return Refusal("form.invalid", field=field)


def instant(text: str, utc_offset_minutes: int) -> int:
    """A browser's local time as UTC milliseconds; 0 for an empty one. Raises ``form.invalid``."""
    if not text:
        return 0
    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refusal("form.invalid", field="until") from error
    if local.tzinfo is not None or not 2000 < local.year < 2100:
        raise Refusal("form.invalid", field="until")
    moved = local.replace(tzinfo=UTC) - timedelta(minutes=utc_offset_minutes)
    return round(moved.timestamp() * 1000)


def local_text(ms: int, utc_offset_minutes: int) -> str:
    """Inverse of :func:`instant`, to the minute."""
    moved = wall_time(ms, utc_offset_minutes)
    return f"{moved:%Y-%m-%dT%H:%M}"
