"""Page of the networks that staff may log in from."""

from typing import Annotated

import msgspec
from aiohttp import web

from console.core.web import PAGES, SUBJECT, UOW
from console.modules.identity.allowlist import AllowList
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web import read_form, see_other

ADDRESSES = "/sign-in/addresses"
Text = Annotated[str, msgspec.Meta(max_length=80)]


class NetworkForm(Strict, frozen=True, kw_only=True):
    network: Text = ""
    account: Text = ""
    note: Text = ""


class DropForm(Strict, frozen=True, kw_only=True):
    no: int


def routes(allowed: AllowList) -> list[web.RouteDef]:
    """Handlers over ``allowed``."""

    async def page(
        request: web.Request, form: NetworkForm, problem: Refusal | None
    ) -> web.Response:
        found, names = await allowed.networks(request[UOW], request[SUBJECT])
        context = {
            "networks": found,
            "names": names,
            "address": request[SUBJECT].address,
            "form": form,
            "may_sign_in": True,
            "problem": problem,
        }
        return request.app[PAGES].render(request, "addresses.html", context)

    async def show(request: web.Request) -> web.Response:
        return await page(request, NetworkForm(), None)

    async def add(request: web.Request) -> web.Response:
        form = await read_form(request, NetworkForm)
        try:
            await allowed.add(request[UOW], request[SUBJECT], form.network, form.account, form.note)
        except Refusal as refusal:
            if refusal.code == "page.forbidden":
                raise
            return await page(request, form, refusal)
        raise see_other(request, ADDRESSES, done="network.done.added")

    async def drop(request: web.Request) -> web.Response:
        form = await read_form(request, DropForm)
        try:
            await allowed.drop(request[UOW], request[SUBJECT], form.no)
        except Refusal as refusal:
            if refusal.code == "page.forbidden":
                raise
            return await page(request, NetworkForm(), refusal)
        raise see_other(request, ADDRESSES, done="network.done.dropped")

    return [
        web.get(ADDRESSES, show),
        web.post(ADDRESSES, add),
        web.post(f"{ADDRESSES}/drop", drop),
    ]
