"""One-time codes of a second factor (RFC 6238), as pure rules: HMAC-SHA256, six digits, thirty seconds.

A code names its step of time. Whoever checks one keeps the step and takes none that is not later, so that a code which was
seen over a shoulder is worth nothing (standards.md C1 item 4).
"""

import hmac
import re
import secrets
from hashlib import sha256

import pyotp

STEP_S = 30
DRIFT_STEPS = 1
"""A telephone's clock may be off by this many steps either way."""
RECOVERY_CODES = 10
_CODE = re.compile(r"[0-9]{6}")
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_RECOVERY = re.compile(f"[{_LETTERS}]{{12}}")


def new_secret() -> str:
    """160 random bits, base32."""
    return pyotp.random_base32(32)


def key_uri(secret: str, *, account: str, issuer: str) -> str:
    """What the QR code of an enrolment says to the app."""
    return _totp(secret).provisioning_uri(name=account, issuer_name=issuer)


def _totp(secret: str) -> pyotp.TOTP:
    return pyotp.TOTP(secret, digest=sha256, interval=STEP_S)


def code_at(secret: str, step: int) -> str:
    """The code of a step since 1970."""
    return _totp(secret).generate_otp(step)


def matching_step(secret: str, code: str, now_ms: int, last_step: int) -> int | None:
    """The step that ``code`` stands for, if that is about now and later than ``last_step``; None: not to be taken."""
    given = "".join(code.split())
    if not _CODE.fullmatch(given):
        return None
    now = now_ms // 1000 // STEP_S
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        if step > last_step and hmac.compare_digest(code_at(secret, step), given):
            return step
    return None


def new_recovery_codes() -> tuple[str, ...]:
    """Ten codes of about sixty bits, in groups that can be read aloud."""
    return tuple(
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
        for _ in range(RECOVERY_CODES)
    )


def recovery_code(text: str) -> str:
    """What was typed as a recovery code in its one form; empty when it cannot be one."""
    plain = re.sub(r"[\s-]", "", text).lower()
    return plain if _RECOVERY.fullmatch(plain) else ""
