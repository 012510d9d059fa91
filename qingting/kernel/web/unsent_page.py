"""The answer to :class:`.unsent.Unsent`: a page with what was typed, or for htmx a notice on the page that has it still."""

import re

from aiohttp import web

from qingting.kernel.web.csrf import (
    HEADER,
    csrf_token,
    given_token,
    made_for,
    mark_of,
    remember_twin,
)
from qingting.kernel.web.forms import is_htmx
from qingting.kernel.web.keys import SESSION
from qingting.kernel.web.pages import Pages
from qingting.kernel.web.session import WebSession
from qingting.kernel.web.unsent import SAFE, Typed, Unsent, typed_of

TICKED = frozenset({"on", "true"})
QUIET = frozenset({"key", "next", "back", "seen", "version", "base", "do"})
"""What forms carry for themselves: sent again as it was, and nothing a person would know again."""
_CODE = re.compile(r"(?=.*[a-z])[a-z0-9]+([-_/:][a-z0-9]+)+")
_BARE = re.compile(r"[A-Za-z0-9]+")
"""A word or number that tells nobody anything without what it is called."""


async def unsent_answer(pages: Pages, request: web.Request, unsent: Unsent) -> web.Response:
    """What a browser sent just now, to the same browser: nothing of it is kept here."""
    token = await given_token(request)
    if is_htmx(request):
        return _notice(pages, request, unsent, token)
    typed = Typed() if HEADER in request.headers else await typed_of(request)
    session: WebSession | None = request.get(SESSION)
    mark = mark_of(token)
    context = {
        "problem": unsent,
        "unsent": unsent,
        "typed": typed,
        "seen": _seen(pages, request, typed),
        "other": session is not None and made_for(token, session.subject) is False,
        "token": f".{mark}"
        if unsent.first and mark
        else ""
        if unsent.first
        else csrf_token(request),
    }
    answer = pages.render(request, "unsent.html", context)
    remember_twin(request, answer)
    return answer


def _seen(pages: Pages, request: web.Request, typed: Typed) -> list[tuple[str, str]]:
    """Label and value of what a person can know again. Rows of a list are called as their columns are."""
    language = pages.language(request)
    named = [
        (pages.label(language, name.rpartition("-")[2]), value)
        for name, value in typed.kept
        if name not in QUIET
    ]
    return [
        (label, "✓" if value in TICKED else value)
        for label, value in named
        if known_again(label, value)
    ]


def known_again(label: str, value: str) -> bool:
    """Whether somebody who typed or chose ``value`` knows it again: codes of what was chosen from a list are none's words."""
    if label and value in TICKED:
        return True
    bare = not label and _BARE.fullmatch(value)
    return bool(value.strip()) and not bare and not _CODE.fullmatch(value)


def _notice(pages: Pages, request: web.Request, unsent: Unsent, token: str) -> web.Response:
    """What was typed is on the page still, so it stays. The new token comes along for the next press, unless somebody else
    is logged in now: their press is not one that was meant for this page."""
    session: WebSession | None = request.get(SESSION)
    mine = session is None or made_for(token, session.subject) is True
    fresh = csrf_token(request) if mine and not unsent.first and request.method not in SAFE else ""
    context = {"problem": unsent, "unsent": unsent, "token": fresh, "other": not mine}
    answer = pages.render(request, "unsent.html", context, block="notice")
    remember_twin(request, answer)
    answer.headers.update({"HX-Retarget": "#notice", "HX-Reswap": "innerHTML"})
    if request.method in SAFE and unsent.way:
        # A part that renews itself: the page goes, unless somebody is typing on it (live.js).
        answer.set_status(200)
        answer.headers["HX-Redirect"] = unsent.way
    return answer
