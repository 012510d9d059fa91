"""Alipay's open platform (支付宝开放平台): requests signed with RSA2, answers verified over their raw text, and template
messages of a life account (生活号). Rules read from Alipay's own SDK; see docs/integrators/sms.md.

Not wired to a setting yet: citizens' ``open_id`` come with the citizen centre.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from console.core.delivering import SEND_SECONDS, DeliveryError
from console.core.senders.port import Letter, Receipts, Taken
from qingting.kernel.aio.clock import Clock

SINGLE_SEND = "alipay.open.public.message.single.send"
GATEWAY = "https://openapi.alipay.com/gateway.do"
OK, BUSINESS = "10000", "40004"
BUSY = frozenset({"PUB.MSG_BATCH_SD_OVER", "isp.unknow-error"})
"""Sub-codes of a refusal that passes."""
_CHINA = timedelta(hours=8)


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


def template_message(
    open_id: str, template: str, link: str, action: str, words: Mapping[str, str]
) -> str:
    """The ``biz_content`` of a template message: ``words`` are its keywords (first, keyword1, …, remark), ``action`` the
    words of its link."""
    context: dict[str, Any] = {
        name: {"value": value, "color": "#1B2430"} for name, value in words.items()
    }
    context |= {"head_color": "#1F4E8C", "url": link, "action_name": action}
    body = {"to_open_id": open_id, "template": {"template_id": template, "context": context}}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class AlipaySender:
    """A template message to one ``open_id``. ``key`` is the city's own private key, ``alipay_key`` Alipay's public one
    (not the city's: the commonest mistake)."""

    app_id: str
    key: RSAPrivateKey
    alipay_key: RSAPublicKey
    clock: Clock
    gateway: str = GATEWAY
    name: str = "alipay"
    sign: str = ""

    def request(self, letter: Letter) -> dict[str, str]:
        """The signed parameters of sending ``letter``."""
        then = datetime.fromtimestamp(self.clock.now_ms() / 1000, UTC) + _CHINA
        words = {"first": letter.title, "keyword1": letter.text}
        params = {
            "app_id": self.app_id,
            "method": SINGLE_SEND,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": f"{then:%Y-%m-%d %H:%M:%S}",
            "version": "1.0",
            "biz_content": template_message(
                letter.to, letter.template, letter.link, letter.title, words
            ),
        }
        return params | {"sign": sign(params, self.key)}

    async def send(self, letter: Letter) -> Taken:
        if not letter.template:
            raise DeliveryError("bad_template", lasting=True)
        params = self.request(letter)
        content = {"biz_content": params.pop("biz_content")}
        timeout = aiohttp.ClientTimeout(total=SEND_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as http,
                http.post(f"{self.gateway}?{urlencode(params)}", data=content) as answer,
            ):
                raw = await answer.text()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DeliveryError(type(error).__name__, unreachable=True) from error
        return self.taken(raw, letter)

    def taken(self, raw: str, letter: Letter) -> Taken:
        """What an answer says; raises :class:`DeliveryError`."""
        try:
            found = verified(raw, SINGLE_SEND, self.alipay_key)
        except ValueError as error:
            raise DeliveryError("unreadable", unreachable=True) from error
        code, sub = str(found.get("code", "")), str(found.get("sub_code", ""))[:40]
        if code != OK:
            # 40004 is about this message; the others about our key, our app or their service.
            mine = code == BUSINESS and sub not in BUSY
            raise DeliveryError(sub or code, lasting=mine, unreachable=code != BUSINESS)
        return Taken(str(found.get("message_id") or letter.id))

    async def receipts(self, confirmed: str) -> Receipts:
        return Receipts()
