"""Rows of a table that a narrow screen shows one below another: those in which something can be pressed.

A table that scrolls sideways may be read so, but whoever is to press something at its end does not know that it is there.
Each cell then says the head of its column, which is out of sight.
"""

import re
from collections.abc import Sequence

from markupsafe import Markup, escape

Column = str | Sequence[str]
"""Words of a head, or words and class, as the macro for tables takes them."""
_PRESSED = re.compile(r'<(?:button|select)\b|class="button\b')
_TAG = re.compile(r"<(tr|td|th)\b")


def has_controls(rows: str) -> bool:
    """Whether something in these rows can be pressed or chosen."""
    return _PRESSED.search(rows) is not None


def labelled(rows: str, columns: Sequence[Column]) -> Markup:
    """``rows`` whose cells each carry the head of their column; what a row is called by needs none."""
    heads = [escape(one if isinstance(one, str) else one[0]).striptags() for one in columns]
    place = -1

    def told(found: re.Match[str]) -> str:
        nonlocal place
        if found[1] == "tr":
            place = -1
            return found[0]
        place += 1
        head = heads[place] if place < len(heads) else ""
        named = found[1] == "td" and head
        return f'{found[0]} data-label="{escape(head)}"' if named else found[0]

    return Markup(_TAG.sub(told, rows))  # noqa: S704 (what was rendered, and heads that are escaped)
