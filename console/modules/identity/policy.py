"""The rules of logging in (standards.md C1 items 1, 2, 4), as the security administrator sets them within sane limits."""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from console.core.permissions import DUTIES, Permission
from qingting.contract.base import Strict

DAY_MS = 86_400_000
LONGEST_SESSION_MS = DAY_MS
"""No policy lets a session last longer."""


class Policy(Strict, frozen=True, kw_only=True):
    """``remembered``: so many last passwords are not to be used again. ``grace_days``: so long after it was made an account
    may go without the second factor that it needs. ``factor_for``: functions that need one besides those of the
    three administrators, which always do. ``version`` counts changes."""

    version: int = 0
    password_days: Annotated[int, msgspec.Meta(ge=7, le=365)] = 90
    remembered: Annotated[int, msgspec.Meta(ge=1, le=24)] = 5
    attempts: Annotated[int, msgspec.Meta(ge=3, le=10)] = 5
    lock_minutes: Annotated[int, msgspec.Meta(ge=5, le=1440)] = 15
    idle_minutes: Annotated[int, msgspec.Meta(ge=5, le=120)] = 30
    session_hours: Annotated[int, msgspec.Meta(ge=1, le=24)] = 12
    grace_days: Annotated[int, msgspec.Meta(ge=0, le=30)] = 0
    factor_for: tuple[Permission, ...] = ()

    @property
    def limits(self) -> tuple[int, int]:
        """Milliseconds that a session may idle, and that it lasts."""
        return self.idle_minutes * 60_000, self.session_hours * 3_600_000

    def needs_factor(self, functions: Iterable[Permission], made_at: int, now: int) -> bool:
        """True for an account, made at ``made_at``, that may do nothing more with a password alone."""
        asked = any(one in DUTIES or one in self.factor_for for one in functions)
        return asked and now >= made_at + self.grace_days * DAY_MS


class PolicyBook:
    """The policy as this worker last saw it: every request of somebody logged in reads it anew, with the session."""

    def __init__(self) -> None:
        self.policy = Policy()

    def limits(self) -> tuple[int, int]:
        return self.policy.limits
