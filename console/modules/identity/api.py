"""What the rest of the console may know of administrators."""

from dataclasses import dataclass
from typing import Protocol

from console.core.module import ApiKey
from console.core.permissions import Subject
from console.core.uow import ReadUow, Uow

FIRST_ADMINISTRATOR = "admin"
"""Name of the account that the first start creates; its password is made at random."""
MUST_CHANGE = "must_change"
"""Mark of a session that may only change its password."""


@dataclass(frozen=True, slots=True)
class OneTimePassword:
    """Shown once, never stored in clear; it must be changed at the first login."""

    account: str
    password: str

    def __repr__(self) -> str:
        return f"OneTimePassword(account={self.account!r})"


class IdentityApi(Protocol):
    """Administrators."""

    async def first_start(self, uow: Uow) -> OneTimePassword | None:
        """Creates the first administrator when no account exists."""
        ...

    async def renew_password(self, uow: Uow, subject: Subject, name: str) -> OneTimePassword:
        """Another one-time password for an account; ends its sessions and its lock."""
        ...

    async def subject(self, uow: ReadUow, account: str, address: str) -> Subject | None:
        """Who an account is now; None when it is disabled or gone."""
        ...


IDENTITY = ApiKey[IdentityApi]("IDENTITY")
