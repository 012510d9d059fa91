"""Which login at the identity platform a session stands on, as digests: who it was, and the platform's own session."""

from qingting.kernel.security.device_keys import digest


def origin_of(issuer: str, subject: str, sid: str) -> str:
    """``<digest of who>/<digest of the platform's session>``; the second half is empty where none was named."""
    return f"{_half(issuer, subject)}/{_half(issuer, sid)}"


def _half(issuer: str, name: str) -> str:
    return digest(f"{issuer}\n{name}") if name else ""
