"""Rating a finished case (好差评) on a phone: five levels alike, none chosen beforehand, skipping as easy."""

from typing import Any

from aiohttp import web

from hallserver.app.desk import Desk
from hallserver.app.phone.access import opens
from hallserver.app.phone.frame import looks_of
from hallserver.app.phone.pages import address_of, case_lines, render_ticket
from hallserver.engine.state import Case, Ticket
from qingting.contract.base import Strict
from qingting.contract.commands import LeaveUnrated, RateVisit
from qingting.contract.errors import Refusal
from qingting.contract.ids import Slug
from qingting.contract.ratings import LEVEL_WORDS, RatingTag, rating_tags
from qingting.contract.states import BAD_LEVELS, NotRatedReason, RatingChannel, RatingLevel
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.web import read_form, see_other

WORDS_LIMIT = 150
"""Characters of free words (standards.md A3)."""
CORRECTABLE = frozenset(
    {"rating.level_needed", "rating.reason_needed", "rating.unknown_tag", "rating.words_too_long"}
)
"""Refusals after which the form comes back with everything that was chosen and typed."""


class RatingForm(Strict, frozen=True, kw_only=True):
    """``once`` is made with the page: the same form sent twice is one rating."""

    once: Slug
    level: RatingLevel | None = None
    tags: tuple[Slug, ...] = ()
    words: str = ""


@opens
async def ask(request: web.Request, desk: Desk, ticket: Ticket) -> web.Response:
    try:
        case = _case(request, ticket)
    except Refusal as refusal:
        return render_ticket(request, desk, ticket, refusal)
    if case.rated:
        raise see_other(request, address_of(ticket))
    return _form(request, desk, ticket, RatingForm(once=new_once()))


@opens
async def rate(request: web.Request, desk: Desk, ticket: Ticket) -> web.Response:
    form = await read_form(request, RatingForm)
    try:
        command = _command(ticket, _case(request, ticket), form)
        await desk.hall.submit(
            command, key=f"phone:{ticket.id}:rate:{form.once}", actor=f"phone:{ticket.id}"
        )
    except Refusal as refusal:
        if refusal.code in CORRECTABLE:
            return _form(request, desk, ticket, form, refusal)
        return render_ticket(request, desk, ticket, refusal)
    raise see_other(request, f"{address_of(ticket)}?done=rated")


@opens
async def skip(request: web.Request, desk: Desk, ticket: Ticket) -> web.Response:
    """The citizen does not want to rate; this is never a rating, and can still be changed today."""
    try:
        case = _case(request, ticket).number
        command = LeaveUnrated(ticket=ticket.id, case=case, reason=NotRatedReason.DECLINED)
        await desk.hall.submit(command, key=f"phone:{case}:skip", actor=f"phone:{ticket.id}")
    except Refusal as refusal:
        return render_ticket(request, desk, ticket, refusal)
    raise see_other(request, f"{address_of(ticket)}?done=skipped")


def new_once() -> str:
    return f"f{new_token()}"


def _case(request: web.Request, ticket: Ticket) -> Case:
    """The case that the address counts; raises ``rating.too_early`` or ``rating.unknown_ticket``."""
    number = int(request.match_info["no"])
    if not 1 <= number <= len(ticket.cases):
        raise Refusal("rating.unknown_ticket" if ticket.cases else "rating.too_early")
    return ticket.cases[number - 1]


def _command(ticket: Ticket, case: Case, form: RatingForm) -> RateVisit:
    """Raises ``rating.level_needed`` or ``rating.words_too_long``; the engine checks the tags.

    Tags of another level than the one chosen are left out: without a script their boxes stay ticked,
    unseen, after a change of mind.
    """
    if form.level is None:
        raise Refusal("rating.level_needed")
    words = form.words.replace("\r\n", "\n").strip()
    if len(words) > WORDS_LIMIT:
        raise Refusal("rating.words_too_long", limit=WORDS_LIMIT, count=len(words))
    known = rating_tags()
    tags = tuple(one for one in form.tags if one not in known or known[one].level is form.level)
    return RateVisit(
        ticket=ticket.id,
        case=case.number,
        level=form.level,
        tags=tags,
        words=words,
        channel=RatingChannel.QR_CODE,
    )


def _form(
    request: web.Request,
    desk: Desk,
    ticket: Ticket,
    form: RatingForm,
    problem: Refusal | None = None,
) -> web.Response:
    number = int(request.match_info["no"])
    context: dict[str, Any] = {
        "here": address_of(ticket),
        "number": ticket.number,
        "case": case_lines(desk.state, ticket)[number - 1],
        "looks": looks_of(request),
        "levels": [(one, *LEVEL_WORDS[one], one in BAD_LEVELS) for one in RatingLevel],
        "tags": _tags_by_level(),
        "form": form,
        "limit": WORDS_LIMIT,
        "problem": problem,
    }
    return desk.pages.render(request, "phone/rate.html", context)


def _tags_by_level() -> dict[RatingLevel, list[RatingTag]]:
    """The tags of each level, the basic ones first."""
    return {
        level: sorted(
            (tag for tag in rating_tags().values() if tag.level is level),
            key=lambda tag: not tag.basic,
        )
        for level in RatingLevel
    }
