"""Alipay's open platform (支付宝开放平台): requests signed with RSA2, answers verified over their raw text, and the way on
which somebody says which Alipay account is theirs. Rules read from Alipay's own SDK; see docs/integrators/alipay.md.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
)

from console.core.delivering import SEND_SECONDS, DeliveryError
from qingting.kernel.aio.clock import Clock

OAUTH_TOKEN = "alipay.system.oauth.token"  # noqa: S105 - a method's name
GATEWAY = "https://openapi.alipay.com/gateway.do"
AUTHORIZE = "https://openauth.alipay.com/oauth2/publicAppAuthorize.htm"
OK, BUSINESS = "10000", "40004"
BUSY = frozenset({"PUB.MSG_BATCH_SD_OVER", "isp.unknow-error"})
"""Sub-codes of a refusal that passes."""
SMALLEST_KEY = 2048
LARGEST_ANSWER = 256 * 1024
LONGEST_NAME = 128
_CHINA = timedelta(hours=8)


def private_key(text: str) -> RSAPrivateKey:
    """The city's own key, as PEM or as the bare base64 that Alipay's tool gives (PKCS#8 or PKCS#1). Raises ``ValueError``."""
    try:
        found = load_der_private_key(_der(text), password=None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("key") from error
    if not isinstance(found, RSAPrivateKey) or found.key_size < SMALLEST_KEY:
        raise ValueError("key")
    return found


def public_key(text: str) -> RSAPublicKey:
    """Alipay's key, as PEM or bare base64. Raises ``ValueError``."""
    try:
        found = load_der_public_key(_der(text))
    except UnsupportedAlgorithm as error:
        raise ValueError("key") from error
    if not isinstance(found, RSAPublicKey) or found.key_size < SMALLEST_KEY:
        raise ValueError("key")
    return found


def _der(text: str) -> bytes:
    lines = [one.strip() for one in text.splitlines() if not one.startswith("-----")]
    try:
        return base64.b64decode("".join(lines), validate=True)
    except binascii.Error as error:
        raise ValueError("base64") from error


def sign_content(params: Mapping[str, str]) -> bytes:
    """What is signed: every parameter that is not empty but ``sign``, by name, ``k=v`` joined with ``&``."""
    kept = sorted((name, value) for name, value in params.items() if value and name != "sign")
    return "&".join(f"{name}={value}" for name, value in kept).encode()


def sign(params: Mapping[str, str], key: RSAPrivateKey) -> str:
    """RSA2: SHA256withRSA, PKCS#1 v1.5, base64."""
    return base64.b64encode(key.sign(sign_content(params), padding.PKCS1v15(), SHA256())).decode()


def response_text(raw: str, method: str) -> str:
    """The raw text of the response object, which is what Alipay signs: serialised anew it would differ (``\\/``). Raises
    ``ValueError`` when there is none."""
    name = f'"{method.replace(".", "_")}_response"'
    start = raw.find(name)
    if start < 0:
        name = '"error_response"'
        start = raw.find(name)
    begin = raw.find("{", start + len(name)) if start >= 0 else -1
    if begin < 0:
        raise ValueError("no response")
    _, end = json.JSONDecoder().raw_decode(raw, begin)
    return raw[begin:end]


def verified(raw: str, method: str, key: RSAPublicKey) -> dict[str, Any]:
    """The response object of an answer that Alipay signed. Raises ``ValueError``."""
    text = response_text(raw, method)
    whole = json.loads(raw)
    try:
        signature = base64.b64decode(str(whole.get("sign", "")), validate=True)
        key.verify(signature, text.encode(), padding.PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise ValueError("signature") from error
    found = json.loads(text)
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlipayClient:
    """Calls of one app. ``key`` is the city's own private key, ``alipay_key`` Alipay's public one (not the city's: the
    commonest mistake). Every failure is a :class:`console.core.delivering.DeliveryError`."""

    app_id: str
    key: RSAPrivateKey
    alipay_key: RSAPublicKey
    clock: Clock
    gateway: str = GATEWAY
    authorize: str = AUTHORIZE

    def request(self, method: str, given: Mapping[str, str]) -> dict[str, str]:
        """The signed parameters of a call; ``given`` are those of the method itself."""
        then = datetime.fromtimestamp(self.clock.now_ms() / 1000, UTC) + _CHINA
        params = {
            "app_id": self.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": f"{then:%Y-%m-%d %H:%M:%S}",
            "version": "1.0",
            **given,
        }
        return params | {"sign": sign(params, self.key)}

    async def call(self, method: str, given: Mapping[str, str]) -> dict[str, Any]:
        """What Alipay answered; an answer that it did not sign counts as none."""
        params = self.request(method, given)
        body = {name: params.pop(name) for name in given}
        timeout = aiohttp.ClientTimeout(total=SEND_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as http,
                http.post(
                    f"{self.gateway}?{urlencode(params)}", data=body, allow_redirects=False
                ) as answer,
            ):
                raw = await answer.content.read(LARGEST_ANSWER)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DeliveryError(type(error).__name__, unreachable=True) from error
        return self.answered(method, raw.decode("utf-8", "replace"))

    def answered(self, method: str, raw: str) -> dict[str, Any]:
        """What an answer says; raises :class:`DeliveryError`. A method that is no business call says no ``code``."""
        try:
            found = verified(raw, method, self.alipay_key)
        except ValueError as error:
            raise DeliveryError("unreadable", unreachable=True) from error
        code, sub = str(found.get("code", OK)), str(found.get("sub_code", ""))[:40]
        if code != OK:
            # 40004 is about this call; the others about our key, our app or their service.
            mine = code == BUSINESS and sub not in BUSY
            raise DeliveryError(sub or code, lasting=mine, unreachable=code != BUSINESS)
        return found

    def ask(self, redirect_uri: str, state: str) -> str:
        """Where a browser goes so that its person says who they are at Alipay."""
        query = {
            "app_id": self.app_id,
            "scope": "auth_base",
            "redirect_uri": redirect_uri,
            "state": state,
        }
        return f"{self.authorize}?{urlencode(query)}"

    async def who(self, auth_code: str) -> str:
        """The ``open_id`` of whoever came back with a code, or the ``user_id`` that older apps are given instead."""
        given = {"grant_type": "authorization_code", "code": auth_code}
        found = await self.call(OAUTH_TOKEN, given)
        name = found.get("open_id") or found.get("user_id")
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
            raise DeliveryError("no_user", lasting=True)
        return name
