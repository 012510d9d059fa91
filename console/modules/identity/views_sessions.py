"""Where one is logged in, and ending a session: one's own, or by the keeper of the account."""

from typing import Annotated

import msgspec
from aiohttp import web

from console.core.web import PAGES, SUBJECT, UOW
from console.modules.identity.accounts import AccountService
from qingting.contract.base import Strict
from qingting.kernel.web import read_form, see_other
from qingting.kernel.web.keys import SESSION_DIGEST


class EndForm(Strict, frozen=True, kw_only=True):
    key: Annotated[str, msgspec.Meta(max_length=64)] = ""


def routes(accounts: AccountService) -> list[web.RouteDef]:
    """Handlers over ``accounts``."""

    async def own(request: web.Request) -> web.Response:
        found = await accounts.own_sessions(request[UOW], request[SUBJECT])
        context = {"sessions": found, "here": request[SESSION_DIGEST], "action": "/sessions/end"}
        return request.app[PAGES].render(request, "sessions.html", context)

    async def end_own(request: web.Request) -> web.Response:
        form = await read_form(request, EndForm)
        await accounts.end_own_session(request[UOW], request[SUBJECT], form.key)
        raise see_other(request, "/sessions", done="session.done.ended")

    async def end(request: web.Request) -> web.Response:
        form, account = await read_form(request, EndForm), request.match_info["account"]
        await accounts.end_session(request[UOW], request[SUBJECT], account, form.key)
        raise see_other(request, f"/accounts/{account}", done="session.done.ended")

    return [
        web.get("/sessions", own),
        web.post("/sessions/end", end_own),
        web.post("/accounts/{account}/sessions/end", end),
    ]
