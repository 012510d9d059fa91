"""Today's tickets: find a number, see its place and paper, print it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from aiohttp import web

from hallserver.app.desk import Desk, desk_of, person_of
from hallserver.engine.state import DeviceLife, HallState, Ticket
from hallserver.hub.printing import printer_fault
from qingting.contract.base import Strict
from qingting.contract.commands import ReprintTicket
from qingting.contract.config import Item, Window
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, Slug, TicketId
from qingting.contract.states import OPEN_TICKET_STATES, DeviceKind, PrintState, TicketState
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.web import read_form, see_other
from qingting.kernel.web.taking import TAKING, page_number

PAGE_SIZE = 50
MOST_TAKEN = 8_000
"""Tickets that are taken out at once: more than the busiest hall has in a day."""
PRINT_TONES = {
    PrintState.PENDING: "info",
    PrintState.PRINTED: "done",
    PrintState.FAILED: "fault",
    PrintState.UNKNOWN: "caution",
}
STATE_TONES = {
    TicketState.WAITING: "info",
    TicketState.CALLED: "caution",
    TicketState.SERVING: "caution",
    TicketState.DONE: "done",
    TicketState.NO_SHOW: "off",
    TicketState.CANCELLED: "off",
}


class ReprintForm(Strict, frozen=True, kw_only=True):
    kiosk: Slug


@dataclass(frozen=True, slots=True)
class TicketLine:
    """One row. ``paper`` is the tone of its print state, or empty for a ticket without paper; ``outcome`` is
    the word for it, which tells a failed reprint from a ticket that nobody holds."""

    ticket: Ticket
    item: Item | None
    window: Window | None
    tone: str
    paper: str
    outcome: str
    can_reprint: bool


def _line(state: HallState, ticket: Ticket) -> TicketLine:
    running = ticket.attempt > 0 and ticket.print_state is PrintState.PENDING
    return TicketLine(
        ticket=ticket,
        item=state.items.get(ticket.item),
        window=state.window_config.get(ticket.window) if ticket.window is not None else None,
        tone=STATE_TONES[ticket.state],
        paper=PRINT_TONES[ticket.print_state] if ticket.attempt or ticket.printed else "",
        outcome="print.again_failed"
        if ticket.printed and ticket.print_state is PrintState.FAILED
        else f"print.{ticket.print_state}",
        can_reprint=ticket.state in OPEN_TICKET_STATES and not running,
    )


def printing_kiosks(state: HallState) -> list[DeviceLife]:
    """Kiosks whose printer can take a job now."""
    ready = {
        life.parent
        for life in state.devices.values()
        if life.kind is DeviceKind.PRINTER and printer_fault(state, life.id) is None
    }
    return [
        life
        for life in state.devices.values()
        if life.kind is DeviceKind.KIOSK and life.id in ready
    ]


async def tickets(request: web.Request) -> web.Response:
    desk = desk_of(request)
    q, state = request.query.get("q", "").strip()[:20], request.query.get("state", "")
    found = _find(desk.state, q.upper(), state)
    context = {
        "q": q,
        "state": state,
        "states": list(TicketState),
        "found": len(found),
        "kiosks": printing_kiosks(desk.state),
    }
    if TAKING in request:
        return _taken(request, desk, context, found)
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(page_number(request), pages)
    rows = found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    context |= {"lines": [_line(desk.state, one) for one in rows], "page": page, "pages": pages}
    return desk.pages.render(request, "tickets.html", context, block="live")


def _taken(
    request: web.Request, desk: Desk, context: Mapping[str, object], found: Sequence[Ticket]
) -> web.Response:
    """All that was found, to be taken out: up to thousands of rows. Raises ``export.too_many``."""
    if len(found) > MOST_TAKEN:
        raise Refusal("export.too_many", most=MOST_TAKEN, rows=len(found))
    lines = [replace(_line(desk.state, one), can_reprint=False) for one in found]
    whole = {**context, "lines": lines, "page": 1, "pages": 1}
    return desk.pages.render(request, "tickets.html", whole)


def _find(state: HallState, wanted: str, only: str) -> list[Ticket]:
    """Newest first."""
    return [
        one
        for one in reversed(state.tickets.values())
        if wanted in one.number and (not only or one.state.value == only)
    ]


async def reprint(request: web.Request) -> web.Response:
    desk = desk_of(request)
    form = await read_form(request, ReprintForm)
    kiosk = desk.state.devices.get(DeviceId(form.kiosk))
    if kiosk is None or kiosk.kind is not DeviceKind.KIOSK:
        raise Refusal("device.unknown")
    command = ReprintTicket(ticket=TicketId(request.match_info["ticket"]), device=kiosk.id)
    actor = f"staff:{person_of(request).id}"
    await desk.hall.submit(command, key=f"manager:{new_token()}", actor=actor)
    raise see_other(request, "/manage/tickets", done="tickets.reprinting")


ROUTES = (
    web.get("/manage/tickets", tickets),
    web.post("/manage/tickets/{ticket}/reprint", reprint),
)
