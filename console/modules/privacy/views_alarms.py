"""Alarms about unusual use of personal data, for the audit administrators."""

from typing import Annotated

import msgspec
from aiohttp import web

from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.identity.api import IdentityApi
from console.modules.privacy.alarms import PrivacyAlarms
from console.modules.privacy.policy import read_policy
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web import read_form, see_other

ALARMS = "/audit/alarms"


class FoundForm(Strict, frozen=True, kw_only=True):
    """What an audit administrator found out."""

    words: Annotated[str, msgspec.Meta(max_length=300)] = ""


class AlarmViews:
    """Handlers over :class:`PrivacyAlarms`."""

    def __init__(self, alarms: PrivacyAlarms, identity: IdentityApi) -> None:
        self._alarms, self._identity = alarms, identity

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(ALARMS, self.listed),
            web.post(f"{ALARMS}/{{no}}", self.acknowledge),
        ]

    async def listed(self, request: web.Request) -> web.Response:
        return await self._page(request, 0, FoundForm(), None)

    async def _page(
        self, request: web.Request, no: int, form: FoundForm, problem: Refusal | None
    ) -> web.Response:
        request[SUBJECT].require(Permission.AUDIT_READ)
        uow = request[UOW]
        rows = await self._alarms.listed(uow, request[SUBJECT])
        people = {one.account for one in rows} | {one.acked_by for one in rows if one.acked_by}
        context = {
            "rows": rows,
            "names": {one: await self._identity.name(uow, one) or one for one in sorted(people)},
            "own": request[SUBJECT].id,
            "least": (await read_policy(uow)).least_words,
            "typed": {no: form.words},
            "problem": problem,
        }
        return request.app[PAGES].render(request, "privacy_alarms.html", context)

    async def acknowledge(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.AUDIT_READ)
        form, no = await read_form(request, FoundForm), _no(request)
        try:
            await self._alarms.acknowledge(request[UOW], request[SUBJECT], no, form.words)
        except Refusal as refusal:
            if refusal.code != "personal.words":
                raise
            return await self._page(request, no, form, refusal)
        raise see_other(request, ALARMS, done="privacy.alarm_done")


def _no(request: web.Request) -> int:
    text = request.match_info["no"]
    if not text.isdecimal() or len(text) > 18:
        raise Refusal("personal.no_alarm")
    return int(text)
