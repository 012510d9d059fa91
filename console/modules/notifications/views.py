"""Pages that show what citizens were told: the list, one message, figures, sheets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from console.core.lists import Listing
from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.halls.api import HallsApi
from console.modules.notifications.desk import NoticeDesk
from console.modules.notifications.forms import day_or_none
from console.modules.notifications.reports import Wanted
from console.modules.notifications.topics import Channel
from qingting.contract.errors import Refusal
from qingting.kernel.web import LANGUAGE
from qingting.kernel.web.asked import day_asked

FILTERS = ("topic", "channel", "state", "hall", "first", "last")
STATES = ("queued", "held", "parked", "sending", "sent", "delivered", "failed", "dropped")
MESSAGE_STATES = ("planned", "cancelled", "expired", "repeated")
WHYS = frozenset(
    [
        "absent",
        "bad_account",
        "bad_address",
        "bad_sign",
        "bad_signature",
        "gone",
        "late",
        "limit",
        "no_address",
        "no_balance",
        "no_device",
        "no_template",
        "no_user",
        "over",
        "quiet",
        "restored",
        "sealed",
        "unwanted",
    ]
)
"""Reasons that have words of their own."""
TONES = {
    "delivered": "done",
    "sent": "info",
    "queued": "info",
    "sending": "info",
    "held": "off",
    "parked": "caution",
    "waiting": "off",
    "dropped": "off",
    "failed": "fault",
    "told": "done",
    "planned": "info",
    "cancelled": "off",
    "expired": "off",
    "repeated": "off",
}


@dataclass(frozen=True, slots=True)
class Pages:
    """What the pages need."""

    desk: NoticeDesk
    halls: HallsApi

    async def hall_names(self, request: web.Request) -> dict[str, str]:
        """Halls within reach that messages are about."""
        scope = request[SUBJECT].scope(Permission.NOTIFICATIONS)
        language = request[LANGUAGE]
        halls = await self.halls.halls(request[UOW], scope)
        return {str(one.id): one.title(language) for one in halls}

    def topic_names(self, request: web.Request) -> dict[str, str]:
        language = request[LANGUAGE]
        topics = self.desk.service.topics.values()
        return {one.id: one.names[language] for one in topics}


def wanted_of(query: Mapping[str, str]) -> Wanted:
    """From the filters in an address."""
    return Wanted(
        topic=query.get("topic", ""),
        channel=query.get("channel", ""),
        state=query.get("state", ""),
        hall=query.get("hall", ""),
        first=day_or_none(query.get("first", "")),
        last=day_or_none(query.get("last", "")),
    )


def why_of(reason: str, text: Callable[[str], str]) -> str:
    """Why a message did not leave or arrive, in words; a provider's own word stays as it is. ``text`` gives the text of a
    key."""
    if reason in WHYS:
        return text(f"notice.why.{reason}")
    if reason.endswith("Error") or reason == "unreadable":
        return f"{text('notice.why.unreachable')} ({reason})"
    return reason


def money(thousandths: int) -> str:
    """Yuan with two or three places."""
    text = f"{thousandths / 1000:.3f}"
    return text.removesuffix("0")


def routes(pages: Pages) -> list[web.RouteDef]:
    """Handlers over ``pages``."""
    desk = pages.desk

    async def listed(request: web.Request) -> web.Response:
        listing = Listing.of(request, FILTERS, sort="")
        day_asked(request, "first")
        day_asked(request, "last")
        offset = listing.offset
        count, rows, ways = await desk.messages(
            request[UOW],
            request[SUBJECT],
            wanted_of(listing.query),
            limit=listing.rows,
            offset=offset,
        )
        context = {
            "rows": [(row, ways[row["no"]]) for row in rows],
            "count": count,
            "listing": listing.counted(count),
            "wanted": wanted_of(listing.query),
            "states": STATES,
            "message_states": MESSAGE_STATES,
            "parked": sum(row["n"] for row in await desk.parked(request[UOW], request[SUBJECT])),
            **await shared(request, pages),
        }
        return request.app[PAGES].render(request, "notifications.html", context, block="list")

    async def one(request: web.Request) -> web.Response:
        uow, subject = request[UOW], request[SUBJECT]
        row, ways, steps = await desk.message(uow, subject, _number(request))
        context = {
            "row": row,
            "ways": ways,
            "steps": steps,
            "words": await desk.words_of(uow, row, ways),
            "money": money,
            "why_of": why_of,
            **await shared(request, pages),
        }
        return request.app[PAGES].render(request, "notification.html", context, block="main")

    async def figures(request: web.Request) -> web.Response:
        rows = await desk.figures(request[UOW], request[SUBJECT])
        context = {"rows": rows, "money": money, **await shared(request, pages)}
        return request.app[PAGES].render(request, "notifications_figures.html", context)

    return [
        web.get("/notifications", listed),
        web.get("/notifications/figures", figures),
        web.get("/notifications/{no}", one),
    ]


def _number(request: web.Request) -> int:
    text = request.match_info["no"]
    if not text.isdecimal() or len(text) > 18:
        raise Refusal("page.not_found")
    return int(text)


async def shared(request: web.Request, pages: Pages) -> dict[str, object]:
    return {
        "topics": pages.topic_names(request),
        "halls": await pages.hall_names(request),
        "channels": list(Channel),
        "tones": TONES,
        "may": request[SUBJECT].may(Permission.NOTIFICATIONS_EDIT),
    }
