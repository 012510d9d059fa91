"""What somebody typed, as SQL: which items it may mean, and which of them come first."""

import functools
import operator

import sqlalchemy as sa

from console.modules.catalogue.reading import asked, closely, roughly, shortened, skipping, spelled

_CALLED_SO, _BEGINS_SO = -2, -1
_HAS, _SHORTENED, _ELSEWHERE = 0, 1, 2
"""How well an item answers: its name is what was typed, or begins with it; otherwise for each part, whether the name has
it, has it in short, or other words of the item have it."""


def named(held: sa.Subquery, text: str) -> sa.ColumnElement[bool]:
    """Which items a part of what was typed may mean."""
    c = held.c
    said = [place.contains(text, autoescape=True) for place in (c.words, c.pinyin, c.initials)]
    return sa.or_(*said, *_in_short(held, text))


def rank(held: sa.Subquery, text: str) -> sa.ColumnElement[int]:
    """By how well those that are found answer, the best ones first; without anything typed all are alike."""
    parts = asked(text)
    if not parts:
        return sa.literal(_HAS)
    c, whole, letters = held.c, " ".join(parts), "".join(parts)
    names = (
        (c.title, whole),
        (sa.func.lower(c.code), whole),
        (c.pinyin, letters),
        (c.initials, letters),
    )
    return sa.case(
        (sa.or_(*(name == given for name, given in names)), _CALLED_SO),
        (sa.or_(*(name.startswith(given, autoescape=True) for name, given in names)), _BEGINS_SO),
        else_=functools.reduce(operator.add, (_place(held, one) for one in parts)),
    )


def _place(held: sa.Subquery, text: str) -> sa.ColumnElement[int]:
    """Of one part of what was typed."""
    short = _in_short(held, text)
    return sa.case(
        (sa.or_(*_said(held, text)), _HAS),
        (sa.or_(sa.false(), *short), _SHORTENED),
        else_=_ELSEWHERE,
    )


def _said(held: sa.Subquery, text: str) -> list[sa.ColumnElement[bool]]:
    """In the name, in how it is read, or in its first letters."""
    places = (held.c.title, held.c.pinyin, held.c.initials)
    return [place.contains(text, autoescape=True) for place in places]


def _in_short(held: sa.Subquery, text: str) -> list[sa.ColumnElement[bool]]:
    """In the name as people shorten it."""
    c = held.c
    found: list[sa.ColumnElement[bool]] = [c.title.like(one) for one in shortened(text)]
    if letters := skipping(text):
        found.append(c.initials.regexp_match(letters))
    for way in spelled(text):
        close = c.syllables.regexp_match(closely(way))
        found.append(sa.and_(c.initials.like(roughly(way)), close))
    return found
