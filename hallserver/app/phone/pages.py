"""The page of a ticket (号票): place, window, what to do now; leaving the queue and coming back."""

from dataclasses import dataclass

from aiohttp import web

from hallserver.app.desk import Desk
from hallserver.app.phone.access import opens
from hallserver.app.phone.frame import LOOK_COOKIE, LOOKS, looks_of
from hallserver.app.phone.stages import Stage
from hallserver.app.phone.standing import Look
from hallserver.app.phone.voice import voice_of
from hallserver.app.phone.words import Said, ahead_words, sentences
from hallserver.engine.state import HallState, Ticket
from hallserver.engine.view_tickets import booked_at, item_names
from qingting.contract.base import Strict
from qingting.contract.commands import LeaveQueue, ReturnTicket
from qingting.contract.config import Item
from qingting.contract.errors import Refusal
from qingting.contract.ids import ItemId, Millis
from qingting.contract.states import Language
from qingting.contract.views import ItemName
from qingting.kernel.web import LANGUAGE, read_form, see_other
from qingting.kernel.web.pages import LANGUAGE_COOKIE

NOTICES = {"skipped": "phone.notice.skipped", "rated": "phone.notice.rated"}
"""What a page may be asked to say about the act that led to it; the other acts show as a stage."""
A_YEAR = 31_536_000


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A finished case (办件) of the ticket; ``no`` counts from 1 and is its address below the ticket's."""

    no: int
    item: str
    item_en: str
    rated: bool


@dataclass(frozen=True, slots=True)
class TicketPage:
    """All that a template gets of a ticket. Nothing about the person is in here."""

    here: str
    number: str
    stage: Stage
    mark: str
    said: Said
    ahead: str
    item: Item | None
    todo: tuple[ItemName, ...]
    cases: tuple[CaseLine, ...]
    booked: Millis | None
    taken: Millis
    since: Millis


class ReturnForm(Strict, frozen=True, kw_only=True):
    """``since``: the absence that this form ends; the same form sent twice ends it once."""

    since: int


def address_of(ticket: Ticket) -> str:
    return f"/t/{ticket.token}"


def ticket_page(desk: Desk, language: Language, ticket: Ticket) -> TicketPage:
    """The ticket as it stands now."""
    standing = Look(desk.state, desk.clock.now_ms()).timed(ticket)
    voice = voice_of(desk, language)
    return TicketPage(
        here=address_of(ticket),
        number=ticket.number,
        stage=standing.stage,
        mark=standing.mark,
        said=sentences(voice, ticket.number, standing),
        ahead=ahead_words(voice.text, standing.ahead),
        item=desk.state.items.get(ticket.item),
        todo=item_names(desk.state, ticket),
        cases=case_lines(desk.state, ticket),
        booked=booked_at(desk.state, ticket),
        taken=ticket.issued_at,
        since=ticket.since,
    )


def case_lines(state: HallState, ticket: Ticket) -> tuple[CaseLine, ...]:
    def names(item: ItemId) -> tuple[str, str]:
        known = state.items.get(item)
        return (known.name, known.name_en) if known is not None else ("", "")

    return tuple(
        CaseLine(no, *names(case.item), case.rated) for no, case in enumerate(ticket.cases, start=1)
    )


def render_ticket(
    request: web.Request, desk: Desk, ticket: Ticket, problem: Refusal | None = None
) -> web.Response:
    """The ticket's page, under the sentence of what was refused."""
    context = {
        "page": ticket_page(desk, request[LANGUAGE], ticket),
        "looks": looks_of(request),
        "problem": problem,
        "done": NOTICES.get(request.query.get("done", ""), ""),
    }
    return desk.pages.render(request, "phone/ticket.html", context, block="place")


@opens
async def ticket(request: web.Request, desk: Desk, ticket: Ticket) -> web.Response:
    return render_ticket(request, desk, ticket)


@opens
async def ask_leave(request: web.Request, desk: Desk, ticket: Ticket) -> web.Response:
    """The second look before the place is given up; a page of its own, so it needs no script."""
    page = ticket_page(desk, request[LANGUAGE], ticket)
    if not page.stage.can_leave:
        raise see_other(request, page.here)
    return desk.pages.render(
        request, "phone/leave.html", {"page": page, "looks": looks_of(request)}
    )


@opens
async def leave(request: web.Request, desk: Desk, ticket: Ticket) -> web.Response:
    command = LeaveQueue(ticket=ticket.id)
    return await _act(request, desk, ticket, command, f"phone:{ticket.id}:leave")


@opens
async def come_back(request: web.Request, desk: Desk, ticket: Ticket) -> web.Response:
    """Somebody who was away, or was missed and has a chance left, stands in line again."""
    form = await read_form(request, ReturnForm)
    command = ReturnTicket(ticket=ticket.id)
    return await _act(request, desk, ticket, command, f"phone:{ticket.id}:return:{form.since}")


async def _act(
    request: web.Request, desk: Desk, ticket: Ticket, command: LeaveQueue | ReturnTicket, key: str
) -> web.Response:
    """Carries it out and shows the ticket as it stands then; what was refused is said above it."""
    try:
        await desk.hall.submit(command, key=key, actor=f"phone:{ticket.id}")
    except Refusal as refusal:
        return render_ticket(request, desk, desk.state.tickets.get(ticket.id, ticket), refusal)
    raise see_other(request, address_of(ticket))


async def look(request: web.Request) -> web.Response:
    """Remembers language, elder version or contrast in this browser and goes back."""
    token, at = request.match_info["token"], request.query.get("at", "")
    back = f"/t/{token}" + (f"/{at}" if at == "leave" or at.startswith("rate/") else "")
    response = see_other(request, back)
    if (language := request.query.get("lang")) in [one.value for one in Language]:
        keep(response, LANGUAGE_COOKIE, str(language), "/")
    chosen = set(looks_of(request))
    for name in LOOKS:
        if (wanted := request.query.get(name)) is not None:
            chosen = chosen | {name} if wanted == "1" else chosen - {name}
            keep(response, LOOK_COOKIE, ".".join(sorted(chosen)), "/t")
    raise response


def keep(response: web.HTTPException, name: str, value: str, path: str) -> None:
    response.set_cookie(name, value, max_age=A_YEAR, path=path, httponly=True, samesite="Lax")
