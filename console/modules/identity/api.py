"""What the rest of the console may know of administrators."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from console.core.module import ApiKey, SlotKey
from console.core.permissions import Duty, Permission, Reach, Scope, Subject
from console.core.uow import ReadUow, Uow
from qingting.contract.errors import Refusal

FIRST_ADMINISTRATORS: dict[str, Duty] = {
    "admin": Duty.SYSTEM,
    "security": Duty.SECURITY,
    "audit": Duty.AUDIT,
}
"""Names and duties of the accounts that the first start creates; their passwords are made at random."""
LOGIN = "/login"
"""Where staff log in."""
MUST_CHANGE = "must_change"
"""Mark of a session that may only change its password."""
TOO_OLD = "too_old"
"""Mark beside it: the password is not a one-time one but has served too long."""

SECOND = "second"
"""Mark of a session whose person still has to give the second factor."""
ENROL = "enrol"
"""Mark of a session that may only set up a second factor."""


def is_strong(means: str) -> bool:
    """True when a session began with two factors. ``means`` is ``password``, ``sso`` (single sign-on) or ``scan`` (from
    another session), with ``+code``, ``+recovery`` or ``+mfa`` for a second one."""
    return "+" in means


@dataclass(frozen=True, slots=True)
class OneTimePassword:
    """Shown once, never stored in clear; it must be changed at the first login."""

    account: str
    password: str

    def __repr__(self) -> str:
        return f"OneTimePassword(account={self.account!r})"


class IdentityApi(Protocol):
    """Accounts."""

    async def first_start(self, uow: Uow) -> tuple[OneTimePassword, ...]:
        """Creates the three administrators when no account exists; brings roles and divisions that come with the
        program."""
        ...

    async def renew_password(self, uow: Uow, subject: Subject, name: str) -> OneTimePassword:
        """Another one-time password for an account; ends its sessions and its lock."""
        ...

    async def reset_factor(self, uow: Uow, subject: Subject, name: str) -> None:
        """Takes an account's second factor away and ends its sessions. Raises ``account.unknown``, ``factor.none``."""
        ...

    async def open_addresses(self, uow: Uow, subject: Subject) -> None:
        """Drops all networks that staff are held to."""
        ...

    async def grant_grace(self, uow: Uow, days: int) -> None:
        """For a demonstration: accounts may go without a second factor for so long after they were made."""
        ...

    async def subject(self, uow: ReadUow, account: str, address: str) -> Subject | None:
        """Who an account is now; None when it is disabled or gone."""
        ...

    async def here(self, uow: ReadUow, account: str, address: str, means: str) -> bool:
        """Whether an account may come from an address now with a session that began with ``means``; False for one that is
        disabled or gone, and for one that needs a second factor which was not shown."""
        ...

    async def name(self, uow: ReadUow, account: str) -> str:
        """An account's name, also a disabled one's; empty when there is no such."""
        ...

    async def names(self, uow: ReadUow, accounts: Collection[str]) -> Mapping[str, str]:
        """Names of those of them that are accounts, by id."""
        ...

    async def reaches(self, uow: ReadUow, account: str, permission: Permission) -> list[Reach]:
        """Where an account has a function, as it was drawn: to hand on to something that it makes."""
        ...

    async def scope(self, uow: ReadUow, reaches: Collection[Reach]) -> Scope:
        """What these mean together now."""
        ...


IDENTITY = ApiKey[IdentityApi]("IDENTITY")


class ConfirmApi(Protocol):
    """Whether whoever sits at a session is its person, before an act that cannot be taken back."""

    async def has_factor(self, uow: ReadUow, subject: Subject) -> bool:
        """Whether the account has a second factor."""
        ...

    async def confirm_both(
        self, uow: Uow, subject: Subject, password: str, code: str
    ) -> Refusal | None:
        """Asks for the password, and for a code where there is a second factor. The refusal is to be shown, not raised:
        wrong ones count towards the lock."""
        ...


CONFIRM = ApiKey[ConfirmApi]("CONFIRM")
LOGIN_NOTES = SlotKey[None]("LOGIN_NOTES")
"""Above the form of the login: what all who log in now should know."""
