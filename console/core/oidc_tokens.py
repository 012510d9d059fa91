"""Checks of an id_token (OpenID Connect Core 1.0 §3.1.3.7), without any input or output."""

import base64
import hmac
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

ALGORITHMS = ("RS256", "PS256", "ES256")
"""What an id_token may be signed with: never ``none``, never with a secret that we hold too."""
LEEWAY_S = 60
OLDEST_S = 600
"""An id_token is for the login that it ends: one issued longer ago is refused."""
LONGEST_SUBJECT = 255
SMALLEST_RSA = 2048
Key = RSAKey | ECKey


class OidcRejectedError(Exception):
    """An id_token is not to be trusted; ``check`` is the word of what did not fit."""

    def __init__(self, check: str) -> None:
        super().__init__(check)
        self.check = check


def b64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def header_of(token: str) -> dict[str, Any] | None:
    """The header of a signed token in its compact form; None for anything else."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        raw = base64.urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4))
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (ValueError, msgspec.DecodeError):
        return None


def usable_keys(document: bytes) -> KeySet | None:
    """The keys of a JWK set that may sign; None when it is none. Keys of kinds that we do not take are passed over."""
    try:
        raw = msgspec.json.decode(document, type=dict[str, list[dict[str, Any]]])["keys"]
    except (msgspec.DecodeError, KeyError):
        return None
    found: list[Any] = []
    for one in raw:
        if one.get("use", "sig") != "sig" or one.get("kty") not in ("RSA", "EC"):
            continue
        try:
            key = RSAKey.import_key(one) if one["kty"] == "RSA" else ECKey.import_key(one)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if not isinstance(key, RSAKey) or key.public_key.key_size >= SMALLEST_RSA:
            found.append(key)
    return KeySet(found)


def checked_claims(
    token: str, key: Key, *, issuer: str, client_id: str, nonce: str, now_s: int
) -> dict[str, Any]:
    """The claims of a token that is signed by ``key`` and meant for this login. Raises :class:`OidcRejectedError`."""
    try:
        claims = jwt.decode(token, key, algorithms=list(ALGORITHMS)).claims
    except (JoseError, ValueError) as error:
        raise OidcRejectedError("signature") from error
    _check_times(claims, now_s)
    subject, given = claims.get("sub"), claims.get("nonce")
    if claims.get("iss") != issuer:
        raise OidcRejectedError("iss")
    if not _is_for(claims, client_id):
        raise OidcRejectedError("aud")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise OidcRejectedError("nonce")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise OidcRejectedError("sub")
    return claims


LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


def checked_logout(
    token: str, key: Key, *, issuer: str, client_id: str, now_s: int
) -> dict[str, Any]:
    """The claims of a logout token (OpenID Connect Back-Channel Logout 1.0 §2.6): signed by ``key``, for us, of now, about
    somebody or a session, and no id_token. Raises :class:`OidcRejectedError`."""
    try:
        claims = jwt.decode(token, key, algorithms=list(ALGORITHMS)).claims
    except (JoseError, ValueError) as error:
        raise OidcRejectedError("signature") from error
    _check_times(claims, now_s)
    events = claims.get("events")
    if claims.get("iss") != issuer:
        raise OidcRejectedError("iss")
    if not _is_for(claims, client_id):
        raise OidcRejectedError("aud")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise OidcRejectedError("events")
    if "nonce" in claims or not isinstance(claims.get("jti"), str):
        raise OidcRejectedError("nonce" if "nonce" in claims else "jti")
    about = [claims.get(name) for name in ("sub", "sid") if name in claims]
    if not about or not all(isinstance(one, str) and one for one in about):
        raise OidcRejectedError("sub")
    return claims


def _check_times(claims: dict[str, Any], now_s: int) -> None:
    until, since = _time(claims.get("exp")), _time(claims.get("iat"))
    if until is None or until <= now_s - LEEWAY_S:
        raise OidcRejectedError("exp")
    if since is None or not now_s - OLDEST_S <= since <= now_s + LEEWAY_S:
        raise OidcRejectedError("iat")


def _time(value: Any) -> float | None:
    right = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if right else None


def _is_for(claims: dict[str, Any], client_id: str) -> bool:
    """Ours alone, or ours among others and asked for by us."""
    aud, party = claims.get("aud"), claims.get("azp")
    if isinstance(aud, str):
        return aud == client_id and party in (None, client_id)
    if not isinstance(aud, list) or client_id not in aud:
        return False
    return party == client_id if len(aud) > 1 else party in (None, client_id)
