"""The client of a platform of citizen codes (市民码): HTTP, signed, each call within one deadline.

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
from hallserver.hub.citizen_codes import CodePerson, CodeService, CodeServiceError
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


Answer = Found | Unknown | Expired | Used
_ANSWERS = msgspec.json.Decoder(Answer)


def read_answer(body: bytes, request: str) -> CodePerson:
    """The person of an answer to ``request``; raises a refusal of the ``citizen_code`` family."""
    try:
        answer: Answer = _ANSWERS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Without its cause: the decoder's words may repeat what stood in the answer.
        raise Refusal("citizen_code.malformed") from None
    if answer.request != request:
        raise Refusal("citizen_code.malformed")
    match answer:
        case Found(person=person):
            return person
        case Unknown():
            raise Refusal("citizen_code.unknown")
        case Expired():
            raise Refusal("citizen_code.expired")
        case Used():
            raise Refusal("citizen_code.used")


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

    async def resolve(self, code: str) -> CodePerson:
        """See the port."""
        request = secrets.token_hex(16)
        body = msgspec.json.encode({"request": request, "code": code})
        status, answer = await self._post("/v1/resolve", body)
        if status != _OK:
            raise CodeServiceError(f"status {status}")
        try:
            return read_answer(answer, request)
        except Refusal as refusal:
            if refusal.code == "citizen_code.malformed":
                log.warning("citizen_code.malformed_answer", length=len(answer))
            raise

    async def check(self) -> None:
        """See the port."""
        status, _ = await self._post("/v1/check", b"{}")
        if status not in (_OK, _EMPTY):
            raise CodeServiceError(f"status {status}")

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
