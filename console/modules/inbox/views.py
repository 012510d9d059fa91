"""A citizen's messages, one of them, how many are unread, and the ways that are wanted."""

from dataclasses import dataclass

from aiohttp import web
from markupsafe import Markup

from console.core.lists import Listing
from console.core.module import Fragment
from console.core.web import PAGES, UOW
from console.modules.citizens.api import Citizen, CitizensApi
from console.modules.notifications.api import NotificationsApi
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web import LANGUAGE, read_form, see_other

LIST = "/c/messages"
CHOICES = f"{LIST}/choices"


@dataclass(frozen=True, slots=True)
class Inbox:
    """What the pages need."""

    citizens: CitizensApi
    notifications: NotificationsApi


class ChoiceForm(Strict, frozen=True, kw_only=True):
    """``wanted``: topic and channel, parted by a slash."""

    wanted: tuple[str, ...] = ()


class Nothing(Strict, frozen=True, kw_only=True):
    """A form whose button says it all."""


def routes(inbox: Inbox) -> list[web.RouteDef]:
    """Handlers over ``inbox``."""
    notes, citizens = inbox.notifications, inbox.citizens

    async def listed(request: web.Request) -> web.Response:
        citizen, uow = await citizens.require(request), request[UOW]
        listing = Listing.of(request, (), sort="")
        count, rows = await notes.inbox(
            uow,
            citizen.id,
            request[LANGUAGE],
            limit=listing.rows,
            offset=listing.offset,
        )
        context = {
            "rows": rows,
            "listing": listing.counted(count),
            "unread": await notes.unread(uow, citizen.id),
        }
        return request.app[PAGES].render(request, "c_messages.html", context)

    async def count(request: web.Request) -> web.Response:
        citizen = await citizens.require(request)
        unread = await notes.unread(request[UOW], citizen.id)
        text = request.app[PAGES].render_block(
            request, "c_messages.html", "count", {"unread": unread}
        )
        return web.Response(
            text=text, content_type="text/html", headers={"Cache-Control": "no-store"}
        )

    async def one(request: web.Request) -> web.Response:
        citizen, uow, no = await citizens.require(request), request[UOW], _number(request)
        shown = await notes.message(uow, citizen.id, no, request[LANGUAGE])
        await notes.read(uow, citizen.id, no)
        return request.app[PAGES].render(request, "c_message.html", {"one": shown})

    async def read(request: web.Request) -> web.Response:
        citizen = await citizens.require(request)
        _ = await read_form(request, Nothing)
        await notes.read(request[UOW], citizen.id)
        raise see_other(request, LIST, done="c.messages.done.read")

    async def choices(request: web.Request) -> web.Response:
        citizen = await citizens.require(request)
        found = await notes.choices(request[UOW], citizen.id, request[LANGUAGE])
        return request.app[PAGES].render(request, "c_message_choices.html", {"topics": found})

    async def choose(request: web.Request) -> web.Response:
        citizen, form = await citizens.require(request), await read_form(request, ChoiceForm)
        await notes.choose(request[UOW], citizen.id, frozenset(form.wanted))
        raise see_other(request, CHOICES, done="c.messages.done.choices")

    return [
        web.get(LIST, listed),
        web.get(f"{LIST}/count", count),
        web.get(CHOICES, choices),
        web.post(CHOICES, choose),
        web.post(f"{LIST}/read", read),
        web.get(f"{LIST}/{{no}}", one),
    ]


def _number(request: web.Request) -> int:
    text = request.match_info["no"]
    if not text.isdecimal() or len(text) > 18:
        raise Refusal("notice.unknown")
    return int(text)


def me_part(inbox: Inbox) -> Fragment[Citizen]:
    """Where the page of one's own data leads to the messages."""

    async def draw(request: web.Request, citizen: Citizen) -> Markup:
        unread = await inbox.notifications.unread(request[UOW], citizen.id)
        text = request.app[PAGES].render_block(
            request, "c_message_choices.html", "part", {"unread": unread}
        )
        return Markup(text)  # noqa: S704 - drawn by our own template

    return draw
