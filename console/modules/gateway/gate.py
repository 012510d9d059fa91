"""The one handler of all calls: admits, validates, does it once, answers. A call itself knows nothing of HTTP."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from console.core.api import ApiCall, ApiOperation, ApiScope
from console.core.days import day_of
from console.core.db import Database
from console.core.permissions import NOWHERE, Permission, Scope, Subject
from console.core.uow import Uow
from console.core.web import address_of
from console.modules.gateway import clients, problem
from console.modules.gateway.clients import Client, Left
from console.modules.gateway.reading import decoded, read_body, read_params
from console.modules.identity.api import IdentityApi
from qingting.contract.errors import Refusal
from qingting.contract.states import Language
from qingting.kernel.aio.clock import Clock
from qingting.kernel.web import reader_gone

log = structlog.get_logger(__name__)

KEY = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
_KEY_SHAPE = re.compile(r"[A-Za-z0-9_.:-]{8,100}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and as whom services see it."""

    client: Client
    scopes: frozenset[str]
    subject: Subject


@dataclass(slots=True)
class Visit:
    """What is known of a request so far."""

    number: str
    language: Language
    caller: Caller | None = None
    headers: dict[str, str] = field(default_factory=dict)


class Gate:
    """Makes handlers of calls. ``scopes`` are all there are, by name."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        identity: IdentityApi,
        scopes: Mapping[str, ApiScope],
        utc_offset_minutes: int,
    ) -> None:
        self._db = db
        self._clock = clock
        self._identity = identity
        self._scopes = scopes
        self._offset = utc_offset_minutes

    def today(self) -> date:
        """The city's date."""
        return day_of(self._clock.now_ms(), self._offset)

    def handler(self, operation: ApiOperation[Any, Any, Any]) -> Handler:
        """The handler of one call."""

        async def handle(request: web.Request) -> web.StreamResponse:
            visit = Visit(secrets.token_hex(6), problem.language_of(request))
            try:
                answer = await self._answer(request, operation, visit)
            except Refusal as refusal:
                answer = await self._refused(operation, visit, refusal)
            except Exception as error:
                if reader_gone(request, error):
                    raise
                log.exception("api.failed", call=operation.name, request_id=visit.number)
                answer = await self._refused(operation, visit, Refusal("internal"))
            answer.headers.update(visit.headers)
            answer.headers["X-Request-Id"] = visit.number
            answer.headers.setdefault("Cache-Control", "private, no-cache")
            answer.headers["Vary"] = "Accept-Language"
            return answer

        return handle

    async def _answer(
        self, request: web.Request, operation: ApiOperation[Any, Any, Any], visit: Visit
    ) -> web.Response:
        caller = visit.caller = await self._admit(request, operation, visit)
        if operation.scope.name not in caller.scopes:
            raise Refusal("api.scope", scope=operation.scope.name)
        params = read_params(request, operation.params)
        raw = await read_body(request) if not operation.reads else b""
        body = decoded(request, raw, operation.body) if operation.body is not None else None
        key = _key(request) if operation.once else ""
        async with self._db.write() as uow:
            call = ApiCall(
                uow=uow,
                subject=caller.subject,
                params=params,
                body=body,
                language=visit.language,
                client=caller.client.id,
                scopes=caller.scopes,
            )
            if key:
                return await self._once(request, operation, call, key, raw)
            found = msgspec.json.encode(await operation.run(call))
        return _read(request, found) if operation.reads else _done(operation.status, found)

    async def _once(
        self,
        request: web.Request,
        operation: ApiOperation[Any, Any, Any],
        call: ApiCall[Any, Any],
        key: str,
        raw: bytes,
    ) -> web.Response:
        """Does a call the first time that its key comes, in the transaction that keeps the answer."""
        asked = hashlib.sha256(b"\n".join((operation.name.encode(), request.path_qs.encode(), raw)))
        digest, now = asked.hexdigest(), self._clock.now_ms()
        kept = await clients.claim(call.uow, call.client, key, digest, now)
        if kept is not None:
            if kept.digest != digest:
                raise Refusal("api.key_reused")
            return _done(kept.status, kept.body, {REPLAYED: "true"})
        found = msgspec.json.encode(await operation.run(call))
        await clients.keep(call.uow, call.client, key, operation.status, found)
        return _done(operation.status, found)

    async def _admit(
        self, request: web.Request, operation: ApiOperation[Any, Any, Any], visit: Visit
    ) -> Caller:
        """Who calls, with one call taken from its quota. Raises ``api.token``, ``api.address``, ``api.quota``."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token or not token.isascii():
            raise Refusal("api.token")
        now = self._clock.now_ms()
        async with self._db.write() as uow:
            found = await clients.by_token(uow, token.strip(), now)
            if found is None:
                raise Refusal("api.token")
            client, given = found
            address = address_of(request)
            if not client.allows(address):
                raise Refusal("api.address")
            left = await clients.count(uow, client, now, self._offset * clients.MINUTE_MS)
            await clients.note(
                uow, client.id, self.today(), operation.name, refused=False, answered=not left.wait
            )
            scope = await self._identity.scope(uow, [client.reach])
        caller = Caller(client, given, self._subject(client, given, scope, address))
        visit.caller = caller
        visit.headers.update(_limits(left))
        if left.wait:
            raise problem.used_up(left.limit, left.wait, daily=left.daily)
        return caller

    def _subject(
        self, client: Client, given: frozenset[str], scope: Scope, address: str
    ) -> Subject:
        grants: dict[Permission, Scope] = {
            self._scopes[one].permission: scope for one in given if one in self._scopes
        }
        if scope == NOWHERE:
            grants = {}
        return Subject(id=f"api:{client.id}", name=client.name, grants=grants, address=address)

    async def _refused(
        self, operation: ApiOperation[Any, Any, Any], visit: Visit, refusal: Refusal
    ) -> web.Response:
        log.info("api.refused", call=operation.name, code=refusal.code, request_id=visit.number)
        if visit.caller is not None and refusal.code != "city.unavailable":
            try:
                async with self._db.write() as uow:
                    await self._count_refusal(uow, operation, visit, visit.caller.client, refusal)
            except Refusal as away:
                refusal = away
        return problem.answer(refusal, visit.language, visit.number)

    async def _count_refusal(
        self,
        uow: Uow,
        operation: ApiOperation[Any, Any, Any],
        visit: Visit,
        client: Client,
        refusal: Refusal,
    ) -> None:
        await clients.note(uow, client.id, self.today(), operation.name, refused=True)
        await clients.note_fault(
            uow,
            client.id,
            self._clock.now_ms(),
            operation.name,
            refusal.status,
            refusal.code,
            str(refusal.params.get("field", "")),
            visit.number,
        )


def _key(request: web.Request) -> str:
    """The request's idempotency key. Raises ``api.key``."""
    key = request.headers.get(KEY, "")
    if not _KEY_SHAPE.fullmatch(key):
        raise Refusal("api.key")
    return key


def _limits(left: Left) -> dict[str, str]:
    return {
        "RateLimit-Limit": str(left.limit),
        "RateLimit-Remaining": str(left.remaining),
        "RateLimit-Reset": str(left.reset),
    }


def _done(status: int, body: bytes, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


def _read(request: web.Request, body: bytes) -> web.Response:
    """What was read with its ETag, or 304 to whoever has it already."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    known = {
        one.strip().removeprefix("W/")
        for one in request.headers.get("If-None-Match", "").split(",")
    }
    if tag in known or "*" in known:
        return web.Response(status=304, headers={"ETag": tag})
    return _done(200, body, {"ETag": tag})


def unknown_call(paths: dict[str, set[str]]) -> Handler:
    """Answers whatever no call answers: 405 with what the address takes, else 404. ``paths``: methods by the
    pattern of the path."""
    patterns = [
        (re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), methods)
        for path, methods in sorted(paths.items())
    ]

    async def handle(request: web.Request) -> web.StreamResponse:
        language, number = problem.language_of(request), secrets.token_hex(6)
        for pattern, methods in patterns:
            if pattern.fullmatch(request.path):
                answer = problem.answer(Refusal("api.method"), language, number)
                answer.headers["Allow"] = ", ".join(sorted(methods))
                return answer
        return problem.answer(Refusal("api.path"), language, number)

    return handle
