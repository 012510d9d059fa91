"""Signed requests to a provider's HTTP gateway.

``X-Signature`` is the hex HMAC-SHA256 with the account's secret over method, path, timestamp, nonce and the SHA-256 of
the body, parted by line feeds (docs/integrators/sms.md).
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from console.core.delivering import SEND_SECONDS, DeliveryError
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import new_token

LASTING = frozenset({"bad_address", "blocked", "bad_template", "bad_text", "no_device"})
"""Another try of the same letter cannot help."""
OURS = frozenset({"bad_account", "bad_signature", "bad_sign", "no_balance"})
"""It is not about the letter: nothing is taken until a person has looked."""


CLOCK_MS = 5 * 60_000
"""A provider's request that was signed longer ago or ahead than this is refused."""


def signature(secret: str, method: str, path: str, stamp: str, nonce: str, body: bytes) -> str:
    parts = (method, path, stamp, nonce, hashlib.sha256(body).hexdigest())
    return hmac.new(secret.encode(), "\n".join(parts).encode(), "sha256").hexdigest()


class _Answer(msgspec.Struct):
    code: str
    retry_after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A provider's gateway. ``url`` is what all its paths begin with."""

    url: str
    account: str
    secret: str
    clock: Clock

    def refused(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> str:
        """Why a request that says it comes from the provider is not believed, as a code; empty when it is. One that is
        repeated within minutes is believed again: what it tells is known then."""
        if headers.get("X-Account") != self.account:
            return "bad_account"
        stamp, nonce = headers.get("X-Timestamp", ""), headers.get("X-Nonce", "")
        fresh = stamp.isdecimal() and len(stamp) < 16
        if not fresh or abs(self.clock.now_ms() - int(stamp)) > CLOCK_MS:
            return "bad_signature"
        right = signature(self.secret, method, path, stamp, nonce, body)
        given = headers.get("X-Signature", "")
        return "" if hmac.compare_digest(right.encode(), given.encode()) else "bad_signature"

    async def call(self, path: str, body: Mapping[str, Any], answer: type[Any]) -> Any:
        """The answer as ``answer`` when its code is OK; raises :class:`DeliveryError`."""
        raw = await self._post(path, msgspec.json.encode(body))
        try:
            said = msgspec.json.decode(raw, type=_Answer)
            if said.code == "OK":
                return msgspec.json.decode(raw, type=answer)
        except msgspec.DecodeError as error:
            raise DeliveryError("unreadable", unreachable=True) from error
        raise DeliveryError(
            said.code[:40],
            lasting=said.code in LASTING,
            unreachable=said.code in OURS,
            after_ms=max(0, min(said.retry_after, 3600)) * 1000,
        )

    async def _post(self, path: str, body: bytes) -> bytes:
        url = self.url.rstrip("/") + path
        stamp, nonce = str(self.clock.now_ms()), new_token()
        headers = {
            "Content-Type": "application/json",
            "X-Account": self.account,
            "X-Timestamp": stamp,
            "X-Nonce": nonce,
            "X-Signature": signature(self.secret, "POST", urlsplit(url).path, stamp, nonce, body),
        }
        timeout = aiohttp.ClientTimeout(total=SEND_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as http,
                http.post(url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                status, raw = answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DeliveryError(type(error).__name__, unreachable=True) from error
        if status != 200:
            raise DeliveryError(f"HTTP {status}", unreachable=True)
        return raw
