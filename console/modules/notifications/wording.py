"""Wordings: texts with ``{field}`` in them, checked when they are edited and filled when they are sent."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from console.modules.notifications.topics import (
    HIDDEN,
    Channel,
    DeclaredTopic,
    FieldKind,
    TopicField,
    Wording,
    shown,
)
from qingting.contract.errors import Refusal
from qingting.contract.states import Language

LONGEST_TITLE = 60
LONGEST_TEXT = {Channel.SMS: 500, Channel.PUSH: 200}
LONGEST_OTHER = 2000
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}\n]*)\}|[{}]")


@dataclass(frozen=True, slots=True)
class Mistake:
    """A place in a text that cannot be filled; ``line`` and ``column`` count from 1. ``word`` is what stands between
    the braces, empty for a brace alone."""

    line: int
    column: int
    word: str


@dataclass(frozen=True, slots=True)
class Said:
    """A wording filled in."""

    title: str
    text: str
    code: str = ""


def pieces(topic: DeclaredTopic, text: str) -> Iterator[str | TopicField | Mistake]:
    """``text`` in order: plain parts, fields, mistakes. ``{{`` and ``}}`` are braces."""
    end = 0
    for found in _PIECE.finditer(text):
        if found.start() > end:
            yield text[end : found.start()]
        end = found.end()
        if found[0] in ("{{", "}}"):
            yield found[0][0]
            continue
        word = (found[1] or "").strip()
        field = topic.field_of(word) if found[1] is not None else None
        yield field if field is not None else _mistake(text, found.start(), word)
    if end < len(text):
        yield text[end:]


def _mistake(text: str, at: int, word: str) -> Mistake:
    before = text[:at]
    return Mistake(before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1, word)


def mistakes(topic: DeclaredTopic, text: str) -> list[Mistake]:
    """Every place that names no field of the topic."""
    return [one for one in pieces(topic, text) if isinstance(one, Mistake)]


def check(topic: DeclaredTopic, channel: Channel, wording: Wording) -> None:
    """Raises ``notice.field`` with the first mistake's place, ``notice.empty``, ``notice.long``, and ``notice.no_code``
    when a code that the delivered wording says is left out: nobody could use the message then."""
    most = LONGEST_TEXT.get(channel, LONGEST_OTHER)
    for part, text, longest in (
        ("title", wording.title, LONGEST_TITLE),
        ("text", wording.text, most),
    ):
        if part == "title" and channel is Channel.SMS:
            continue
        if not text.strip():
            raise Refusal("notice.empty", part=part)
        if len(text) > longest:
            raise Refusal("notice.long", most=longest, length=len(text))
        for one in mistakes(topic, text):
            raise Refusal("notice.field", word=one.word, line=one.line, column=one.column)
    delivered = topic.first_wording(channel, Language.ZH)
    for missing in _codes(topic, delivered) - _codes(topic, wording):
        word, word_en = (topic.field_names[missing, one] for one in Language)
        raise Refusal("notice.no_code", word=word, word_en=word_en)


def _codes(topic: DeclaredTopic, wording: Wording) -> set[str]:
    """Fields with what is good for whoever has it, in what is sent by any way."""
    return {
        one.id
        for one in pieces(topic, wording.text)
        if isinstance(one, TopicField) and one.kind is FieldKind.CODE
    }


def named(topic: DeclaredTopic, text: str, language: Language) -> str:
    """``text`` with its fields called as people call them in ``language``; one with a mistake stays as it is."""
    found: list[str] = []
    for one in pieces(topic, text):
        if isinstance(one, Mistake):
            return text
        if isinstance(one, str):
            found.append(one.replace("{", "{{").replace("}", "}}"))
            continue
        name = topic.field_names[one.id, language]
        found.append(f"{{{name if topic.field_of(name) == one else one.id}}}")
    return "".join(found)


def fill(
    topic: DeclaredTopic,
    text: str,
    params: Mapping[str, str | int],
    language: Language,
    offset_minutes: int,
    *,
    hide_codes: bool = False,
) -> str:
    """``text`` with the values in it; ``hide_codes`` for staff. A mistake, which no stored wording has, stays as a gap; so
    does a field that the topic got after the message was told."""
    found: list[str] = []
    for one in pieces(topic, text):
        if isinstance(one, TopicField) and one.id in params:
            hidden = hide_codes and one.kind is FieldKind.CODE
            found.append(HIDDEN if hidden else shown(one, params[one.id], language, offset_minutes))
        else:
            found.append(one if isinstance(one, str) else "…")
    return "".join(found)


def said(
    topic: DeclaredTopic,
    wording: Wording,
    params: Mapping[str, str | int],
    language: Language,
    offset_minutes: int,
    *,
    hide_codes: bool = False,
) -> Said:
    title, text = (
        fill(topic, one, params, language, offset_minutes, hide_codes=hide_codes)
        for one in (wording.title, wording.text)
    )
    return Said(" ".join(title.split()), text.strip(), wording.code)
