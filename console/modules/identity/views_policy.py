"""Page of the rules of logging in."""

import msgspec
from aiohttp import web

from console.core.permissions import DUTIES, Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.identity.policy import Policy
from console.modules.identity.service import IdentityService
from qingting.contract.errors import Refusal
from qingting.kernel.web import read_form, see_other

SIGN_IN = "/sign-in"
_CHOOSABLE = tuple(one for one in Permission if one not in DUTIES)


def routes(identity: IdentityService) -> list[web.RouteDef]:
    """Handlers over ``identity``."""

    def page(request: web.Request, policy: Policy, problem: Refusal | None) -> web.Response:
        numbers = [
            (field.name, getattr(policy, field.name), *_range(field.type))
            for field in msgspec.structs.fields(Policy)
            if field.name not in ("version", "factor_for")
        ]
        context = {
            "policy": policy,
            "numbers": numbers,
            "functions": _CHOOSABLE,
            "may_sign_in": True,
            "problem": problem,
        }
        return request.app[PAGES].render(request, "sign_in.html", context)

    async def show(request: web.Request) -> web.Response:
        return page(request, await identity.policy(request[UOW], request[SUBJECT]), None)

    async def put(request: web.Request) -> web.Response:
        present = await identity.policy(request[UOW], request[SUBJECT])
        try:
            wanted = await read_form(request, Policy)
            await identity.set_policy(request[UOW], request[SUBJECT], wanted)
        except Refusal as refusal:
            return page(request, present, refusal)
        raise see_other(request, SIGN_IN, done="policy.done")

    return [web.get(SIGN_IN, show), web.post(SIGN_IN, put)]


def _range(kind: object) -> tuple[int, int]:
    """The limits that the type itself says."""
    (meta,) = kind.__metadata__  # type: ignore[attr-defined]
    return meta.ge, meta.le
