"""The provider's side as the client sees it: its documents, its keys, and what it answers."""

from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from console.core.oidc_tokens import Key, OidcRejectedError, header_of, usable_keys
from qingting.contract.base import Record
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock

ANSWER_SECONDS = 10.0
LARGEST_ANSWER = 256 * 1024
DOCS_KEPT_MS = 3_600_000
KEYS_AGAIN_MS = 30_000
"""An unknown key asks for the provider's keys again, but not more often than this."""
SLOW_SECONDS = 1.0
MOST_SLOW = 3
"""While so many have waited for the provider for longer than that, nobody else does: who comes then is told at once."""
LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})

log = structlog.get_logger(__name__)
T = TypeVar("T")


class OidcProvider(Record, frozen=True, kw_only=True):
    """Settings of a provider; none is set while ``issuer`` is empty. ``strong_classes`` are values of ``acr`` by which it
    says that two factors were asked for."""

    issuer: str = ""
    client_id: str = ""
    client_secret: str = ""
    scope: str = "openid profile"
    strong_classes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"OidcProvider(issuer={self.issuer!r}, client_id={self.client_id!r})"


class Discovery(Record, frozen=True, kw_only=True):
    """OpenID Connect Discovery 1.0 §3, as far as we need it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class TokenAnswer(Record, frozen=True, kw_only=True):
    """RFC 6749 §5.1 with the id_token."""

    id_token: str
    access_token: str = ""

    def __repr__(self) -> str:
        return "TokenAnswer(…)"


class ProviderDocs:
    """Asks the provider. What it says about itself is kept for an hour."""

    def __init__(self, provider: OidcProvider, clock: Clock) -> None:
        self._provider = provider
        self._clock = clock
        self._known: tuple[int, Discovery] | None = None
        self._keys: tuple[int, KeySet] | None = None
        self._asked: list[float] = []

    @property
    def waiting(self) -> int:
        """How many wait for an answer now."""
        return len(self._asked)

    async def discovery(self) -> Discovery:
        """Raises ``oidc.unavailable``, also for a document of another issuer."""
        now = self._clock.now_ms()
        if self._known is not None and now - self._known[0] < DOCS_KEPT_MS:
            return self._known[1]
        url = self._provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = _read(await self._get(url), Discovery)
        self._check(found)
        self._known = (now, found)
        return found

    def _check(self, found: Discovery) -> None:
        addresses = [
            found.authorization_endpoint, found.token_endpoint, found.jwks_uri,
            *filter(None, (found.userinfo_endpoint, found.end_session_endpoint)),
        ]  # fmt: skip
        if found.issuer != self._provider.issuer or not all(map(_is_safe, addresses)):
            raise _away("discovery")

    async def key_for(self, token: str) -> Key:
        """The provider's key that a token says it is signed with. Raises :class:`OidcRejectedError`, ``oidc.unavailable``."""
        header = header_of(token)
        if header is None:
            raise OidcRejectedError("form")
        now = self._clock.now_ms()
        if self._keys is None or now - self._keys[0] >= DOCS_KEPT_MS:
            await self._fetch_keys()
        found = self._key(header)
        if found is None and self._keys is not None and now - self._keys[0] >= KEYS_AGAIN_MS:
            await self._fetch_keys()
            found = self._key(header)
        if found is None:
            raise OidcRejectedError("key")
        return found

    def _key(self, header: dict[str, Any]) -> Key | None:
        assert self._keys is not None
        try:
            found = self._keys[1].get_by_kid(header.get("kid"))
        except JoseError:
            return None
        return found if isinstance(found, RSAKey | ECKey) else None

    async def _fetch_keys(self) -> None:
        docs = await self.discovery()
        keys = usable_keys(await self._get(docs.jwks_uri))
        if keys is None:
            raise _away("jwks")
        self._keys = (self._clock.now_ms(), keys)

    async def exchange(self, code: str, verifier: str, redirect_uri: str) -> TokenAnswer:
        """Raises ``oidc.failed`` when the code is not taken, ``oidc.unavailable``."""
        docs = await self.discovery()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"Accept": "application/json"}
        if "client_secret_basic" in docs.token_endpoint_auth_methods_supported:
            headers["Authorization"] = self._basic()
        else:
            form |= {
                "client_id": self._provider.client_id,
                "client_secret": self._provider.client_secret,
            }
        body = await self._ask("POST", docs.token_endpoint, data=form, headers=headers)
        return _read(body, TokenAnswer)

    def _basic(self) -> str:
        """RFC 6749 §2.3.1: both parts are form-encoded first."""
        user = quote(self._provider.client_id, safe="")
        return aiohttp.encode_basic_auth(user, quote(self._provider.client_secret, safe=""))

    async def userinfo(self, access_token: str) -> dict[str, Any]:
        """Claims beyond the id_token's; empty when the provider has no such address."""
        docs = await self.discovery()
        if not docs.userinfo_endpoint:
            return {}
        headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
        return _read(
            await self._ask("GET", docs.userinfo_endpoint, headers=headers), dict[str, Any]
        )

    async def _get(self, url: str) -> bytes:
        return await self._ask("GET", url, headers={"Accept": "application/json"})

    async def _ask(self, method: str, url: str, **given: Any) -> bytes:
        now = self._clock.monotonic()
        if sum(now - one >= SLOW_SECONDS for one in self._asked) >= MOST_SLOW:
            raise _away("slow")
        self._asked.append(now)
        try:
            return await self._answer(method, url, **given)
        finally:
            self._asked.remove(now)

    async def _answer(self, method: str, url: str, **given: Any) -> bytes:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as http,
                http.request(method, url, allow_redirects=False, **given) as answer,
            ):
                body = await answer.content.read(LARGEST_ANSWER + 1)
                while len(body) <= LARGEST_ANSWER and (more := await answer.content.readany()):
                    body += more
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _away(type(error).__name__) from error
        if 400 <= answer.status < 500 and method == "POST":
            log.warning("oidc.code_refused", status=answer.status)
            raise Refusal("oidc.failed")
        if answer.status != 200 or len(body) > LARGEST_ANSWER:
            raise _away(f"HTTP {answer.status}")
        return body


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise _away("form") from error


def _is_safe(address: str) -> bool:
    """https, or this machine."""
    url = urlsplit(address)
    return url.scheme == "https" or (url.scheme == "http" and url.hostname in LOCAL)


def _away(why: str) -> Refusal:
    log.warning("oidc.unavailable", why=why)
    return Refusal("oidc.unavailable")
