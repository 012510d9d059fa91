"""The page on which staff decide about what may have been told before a restore."""

from aiohttp import web

from console.core.web import PAGES, SUBJECT, UOW
from console.modules.notifications.views import Pages, shared
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web import read_form, see_other

PATH = "/notifications/parked"


class DecisionForm(Strict, frozen=True, kw_only=True):
    """``upto``: the last message of the kind and way that the page showed."""

    topic: str = ""
    channel: str = ""
    upto: int = 0
    send: bool = False


def routes(pages: Pages) -> list[web.RouteDef]:
    """Handlers over ``pages``."""

    async def shown(request: web.Request, problem: Refusal | None = None) -> web.Response:
        rows = await pages.desk.parked(request[UOW], request[SUBJECT])
        context = {"rows": rows, "problem": problem, **await shared(request, pages)}
        return request.app[PAGES].render(request, "notifications_parked.html", context)

    async def page(request: web.Request) -> web.Response:
        return await shown(request)

    async def decide(request: web.Request) -> web.Response:
        form = await read_form(request, DecisionForm)
        about = (form.topic, form.channel, form.upto)
        try:
            await pages.desk.decide(request[UOW], request[SUBJECT], *about, send=form.send)
        except Refusal as refusal:
            if refusal.code != "notice.decided":
                raise
            return await shown(request, refusal)
        done = "notice.done.parked_sent" if form.send else "notice.done.parked_dropped"
        raise see_other(request, PATH, done=done)

    return [web.get(PATH, page), web.post(PATH, decide)]
