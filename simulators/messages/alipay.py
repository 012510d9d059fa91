"""Alipay's gateway and the page on which somebody says who they are there. Written from ``docs/integrators/alipay.md``
alone; what it checks and signs is put together here by hand, so that nothing of the console's stands on both sides."""

import base64
import hashlib
import json
import secrets
from typing import Any
from urllib.parse import urlencode

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from simulators.messages.platform import Fault, MessagePlatform, Way

SEND = "alipay.open.public.message.single.send"
TOKEN = "alipay.system.oauth.token"  # noqa: S105 - a method's name
CODE_MS = 60_000


class AlipayUser(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with an account at Alipay. ``key`` is ``open_id`` for a new app, ``user_id`` for an old one. ``follows``: the
    city's life account, without which it may not write."""

    id: str
    key: str
    title: str
    title_en: str
    follows: bool = True


USERS: dict[str, AlipayUser] = {
    one.id: one
    for one in (
        AlipayUser(
            id="074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5lsNpazWYoCo5",
            key="open_id",
            title="张示例",
            title_en="Zhang Shili",
        ),
        AlipayUser(
            id="2088000000000015",
            key="user_id",
            title="李示例（老应用）",
            title_en="Li Shili (old app)",
        ),
        AlipayUser(
            id="074a1QqRs0000000000000000000000000000000000000X",
            key="open_id",
            title="王示例（未关注）",
            title_en="Wang Shili (does not follow)",
            follows=False,
        ),
    )
}
"""Invented."""


class AlipayPlatform:
    """``app_id`` with its keys as its owner keeps them: ``city_key`` the owner's private one, ``alipay_key`` the public one
    that Alipay shows. Templates are those that Alipay approved. Making keys takes a moment: do it off the loop."""

    def __init__(self, messages: MessagePlatform, app_id: str = "2021004100000000") -> None:
        self.messages = messages
        self.app_id = app_id
        self.templates = {"ALI_TPL_1001"}
        self._city, self._own = (rsa.generate_private_key(65537, 2048) for _ in range(2))
        self._other: rsa.RSAPrivateKey | None = None
        self._codes: dict[str, tuple[AlipayUser, int]] = {}
        self._sent = 0

    @property
    def city_key(self) -> str:
        """Bare base64 of PKCS#8, as Alipay's tool gives it."""
        raw = self._city.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return base64.b64encode(raw).decode()

    @property
    def alipay_key(self) -> str:
        raw = self._own.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(raw).decode()

    # ---- who somebody is ----------------------------------------------------------------------------

    def code_for(self, user: AlipayUser) -> str:
        code = secrets.token_hex(16)
        self._codes[code] = (user, self.messages.clock.now_ms() + CODE_MS)
        return code

    def back(self, redirect_uri: str, state: str, user: AlipayUser) -> str:
        """Where a browser goes once its person agreed."""
        query = {
            "app_id": self.app_id,
            "source": "alipay_wallet",
            "scope": "auth_base",
            "auth_code": self.code_for(user),
            "state": state,
        }
        return f"{redirect_uri}?{urlencode(query)}"

    # ---- the gateway --------------------------------------------------------------------------------

    def answer(self, params: dict[str, str]) -> str:
        """The whole answer to a request with these parameters of address and body."""
        method = params.get("method", "")
        if refused := self._wrong(params):
            return self._signed("error_response", refused)
        found = self._send(params) if method == SEND else self._token(params)
        good = found.get("code", "10000") == "10000"
        # Who asks for a token and gets none is answered as by any error.
        name = (
            "error_response"
            if method == TOKEN and not good
            else method.replace(".", "_") + "_response"
        )
        return self._signed(name, found)

    def _wrong(self, params: dict[str, str]) -> dict[str, str] | None:
        """What is wrong with a request before anybody looks at what it wants."""
        if params.get("app_id") != self.app_id:
            return _refusal("40002", "isv.invalid-app-id")
        if params.get("sign_type") != "RSA2" or params.get("version") != "1.0":
            return _refusal("40002", "isv.invalid-signature-type")
        names = sorted(name for name in params if name != "sign" and params[name] != "")
        text = "&".join(name + "=" + params[name] for name in names)
        try:
            mac = base64.b64decode(params.get("sign", ""), validate=True)
            digest = hashlib.sha256(text.encode()).digest()
            self._city.public_key().verify(mac, digest, padding.PKCS1v15(), Prehashed(SHA256()))
        except (InvalidSignature, ValueError):
            return _refusal("40002", "isv.invalid-signature")
        if params.get("method") not in (SEND, TOKEN):
            return _refusal("40002", "isv.invalid-method")
        return None

    def _token(self, params: dict[str, str]) -> dict[str, Any]:
        user, until = self._codes.pop(params.get("code", ""), (None, 0))
        now = self.messages.clock.now_ms()
        if params.get("grant_type") != "authorization_code" or user is None or until <= now:
            return _refusal("40002", "isv.code-invalid")
        return {
            user.key: user.id,
            "access_token": f"authbse{secrets.token_hex(12)}",
            "expires_in": "300",
            "refresh_token": f"authbse{secrets.token_hex(12)}",
            "re_expires_in": "300",
        }

    def _send(self, params: dict[str, str]) -> dict[str, Any]:
        self.messages.asked[Way.ALIPAY] += 1
        fault = self.messages.faults[Way.ALIPAY]
        if fault is Fault.BUSY:
            return _refusal("40004", "PUB.MSG_BATCH_SD_OVER")
        try:
            body = json.loads(params.get("biz_content", ""))
            template, context = body["template"]["template_id"], body["template"]["context"]
            title, text = context["first"]["value"], context["keyword1"]["value"]
        except (ValueError, KeyError, TypeError):
            return _refusal("40002", "isv.invalid-parameter")
        user = USERS.get(body.get("to_open_id") or body.get("to_user_id", ""))
        key = "open_id" if "to_open_id" in body else "user_id"
        if fault is Fault.REFUSE or user is None or user.key != key or not user.follows:
            return _refusal("40004", "PUB.USER_NOT_FOLLOW")
        if template not in self.templates:
            return _refusal("40004", "PUB.TEMPLATE_NOT_EXIST")
        self._sent += 1
        name = f"A{self._sent:08d}"
        self.messages.take(Way.ALIPAY, name, user.title, title, text, link=context.get("url", ""))
        return {"code": "10000", "msg": "Success", "message_id": name}

    def _signed(self, name: str, found: dict[str, Any]) -> str:
        # As Alipay's own: slashes are escaped, which who serialises anew would lose.
        text = json.dumps(found, ensure_ascii=False).replace("/", "\\/")
        key = self._own
        if self.messages.faults[Way.ALIPAY] is Fault.FORGED:
            self._other = self._other or rsa.generate_private_key(65537, 2048)
            key = self._other
        digest = hashlib.sha256(text.encode()).digest()
        mac = base64.b64encode(key.sign(digest, padding.PKCS1v15(), Prehashed(SHA256()))).decode()
        return f'{{"{name}":{text},"sign":"{mac}"}}'


def _refusal(code: str, sub_code: str) -> dict[str, str]:
    return {"code": code, "msg": "Business Failed", "sub_code": sub_code, "sub_msg": sub_code}
