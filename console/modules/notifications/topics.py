"""Topics: what there is to tell citizens, with the fields that a wording may name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import msgspec

from console.core.days import wall_time
from qingting.contract.base import Strict
from qingting.contract.people import mask_name
from qingting.contract.states import Language
from qingting.kernel.i18n import Catalogue

TOPIC_ID = re.compile(r"[a-z_]+(\.[a-z_]+)+")
FIELD_ID = re.compile(r"[a-z][a-z_]*")
PERSONAL = re.compile(r"(?<!\d)(\d{17}[\dXx]|1[3-9]\d{9})(?!\d)")
"""What looks like a certificate or phone number; as the log's filter has it."""
LONGEST_VALUE = 200
HIDDEN = "••••"


class Channel(StrEnum):
    """A way to a citizen. ``in_site`` (站内信) always carries what there is to tell: the legal minimum."""

    IN_SITE = "in_site"
    SMS = "sms"
    MAIL = "mail"
    PUSH = "push"
    ALIPAY = "alipay"


OUTSIDE: tuple[Channel, ...] = (Channel.PUSH, Channel.ALIPAY, Channel.SMS, Channel.MAIL)
"""Channels that leave the house, in the order that a topic tries them unless it says otherwise."""


class FieldKind(StrEnum):
    """``moment``: UTC milliseconds; ``day``: an ISO date; ``name``: of a person, kept and shown masked; ``code``:
    good for whoever has it, not shown to staff; ``number``; ``text``: anything else."""

    TEXT = "text"
    MOMENT = "moment"
    DAY = "day"
    NUMBER = "number"
    NAME = "name"
    CODE = "code"


class TopicField(Strict, frozen=True, kw_only=True):
    """A field of a topic. ``example`` fills previews: of the type that :attr:`kind` asks for, in Chinese;
    ``example_en`` where English needs another one."""

    id: str
    kind: FieldKind = FieldKind.TEXT
    example: str | int
    example_en: str | int | None = None


class Topic(Strict, frozen=True, kw_only=True):
    """Something to tell. ``chain``: which ways are tried, the next one when one cannot. ``urgent``: also at
    night and beyond the day's limit. ``before_minutes``: it is told so long before something begins.
    ``keep_minutes``: how long after it was due it is worth telling. ``link``: where the citizen goes with it."""

    id: str
    fields: tuple[TopicField, ...]
    chain: tuple[Channel, ...] = OUTSIDE
    urgent: bool = False
    before_minutes: int | None = None
    keep_minutes: int = 1440
    link: str = ""


class Wording(Strict, frozen=True, kw_only=True):
    """A text with ``{field}`` in it. ``title`` is not sent by SMS. ``code``: under which the SMS provider or Alipay has
    approved the text (模板编号); nothing goes by Alipay without one."""

    title: str
    text: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredTopic:
    """A topic with its names and first wordings in both languages."""

    topic: Topic
    names: Mapping[Language, str]
    field_names: Mapping[tuple[str, Language], str]
    titles: Mapping[Language, str]
    texts: Mapping[Language, str]
    short: Mapping[Language, str]

    @property
    def id(self) -> str:
        return self.topic.id

    def field(self, id: str) -> TopicField | None:  # noqa: A002
        return next((one for one in self.topic.fields if one.id == id), None)

    def field_of(self, word: str) -> TopicField | None:
        """A field by its id or by its name in either language."""
        for one in self.topic.fields:
            if word == one.id or word in (
                self.field_names[one.id, Language.ZH],
                self.field_names[one.id, Language.EN],
            ):
                return one
        return None

    def first_wording(self, channel: Channel, language: Language) -> Wording:
        """What is said until somebody edits it."""
        short = channel in (Channel.SMS, Channel.PUSH)
        return Wording(
            title=self.titles[language], text=(self.short if short else self.texts)[language]
        )


def topics(package: str, *declared: Topic) -> tuple[DeclaredTopic, ...]:
    """Topics with the texts of ``package``'s locale. Call it at import: it reads files. ``KeyError`` names a text that
    is missing, ``ValueError`` an id that does not fit."""
    catalogue = Catalogue.load(package)
    return tuple(_declared(catalogue, one) for one in declared)


def _declared(catalogue: Catalogue, topic: Topic) -> DeclaredTopic:
    for text, pattern in ((topic.id, TOPIC_ID), *((one.id, FIELD_ID) for one in topic.fields)):
        if not pattern.fullmatch(text):
            raise ValueError(text)
    # Filled with itself, a placeholder stays what it is.
    same = {one.id: f"{{{one.id}}}" for one in topic.fields}

    def texts(end: str) -> dict[Language, str]:
        return {one: catalogue.text(one, f"note.{topic.id}{end}", **same) for one in Language}

    return DeclaredTopic(
        topic=topic,
        names=texts(""),
        field_names={
            (one.id, language): catalogue.text(language, f"note.{topic.id}.field.{one.id}")
            for one in topic.fields
            for language in Language
        },
        titles=texts(".title"),
        texts=texts(".text"),
        short=texts(".sms"),
    )


def kept_params(topic: DeclaredTopic, params: Mapping[str, str | int]) -> dict[str, str | int]:
    """``params`` as they are stored. Raises ``ValueError``: what is told is the program's own doing."""
    fields = {one.id: one for one in topic.topic.fields}
    if set(params) != set(fields):
        raise ValueError(f"{topic.id} has the fields {sorted(fields)}, not {sorted(params)}")
    return {name: _kept(topic.id, fields[name], value) for name, value in params.items()}


def _kept(topic: str, field: TopicField, value: str | int) -> str | int:
    where = f"{topic}.{field.id}"
    if field.kind in (FieldKind.MOMENT, FieldKind.NUMBER):
        if not isinstance(value, int):
            raise ValueError(f"{where} is a number")
        return value
    if not isinstance(value, str) or len(value) > LONGEST_VALUE:
        raise ValueError(f"{where} is a text of at most {LONGEST_VALUE} characters")
    if PERSONAL.search(value):
        raise ValueError(f"{where} holds a number of a person")
    if field.kind is FieldKind.DAY:
        _ = date.fromisoformat(value)
    return mask_name(value) if field.kind is FieldKind.NAME else value


def shown(field: TopicField, value: str | int, language: Language, offset_minutes: int) -> str:
    """A value as people read it: 11月27日 9:30, 27 Nov 9:30."""
    if field.kind is FieldKind.MOMENT:
        then = wall_time(int(value), offset_minutes)
        return f"{_day(then.date(), language)} {then.hour}:{then:%M}"
    if field.kind is FieldKind.DAY:
        return _day(date.fromisoformat(str(value)), language)
    return str(value)


def _day(day: date, language: Language) -> str:
    return f"{day.month}月{day.day}日" if language is Language.ZH else f"{day.day} {day:%b}"


def examples(topic: DeclaredTopic, language: Language) -> dict[str, str | int]:
    """Every field with its example."""
    english = language is Language.EN
    return {
        one.id: one.example_en if english and one.example_en is not None else one.example
        for one in topic.topic.fields
    }


class TopicSettings(Strict, frozen=True, kw_only=True):
    """How a topic is told here, as set on screen; see :class:`Topic`. ``on`` False: in-site only."""

    chain: tuple[Channel, ...]
    on: bool = True
    urgent: bool = False
    before_minutes: int | None = None
    keep_minutes: int = 1440

    @classmethod
    def of(cls, topic: Topic) -> "TopicSettings":
        values = msgspec.structs.asdict(topic)
        names = ("chain", "urgent", "before_minutes", "keep_minutes")
        return cls(**{name: values[name] for name in names})
