"""The client of a platform of citizen codes (市民码) and faces: HTTP, signed, each call within one deadline.

The interface is described in ``docs/integrators/citizen-code.md``. The code travels in the body alone.
"""

import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
import structlog

from hallserver.app.settings import HallSettings
from hallserver.hub.citizen_codes import (
    CodeKind,
    CodePerson,
    CodeService,
    CodeServiceError,
)
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock

log = structlog.get_logger(__name__)

MOST_ANSWER_BYTES = 16 * 1024
_OK, _EMPTY, _NOT_US = 200, 204, (401, 403)


class Found(Strict, frozen=True, kw_only=True, tag="ok", tag_field="result"):
    """``request`` repeats the one of the question, so that an answer to another is never taken."""

    request: str
    person: CodePerson


class Unknown(Strict, frozen=True, kw_only=True, tag="unknown", tag_field="result"):
    request: str


class Expired(Strict, frozen=True, kw_only=True, tag="expired", tag_field="result"):
    request: str


class Used(Strict, frozen=True, kw_only=True, tag="used", tag_field="result"):
    request: str


class Kinds(msgspec.Struct, frozen=True):
    """What the platform resolves. A kind that this version does not know is passed over."""

    kinds: tuple[str, ...]


Answer = Found | Unknown | Expired | Used
_ANSWERS = msgspec.json.Decoder(Answer)


_KINDS = msgspec.json.Decoder(Kinds)


def read_kinds(body: bytes) -> frozenset[CodeKind]:
    """What an answer to ``check`` says; a platform that says nothing resolves citizen codes."""
    try:
        named = _KINDS.decode(body).kinds
    except (msgspec.DecodeError, UnicodeDecodeError):
        return frozenset({CodeKind.CODE})
    return frozenset(kind for kind in CodeKind if kind in named)


def read_answer(body: bytes, request: str, kind: CodeKind = CodeKind.CODE) -> CodePerson:
    """The person of an answer to ``request``; raises a refusal of the kind's family."""
    try:
        answer: Answer = _ANSWERS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Without its cause: the decoder's words may repeat what stood in the answer.
        raise kind.refusal("malformed") from None
    if answer.request != request:
        raise kind.refusal("malformed")
    match answer:
        case Found(person=person):
            return person
        case Unknown():
            raise kind.refusal("unknown")
        case Expired():
            raise kind.refusal("expired")
        case Used():
            raise kind.refusal("used")


class HttpCodeService:
    """Implements :class:`hallserver.hub.citizen_codes.CodeService` over one HTTP session."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, key: str, secret: str, clock: Clock
    ) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._key = key
        self._secret = secret.encode()
        self._clock = clock
        self._told_malformed = False

    async def resolve(self, code: str, kind: CodeKind) -> CodePerson:
        """See the port."""
        request = secrets.token_hex(16)
        body = msgspec.json.encode({"request": request, "kind": kind, "code": code})
        status, answer = await self._post("/v1/resolve", body)
        if status != _OK:
            raise CodeServiceError(f"status {status}")
        try:
            person = read_answer(answer, request, kind)
        except Refusal as refusal:
            self._note(malformed=refusal.code.endswith(".malformed"), length=len(answer))
            raise
        self._note(malformed=False, length=len(answer))
        return person

    def _note(self, *, malformed: bool, length: int) -> None:
        """One line when answers begin to make no sense, one when they make sense again."""
        if malformed is self._told_malformed:
            return
        self._told_malformed = malformed
        if malformed:
            log.warning("citizen_code.answers_malformed", length=length)
        else:
            log.info("citizen_code.answers_sound")

    async def check(self) -> frozenset[CodeKind]:
        """See the port."""
        status, answer = await self._post("/v1/check", b"{}")
        if status not in (_OK, _EMPTY):
            raise CodeServiceError(f"status {status}")
        return read_kinds(answer)

    async def _post(self, path: str, body: bytes) -> tuple[int, bytes]:
        headers = self._signed(body) | {"Content-Type": "application/json"}
        try:
            async with self._session.post(
                self._url + path, data=body, headers=headers, allow_redirects=False
            ) as response:
                if response.status in _NOT_US:
                    raise CodeServiceError("key refused")
                return response.status, await _limited(response)
        except TimeoutError:
            raise CodeServiceError("deadline") from None
        except aiohttp.ClientError as error:
            raise CodeServiceError(type(error).__name__) from None

    def _signed(self, body: bytes) -> dict[str, str]:
        time, nonce = str(self._clock.now_ms()), secrets.token_hex(16)
        head = f"{self._key}\n{time}\n{nonce}\n".encode()
        return {
            "X-Qingting-Key": self._key,
            "X-Qingting-Time": time,
            "X-Qingting-Nonce": nonce,
            "X-Qingting-Signature": hmac.digest(self._secret, head + body, "sha256").hex(),
        }


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    """The body, or so much of it that it is seen to be no answer."""
    body = b""
    async for chunk in response.content.iter_chunked(4096):
        body += chunk
        if len(body) > MOST_ANSWER_BYTES:
            break
    return body


@asynccontextmanager
async def open_code_service(
    settings: HallSettings, clock: Clock
) -> AsyncIterator[CodeService | None]:
    """The platform that the settings name; None when they name none."""
    if not settings.citizen_code_url:
        yield None
        return
    timeout = aiohttp.ClientTimeout(total=settings.citizen_code_seconds)
    async with aiohttp.ClientSession(
        timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield HttpCodeService(
            session,
            settings.citizen_code_url,
            settings.citizen_code_key,
            settings.citizen_code_secret,
            clock,
        )
