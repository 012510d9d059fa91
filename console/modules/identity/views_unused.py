"""Accounts that nobody has logged in to for long (standards.md C1 item 5): a list, and disabling in bulk."""

from collections.abc import Iterator, Sequence
from datetime import timedelta, timezone
from typing import Annotated

import msgspec
from aiohttp import web

from console.core.lists import Listing
from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.identity.accounts import AccountInfo, AccountService
from console.modules.identity.views_accounts import Words
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web import LANGUAGE, read_form, see_other
from qingting.kernel.web.asked import choice_asked
from qingting.kernel.web.sheets import Cell, moment, sheet_response

UNUSED = "/accounts/unused"
DAYS = (30, 60, 90, 180, 365)
USUAL_DAYS = 90
COLUMNS = (
    "account.name",
    "account.staff",
    "account.division",
    "account.roles",
    "account.made",
    "account.last_login",
)


class DisableForm(Strict, frozen=True, kw_only=True):
    """``account``: the ticked ones."""

    days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = USUAL_DAYS
    account: tuple[str, ...] = ()


class UnusedPages:
    """Handlers over the service."""

    def __init__(self, accounts: AccountService, offset_minutes: int) -> None:
        self._accounts = accounts
        self._zone = timezone(timedelta(minutes=offset_minutes))

    async def show(self, request: web.Request) -> web.Response:
        return await self._page(request, _days(request), None)

    async def _words(self, request: web.Request) -> Words:
        chart = await self._accounts.chart(request[UOW])
        return Words(chart, {}, request[LANGUAGE])

    async def _page(self, request: web.Request, days: int, problem: Refusal | None) -> web.Response:
        found = await self._accounts.unused(request[UOW], request[SUBJECT], days)
        listing, rows = Listing.of(request, ("days",), sort="").cut(found, {})
        context = {
            "rows": rows,
            "count": len(found),
            "days": days,
            "choices": DAYS,
            "listing": listing,
            "words": await self._words(request),
            "may_sign_in": request[SUBJECT].may(Permission.SIGN_IN),
            "yourself": request[SUBJECT].id,
            "problem": problem,
        }
        return request.app[PAGES].render(request, "accounts_unused.html", context)

    async def sheet(self, request: web.Request) -> web.Response:
        days, pages, language = _days(request), request.app[PAGES], request[LANGUAGE]
        found = await self._accounts.unused(request[UOW], request[SUBJECT], days)
        return await sheet_response(
            request.match_info["kind"],
            file=f"unused-accounts-{days}",
            title=pages.text(language, "unused.title"),
            head=[pages.text(language, key) for key in COLUMNS],
            rows=self._rows(found, await self._words(request)),
        )

    def _rows(self, found: Sequence[AccountInfo], words: Words) -> Iterator[tuple[Cell, ...]]:
        for one in found:
            yield (
                one.name,
                one.staff,
                words.division(one.division),
                "；".join(words.role(each) for each in one.assignments),
                moment(one.created_at, self._zone),
                moment(one.last_login_at, self._zone),
            )

    async def disable(self, request: web.Request) -> web.Response:
        form = await read_form(request, DisableForm)
        try:
            await self._accounts.disable_unused(
                request[UOW], request[SUBJECT], form.days, form.account
            )
        except Refusal as refusal:
            if refusal.code == "page.forbidden":
                raise
            return await self._page(request, form.days, refusal)
        raise see_other(request, f"{UNUSED}?days={form.days}", done="unused.done")


def _days(request: web.Request) -> int:
    """``?days=``; anything but a choice is the usual."""
    return int(choice_asked(request, "days", [str(one) for one in DAYS], str(USUAL_DAYS)))


def routes(accounts: AccountService, offset_minutes: int) -> list[web.RouteDef]:
    pages = UnusedPages(accounts, offset_minutes)
    return [
        web.get(UNUSED, pages.show),
        web.get(f"{UNUSED}.{{kind}}", pages.sheet),
        web.post(f"{UNUSED}/disable", pages.disable),
    ]
