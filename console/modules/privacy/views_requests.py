"""Requests of those whom data is about, for the staff who answer them."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated

import msgspec
from aiohttp import web

from console.core.codes import may_be_certificate, plain
from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.privacy.api import Requester, show_path
from console.modules.privacy.domain import RequestKind, RequestState
from console.modules.privacy.marks import watermark
from console.modules.privacy.policy import read_policy
from console.modules.privacy.requests import Requests
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal, sentence
from qingting.kernel.aio.clock import Clock
from qingting.kernel.web import LANGUAGE, read_form, see_other
from qingting.kernel.web.asked import misread
from qingting.kernel.web.sheets import moment, sheet_response

Text = Annotated[str, msgspec.Meta(max_length=500)]
_APART = re.compile(r"[ ()-]")
_PHONE = re.compile(r"(\+?86)?[0-9]{7,12}")
Short = Annotated[str, msgspec.Meta(max_length=60)]


class AskForm(Strict, frozen=True, kw_only=True):
    """``verified``: whoever takes it in has made sure who asks."""

    kind: RequestKind = RequestKind.COPY
    name: Short = ""
    number: Short = ""
    phone: Short = ""
    words: Text = ""
    verified: bool = False

    def requester(self) -> Requester:
        """Raises ``request.who``, ``citizen.number``, ``request.phone``, ``request.not_verified``: a number that is
        mistyped would find nothing of whom it is about."""
        name, number = self.name.strip(), "".join(plain(self.number).split()).upper()
        if not name or not number:
            raise Refusal("request.who")
        if not may_be_certificate(number):
            raise Refusal("citizen.number")
        phone = _APART.sub("", plain(self.phone))
        if phone and not _PHONE.fullmatch(phone):
            raise Refusal("request.phone")
        if not self.verified:
            raise Refusal("request.not_verified")
        return Requester(name=name, number=number, phone=phone)


class AnswerForm(Strict, frozen=True, kw_only=True):
    outcome: Text = ""


class GoneForm(Strict, frozen=True, kw_only=True):
    hall: Short = ""
    why: Text = ""


class RequestViews:
    """Handlers over :class:`Requests`."""

    def __init__(self, requests: Requests, clock: Clock, zone: timezone) -> None:
        self._requests, self._clock, self._zone = requests, clock, zone

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/requests", self.listed),
            web.post("/requests", self.ask),
            web.get("/requests/new", self.new),
            web.get("/requests/{no}", self.one),
            web.post("/requests/{no}/copy.{kind}", self.copy),
            web.post("/requests/{no}/done", self.done),
            web.post("/requests/{no}/refuse", self.refuse),
            web.post("/requests/{no}/gone", self.gone),
        ]

    def _today(self) -> date:
        return (
            datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).astimezone(self._zone).date()
        )

    async def listed(self, request: web.Request) -> web.Response:
        chosen = request.query.get("state", RequestState.OPEN.value)
        state = RequestState(chosen) if chosen in tuple(RequestState) else None
        if state is None and chosen != "all":
            misread(request, "state", "choice")
        today = self._today()
        context = {
            "rows": await self._requests.listed(request[UOW], request[SUBJECT], state),
            "state": chosen,
            "states": [one.value for one in RequestState],
            "today": today,
            "soon": today + timedelta(days=3),
        }
        return request.app[PAGES].render(request, "requests.html", context)

    async def new(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.REQUESTS)
        return self._form(request, AskForm(), None)

    def _form(self, request: web.Request, form: AskForm, problem: Refusal | None) -> web.Response:
        kinds = [one.value for one in RequestKind]
        context = {"form": form, "kinds": kinds, "problem": problem}
        return request.app[PAGES].render(request, "request_form.html", context)

    async def ask(self, request: web.Request) -> web.Response:
        subject = request[SUBJECT]
        subject.require(Permission.REQUESTS)
        form = await read_form(request, AskForm)
        try:
            who = form.requester()
            await self._requests.ask(request[UOW], form.kind, who, form.words, by=subject)
        except Refusal as refusal:
            return self._form(request, form, refusal)
        raise see_other(request, "/requests", done="request.done_received")

    async def one(self, request: web.Request) -> web.Response:
        return await self._one(request, AnswerForm(), None)

    async def gone(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.REQUESTS)
        form, uow, no = await read_form(request, GoneForm), request[UOW], _no(request)
        try:
            await self._requests.hall_gone(uow, request[SUBJECT], no, form.hall, form.why)
        except Refusal as refusal:
            if refusal.code == "request.unknown":
                raise
            return await self._one(request, AnswerForm(), refusal, form)
        raise see_other(request, f"/requests/{no}", done="request.done_gone")

    async def _one(
        self,
        request: web.Request,
        form: AnswerForm,
        problem: Refusal | None,
        gone: GoneForm | None = None,
    ) -> web.Response:
        uow, subject, no = request[UOW], request[SUBJECT], _no(request)
        found, words = await self._requests.one(uow, subject, no)
        context = {
            "one": found,
            "marked": bool(words),
            "words": words,
            "held": await self._requests.found(uow, subject, no),
            "halls": await self._requests.halls_told(uow, subject, no),
            "least": (await read_policy(uow)).least_words,
            "language": request[LANGUAGE],
            "refusal": lambda code: sentence(code, {}, request[LANGUAGE]),
            "show": show_path(self._requests.holder, str(no)),
            "may_show": subject.may(Permission.PERSONAL),
            "today": self._today(),
            "form": form,
            "gone": gone or GoneForm(),
            "problem": problem,
        }
        return request.app[PAGES].render(request, "request.html", context)

    async def copy(self, request: web.Request) -> web.Response:
        pages, language, no = request.app[PAGES], request[LANGUAGE], _no(request)
        sheet = await self._requests.copy(request[UOW], request[SUBJECT], no)
        rows = [
            (
                pages.text(language, f"personal.holder.{holder}"),
                record,
                moment(int(str(at)), self._zone),
                pages.text(language, f"personal.field.{name}"),
                value,
            )
            for holder, record, at, name, value in sheet.rows
        ]
        answer = await sheet_response(
            request.match_info["kind"],
            file=f"request-{no}",
            title=pages.text(language, "request.copy_title"),
            head=[pages.text(language, key) for key in sheet.head],
            rows=rows,
            watermark=watermark(request, self._zone),
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer

    async def done(self, request: web.Request) -> web.Response:
        return await self._answer(request, done=True)

    async def refuse(self, request: web.Request) -> web.Response:
        return await self._answer(request, done=False)

    async def _answer(self, request: web.Request, *, done: bool) -> web.Response:
        request[SUBJECT].require(Permission.REQUESTS)
        form = await read_form(request, AnswerForm)
        try:
            await self._requests.answer(
                request[UOW], request[SUBJECT], _no(request), done=done, outcome=form.outcome
            )
        except Refusal as refusal:
            if refusal.code != "personal.words":
                raise
            return await self._one(request, form, refusal)
        raise see_other(request, "/requests", done="request.done_answered")


def _no(request: web.Request) -> int:
    text = request.match_info["no"]
    if not text.isdecimal() or len(text) > 18:
        raise Refusal("request.unknown")
    return int(text)
