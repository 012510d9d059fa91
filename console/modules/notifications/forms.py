"""Forms of the staff's pages."""

from datetime import date
from typing import Annotated

import msgspec

from console.modules.notifications.rules import Clock, NoticeRules
from console.modules.notifications.topics import OUTSIDE, Channel, TopicSettings, Wording
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal


class WordingForm(Strict, frozen=True, kw_only=True):
    """``do``: ``save``, ``preview`` or ``try``; ``to`` is where a trial goes."""

    seen: int = 0
    title: str = ""
    text: str = ""
    code: Annotated[str, msgspec.Meta(max_length=40)] = ""
    to: Annotated[str, msgspec.Meta(max_length=120)] = ""
    do: str = "save"

    @property
    def wording(self) -> Wording:
        text = self.text.replace("\r\n", "\n").strip()
        return Wording(title=self.title.strip(), text=text, code=self.code.strip())


class TopicForm(Strict, frozen=True, kw_only=True):
    """``first`` to ``fourth`` are the ways in order, empty for none."""

    seen: int = 0
    first: str = ""
    second: str = ""
    third: str = ""
    fourth: str = ""
    on: bool = False
    urgent: bool = False
    before_minutes: Annotated[int, msgspec.Meta(ge=5, le=43_200)] | None = None
    keep_minutes: Annotated[int, msgspec.Meta(ge=5, le=43_200)] = 1440

    def settings(self) -> TopicSettings:
        """Raises ``form.invalid`` naming the field."""
        chain: list[Channel] = []
        for name in ("first", "second", "third", "fourth"):
            value = getattr(self, name)
            if value and (value not in OUTSIDE or value in chain):
                raise Refusal("form.invalid", field=name)
            if value:
                chain.append(Channel(value))
        return TopicSettings(
            chain=tuple(chain),
            on=self.on,
            urgent=self.urgent,
            before_minutes=self.before_minutes,
            keep_minutes=self.keep_minutes,
        )

    @classmethod
    def of(cls, settings: TopicSettings, seen: int) -> "TopicForm":
        places = ("first", "second", "third", "fourth")
        chain = dict(zip(places, (one.value for one in settings.chain), strict=False))
        return cls(
            seen=seen,
            on=settings.on,
            urgent=settings.urgent,
            before_minutes=settings.before_minutes,
            keep_minutes=settings.keep_minutes,
            **chain,
        )


class RulesForm(Strict, frozen=True, kw_only=True):
    """See :class:`console.modules.notifications.rules.NoticeRules`."""

    seen: int = 0
    quiet_from: Clock
    quiet_until: Clock
    per_day: Annotated[int, msgspec.Meta(ge=1, le=100)]
    repeat_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)]
    price: Annotated[int, msgspec.Meta(ge=0, le=10_000)]

    def rules(self) -> NoticeRules:
        values = msgspec.structs.asdict(self)
        del values["seen"]
        return NoticeRules(**values)

    @classmethod
    def of(cls, rules: NoticeRules, seen: int) -> "RulesForm":
        return cls(seen=seen, **msgspec.structs.asdict(rules))


class PauseForm(Strict, frozen=True, kw_only=True):
    paused: bool = False
    reason: Annotated[str, msgspec.Meta(max_length=200)] = ""


def day_or_none(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
