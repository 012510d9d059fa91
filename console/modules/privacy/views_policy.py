"""Page of the limits of privacy."""

from itertools import pairwise

import msgspec
from aiohttp import web

from console.core.audit import Audit
from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.identity.api import IdentityApi
from console.modules.privacy.policy import NUMBERS, PrivacyPolicy, policy_history, put_policy
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.web import read_form, see_other

RULES = "/keeping/rules"


class PolicyViews:
    """Handlers over the policy."""

    def __init__(self, clock: Clock, audit: Audit, identity: IdentityApi) -> None:
        self._clock, self._audit, self._identity = clock, audit, identity

    def routes(self) -> list[web.RouteDef]:
        return [web.get(RULES, self.show), web.post(RULES, self.put)]

    async def show(self, request: web.Request) -> web.Response:
        return await self._page(request, None)

    async def _page(self, request: web.Request, problem: Refusal | None) -> web.Response:
        request[SUBJECT].require(Permission.KEYS)
        uow = request[UOW]
        changes = await policy_history(uow)
        typed = await request.post() if problem is not None else {}
        policy = changes[0].policy
        context = {
            "version": policy.version,
            "numbers": [
                (one.name, typed.get(one.name, getattr(policy, one.name)), *_range(one.type))
                for one in msgspec.structs.fields(PrivacyPolicy)
                if one.name in NUMBERS
            ],
            "changes": list(pairwise(changes)),
            "names": {
                by: await self._identity.name(uow, by) or by
                for by in sorted({one.by for one in changes})
            },
            "fields": NUMBERS,
            "problem": problem,
        }
        return request.app[PAGES].render(request, "privacy_rules.html", context)

    async def put(self, request: web.Request) -> web.Response:
        subject, uow = request[SUBJECT], request[UOW]
        subject.require(Permission.KEYS)
        try:
            wanted = await read_form(request, PrivacyPolicy)
            await put_policy(uow, subject, wanted, clock=self._clock, audit=self._audit)
        except Refusal as refusal:
            return await self._page(request, refusal)
        raise see_other(request, RULES, done="privacy.rules_done")


def _range(kind: object) -> tuple[int, int]:
    """The limits that the type itself says."""
    (meta,) = kind.__metadata__  # type: ignore[attr-defined]
    return meta.ge, meta.le
