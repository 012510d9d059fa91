"""Pages of accounts: who has one, what each may do where."""

from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec
from aiohttp import web

from console.core.lists import Listing
from console.core.permissions import Permission, Reach, ReachKind
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.identity.accounts import AccountInfo, AccountService
from console.modules.identity.api import OneTimePassword
from console.modules.identity.roles import Assignment, may_give
from console.modules.identity.service import IdentityService
from console.modules.identity.sign_on import SignOnService
from console.modules.organisation.api import Chart, Level
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.states import Language
from qingting.kernel.web import LANGUAGE, read_form, see_other
from qingting.kernel.web.keys import SESSION_DIGEST

FILTERS = ("division", "role", "state", "q")
Text = Annotated[str, msgspec.Meta(max_length=80)]
_SORTS = {
    "name": lambda one: one.name.casefold(),
    "division": lambda one: (one.division, one.name),
    "login": lambda one: one.last_login_at,
}


class AccountForm(Strict, frozen=True, kw_only=True):
    name: Text = ""
    division: Text = ""
    staff: Text = ""


class GivenForm(Strict, frozen=True, kw_only=True):
    """``reach`` is ``<kind>:<target>``."""

    role: Text = ""
    reach: Text = ""


class BindForm(Strict, frozen=True, kw_only=True):
    """``who``: the platform's name of a person who came as the account's member of staff."""

    who: Annotated[str, msgspec.Meta(max_length=255)] = ""


class StateForm(Strict, frozen=True, kw_only=True):
    disabled: bool = False


class Words:
    """What the templates ask in the reader's language. ``halls`` are the names of those that may be named."""

    def __init__(self, chart: Chart, halls: dict[str, str], language: Language) -> None:
        self._chart, self._halls, self._language = chart, halls, language

    def division(self, code: str) -> str:
        known = self._chart.divisions.get(code)
        return code if known is None else known.title(self._language)

    def target(self, reach: Reach) -> str:
        """What a reach is drawn around; its key when that is gone."""
        match reach.kind:
            case ReachKind.REGION:
                return self.division(reach.target)
            case ReachKind.DEPARTMENT:
                found = self._chart.departments.get(reach.target)
                return reach.target if found is None else found.title(self._language)
            case ReachKind.HALL:
                return self._halls.get(reach.target, reach.target)
            case ReachKind.OWN:
                return ""

    def role(self, one: Assignment) -> str:
        return one.role.title(self._language)


def value_of(reach: Reach) -> str:
    """A reach as the value of an option."""
    return f"{reach.kind.value}:{reach.target}"


def reach_of(value: str) -> Reach:
    """The inverse of :func:`value_of`. Raises ``reach.unknown``."""
    kind, _, target = value.partition(":")
    try:
        return Reach(ReachKind(kind), target)
    except ValueError as error:
        raise Refusal("reach.unknown") from error


class AccountPages:
    """Handlers over the services."""

    def __init__(
        self, accounts: AccountService, identity: IdentityService, sign_on: SignOnService
    ) -> None:
        self._accounts, self._identity, self._sign_on = accounts, identity, sign_on

    async def _words(self, request: web.Request) -> tuple[Chart, Words]:
        language = request[LANGUAGE]
        chart = await self._accounts.chart(request[UOW])
        halls = await self._accounts.hall_names(request[UOW], request[SUBJECT])
        return chart, Words(chart, {one.id: one.title(language) for one in halls}, language)

    async def listed(self, request: web.Request) -> web.Response:
        found = await self._accounts.accounts(request[UOW], request[SUBJECT])
        chart, words = await self._words(request)
        listing = Listing.of(request, FILTERS, sort="name")
        kept = [one for one in found if fits(one, dict(listing.query))]
        listing, rows = listing.cut(kept, _SORTS)
        roles = await self._accounts.roles(request[UOW], request[SUBJECT])
        context = {
            "rows": rows,
            "count": len(kept),
            "known": len(found),
            "words": words,
            "listing": listing,
            "divisions": self._divisions(request, chart, towns=False),
            "roles": [(one.id, one.title(request[LANGUAGE])) for one in roles],
            "may_roles": request[SUBJECT].may(Permission.ROLES),
            "may_sign_in": request[SUBJECT].may(Permission.SIGN_IN),
        }
        return request.app[PAGES].render(request, "accounts.html", context, block="list")

    def _divisions(
        self, request: web.Request, chart: Chart, *, towns: bool = True
    ) -> list[tuple[str, str]]:
        scope = request[SUBJECT].scope(Permission.ACCOUNTS)
        return [
            (one.code, one.indented(request[LANGUAGE]))
            for one in chart.divisions.values()
            if scope.has_division(one.code) and (towns or one.level in (Level.CITY, Level.DISTRICT))
        ]

    async def new(self, request: web.Request) -> web.Response:
        return await self._new_page(request, AccountForm(), None)

    async def _new_page(
        self, request: web.Request, form: AccountForm, problem: Refusal | None
    ) -> web.Response:
        request[SUBJECT].require(Permission.ACCOUNTS)
        chart, _ = await self._words(request)
        divisions = self._divisions(request, chart)
        context = {"form": form, "divisions": divisions, "problem": problem}
        return request.app[PAGES].render(request, "account_new.html", context)

    async def create(self, request: web.Request) -> web.Response:
        form = await read_form(request, AccountForm)
        try:
            account, first = await self._accounts.create(
                request[UOW], request[SUBJECT],
                name=form.name, division=form.division, staff=form.staff,
            )  # fmt: skip
        except Refusal as refusal:
            return await self._new_page(request, form, refusal)
        return await self._page(request, account, first=first)

    async def show(self, request: web.Request) -> web.Response:
        return await self._page(request, request.match_info["account"])

    async def _page(
        self,
        request: web.Request,
        account: str,
        *,
        problem: Refusal | None = None,
        form: GivenForm | None = None,
        first: OneTimePassword | None = None,
    ) -> web.Response:
        uow, subject = request[UOW], request[SUBJECT]
        found = await self._accounts.account(uow, subject, account)
        chart, words = await self._words(request)
        roles = await self._accounts.roles(uow, subject)
        reaches = list(self._reaches(request, chart, words, found))
        may_have = [
            one
            for one in roles
            if any(may_give(subject, one, reach_of(value), chart) for value, _ in reaches)
        ]
        context = {
            "account": found,
            "words": words,
            "value_of": value_of,
            "roles": [(one.id, one.title(request[LANGUAGE])) for one in may_have],
            "reaches": reaches,
            "form": form or GivenForm(),
            "first": first,
            "yourself": found.id == subject.id,
            "sessions": await self._accounts.sessions(uow, subject, account),
            "here": request[SESSION_DIGEST],
            "action": f"/accounts/{account}/sessions/end",
            "bound": await self._sign_on.of(uow, subject, account, found.staff),
            "problem": problem,
        }
        return request.app[PAGES].render(request, "account.html", context)

    def _reaches(
        self, request: web.Request, chart: Chart, words: Words, account: AccountInfo
    ) -> Iterator[tuple[str, str]]:
        """What the keeper may choose, divisions first."""
        scope, pages = request[SUBJECT].scope(Permission.ACCOUNTS), request.app[PAGES]
        for one in chart.divisions.values():
            reach = Reach(ReachKind.REGION, one.code)
            if chart.covers(scope, reach):
                yield value_of(reach), one.indented(request[LANGUAGE])
        for kind, targets in (
            (ReachKind.DEPARTMENT, chart.departments),
            (ReachKind.HALL, chart.halls),
        ):
            for target in targets:
                reach = Reach(kind, target)
                if chart.covers(scope, reach):
                    label = pages.text(request[LANGUAGE], f"reach.{kind.value}")
                    yield value_of(reach), f"{label} · {words.target(reach)}"
        if account.staff:
            yield value_of(Reach(ReachKind.OWN)), pages.text(request[LANGUAGE], "reach.own")

    async def give(self, request: web.Request) -> web.Response:
        form, account = await read_form(request, GivenForm), request.match_info["account"]
        try:
            await self._accounts.assign(
                request[UOW], request[SUBJECT], account, form.role, reach_of(form.reach)
            )
        except Refusal as refusal:
            return await self._refused(request, account, refusal, form)
        raise see_other(request, f"/accounts/{account}", done="account.done.given")

    async def _refused(
        self, request: web.Request, account: str, refusal: Refusal, form: GivenForm | None = None
    ) -> web.Response:
        """The page with what was wrong; without the page for who may not see it."""
        if refusal.code in ("account.unknown", "page.forbidden"):
            raise refusal
        return await self._page(request, account, problem=refusal, form=form)

    async def take(self, request: web.Request) -> web.Response:
        form, account = await read_form(request, GivenForm), request.match_info["account"]
        try:
            await self._accounts.withdraw(
                request[UOW], request[SUBJECT], account, form.role, reach_of(form.reach)
            )
        except Refusal as refusal:
            return await self._refused(request, account, refusal)
        raise see_other(request, f"/accounts/{account}", done="account.done.taken")

    async def state(self, request: web.Request) -> web.Response:
        form, account = await read_form(request, StateForm), request.match_info["account"]
        try:
            await self._accounts.set_disabled(
                request[UOW], request[SUBJECT], account, disabled=form.disabled
            )
        except Refusal as refusal:
            return await self._refused(request, account, refusal)
        done = "account.done.disabled" if form.disabled else "account.done.enabled"
        raise see_other(request, f"/accounts/{account}", done=done)

    async def renew(self, request: web.Request) -> web.Response:
        account, uow, subject = request.match_info["account"], request[UOW], request[SUBJECT]
        try:
            name = await self._accounts.renew(uow, subject, account)
        except Refusal as refusal:
            return await self._refused(request, account, refusal)
        first = await self._identity.renew_password(uow, subject, name)
        return await self._page(request, account, first=first)

    async def reset_factor(self, request: web.Request) -> web.Response:
        account, uow, subject = request.match_info["account"], request[UOW], request[SUBJECT]
        try:
            name = await self._accounts.renew(uow, subject, account)
            await self._identity.reset_factor(uow, subject, name)
        except Refusal as refusal:
            return await self._refused(request, account, refusal)
        raise see_other(request, f"/accounts/{account}", done="factor.done.reset")

    async def bind(self, request: web.Request) -> web.Response:
        form, account = await read_form(request, BindForm), request.match_info["account"]
        try:
            await self._sign_on.bind(request[UOW], request[SUBJECT], account, form.who)
        except Refusal as refusal:
            return await self._refused(request, account, refusal)
        raise see_other(request, f"/accounts/{account}", done="sso.done.bound")

    async def unbind(self, request: web.Request) -> web.Response:
        account = request.match_info["account"]
        try:
            await self._sign_on.unbind(request[UOW], request[SUBJECT], account)
        except Refusal as refusal:
            return await self._refused(request, account, refusal)
        raise see_other(request, f"/accounts/{account}", done="sso.done.unbound")


def fits(one: AccountInfo, query: Mapping[str, str]) -> bool:
    state = "off" if one.disabled else "on"
    return (
        query.get("division", one.division) == one.division
        and query.get("state", state) == state
        and query.get("q", "").casefold() in f"{one.name} {one.staff}".casefold()
        and ("role" not in query or query["role"] in {each.role.id for each in one.assignments})
    )


def routes(
    accounts: AccountService, identity: IdentityService, sign_on: SignOnService
) -> list[web.RouteDef]:
    pages = AccountPages(accounts, identity, sign_on)
    return [
        web.get("/accounts", pages.listed),
        web.get("/accounts/new", pages.new),
        web.post("/accounts", pages.create),
        web.get("/accounts/{account}", pages.show),
        web.post("/accounts/{account}/roles", pages.give),
        web.post("/accounts/{account}/roles/withdraw", pages.take),
        web.post("/accounts/{account}/state", pages.state),
        web.post("/accounts/{account}/password", pages.renew),
        web.post("/accounts/{account}/factor", pages.reset_factor),
        web.post("/accounts/{account}/sign-on", pages.bind),
        web.post("/accounts/{account}/sign-on/drop", pages.unbind),
    ]
