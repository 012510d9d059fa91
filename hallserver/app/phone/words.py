"""A standing in words. Pages and live streams say the same sentences."""

from collections.abc import Callable
from dataclasses import dataclass

from hallserver.app.phone.standing import Standing
from qingting.contract.events import Interval
from qingting.contract.ids import Millis
from qingting.contract.states import Language, WaitBasis

Text = Callable[..., str]
"""``(key, **params) → text`` in the reader's language."""


@dataclass(frozen=True, slots=True)
class Voice:
    """A reader's language: texts by key, and instants as people say them."""

    language: Language
    text: Text
    when: Callable[[Millis], str]


@dataclass(frozen=True, slots=True)
class Said:
    """``say`` is the state as a sentence, ``todo`` what to do now, ``more`` which windows serve, ``again``
    why the visitor stands in line again."""

    say: str
    todo: str
    more: str
    again: str
    title: str


def sentences(voice: Voice, number: str, standing: Standing) -> Said:
    """Raises ``KeyError`` for a stage without texts; a test reads every stage in both languages."""
    stage, text = standing.stage, voice.text
    params = {
        "number": number,
        "window": standing.window or "—",
        "ahead": ahead_words(text, standing.ahead),
        "wait": _wait(text, standing.wait),
        "until": _until(voice, standing.until),
    }
    return Said(
        say=text(f"phone.{stage.name}.say", **params),
        todo=text(f"phone.{stage.name}.todo", **params),
        more=_windows(voice, standing) if stage.waits else "",
        again=text(f"phone.again.{standing.again}") if standing.again else "",
        title=text(f"phone.{stage.name}.title", **params),
    )


def ahead_words(text: Text, count: int) -> str:
    return text(f"phone.ahead.{count}" if count < 2 else "phone.ahead.many", n=count)


def _wait(text: Text, wait: Interval | None) -> str:
    if wait is None:
        return text("phone.wait.unknown")
    said = text("phone.wait.soon") if wait.low == 0 else _between(text, wait)
    if wait.basis is not WaitBasis.SIMULATION:
        said += text(f"phone.wait.{wait.basis.value}")
    return said + text("phone.wait.beyond") if wait.beyond else said


def _between(text: Text, wait: Interval) -> str:
    return text("phone.wait.between", low=wait.low, high=wait.high)


def _until(voice: Voice, until: Millis | None) -> str:
    if until is None:
        return voice.text("phone.until.said")
    return voice.text("phone.until.time", time=voice.when(until))


def _windows(voice: Voice, standing: Standing) -> str:
    if not standing.windows:
        return voice.text("phone.windows.none")
    joined = ("、" if voice.language is Language.ZH else ", ").join(standing.windows)
    kind = "one" if len(standing.windows) == 1 else "many"
    return voice.text(f"phone.windows.{kind}", numbers=joined)
