"""What the provider knows: clients, codes that wait to be exchanged, keys that it rotates, its faults."""

import asyncio
import hashlib
import hmac
import secrets
from enum import StrEnum
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from qingting.kernel.aio.clock import Clock, SystemClock
from simulators.identity_provider.people import CITIZENS, STAFF, User, staff_user
from simulators.identity_provider.signing import SigningKey, b64, not_signed, sign_with_secret

CODE_MS = 60_000
TOKEN_S = 300
KEPT_KEYS = 2
SLOW_SECONDS = 30.0


class Audience(StrEnum):
    """Whom a client is for."""

    STAFF = "staff"
    CITIZENS = "citizens"


class Fault(StrEnum):
    """How the provider misbehaves."""

    NONCE = "nonce"
    AUD = "aud"
    ISS = "iss"
    EXPIRED = "expired"
    UNKNOWN_KEY = "unknown_key"
    SECRET_ALG = "secret_alg"  # noqa: S105 - the word for HS256
    NO_ALG = "no_alg"
    TAMPERED = "tampered"
    USERINFO = "userinfo"
    MALFORMED = "malformed"
    SLOW = "slow"
    DOWN = "down"


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """Registered with its addresses. A loopback address may have any port (RFC 8252 §7.3). ``logout``: the path, beside
    where people are led back to, at which it is told that somebody logged out; empty: it is not told."""

    id: str
    secret: str
    audience: Audience
    redirects: tuple[str, ...]
    logout: str = ""

    def takes(self, uri: str) -> bool:
        return uri in self.redirects or _without_port(uri) in self.redirects


def _without_port(uri: str) -> str:
    url = urlsplit(uri)
    return f"{url.scheme}://{url.hostname}{url.path}" if url.hostname == "127.0.0.1" else uri


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization request, as it came in."""

    client_id: str
    redirect_uri: str
    response_type: str = ""
    scope: str = ""
    state: str = ""
    nonce: str = ""
    code_challenge: str = ""
    code_challenge_method: str = ""


class Grant(msgspec.Struct, kw_only=True):
    """A code, and after its exchange an access token."""

    wish: Wish
    user: User
    strong: bool
    until: int
    sid: str
    used: bool = False


class RefusedError(Exception):
    """``code`` of RFC 6749 §5.2."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class IdentityProvider:
    """``issuer`` is known once it is served."""

    def __init__(self, clock: Clock | None = None, *, algorithm: str = "ES256") -> None:
        self.clock = clock or SystemClock()
        self.issuer = ""
        self.fault: Fault | None = None
        self.clients: dict[str, Client] = {}
        self.asked_keys = 0
        """Times that somebody fetched the keys."""
        self._algorithm = algorithm
        self._keys = [SigningKey(algorithm)]
        self._grants: dict[str, Grant] = {}
        self._access: dict[str, Grant] = {}
        self._lifted = asyncio.Event()

    def register(self, audience: Audience, *redirects: str, logout: str = "") -> Client:
        """A client with a new secret."""
        one = Client(
            id=f"qingting-{audience.value}",
            secret=secrets.token_urlsafe(24),
            audience=audience,
            redirects=redirects,
            logout=logout,
        )
        self.clients[one.id] = one
        return one

    # ---- keys --------------------------------------------------------------------------------------

    def rotate(self) -> None:
        """Signs with another key from now on; the former stays among the published ones for a while."""
        self._keys = [SigningKey(self._algorithm), *self._keys][:KEPT_KEYS]

    def public_keys(self) -> dict[str, Any]:
        self.asked_keys += 1
        return {"keys": [one.public() for one in self._keys]}

    # ---- people ------------------------------------------------------------------------------------

    def users(self, client: Client) -> dict[str, User]:
        return STAFF if client.audience is Audience.STAFF else CITIZENS

    def user(self, client: Client, chosen: str, number: str) -> User | None:
        """One of the list, or whoever has the typed staff number."""
        if number and client.audience is Audience.STAFF:
            return self.users(client).get(f"staff-{number}") or staff_user(number[:20])
        return self.users(client).get(chosen)

    # ---- the flow ----------------------------------------------------------------------------------

    def client_of(self, wish: Wish) -> Client | None:
        """The client that a browser was sent by; None when the address to return to is not its own."""
        found = self.clients.get(wish.client_id)
        return found if found is not None and found.takes(wish.redirect_uri) else None

    def wrong(self, wish: Wish) -> str:
        """What is wrong with a request of a known client, by RFC 6749 §4.1.2.1; empty: nothing."""
        if wish.response_type != "code":
            return "unsupported_response_type"
        if "openid" not in wish.scope.split():
            return "invalid_scope"
        proof = wish.code_challenge_method == "S256" and len(wish.code_challenge) == 43
        return "" if proof and wish.state and wish.nonce else "invalid_request"

    def consent(self, wish: Wish, user: User, *, strong: bool, sid: str = "") -> tuple[str, str]:
        """A code for somebody who has logged in, and the browser's session: ``sid`` goes on while it is the same person's."""
        code = secrets.token_urlsafe(32)
        until = self.clock.now_ms() + CODE_MS
        known = any(one.sid == sid and one.user.id == user.id for one in self._grants.values())
        sid = sid if known else secrets.token_hex(8)
        self._grants[code] = Grant(wish=wish, user=user, strong=strong, until=until, sid=sid)
        return code, sid

    def log_out(self, sid: str) -> list[tuple[str, str]]:
        """Ends a browser's session. Whom to tell of it: addresses, each with a logout token."""
        told: dict[str, str] = {}
        for one in self._access.values():
            client = self.clients[one.wish.client_id]
            if one.sid == sid and client.logout:
                where = urljoin(one.wish.redirect_uri, client.logout)
                told[where] = self.logout_token(client, one.user.id, sid)
        return list(told.items())

    def exchange(
        self, client_id: str, secret: str, code: str, redirect_uri: str, verifier: str
    ) -> dict[str, Any]:
        """RFC 6749 §4.1.3 with RFC 7636. Raises :class:`RefusedError`."""
        client = self.clients.get(client_id)
        if client is None or not hmac.compare_digest(client.secret.encode(), secret.encode()):
            raise RefusedError("invalid_client")
        grant = self._grants.get(code)
        if grant is None or grant.used or grant.until <= self.clock.now_ms():
            raise RefusedError("invalid_grant")
        grant.used = True
        proof = b64(hashlib.sha256(verifier.encode()).digest())
        fits = grant.wish.client_id == client_id and grant.wish.redirect_uri == redirect_uri
        if not fits or not hmac.compare_digest(proof, grant.wish.code_challenge):
            raise RefusedError("invalid_grant")
        access = secrets.token_urlsafe(24)
        self._access[access] = grant
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": TOKEN_S,
            "id_token": self._id_token(client, grant),
        }

    def _id_token(self, client: Client, grant: Grant) -> str:
        now = self.clock.now_ms() // 1000
        claims = {
            "iss": self.issuer,
            "sub": grant.user.id,
            "aud": client.id,
            "iat": now,
            "exp": now + TOKEN_S,
            "auth_time": now,
            "nonce": grant.wish.nonce,
            "sid": grant.sid,
            "amr": ["pwd", "otp", "mfa"] if grant.strong else ["pwd"],
        }
        match self.fault:
            case Fault.NONCE:
                claims["nonce"] = secrets.token_urlsafe(24)
            case Fault.AUD:
                claims["aud"] = "somebody-else"
            case Fault.ISS:
                claims["iss"] = "https://elsewhere.example"
            case Fault.EXPIRED:
                claims |= {"iat": now - 900, "exp": now - 600}
            case _:
                pass
        return self._sign(claims, client)

    def logout_token(self, client: Client, user: str = "", sid: str = "", **odd: Any) -> str:
        """What a client is told when somebody logged out here (Back-Channel Logout 1.0 §2.4); ``odd`` claims come on top,
        those of value None are left out."""
        now = self.clock.now_ms() // 1000
        claims = {
            "iss": self.issuer,
            "aud": client.id,
            "iat": now,
            "exp": now + TOKEN_S,
            "jti": secrets.token_hex(8),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
            "sub": user or None,
            "sid": sid or None,
            **odd,
        }
        return self._sign({k: v for k, v in claims.items() if v is not None}, client)

    def sessions(self, user: str) -> list[str]:
        """Sessions of somebody, the oldest first."""
        return [one.sid for one in self._access.values() if one.user.id == user]

    def _sign(self, claims: dict[str, Any], client: Client) -> str:
        match self.fault:
            case Fault.UNKNOWN_KEY:
                return SigningKey(self._algorithm).sign(claims)
            case Fault.SECRET_ALG:
                return sign_with_secret(claims, client.secret, self._keys[0].kid)
            case Fault.NO_ALG:
                return not_signed(claims, self._keys[0].kid)
            case Fault.TAMPERED:
                header, _, signature = self._keys[0].sign(claims).split(".")
                other = self._keys[0].sign({**claims, "sub": "somebody-else"}).split(".")[1]
                return f"{header}.{other}.{signature}"
            case _:
                return self._keys[0].sign(claims)

    def userinfo(self, access: str) -> dict[str, Any]:
        """Raises :class:`RefusedError`."""
        grant = self._access.get(access)
        if grant is None:
            raise RefusedError("invalid_token")
        subject = "somebody-else" if self.fault is Fault.USERINFO else grant.user.id
        return {"sub": subject, **grant.user.claims}

    # ---- faults ------------------------------------------------------------------------------------

    def set_fault(self, fault: Fault | None) -> None:
        """From now on, until another is set."""
        self.fault = fault
        self._lifted.set()
        self._lifted = asyncio.Event()

    async def dawdle(self) -> None:
        """Ends when the provider is not slow any more, or after a long while."""
        lifted = self._lifted
        if self.fault is Fault.SLOW:
            try:
                async with asyncio.timeout(SLOW_SECONDS):
                    await lifted.wait()
            except TimeoutError:
                return
