"""The first page: what needs somebody now, then how the hall runs."""

from typing import NamedTuple

from aiohttp import web

from hallserver.app.desk import Desk, desk_of, person_of
from hallserver.app.manage.queues import longest_waits
from hallserver.app.manage.words import device_lines
from hallserver.engine.lines import waiting
from qingting.contract.base import Strict
from qingting.contract.commands import AnswerHelp
from qingting.contract.ids import DeviceId, Millis, Slug
from qingting.contract.states import TicketState, WindowState
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.web import read_form, see_other


class Wanted(NamedTuple):
    """A device where somebody waits for a member of staff since ``asked``."""

    id: DeviceId
    name: str
    name_en: str
    asked: Millis


class HelpForm(Strict, frozen=True, kw_only=True):
    device: Slug


async def overview(request: web.Request) -> web.Response:
    desk = desk_of(request)
    state = desk.state
    tickets = state.tickets.values()
    tallies = [life.tally for life in state.windows.values()]
    context = {
        "waiting": waiting(state),
        "serving": sum(one.state in (TicketState.CALLED, TicketState.SERVING) for one in tickets),
        "served": sum(tally.served for tally in tallies),
        "issued": len(state.tickets),
        "ratings": sum(tally.ratings for tally in tallies),
        "bad_ratings": sum(tally.bad_ratings for tally in tallies),
        "windows_open": sum(one.state is WindowState.OPEN for one in state.windows.values()),
        "windows_all": len(state.window_config),
        "queues": desk.topic("queues"),
        "longest": longest_waits(desk),
        "help": _help(desk),
        "devices": [line for line in device_lines(desk) if line.needs_somebody],
        "link": desk.link,
        "phones_reach_it": desk.settings.phones_reach_it,
        "public_url": desk.settings.public_url,
        "day": state.day,
        "backup_bad": desk.copies.bad_since,
        "restored": desk.copies.lately_restored,
    }
    return desk.pages.render(request, "overview.html", context, block="now")


def _help(desk: Desk) -> list[Wanted]:
    """Oldest first."""
    found = [
        Wanted(life.id, life.name, life.name_en, asked)
        for one, asked in desk.state.help.items()
        if (life := desk.state.devices.get(one)) is not None
    ]
    return sorted(found, key=lambda one: one.asked)


async def help_done(request: web.Request) -> web.Response:
    desk = desk_of(request)
    form = await read_form(request, HelpForm)
    await desk.hall.submit(
        AnswerHelp(device=DeviceId(form.device)),
        key=f"manager:{new_token()}",
        actor=f"staff:{person_of(request).id}",
    )
    raise see_other(request, "/manage/", done="help.done")


ROUTES = (web.get("/manage/", overview), web.post("/manage/help", help_done))
