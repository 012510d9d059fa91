"""Pages of the sync with the item system."""

from typing import Any

import msgspec
from aiohttp import web
from multidict import MultiDictProxy

from console.core.lists import PAGE_ROWS, Listing
from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.catalogue.sync import store
from console.modules.catalogue.sync.rules import DEFAULT_NAMES, TRUSTABLE, Kind, SyncRules
from console.modules.catalogue.sync.service import SyncService
from console.modules.catalogue.views import Desk, Words
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web import LANGUAGE, read_form, see_other
from qingting.kernel.web.faulty import FormRefusal, inputs_at
from qingting.kernel.web.sheets import sheet_response

_FIGURES = (
    "rows", "new", "changed", "published", "drafts", "same", "stale", "conflicts", "bad", "withdrawals", "withdrawn", "unclear",
)  # fmt: skip
"""In the order in which they are read."""


class StartForm(Strict, frozen=True, kw_only=True):
    kind: Kind


class DecideForm(Strict, frozen=True, kw_only=True):
    accept: bool


class SyncPages:
    """Handlers over ``service``."""

    def __init__(self, service: SyncService, desk: Desk) -> None:
        self._service = service
        self._desk = desk

    async def home(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CATALOGUE_SYNC)
        return await self._home(request, None)

    async def _home(self, request: web.Request, problem: Refusal | None) -> web.Response:
        uow, listing = request[UOW], Listing.of(request, (), sort="")
        count, found = await store.runs(uow, listing.rows, listing.offset)
        standing = await self._service.standing(uow)
        context = {
            "rows": found,
            "listing": listing.counted(count),
            "standing": standing,
            "connected": self._service.connected,
            "silent": self._service.is_silent(standing),
            "running": await store.running(uow),
            "conflicts": len(await store.conflicts(uow)),
            "figures": ("rows", "new", "changed", "conflicts", "bad", "withdrawn"),
            "problem": problem,
        }
        return request.app[PAGES].render(request, "sync.html", context, block="main")

    async def start(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CATALOGUE_SYNC)
        form = await read_form(request, StartForm)
        try:
            await self._service.start(request[UOW], request[SUBJECT], form.kind)
        except Refusal as refusal:
            return await self._home(request, refusal)
        raise see_other(request, "/catalogue/sync", done="sync.done.started")

    async def run(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CATALOGUE_SYNC)
        run, uow = await self._asked(request), request[UOW]
        context = {
            "run": run,
            "figures": _FIGURES,
            "bad": await store.bad_rows(uow, run.no, PAGE_ROWS),
            "withdrawals": await store.withdrawals(uow, run.no),
        }
        return request.app[PAGES].render(request, "sync_run.html", context, block="main")

    async def _asked(self, request: web.Request) -> store.Run:
        found = await store.run(request[UOW], int(request.match_info["no"]))
        if found is None:
            raise Refusal("page.not_found")
        return found

    async def rows(self, request: web.Request) -> web.StreamResponse:
        request[SUBJECT].require(Permission.CATALOGUE_SYNC)
        run, pages, language = await self._asked(request), request.app[PAGES], request[LANGUAGE]

        def text(key: str, **params: object) -> str:
            return pages.text(language, key, **params)

        head = [text(f"sync.row.{one}") for one in ("place", "code", "name", "field", "why", "row")]
        found = [
            (
                one.place, one.code, one.name, text(f"catalogue.field.{fault.field}"),
                text(fault.why, **fault.params), one.row,
            )
            for one in await store.bad_rows(request[UOW], run.no)
            for fault in one.faults
        ]  # fmt: skip
        return await sheet_response(
            request.match_info["kind"], file=f"sync-{run.no}", title="rows", head=head, rows=found
        )

    async def stop(self, request: web.Request) -> web.Response:
        no = int(request.match_info["no"])
        await self._service.stop(request[UOW], request[SUBJECT], no)
        raise see_other(request, f"/catalogue/sync/runs/{no}", done="sync.done.stopped")

    async def withdraw(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CATALOGUE_SYNC)
        form, no = await read_form(request, DecideForm), int(request.match_info["no"])
        await self._service.decide_withdrawals(
            request[UOW], request[SUBJECT], no, accept=form.accept
        )
        done = "sync.done.withdrawn" if form.accept else "sync.done.kept"
        raise see_other(request, f"/catalogue/sync/runs/{no}", done=done)

    # -- rules ------------------------------------------------------------------------------------

    async def rules(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CATALOGUE_SYNC)
        standing = await self._service.standing(request[UOW])
        return self._rules(request, standing.rules, None)

    def _rules(
        self, request: web.Request, rules: SyncRules, problem: Refusal | None
    ) -> web.Response:
        context = {
            "rules": rules,
            "names": [(one, rules.names.get(one, "")) for one in DEFAULT_NAMES],
            "trustable": TRUSTABLE,
            "problem": problem,
        }
        return request.app[PAGES].render(request, "sync_rules.html", context, block="main")

    async def put_rules(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CATALOGUE_SYNC)
        try:
            rules = _rules_in(await request.post())
            await self._service.put_rules(request[UOW], request[SUBJECT], rules)
        except Refusal as refusal:
            standing = await self._service.standing(request[UOW])
            return self._rules(request, standing.rules, refusal)
        raise see_other(request, "/catalogue/sync/rules", done="sync.done.rules")

    # -- conflicts --------------------------------------------------------------------------------

    async def conflicts(self, request: web.Request) -> web.Response:
        found = await self._service.conflicts(request[UOW], request[SUBJECT])
        context = {"rows": found, "may_sync": request[SUBJECT].may(Permission.CATALOGUE_SYNC)}
        return request.app[PAGES].render(request, "sync_conflicts.html", context, block="main")

    async def conflict(self, request: web.Request) -> web.Response:
        return await self._conflict(request, {}, None)

    async def _conflict(
        self, request: web.Request, choices: dict[str, str], problem: Refusal | None
    ) -> web.Response:
        code = request.match_info["code"]
        found = await self._service.conflict(request[UOW], request[SUBJECT], code)
        context = {
            "one": found,
            "words": Words(request, await self._desk.place_names(request)),
            "choices": choices,
            "problem": problem,
        }
        return request.app[PAGES].render(request, "sync_conflict.html", context, block="main")

    async def decide(self, request: web.Request) -> web.Response:
        code, data = request.match_info["code"], await request.post()
        found = await self._service.conflict(request[UOW], request[SUBJECT], code)
        choices = {
            one.field: str(data.get(f"take-{one.field}", "")) for one in found.merged.clashes
        }
        seen = str(data.get("seen", ""))
        try:
            await self._service.decide(request[UOW], request[SUBJECT], code, choices, seen)
        except Refusal as refusal:
            return await self._conflict(request, choices, refusal)
        raise see_other(request, "/catalogue/sync/conflicts", done="sync.done.decided")


def _rules_in(data: MultiDictProxy[Any]) -> SyncRules:
    """Raises ``form.invalid``."""
    plain = {
        name: value
        for name, value in data.items()
        if isinstance(value, str) and name != "csrf" and not name.startswith("name-")
    }
    given: dict[str, object] = {
        **plain,
        "scheduled": "scheduled" in data,
        "trusted": [one for one in TRUSTABLE if one in data.getall("trusted", [])],
        "names": {one: str(data.get(f"name-{one}", "")).strip()[:80] for one in DEFAULT_NAMES},
    }
    try:
        return msgspec.convert(given, SyncRules, strict=False)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].rstrip("`")
        raise FormRefusal(field, inputs_at(field)) from error


def sync_routes(service: SyncService, desk: Desk) -> list[web.RouteDef]:
    pages = SyncPages(service, desk)
    return [
        web.get("/catalogue/sync", pages.home),
        web.post("/catalogue/sync/start", pages.start),
        web.get("/catalogue/sync/rules", pages.rules),
        web.post("/catalogue/sync/rules", pages.put_rules),
        web.get(r"/catalogue/sync/runs/{no:\d{1,15}}", pages.run),
        web.post(r"/catalogue/sync/runs/{no:\d{1,15}}/stop", pages.stop),
        web.post(r"/catalogue/sync/runs/{no:\d{1,15}}/withdrawals", pages.withdraw),
        web.get(r"/catalogue/sync/runs/{no:\d{1,15}}/rows.{kind}", pages.rows),
        web.get("/catalogue/sync/conflicts", pages.conflicts),
        web.get("/catalogue/sync/conflicts/{code}", pages.conflict),
        web.post("/catalogue/sync/conflicts/{code}", pages.decide),
    ]
