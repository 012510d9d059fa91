"""Device conditions in words, with severity and a hint for the hall manager."""

import tomllib
from enum import StrEnum
from functools import cache
from importlib.resources import files

import msgspec

from qingting.contract.base import Strict
from qingting.contract.states import Condition


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """The graver, the higher."""
        return list(Severity).index(self)


class ConditionText(Strict, frozen=True, kw_only=True):
    severity: Severity
    zh: str
    en: str
    hint_zh: str
    hint_en: str


@cache
def condition_texts() -> dict[Condition, ConditionText]:
    """Words for every :class:`Condition`; a missing one is an error at first use."""
    raw = tomllib.loads(files("qingting.contract").joinpath("conditions.toml").read_text("utf-8"))
    texts = msgspec.convert(raw, dict[Condition, ConditionText])
    missing = set(Condition) - set(texts)
    if missing:
        raise LookupError(f"conditions.toml lacks {sorted(missing)}")
    return texts


def blocks_printing(condition: Condition) -> bool:
    """True when a printer with this condition must not be given a ticket."""
    return condition_texts()[condition].severity is Severity.CRITICAL


condition_texts()  # Read at import: a lookup in an event loop must not open a file.
