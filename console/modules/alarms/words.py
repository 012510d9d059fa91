"""Alarms in words: one line for lists, a message for outside."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.core.channels import Message
from console.core.days import wall_time
from console.halls.api import HallStatus
from console.modules.alarms.api import AlarmInfo
from console.modules.alarms.receivers import Receiver, way_of
from console.modules.alarms.rules import CONDITIONS, AlarmRule, HeldRule
from console.modules.devices.api import DeviceInfo
from qingting.contract.conditions import Severity, condition_texts
from qingting.contract.states import Condition, Language
from qingting.kernel.i18n import Catalogue

SEVERITY_TONES = {
    Severity.CRITICAL: "fault",
    Severity.WARNING: "caution",
    Severity.INFO: "info",
}
CATALOGUE = Catalogue.load("qingting.web.pages", "console.app", "console.modules.alarms")
"""Read at import: what is sent outside has no page around it."""


def what_text(what: str, language: Language) -> str:
    """``what`` by its name."""
    if what in CONDITIONS:
        text = condition_texts()[Condition(what)]
        return text.zh if language is Language.ZH else text.en
    return CATALOGUE.text(language, f"alarm.what.{what}")


def what_hint(what: str, language: Language) -> str:
    """What to do about it."""
    if what in CONDITIONS:
        text = condition_texts()[Condition(what)]
        return text.hint_zh if language is Language.ZH else text.hint_en
    return CATALOGUE.text(language, f"alarm.hint.{what}")


@dataclass(frozen=True, slots=True)
class Names:
    """Halls and devices by id; what is gone keeps its id for a name."""

    halls: Mapping[str, HallStatus]
    devices: Mapping[tuple[str, str], DeviceInfo]
    rules: Mapping[str, HeldRule]
    receivers: Mapping[str, Receiver]

    def hall(self, hall: str, language: Language) -> str:
        known = self.halls.get(hall)
        return known.title(language) if known else hall

    def device(self, hall: str, device: str, language: Language) -> str:
        """With the kiosk that it belongs to before its own name."""
        known = self.devices.get((hall, device))
        if known is None:
            return device
        parent = known.parent_title(language)
        return f"{parent} · {known.title(language)}" if parent else known.title(language)

    def rule(self, rule: str, language: Language) -> str:
        known = self.rules.get(rule)
        return rule_name(known.rule, language) if known else rule

    def channel(self, channel: str, language: Language) -> str:
        """A way outside, and to whom it leads unless to everybody."""
        way, receiver = way_of(channel)
        text = CATALOGUE.text(language, f"alarm.channel.{way}")
        if not receiver:
            return text
        known = self.receivers.get(receiver)
        name = receiver_name(known, language) if known else receiver
        return CATALOGUE.text(language, "alarm.channel.to", receiver=name, way=text)


def receiver_name(receiver: Receiver, language: Language) -> str:
    return receiver.name if language is Language.ZH else receiver.name_en or receiver.name


def rule_name(rule: AlarmRule, language: Language) -> str:
    return rule.name if language is Language.ZH else rule.name_en or rule.name


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """An alarm in the reader's words. ``place`` is the device, or empty for the hall's line."""

    alarm: AlarmInfo
    hall: str
    place: str
    what: str
    hint: str
    rule: str
    tone: str


def alarm_line(alarm: AlarmInfo, names: Names, language: Language) -> AlarmLine:
    return AlarmLine(
        alarm=alarm,
        hall=names.hall(alarm.hall, language),
        place=names.device(alarm.hall, alarm.device, language) if alarm.device else "",
        what=what_text(alarm.what, language),
        hint=what_hint(alarm.what, language),
        rule=names.rule(alarm.rule, language),
        tone=SEVERITY_TONES[alarm.severity],
    )


def message(
    notice: int, act: str, alarm: AlarmInfo, names: Names, utc_offset_minutes: int
) -> Message:
    """What is sent outside: Chinese first, then English. Ids and names of devices only, nobody's data."""
    parts = [
        _told(act, alarm, names, language, utc_offset_minutes)
        for language in (Language.ZH, Language.EN)
    ]
    at = alarm.cleared_at if act == "cleared" and alarm.cleared_at else alarm.raised_at
    return Message(
        id=f"alarm-notice-{notice}",
        at=at,
        severity=alarm.severity,
        act=act,
        title=parts[0][0],
        text="\n\n".join(text for _, text in parts),
        facts={
            "alarm": str(alarm.no),
            "hall": alarm.hall,
            "device": alarm.device,
            "kind": alarm.kind,
            "what": alarm.what,
            "rule": alarm.rule,
        },
    )


def _told(
    act: str, alarm: AlarmInfo, names: Names, language: Language, utc_offset_minutes: int
) -> tuple[str, str]:
    def t(key: str, **params: object) -> str:
        return CATALOGUE.text(language, key, **params)

    line = alarm_line(alarm, names, language)
    mark = t("alarm.recovered") if act == "cleared" else t(f"severity.{alarm.severity.value}")
    where = f"{line.hall} {line.place}".strip()
    title = t("alarm.mail_title", mark=mark, where=where, what=line.what)
    since = wall_time(alarm.began, utc_offset_minutes)
    rows = [title, t("alarm.mail_rule", rule=line.rule)]
    rows.append(t("alarm.mail_since", since=f"{since:%Y-%m-%d %H:%M:%S}"))
    if alarm.behind:
        rows.append(t("alarm.behind", n=alarm.behind))
    if act == "escalated":
        rows.append(t("alarm.mail_escalated"))
    if act != "cleared":
        rows.append(line.hint)
    rows.append(t("alarm.mail_number", no=alarm.no))
    return title, "\n".join(rows)
