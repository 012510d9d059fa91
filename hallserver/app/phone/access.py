"""The only key to a ticket's page is the opaque token in its address; whatever else comes sees one page."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler

from hallserver.app.desk import Desk, desk_of
from hallserver.app.phone.tries import WrongTries, network_of
from hallserver.app.phone.watch import Watch
from hallserver.engine.state import HallState, Ticket
from qingting.contract.errors import Refusal
from qingting.contract.states import Language
from qingting.kernel.i18n import prefers
from qingting.kernel.web import LANGUAGE, is_htmx, sender_of
from qingting.kernel.web.pages import LANGUAGE_COOKIE


@dataclass(frozen=True, slots=True)
class Phone:
    """What the phone pages keep while the server runs."""

    watch: Watch
    tries: WrongTries = field(default_factory=WrongTries)


NO_ROBOTS = "noindex, nofollow"
"""Says to search engines what ``no-store`` says to caches."""
PHONE = web.AppKey("phone", Phone)
TicketHandler = Callable[[web.Request, Desk, Ticket], Awaitable[web.StreamResponse]]


def ticket_of(state: HallState, token: str) -> Ticket | None:
    """Today's ticket of a token; None for anything else."""
    found = state.tokens.get(token)
    return state.tickets.get(found) if found is not None else None


def opens(handler: TicketHandler) -> Handler:
    """Gives ``handler`` the ticket that the address names; unknown, old, malformed and tried links
    all get the same page."""

    async def open_ticket(request: web.Request) -> web.StreamResponse:
        request[LANGUAGE] = language_for(request, None)
        try:
            ticket = _look_up(request)
        except Refusal as refusal:
            return unknown(request, refusal)
        request[LANGUAGE] = language_for(request, ticket)
        response = await handler(request, desk_of(request), ticket)
        if not response.prepared:
            response.headers["X-Robots-Tag"] = NO_ROBOTS
        return response

    return open_ticket


def _look_up(request: web.Request) -> Ticket:
    """Raises ``code.unknown`` or ``ticket.too_many_tries``."""
    desk, tries = desk_of(request), request.app[PHONE].tries
    token, now = request.match_info.get("token", ""), desk.clock.monotonic()
    address = network_of(sender_of(request, desk.settings.proxy_addresses))
    if (seconds := tries.seconds_to_wait(address, token, now)) > 0:
        raise Refusal("ticket.too_many_tries", seconds=seconds)
    ticket = ticket_of(desk.state, token)
    if ticket is None:
        tries.wrong(address, now)
        raise Refusal("code.unknown")
    tries.right(address, token)
    return ticket


def unknown(request: web.Request, refusal: Refusal) -> web.Response:
    """The page for every link that is no ticket of today."""
    waiting = refusal.code == "ticket.too_many_tries"
    context = {"problem": refusal if waiting else None}
    response = desk_of(request).pages.render(request, "phone/unknown.html", context, status=404)
    response.headers["X-Robots-Tag"] = NO_ROBOTS
    if waiting:
        response.headers["Retry-After"] = str(refusal.params["seconds"])
    if is_htmx(request):
        response.headers["HX-Refresh"] = "true"  # the ticket is over: the whole page says so
    return response


def language_for(request: web.Request, ticket: Ticket | None) -> Language:
    """What was chosen on these pages, else English when the ticket was taken in English, else what the
    browser prefers."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    for language in Language:
        if chosen == language.value:
            return language
    if ticket is not None and ticket.language is Language.EN:
        return Language.EN
    return prefers(request.headers.get("Accept-Language", ""))
