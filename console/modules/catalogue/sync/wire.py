"""The item system over HTTP: one page at a time, as ``docs/integrators/item-system.md`` says."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

import aiohttp
import msgspec
from yarl import URL

from console.core.outside import ItemSystemSettings
from qingting.kernel.aio.clock import Clock

ANSWER_SECONDS = 30.0
MOST_BYTES = 8 * 1024 * 1024
MOST_CURSOR = 512


class SourceError(Exception):
    """The item system gave no page. ``reason`` is a short word: ``unreachable``, ``slow``, ``refused`` (key or
    signature), ``failed`` (another status), ``malformed``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Rows as the source has them. ``next`` is where to go on, ``more`` False: there is nothing more now."""

    items: list[Any]
    next: str = ""
    more: bool = False
    total: int | None = None
    position: str = ""


class Source(Protocol):
    """Whoever gives pages."""

    async def page(self, path: str, query: Mapping[str, str]) -> Page:
        """Raises :class:`SourceError`."""
        ...


class HttpSource:
    """The item system behind an address."""

    def __init__(
        self, settings: ItemSystemSettings, clock: Clock, seconds: float = ANSWER_SECONDS
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(total=seconds)

    async def page(self, path: str, query: Mapping[str, str]) -> Page:
        """Raises :class:`SourceError`."""
        url = f"{self._settings.url.rstrip('/')}{path}?{urlencode(query)}"
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout) as session,
                session.get(
                    URL(url, encoded=True), headers=self._headers(url), allow_redirects=False
                ) as answer,
            ):
                if answer.status in (401, 403):
                    raise SourceError("refused")
                if answer.status != 200:
                    raise SourceError("failed")
                body = await _body(answer)
        except TimeoutError as error:
            raise SourceError("slow") from error
        except (aiohttp.ClientPayloadError, aiohttp.InvalidURL) as error:
            raise SourceError("malformed") from error
        except (aiohttp.ClientError, OSError) as error:
            raise SourceError("unreachable") from error
        return read_page(body)

    def _headers(self, url: str) -> dict[str, str]:
        if self._settings.auth == "token":
            return {"Authorization": f"Bearer {self._settings.secret}"}
        parts = urlsplit(url)
        time, nonce = str(self._clock.now_ms()), secrets.token_hex(16)
        target = f"{parts.path}?{parts.query}"
        signed = "\n".join((self._settings.key, time, nonce, target, "")).encode()
        found = hmac.new(self._settings.secret.encode(), signed, hashlib.sha256).hexdigest()
        return {
            "X-Qingting-Key": self._settings.key,
            "X-Qingting-Time": time,
            "X-Qingting-Nonce": nonce,
            "X-Qingting-Signature": found,
        }


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    """All of it, and never more than is allowed."""
    found = bytearray()
    async for chunk in answer.content.iter_chunked(65_536):
        found += chunk
        if len(found) > MOST_BYTES:
            raise SourceError("malformed")
    return bytes(found)


def read_page(body: bytes) -> Page:
    """Raises :class:`SourceError` ``malformed``."""
    try:
        found = msgspec.json.decode(body, type=Page)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError("malformed") from error
    long = max(len(found.next), len(found.position)) > MOST_CURSOR
    if long or (found.more and not found.next) or _holds_nul(found.items):
        raise SourceError("malformed")
    return found


def _holds_nul(items: Sequence[Any]) -> bool:
    """PostgreSQL has no NUL in texts."""
    return b"\\u0000" in msgspec.json.encode(items)
