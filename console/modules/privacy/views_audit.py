"""The audit administrator's pages: the list, an entry, a copy, and whether all is whole."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from functools import partial
from urllib.parse import urlencode

from aiohttp import web

from console.core.audit import Audit, AuditEntry
from console.core.audit_reading import (
    AuditFilter,
    AuditPage,
    audit_one,
    audit_page,
    audit_values,
)
from console.core.lists import MOST_TAKEN
from console.core.permissions import Permission
from console.core.uow import ReadUow
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.identity.api import IdentityApi
from console.modules.jobs.api import JobKind, JobsApi
from console.modules.privacy.alarms import PrivacyAlarms
from console.modules.privacy.audit_keeping import VerifyAudit
from console.modules.privacy.audit_words import about_account, told
from qingting.contract.errors import Refusal
from qingting.kernel.web import LANGUAGE, see_other
from qingting.kernel.web.asked import day_asked, misread
from qingting.kernel.web.taking import TAKING

FILTERS = ("from", "to", "actor", "act", "object", "result", "address")


def filter_of(query: Mapping[str, str], zone: timezone) -> AuditFilter:
    """From an address; a day that is none is left out, as if nobody had chosen one."""
    return AuditFilter(
        since=_midnight(query.get("from", ""), zone),
        until=_midnight(query.get("to", ""), zone, days=1),
        **{name: query.get(name, "") for name in FILTERS[2:]},
    )


def _midnight(text: str, zone: timezone, days: int = 0) -> int:
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
    except (ValueError, OverflowError):
        return 0
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)


def number(request: web.Request, name: str) -> int:
    """A number of an entry in the address; anything else is 0."""
    text = request.query.get(name, "")
    if text.isdecimal() and len(text) < 19:
        return int(text)
    misread(request, name, "number")
    return 0


def _address(query: dict[str, str], name: str, no: int) -> str:
    return f"/audit?{urlencode({**query, name: str(no)})}" if no else ""


class AuditViews:
    """Handlers over the audit. ``verifying`` is the kind of the job that checks it."""

    def __init__(
        self,
        audit: Audit,
        identity: IdentityApi,
        jobs: JobsApi,
        verifying: JobKind[VerifyAudit],
        alarms: PrivacyAlarms,
        zone: timezone,
    ) -> None:
        self._audit, self._identity, self._jobs = audit, identity, jobs
        self._verifying, self._alarms, self._zone = verifying, alarms, zone

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/audit", self.listed),
            web.post("/audit/verify", self.verify),
            web.get(r"/audit/{no:\d{1,18}}", self.entry),
        ]

    async def listed(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.AUDIT_READ)
        uow = request[UOW]
        day_asked(request, "from")
        day_asked(request, "to")
        query = {name: request.query[name] for name in FILTERS if request.query.get(name)}
        page = await self._page(request, MOST_TAKEN if TAKING in request else 50)
        context = {
            "page": page,
            "query": query,
            "older": _address(query, "before", page.older),
            "newer": _address(query, "after", page.newer),
            "names": await self._names(uow, {one.actor for one in page.entries}),
            "objects": await self._objects(uow, page.entries),
            "actors": await self._names(uow, await audit_values(uow, "actor")),
            "acts": await audit_values(uow, "act"),
            "unusual": await self._alarms.open(uow),
            "checked": await self._jobs.latest(uow, self._verifying.name),
            "told": _told(request, self._zone),
        }
        return request.app[PAGES].render(request, "audit_list.html", context)

    async def entry(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.AUDIT_READ)
        uow, no = request[UOW], int(request.match_info["no"])
        one = await audit_one(uow, no)
        if one is None:
            raise Refusal("page.not_found")
        name = (await self._names(uow, [one.actor]))[one.actor]
        context = {
            "one": one,
            "name": name,
            "told": _told(request, self._zone),
            "objects": await self._objects(uow, [one]),
        }
        return request.app[PAGES].render(request, "audit_entry.html", context)

    async def verify(self, request: web.Request) -> web.Response:
        no = await self._jobs.start(request[UOW], request[SUBJECT], self._verifying, VerifyAudit())
        raise see_other(request, f"/jobs/{no}")

    async def _page(self, request: web.Request, rows: int) -> AuditPage:
        wanted = filter_of(dict(request.query), self._zone)
        before, after = number(request, "before"), number(request, "after")
        return await audit_page(request[UOW], wanted, before=before, after=after, rows=rows)

    async def _objects(self, uow: ReadUow, entries: Sequence[AuditEntry]) -> dict[str, str]:
        """Names of the accounts that something was done with."""
        accounts = {one.object for one in entries if about_account(one)}
        return await self._names(uow, accounts)

    async def _names(self, uow: ReadUow, actors: Collection[str]) -> dict[str, str]:
        """Accounts by their names; who is no account keeps the sign it has in the audit."""
        known = await self._identity.names(uow, actors)
        return {one: known.get(one, one) for one in sorted(actors)}


def _told(request: web.Request, zone: timezone) -> Callable[[AuditEntry], str]:
    """Details in the reader's words."""
    pages = request.app[PAGES]
    language = request[LANGUAGE]
    text = partial(pages.text, language)
    return partial(told, t=text, has=pages.has_text, language=language, zone=zone)
