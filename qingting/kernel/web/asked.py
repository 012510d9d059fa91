"""What the address of a page asks for and nobody can read: the page shows something else, and says so.

Handlers that fall back to a default ask through these; :class:`qingting.kernel.web.pages.Pages` puts what was not read below
the notice of the page.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from aiohttp import web

LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Misread:
    """``sort``: what it should have been, ``day``, ``number`` or ``choice``; ``instead``: what is shown, empty for what is
    shown when nothing is asked for."""

    text: str
    sort: str
    instead: str


MISREAD: web.RequestKey[list[Misread]] = web.RequestKey("misread", list)
"""In the order in which they were asked for."""


def misread(request: web.Request, name: str, sort: str, instead: object = "") -> None:
    """Notes that ``?name=`` was not read. Nothing given is nothing to say."""
    text = request.query.get(name, "").strip()[:LONGEST_SHOWN]
    one = Misread(text, sort, str(instead))
    found = request.setdefault(MISREAD, [])
    if text and one not in found:
        found.append(one)


def day_of_text(text: str | None, first: int = 1, last: int = 9998) -> date | None:
    """None for no date, and for one outside of these years: from there nobody can count on."""
    try:
        found = date.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is None or first <= found.year <= last else None


def day_asked(
    request: web.Request,
    name: str,
    instead: date | None = None,
    *,
    first: int = 1,
    last: int = 9998,
) -> date | None:
    """The date in ``?name=``, or ``instead``."""
    found = day_of_text(request.query.get(name), first, last)
    if found is None:
        misread(request, name, "day", instead or "")
    return found or instead


def number_asked(request: web.Request, name: str, instead: int) -> int:
    """The number in ``?name=``, or ``instead``."""
    text = request.query.get(name, "")
    if text.isdecimal() and len(text) < 7:
        return int(text)
    misread(request, name, "number", instead)
    return instead


def choice_asked(request: web.Request, name: str, choices: Collection[str], instead: str) -> str:
    """The choice in ``?name=``, or ``instead``."""
    text = request.query.get(name, "")
    if text in choices:
        return text
    misread(request, name, "choice")
    return instead
