"""Colour and words of the states that several pages show; the texts are in ``console/app/locale``."""

from dataclasses import dataclass

from qingting.contract.conditions import Severity, condition_texts
from qingting.contract.states import Condition, DeviceState, Language, RatingLevel

DEVICE_TONES: dict[DeviceState, str] = {
    DeviceState.READY: "done",
    DeviceState.DEGRADED: "caution",
    DeviceState.LOST: "fault",
    DeviceState.ABSENT: "off",
    DeviceState.CONNECTING: "info",
    DeviceState.IDENTIFYING: "info",
}
LEVEL_TONES: dict[RatingLevel, str] = {
    RatingLevel.VERY_SATISFIED: "done",
    RatingLevel.SATISFIED: "done",
    RatingLevel.BASICALLY_SATISFIED: "info",
    RatingLevel.DISSATISFIED: "fault",
    RatingLevel.VERY_DISSATISFIED: "fault",
}
_SEVERITY_TONES = {
    Severity.CRITICAL: "fault",
    Severity.WARNING: "caution",
    Severity.INFO: "info",
}


@dataclass(frozen=True, slots=True)
class ConditionWords:
    """A condition for people: tone, name, what to do."""

    tone: str
    text: str
    hint: str


def condition_words(condition: Condition, language: Language) -> ConditionWords:
    text = condition_texts()[condition]
    tone = _SEVERITY_TONES[text.severity]
    if language is Language.ZH:
        return ConditionWords(tone, text.zh, text.hint_zh)
    return ConditionWords(tone, text.en, text.hint_en)
