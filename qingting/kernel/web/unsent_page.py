"""The answer to :class:`.unsent.Unsent`: a page with what was typed, or for htmx a notice on the page that has it still."""

import hmac
import re

from aiohttp import web

from qingting.contract.errors import Refusal
from qingting.contract.states import Language
from qingting.kernel.web.csrf import (
    HEADER,
    csrf_token,
    given_token,
    made_as,
    made_for,
    mark_of,
    remember_twin,
    same_origin,
)
from qingting.kernel.web.forms import is_htmx
from qingting.kernel.web.keys import SESSION
from qingting.kernel.web.pages import Pages, remember_asked
from qingting.kernel.web.session import WebSession
from qingting.kernel.web.unsent import SAFE, Typed, Unsent, passing, typed_of

TICKED = frozenset({"on", "true"})
QUIET = frozenset({"key", "next", "back", "seen", "version", "base", "do"})
"""What forms carry for themselves: sent again as it was, and nothing a person would know again."""
_CODE = re.compile(r"(?=.*[a-z])[a-z0-9]+([-_/:][a-z0-9]+)+")
_BARE = re.compile(r"[A-Za-z0-9]+")
"""A word or number that tells nobody anything without what it is called."""


SMALL = 64 * 1024
"""Bytes of a form that is read of somebody of whom it is not known yet who it is: one who is slowed down for asking too
often is not to be read megabytes of."""


async def unsent_answer(pages: Pages, request: web.Request, unsent: Unsent) -> web.Response:
    """What a browser sent just now, to the same browser: nothing of it is kept here."""
    token = await given_token(request)
    if is_htmx(request):
        return _notice(pages, request, unsent, token)
    typed = Typed() if HEADER in request.headers else await typed_of(request)
    carried = _carried(request, unsent, token)
    context = {
        "problem": unsent,
        "unsent": unsent,
        "typed": typed,
        "seen": _seen(pages, request, typed),
        "changed": _changed(request, token),
        "token": carried,
        "last": bool(carried) and carried != _bare(token),
        "bare": _bare(token),
        **_addresses(pages, request),
    }
    answer = pages.render(request, "unsent.html", context)
    remember_twin(request, answer)
    remember_asked(request, answer)
    return answer


async def later_answer(pages: Pages, request: web.Request, refusal: Refusal) -> web.Response | None:
    """The same for a refusal of a form of ours that passes by waiting; None where it does not, where the page has still
    what was typed, or where nobody typed anything."""
    unsent = passing(refusal)
    typed = None if unsent is None else await _typed_here(request)
    if unsent is None or typed is None:
        return None
    said = any(name not in QUIET and value.strip() for name, value in typed.kept)
    if not (said or typed.asked or typed.files):
        return None
    return await unsent_answer(pages, request, unsent)


async def refused_answer(
    pages: Pages, request: web.Request, refusal: Refusal
) -> web.Response | None:
    """A page that says why a form of ours is not done, with what was typed, to be taken from there. For
    handlers that have no page to show it on again; None where nobody typed anything to know again."""
    typed = await _typed_here(request) if SESSION in request else None
    seen = [] if typed is None else _seen(pages, request, typed)
    if not seen:
        return None
    context = {"problem": refusal, "seen": seen}
    return pages.render(request, "error.html", context)


async def _typed_here(request: web.Request) -> Typed | None:
    """What was typed in a form of ours that a whole page answers; None of what is no such form."""
    if request.method in SAFE or is_htmx(request) or HEADER in request.headers:
        return None
    most = request.client_max_size if SESSION in request else SMALL
    if not same_origin(request) or not 0 < (request.content_length or 0) <= most:
        return None
    try:
        return await typed_of(request)
    except (ValueError, web.HTTPException):
        return None  # no form, or a larger one than it said


def _bare(token: str) -> str:
    """What of a token may stand in a page: by it the next page tells whose form it is, and that it is not to be done."""
    mark = mark_of(token)
    return f".{mark}" if mark else ""


def _carried(request: web.Request, unsent: Unsent, token: str) -> str:
    """The token of the page's form: one that counts where the next press is to be the last one."""
    session: WebSession | None = request.get(SESSION)
    if unsent.later:
        proven = session is not None and hmac.compare_digest(session.csrf.encode(), token.encode())
        return token if proven else _bare(token)
    return _bare(token) if unsent.first else csrf_token(request)


def _changed(request: web.Request, token: str) -> str:
    """What is other than when the form was opened: the ``account``, or in whose name it acts (``acting``)."""
    session: WebSession | None = request.get(SESSION)
    if session is None:
        return ""
    if made_for(token, session.subject) is False:
        return "account"
    return "acting" if made_as(token, session.subject, session.acting) is False else ""


def _addresses(pages: Pages, request: web.Request) -> dict[str, str]:
    """Where the form goes, and where the same page is to be had in the other language."""
    here = request.rel_url.without_query_params("lang")
    other = Language.EN if pages.language(request) is Language.ZH else Language.ZH
    return {"action": str(here), "turned": str(here.update_query(lang=other.value))}


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
    changed = _changed(request, token)
    mine = session is None or (not changed and made_for(token, session.subject) is True)
    fresh = (
        csrf_token(request)
        if mine and not (unsent.first or unsent.later) and request.method not in SAFE
        else ""
    )
    context = {"problem": unsent, "unsent": unsent, "token": fresh, "changed": changed or "account"}
    answer = pages.render(request, "unsent.html", context, block="notice")
    remember_twin(request, answer)
    answer.headers.update({"HX-Retarget": "#notice", "HX-Reswap": "innerHTML"})
    if request.method in SAFE and unsent.way:
        # A part that renews itself: the page goes, unless somebody is typing on it (live.js).
        answer.set_status(200)
        answer.headers["HX-Redirect"] = unsent.way
    return answer
