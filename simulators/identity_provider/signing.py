"""Signs tokens with plain primitives, so that nothing of the client's library stands on both sides."""

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _number(value: int, length: int) -> str:
    return b64(value.to_bytes(length, "big"))


class SigningKey:
    """A key pair; ``algorithm`` is ``ES256`` or ``RS256``."""

    def __init__(self, algorithm: str = "ES256") -> None:
        self.kid = secrets.token_hex(6)
        self.algorithm = algorithm
        self._key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
        if algorithm == "RS256":
            self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        else:
            self._key = ec.generate_private_key(ec.SECP256R1())

    def public(self) -> dict[str, str]:
        """The public half as a JWK (RFC 7517)."""
        common = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if isinstance(self._key, rsa.RSAPrivateKey):
            numbers = self._key.public_key().public_numbers()
            return {
                "kty": "RSA",
                "n": _number(numbers.n, 256),
                "e": _number(numbers.e, 3),
                **common,
            }
        point = self._key.public_key().public_numbers()
        return {
            "kty": "EC",
            "crv": "P-256",
            "x": _number(point.x, 32),
            "y": _number(point.y, 32),
            **common,
        }

    def sign(self, claims: dict[str, Any]) -> str:
        signed = _signed({"alg": self.algorithm, "kid": self.kid, "typ": "JWT"}, claims)
        if isinstance(self._key, rsa.RSAPrivateKey):
            raw = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        else:
            r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
            raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return f"{signed}.{b64(raw)}"


def sign_with_secret(claims: dict[str, Any], secret: str, kid: str) -> str:
    """HS256: what a client must not take, as it knows the secret too."""
    signed = _signed({"alg": "HS256", "kid": kid, "typ": "JWT"}, claims)
    return f"{signed}.{b64(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())}"


def not_signed(claims: dict[str, Any], kid: str) -> str:
    """``alg`` none."""
    return _signed({"alg": "none", "kid": kid, "typ": "JWT"}, claims) + "."


def _signed(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return ".".join(b64(json.dumps(part, ensure_ascii=False).encode()) for part in (header, claims))
