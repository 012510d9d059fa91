"""Single sign-on by OpenID Connect: a client for staff and for citizens alike (docs/integrators/single-sign-on.md).

Authorization code with PKCE (S256). What an attempt needs at its return (state, nonce, verifier, where to go) is sealed
into a short-lived cookie of the browser that began it, with a key made from the client's secret: every worker can open
it, and no row waits for visitors who never come back. Tokens stay in this module: they are in no log, no address, no table.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
import structlog
from aiohttp import web

from console.core.oidc_provider import LOCAL, OidcProvider, ProviderDocs
from console.core.oidc_tokens import OidcRejectedError, b64url, checked_claims, checked_logout
from console.core.web import UOW
from qingting.contract.base import Record, Strict
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.seal import Sealer, SealError, SealKey

ATTEMPT_MS = 10 * 60_000
"""How long somebody may take at the provider."""
LONGEST_NEXT = 500

log = structlog.get_logger(__name__)


class Attempt(Strict, frozen=True, kw_only=True):
    """What a login that began here has to come back with. ``next`` is where its person wanted to go."""

    state: str
    nonce: str
    verifier: str
    next: str
    at: int


class SignOn(Record, frozen=True, kw_only=True):
    """The providers of staff and of citizens, and what browsers call this server by (empty: what each request says)."""

    staff: OidcProvider = OidcProvider()
    citizens: OidcProvider = OidcProvider()
    public_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom the provider named. ``subject`` is unique within ``issuer``; ``claims`` are those of the id_token, and of
    the userinfo where the provider has one. ``strong``: it says that it asked for two factors."""

    issuer: str
    subject: str
    claims: Mapping[str, Any]
    strong: bool

    def text(self, name: str) -> str:
        """A claim as text; empty when it is missing or is none."""
        value = self.claims.get(name)
        return value.strip()[:200] if isinstance(value, str) else ""

    def __repr__(self) -> str:
        return "Identity(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedOut:
    """Who logged out at the provider: somebody (``subject``) everywhere, or of one of its sessions (``sid``); one of both
    may be empty. ``at``: when the provider said so, UTC milliseconds."""

    issuer: str
    subject: str
    sid: str
    at: int


@dataclass(frozen=True, slots=True)
class Return:
    """A login that came back. ``next`` is a path of this server."""

    identity: Identity
    next: str


class OidcClient:
    """A client of one provider; see the module. Every failure is a :class:`Refusal` ``oidc.…``."""

    def __init__(self, provider: OidcProvider, clock: Clock) -> None:
        self.provider = provider
        self._clock = clock
        self._docs = ProviderDocs(provider, clock)
        self._sealer = _sealer_of(provider)

    async def begin(
        self, redirect_uri: str, next_path: str, *, prompt: str = ""
    ) -> tuple[str, str]:
        """Where to send the browser, and the text to give it as a cookie. Raises ``oidc.unavailable``."""
        docs = await self._docs.discovery()
        attempt = Attempt(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            next=inside(next_path)[:LONGEST_NEXT],
            at=self._clock.now_ms(),
        )
        query = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": redirect_uri,
            "scope": self.provider.scope,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": b64url(sha256(attempt.verifier.encode()).digest()),
            "code_challenge_method": "S256",
        } | ({"prompt": prompt} if prompt else {})
        where = docs.authorization_endpoint
        url = where + ("&" if "?" in where else "?") + urlencode(query)
        return url, self._sealer.seal(msgspec.json.encode(attempt).decode(), context="oidc")

    async def finish(self, sealed: str, redirect_uri: str, query: Mapping[str, str]) -> Return:
        """What the provider answered, checked. ``sealed`` is the browser's cookie.

        Raises ``oidc.mismatch`` (not begun in this browser, or too long ago), ``oidc.declined`` (the person said no),
        ``oidc.failed`` (the provider did), ``oidc.rejected`` (its answer is not to be trusted), ``oidc.unavailable``.
        """
        attempt = self._attempt(sealed, query.get("state", ""))
        if said := query.get("error"):
            raise Refusal("oidc.declined" if said == "access_denied" else "oidc.failed")
        code = query.get("code", "")
        if query.get("iss", self.provider.issuer) != self.provider.issuer or not code:
            raise _rejected("iss" if code else "code")
        answer = await self._docs.exchange(code, attempt.verifier, redirect_uri)
        try:
            claims = await self._claims(answer.id_token, attempt.nonce)
        except OidcRejectedError as error:
            raise _rejected(error.check) from error
        more = await self._docs.userinfo(answer.access_token) if answer.access_token else {}
        if more and more.get("sub") != claims["sub"]:
            raise _rejected("userinfo")
        merged = {**more, **claims}
        identity = Identity(
            issuer=self.provider.issuer,
            subject=str(claims["sub"]),
            claims=merged,
            strong=self._strong(claims),
        )
        return Return(identity, attempt.next)

    def _attempt(self, sealed: str, state: str) -> Attempt:
        try:
            opened = self._sealer.open(sealed, context="oidc")
            attempt = msgspec.json.decode(opened, type=Attempt)
        except (SealError, msgspec.DecodeError) as error:
            raise Refusal("oidc.mismatch") from error
        old = self._clock.now_ms() - attempt.at > ATTEMPT_MS
        if old or not hmac.compare_digest(attempt.state.encode(), state.encode()):
            raise Refusal("oidc.mismatch")
        return attempt

    async def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        key = await self._docs.key_for(token)
        return checked_claims(
            token,
            key,
            issuer=self.provider.issuer,
            client_id=self.provider.client_id,
            nonce=nonce,
            now_s=self._clock.now_ms() // 1000,
        )

    async def logged_out(self, token: str) -> LoggedOut:
        """What a logout token says. Raises ``oidc.rejected``, ``oidc.unavailable``."""
        try:
            key = await self._docs.key_for(token)
            claims = checked_logout(
                token,
                key,
                issuer=self.provider.issuer,
                client_id=self.provider.client_id,
                now_s=self._clock.now_ms() // 1000,
            )
        except OidcRejectedError as error:
            raise _rejected(error.check) from error
        return LoggedOut(
            issuer=self.provider.issuer,
            subject=claims.get("sub", ""),
            sid=claims.get("sid", ""),
            at=int(claims["iat"]) * 1000,
        )

    def _strong(self, claims: Mapping[str, Any]) -> bool:
        """RFC 8176: ``mfa`` among the methods; or a class that the settings name."""
        methods = claims.get("amr")
        said = isinstance(methods, list) and "mfa" in methods
        return said or claims.get("acr") in self.provider.strong_classes

    async def end_session_url(self, back: str) -> str:
        """Where a browser logs out of the provider too; empty when the provider has no such page."""
        docs = await self._docs.discovery()
        if not docs.end_session_endpoint:
            return ""
        query = {"client_id": self.provider.client_id, "post_logout_redirect_uri": back}
        return f"{docs.end_session_endpoint}?{urlencode(query)}"


class OidcDoor:
    """The two ends of a login on one of our pages: ``path`` is where the provider sends the browser back to.

    The cookie is for that path alone, not for scripts, and comes with the provider's redirect (``SameSite=Lax``).
    ``public_url`` is what browsers call this server by; empty: by what each request says. While the provider is asked the
    request's transaction is closed (:meth:`console.core.uow.Uow.outside`).
    """

    def __init__(
        self, client: OidcClient, path: str, *, cookie: str, public_url: str, secure: bool
    ) -> None:
        self.client = client
        self._path, self._cookie = path, cookie
        self._public_url, self._secure = public_url.rstrip("/"), secure

    def address(self, request: web.Request, path: str) -> str:
        return (self._public_url or str(request.url.origin())) + path

    async def begin(self, request: web.Request, *, prompt: str = "") -> web.HTTPException:
        """The redirect to raise; ``?next=`` of the request is remembered."""
        back, wanted = self.address(request, self._path), request.query.get("next", "/")
        async with request[UOW].outside():
            url, sealed = await self.client.begin(back, wanted, prompt=prompt)
        answer = web.HTTPFound(url)
        answer.set_cookie(
            self._cookie, sealed, path=self._path, max_age=ATTEMPT_MS // 1000,
            httponly=True, samesite="Lax", secure=self._secure,
        )  # fmt: skip
        return answer

    async def finish(self, request: web.Request) -> Return:
        """Whom the provider named. Raises what :meth:`OidcClient.finish` raises."""
        back, sealed = self.address(request, self._path), request.cookies.get(self._cookie, "")
        async with request[UOW].outside():
            return await self.client.finish(sealed, back, dict(request.query))

    async def end_session_url(self, request: web.Request, path: str) -> str:
        """:meth:`OidcClient.end_session_url`, and back to a path of ours. Raises ``oidc.unavailable``."""
        async with request[UOW].outside():
            return await self.client.end_session_url(self.address(request, path))

    def forget(self, response: web.StreamResponse) -> None:
        """An attempt is good once: its cookie goes with the answer."""
        response.del_cookie(self._cookie, path=self._path)


def inside(path: str) -> str:
    """A path of this server only; anything else is its first page."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


def sign_on_faults(settings: SignOn) -> list[str]:
    """What is wrong with the settings of both, one English line each."""
    faults = provider_faults("oidc", settings.staff)
    faults += provider_faults("citizen_oidc", settings.citizens)
    url = urlsplit(settings.public_url)
    if settings.public_url and (url.scheme not in ("http", "https") or url.path.strip("/")):
        faults.append("public_url: https://host or https://host:port is expected")
    return faults


def provider_faults(name: str, provider: OidcProvider) -> list[str]:
    """What is wrong with the settings of a provider, one English line each; ``name`` begins their names."""
    if not provider.issuer:
        return []
    faults = []
    url = urlsplit(provider.issuer)
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in LOCAL):
        faults.append(f"{name}_issuer: must begin with https://")
    if not provider.client_id:
        faults.append(f"{name}_client_id: needed for single sign-on")
    if len(provider.client_secret) < 16:
        faults.append(f"{name}_client_secret: at least 16 characters are needed")
    return faults


def _sealer_of(provider: OidcProvider) -> Sealer:
    given = f"{provider.issuer}\n{provider.client_id}\n{provider.client_secret}".encode()
    raw = hmac.new(given, b"qingting oidc attempt", "sha256").digest()
    return Sealer([SealKey("o", raw[:16], raw[16:])])


def _rejected(check: str) -> Refusal:
    # The word of the check is for whoever runs the city; the person reads what to do.
    log.warning("oidc.rejected", check=check)
    return Refusal("oidc.rejected", check=check)


__all__ = [
    "Identity",
    "LoggedOut",
    "OidcClient",
    "OidcDoor",
    "OidcProvider",
    "Return",
    "SignOn",
    "inside",
    "provider_faults",
    "sign_on_faults",
]
