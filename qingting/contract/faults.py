"""Faults of a configuration: a code with sentences in ``errors.toml``, and where in the configuration it is.

The shell names the place by its path (``windows.w3: no queue 'ga'``), pages by its name (窗口“公安3号窗口”).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from qingting.contract.errors import Refusal, sentence
from qingting.contract.states import Language

SHOWN = 5
"""Faults that one sentence lists; the others show when these are put right."""


class Fault(NamedTuple):
    """One thing that is wrong. ``part`` is the field of :class:`qingting.contract.config.HallConfig`, ``key``
    the id there, ``name`` what people call it, ``name_en`` the same in English (empty: it has only the one).
    ``what`` is the sentence's parameter, ``what_en`` the same in English where it differs. ``detail`` stands
    in for the English sentence in the shell where that can say more."""

    code: str
    part: str
    key: str = ""
    name: str = ""
    what: str = ""
    detail: str = ""
    name_en: str = ""
    what_en: str = ""

    def line(self) -> str:
        """In English with the path, for the shell and the log."""
        text = self.detail or sentence(self.code, {"what": self.what}, Language.EN)
        return f"{'.'.join(filter(None, (self.part, self.key)))}: {text}"

    def text(self, language: Language) -> str:
        """What a person reads."""
        name, what = self.name or self.key, self.what
        if language is Language.EN:
            name, what = self.name_en or name, self.what_en or what
        place = sentence(f"fault_at.{self.part}", {"name": name}, language).strip()
        colon = "：" if language is Language.ZH else ": "
        return place + colon + sentence(self.code, {"what": what}, language)


class FaultyConfig(Refusal):
    """``config.invalid`` that says its faults in the reader's language."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("config.invalid", faults=_joined(one.line() for one in faults))
        self.faults = tuple(faults)

    @property
    def told(self) -> dict[str, str | int]:
        zh, en = Language.ZH, Language.EN
        return {
            "faults": _joined((one.text(zh) for one in self.faults), "；"),
            "faults_en": _joined(one.text(en) for one in self.faults),
        }

    def again(self) -> "FaultyConfig":
        return FaultyConfig(self.faults)

    def sentence(self, language: Language = Language.ZH) -> str:
        mark = "；" if language is Language.ZH else "; "
        texts = _joined((one.text(language) for one in self.faults), mark)
        return sentence(self.code, {"faults": texts}, language)

    def at(self, part: str, key: str) -> tuple[Fault, ...]:
        """The faults of one thing, to be shown beside it."""
        return tuple(one for one in self.faults if (one.part, one.key) == (part, key))


def _joined(texts: Iterable[str], mark: str = "; ") -> str:
    return mark.join(list(texts)[:SHOWN])


def doubled(values: Iterable[str]) -> list[str]:
    """What appears more than once, each once, in order."""
    seen = list(values)
    return [one for one in sorted(set(seen)) if seen.count(one) > 1]
