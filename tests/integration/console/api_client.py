"""An integrator that calls the open API of a running console, for tests."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from console.app.server import ConsoleReady
from console.core.divisions import full
from console.core.permissions import SYSTEM, Reach, ReachKind
from console.modules.gateway.api import GATEWAY, Access

CITY = Reach(ReachKind.REGION, full("230600"))


def access(*scopes: str, reach: Reach = CITY, **changes: Any) -> Access:
    """What an integrator of a test is given."""
    given = {
        "name": "测试系统",
        "contact": "",
        "scopes": scopes,
        "reach": reach,
        "networks": (),
        "per_minute": 10_000,
        "per_day": 1_000_000,
    }
    return Access(**{**given, **changes})


async def integrator(ready: ConsoleReady, name: str, given: Access) -> str:
    """Makes an integrator and gives its secret."""
    async with ready.city.db.write() as uow:
        return await ready.city.context.take(GATEWAY).make(uow, SYSTEM, name, given)


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass
class Caller:
    """A client with a token."""

    http: aiohttp.ClientSession
    token: str
    name: str
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str
    ) -> Answer:
        """A call; a POST gets a fresh idempotency key unless one is given ("" for none)."""
        sent = {"Authorization": f"Bearer {self.token}"} | self.headers
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if method == "POST" and key != "":
            sent["Idempotency-Key"] = key or secrets.token_hex(8)
        async with self.http.request(method, f"/api/v1{path}", json=body, headers=sent) as answer:
            kind = answer.content_type
            read = await answer.json() if kind.endswith("json") else await answer.text()
            return Answer(answer.status, answer.headers, read)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.ask("GET", path, **headers)


async def token_of(http: aiohttp.ClientSession, name: str, secret: str, scope: str = "") -> Answer:
    """Asks the token endpoint."""
    form = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
    async with http.post("/api/v1/oauth/token", data=form | {"scope": scope}) as answer:
        return Answer(answer.status, answer.headers, await answer.json())


@asynccontextmanager
async def caller(ready: ConsoleReady, name: str, given: Access) -> AsyncIterator[Caller]:
    """A new integrator with a token for all that it has."""
    secret = await integrator(ready, name, given)
    async with aiohttp.ClientSession(ready.url) as http:
        answer = await token_of(http, name, secret)
        assert answer.status == 200, answer.body
        yield Caller(http, answer.body["access_token"], name)
