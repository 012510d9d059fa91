"""The token endpoint: client credentials (RFC 6749 §4.4) for a short-lived opaque token."""

import base64
import binascii
import secrets
from typing import Annotated
from urllib.parse import parse_qsl, unquote_plus

import msgspec
import structlog
from aiohttp import web

from console.core.api import said
from console.core.db import Database
from console.core.web import address_of
from console.modules.gateway import clients, problem
from console.modules.gateway.reading import read_body
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock

log = structlog.get_logger(__name__)

PATH = "/oauth/token"
FORM = "application/x-www-form-urlencoded"


class TokenForm(msgspec.Struct, frozen=True, kw_only=True):
    """What the token endpoint takes. Id and secret may come by HTTP Basic instead."""

    grant_type: Annotated[str, said("固定为 client_credentials", "Always client_credentials")]
    client_id: Annotated[str, said("接入系统的标识", "Id of the integrator")] = ""
    client_secret: Annotated[str, said("接入系统的密钥", "Its secret")] = ""
    scope: Annotated[
        str,
        said(
            "要哪些权限，用空格隔开；不填要全部",
            "Scopes asked for, parted by spaces; all without it",
        ),
    ] = ""


class TokenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A token. Ask for another one before it ends; it is not renewed."""

    access_token: str
    expires_in: Annotated[int, said("多少秒后失效", "Seconds until it ends")]
    scope: str
    token_type: str = "Bearer"  # noqa: S105 - the scheme's name


class TokenProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no token, in the words of RFC 6749 §5.2."""

    error: str
    error_description: str


class TokenDesk:
    """Gives tokens."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """POST /oauth/token."""
        language = problem.language_of(request)
        try:
            answer = await self._give(request)
        except Refusal as refusal:
            if refusal.code == "city.unavailable":
                return problem.answer(refusal, language, secrets.token_hex(6))
            word = _WORDS[refusal.code]
            found = TokenProblem(error=word, error_description=refusal.sentence(language))
            headers = (
                {"WWW-Authenticate": 'Basic realm="qingting"'} if word == "invalid_client" else {}
            )
            status = 401 if word == "invalid_client" else refusal.status
            return _json(found, status, headers)
        return _json(answer, 200, {})

    async def _give(self, request: web.Request) -> TokenAnswer:
        form = await _read(request)
        if form.grant_type != "client_credentials":
            raise Refusal("api.grant")
        name, secret = _credentials(request, form)
        now = self._clock.now_ms()
        async with self._db.write() as uow:
            client = await clients.by_secret(uow, name, secret, now)
            if client is None or not client.allows(address_of(request)):
                log.info("api.token_refused", known=client is not None)
                raise Refusal("api.client")
            wanted = set(form.scope.split()) or set(client.scopes)
            if beyond := sorted(wanted - set(client.scopes)):
                raise Refusal("api.scope", scope=" ".join(beyond)[:200])
            scopes = sorted(wanted)
            token = await clients.make_token(uow, client.id, scopes, now)
        return TokenAnswer(
            access_token=token, expires_in=clients.TOKEN_SECONDS, scope=" ".join(scopes)
        )


_WORDS = {
    "api.grant": "unsupported_grant_type",
    "api.client": "invalid_client",
    "api.scope": "invalid_scope",
    "api.media": "invalid_request",
    "api.too_large": "invalid_request",
    "api.body": "invalid_request",
}


async def _read(request: web.Request) -> TokenForm:
    """Raises ``api.media``, ``api.too_large``, ``api.body``."""
    if request.content_type != FORM:
        raise Refusal("api.media")
    try:
        text = (await read_body(request)).decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=20)
    except (ValueError, UnicodeDecodeError) as error:
        raise Refusal("api.body", field="$") from error
    found = dict(pairs)
    if len(found) != len(pairs) or "\x00" in text + "".join(found.values()):
        raise Refusal("api.body", field="$")
    try:
        return msgspec.convert(found, TokenForm)
    except msgspec.ValidationError as error:
        raise Refusal("api.body", field="grant_type") from error


def _credentials(request: web.Request, form: TokenForm) -> tuple[str, str]:
    """From HTTP Basic, else from the form. Raises ``api.client``."""
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return form.client_id, form.client_secret
    try:
        text = base64.b64decode(given.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise Refusal("api.client") from error
    name, mark, secret = text.partition(":")
    if not mark or "\x00" in text:
        raise Refusal("api.client")
    return unquote_plus(name), unquote_plus(secret)


def _json(body: msgspec.Struct, status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"} | headers,
    )
