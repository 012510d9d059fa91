"""A record in clear for a reason; lists taken out with consent."""

from datetime import datetime, timezone
from typing import Annotated

import msgspec
from aiohttp import web

from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.privacy.api import export_path, show_path
from console.modules.privacy.domain import ExportState, Reason
from console.modules.privacy.exports import Exports
from console.modules.privacy.marks import watermark
from console.modules.privacy.policy import read_policy
from console.modules.privacy.unmasking import Unmasking
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.web import LANGUAGE, read_form, see_other
from qingting.kernel.web.sheets import sheet_response

Text = Annotated[str, msgspec.Meta(max_length=300)]
REASONS = tuple(Reason)


class ReasonForm(Strict, frozen=True, kw_only=True):
    """Why somebody needs it."""

    reason: Reason = Reason.SERVICE
    words: Text = ""


class DecideForm(Strict, frozen=True, kw_only=True):
    approve: bool = False
    note: Text = ""


class PersonalViews:
    """Handlers over :class:`Unmasking`."""

    def __init__(self, unmasking: Unmasking, clock: Clock) -> None:
        self._unmasking, self._clock = unmasking, clock

    def routes(self) -> list[web.RouteDef]:
        path = show_path("{holder}", "{record}")
        return [web.get(path, self.page), web.post(path, self.show)]

    async def page(self, request: web.Request) -> web.Response:
        return await self._page(request, ReasonForm(), None)

    async def show(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.PERSONAL)
        form = await read_form(request, ReasonForm)
        holder, record = request.match_info["holder"], request.match_info["record"]
        try:
            await self._unmasking.show(
                request[UOW], request[SUBJECT], holder, record, form.reason, form.words
            )
        except Refusal as refusal:
            if refusal.code != "personal.words":
                raise
            return await self._page(request, form, refusal)
        raise see_other(request, show_path(holder, record))

    async def _page(
        self, request: web.Request, form: ReasonForm, problem: Refusal | None
    ) -> web.Response:
        holder, record = request.match_info["holder"], request.match_info["record"]
        shown = await self._unmasking.shown(request[UOW], request[SUBJECT], holder, record)
        policy = await read_policy(request[UOW])
        context = {
            "shown": shown,
            "marked": bool(shown.until),
            "least": policy.least_words,
            "form": form,
            "reasons": [one.value for one in REASONS],
            "minutes": policy.shown_minutes,
            "problem": problem,
        }
        answer = request.app[PAGES].render(request, "personal.html", context)
        answer.headers["Cache-Control"] = "no-store"
        if shown.until:
            # Without scripts too the page masks itself again when its time is over.
            left = max(1, (shown.until - self._clock.now_ms()) // 1000 + 1)
            answer.headers["Refresh"] = str(left)
        return answer


class ExportViews:
    """Handlers over :class:`Exports`."""

    def __init__(self, exports: Exports, zone: timezone) -> None:
        self._exports, self._zone = exports, zone

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/exports", self.listed),
            web.get(export_path("{name}"), self.form),
            web.post(export_path("{name}"), self.ask),
            web.post("/exports/{no}/decide", self.decide),
            web.post("/exports/{no}/fetch.{kind}", self.fetch),
        ]

    async def listed(self, request: web.Request) -> web.Response:
        subject = request[SUBJECT]
        context = {
            "rows": await self._exports.seen_by(request[UOW], subject),
            "may": subject.may(Permission.EXPORTS_APPROVE),
            "own": subject.id,
            "states": ExportState,
            "hours": (await read_policy(request[UOW])).fetch_hours,
            "kinds": self._exports.open_to(subject),
        }
        return request.app[PAGES].render(request, "exports.html", context)

    async def form(self, request: web.Request) -> web.Response:
        return await self._form(request, ReasonForm(), None)

    async def _form(
        self, request: web.Request, form: ReasonForm, problem: Refusal | None
    ) -> web.Response:
        kind = self._exports.kind(request.match_info["name"])
        request[SUBJECT].require(kind.permission)
        policy = await read_policy(request[UOW])
        context = {
            "kind": kind.name,
            "least": policy.least_words,
            "query": dict(request.query),
            "form": form,
            "reasons": [one.value for one in REASONS],
            "most": policy.max_rows,
            "problem": problem,
        }
        return request.app[PAGES].render(request, "export_form.html", context)

    async def ask(self, request: web.Request) -> web.Response:
        form = await read_form(request, ReasonForm)
        name, query = request.match_info["name"], dict(request.query)
        try:
            await self._exports.ask(
                request[UOW], request[SUBJECT], name, query, form.reason, form.words
            )
        except Refusal as refusal:
            if refusal.code not in ("personal.words", "export.too_many", "export.nothing"):
                raise
            return await self._form(request, form, refusal)
        raise see_other(request, "/exports", done="export.done.asked")

    async def decide(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.EXPORTS_APPROVE)
        form = await read_form(request, DecideForm)
        await self._exports.decide(
            request[UOW], request[SUBJECT], _no(request), approve=form.approve, note=form.note
        )
        raise see_other(request, "/exports", done="export.done.decided")

    async def fetch(self, request: web.Request) -> web.Response:
        pages, language = request.app[PAGES], request[LANGUAGE]
        one, sheet = await self._exports.fetch(request[UOW], request[SUBJECT], _no(request))
        title = pages.text(language, f"export.kind.{one.kind}")
        answer = await sheet_response(
            request.match_info["kind"],
            file=f"{one.kind}-{datetime.now(self._zone):%Y%m%d-%H%M}",
            title=title,
            head=[pages.text(language, key) for key in sheet.head],
            rows=sheet.rows,
            watermark=watermark(request, self._zone) + f" · #{one.no}",
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _no(request: web.Request) -> int:
    text = request.match_info["no"]
    if not text.isdecimal() or len(text) > 18:
        raise Refusal("export.unknown")
    return int(text)
