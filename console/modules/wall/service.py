"""Codes by which a wall screen may look at the wall page, and at nothing else, until they are revoked."""

import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from console.core.audit import Audit
from console.core.permissions import (
    EVERYWHERE,
    Permission,
    Reach,
    ReachKind,
    Scope,
    Subject,
)
from console.core.uow import ReadUow, Uow
from console.modules.identity.api import IdentityApi
from console.modules.wall import models as m
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import digest, new_token

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without those that look alike: a person types the code at the screen once."""
_GROUPS, _GROUP = 5, 4
_TOUCH_MS = 60_000
LONGEST_NAME = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class WallToken:
    """A code as it is kept. ``used_at`` is when a screen last showed the wall by it, 0 for never."""

    id: str
    name: str
    created_at: int
    used_at: int
    revoked_at: int


class WallService:
    """Makes, lists, revokes and recognises codes."""

    def __init__(self, clock: Clock, audit: Audit, identity: IdentityApi) -> None:
        self._clock = clock
        self._audit = audit
        self._identity = identity

    async def tokens(self, uow: ReadUow, subject: Subject) -> list[WallToken]:
        """Newest first, revoked ones last; all of them for whoever looks after the whole city, else one's own."""
        c = m.token.c
        rows = await uow.all(
            sa.select(m.token)
            .where(_kept_by(subject))
            .order_by(c.revoked_at.is_not(None), c.created_at.desc())
        )
        return [
            WallToken(
                id=row["id"],
                name=row["name"],
                created_at=row["created_at"],
                used_at=row["used_at"] or 0,
                revoked_at=row["revoked_at"] or 0,
            )
            for row in rows
        ]

    async def make(self, uow: Uow, subject: Subject, name: str) -> str:
        """A code of 100 bits, said this once. Raises ``form.invalid`` without a name."""
        subject.require(Permission.WALL_TOKENS)
        name = name.strip()[:LONGEST_NAME]
        if not name:
            raise Refusal("form.invalid", field="name")
        code = "-".join(
            "".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS)
        )
        key = new_token()
        row = {
            "id": key,
            "name": name,
            "digest": digest(plain(code)),
            "created_by": subject.id,
            "created_at": self._clock.now_ms(),
            "reaches": await self._reaches(uow, subject),
        }
        await uow.run(sa.insert(m.token), row)
        await self._audit.write(uow, subject, "wall.token_made", object=key)
        return code

    async def _reaches(self, uow: ReadUow, subject: Subject) -> list[str] | None:
        """What the screen may show for ever: what its maker may see now, less when that place is gone."""
        if subject.scope(Permission.WALL).everywhere:
            return None
        reaches = await self._identity.reaches(uow, subject.id, Permission.WALL)
        return [f"{one.kind.value}:{one.target}" for one in reaches]

    async def _scope(self, uow: ReadUow, kept: list[str] | None) -> Scope:
        if kept is None:
            return EVERYWHERE
        parts = (one.partition(":") for one in kept)
        reaches = [Reach(ReachKind(kind), target) for kind, _, target in parts]
        return await self._identity.scope(uow, reaches)

    async def revoke(self, uow: Uow, subject: Subject, key: str) -> None:
        """The screen finds the login at its next refresh. Raises ``page.not_found``."""
        changed = await uow.run(
            sa.update(m.token)
            .where(_kept_by(subject), m.token.c.id == key, m.token.c.revoked_at.is_(None))
            .values(revoked_at=self._clock.now_ms())
        )
        if not changed:
            raise Refusal("page.not_found")
        await self._audit.write(uow, subject, "wall.token_revoked", object=key)

    async def guest(self, uow: Uow, code: str, address: str) -> Subject | None:
        """Who comes with ``code``; None when it is not, or no longer, one of ours."""
        if not code:
            return None
        row = await uow.first(
            sa.select(m.token).where(
                m.token.c.digest == digest(plain(code)), m.token.c.revoked_at.is_(None)
            )
        )
        if row is None:
            return None
        now = self._clock.now_ms()
        if now - (row["used_at"] or 0) >= _TOUCH_MS:
            await uow.run(sa.update(m.token).where(m.token.c.id == row["id"]).values(used_at=now))
        return Subject(
            id=f"wall:{row['id']}",
            name=row["name"],
            grants={Permission.WALL: await self._scope(uow, row["reaches"])},
            address=address,
            guest=True,
        )


def _kept_by(subject: Subject) -> sa.ColumnElement[bool]:
    """Raises ``page.forbidden``."""
    if subject.scope(Permission.WALL_TOKENS).everywhere:
        return sa.true()
    return m.token.c.created_by == subject.id


def plain(code: str) -> str:
    """As typed with or without its bars, in whatever case."""
    return "".join(code.split()).replace("-", "").upper()
