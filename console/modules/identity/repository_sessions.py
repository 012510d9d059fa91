"""SQL of sessions as people see them: whose, from where, since when, and which ones somebody ended."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.uow import ReadUow, Uow
from console.modules.identity import models as m
from console.modules.identity.programs import program_name

_ENDED_KEPT_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionInfo:
    """A session. ``key`` is the digest of its cookie, which opens nothing; ``program`` names the
    browser."""

    key: str
    address: str
    program: str
    created_at: int
    seen_at: int


async def sessions_of(
    uow: ReadUow, account: str, *, seen: int, created: int
) -> Sequence[SessionInfo]:
    """The newest first; those that were used and began since then."""
    c = m.session.c
    rows = await uow.all(
        sa.select(m.session)
        .where(c.subject == account, c.seen_at >= seen, c.created_at >= created)
        .order_by(c.created_at.desc(), c.digest)
    )
    return [
        SessionInfo(
            key=row["digest"],
            address=row["address"],
            program=program_name(row["program"]),
            created_at=row["created_at"],
            seen_at=row["seen_at"],
        )
        for row in rows
    ]


async def end_session(uow: Uow, account: str, key: str, now: int) -> bool:
    """Ends one session of an account and remembers for a day that somebody did, to tell whoever used it."""
    c = m.session.c
    gone = await uow.run(sa.delete(m.session).where(c.subject == account, c.digest == key))
    if not gone:
        return False
    await uow.run(sa.delete(m.ended).where(m.ended.c.at < now - _ENDED_KEPT_MS))
    await uow.run(insert(m.ended).values(digest=key, at=now).on_conflict_do_nothing())
    return True


async def end_of_origin(uow: Uow, origin: str, until: int) -> list[str]:
    """Ends sessions that began by ``until`` and stand on a login elsewhere (:func:`.origins.origin_of`); one of its
    halves may be empty, and then tells nothing. Gives their accounts."""
    c = m.session.c
    halves = enumerate(origin.split("/"), start=1)
    named = [sa.func.split_part(c.origin, "/", place) == half for place, half in halves if half]
    if not named:
        return []
    gone = sa.delete(m.session).where(*named, c.created_at <= until).returning(c.subject)
    return [row["subject"] for row in await uow.all(gone)]


async def was_ended(uow: ReadUow, key: str) -> bool:
    found = await uow.scalar(sa.select(m.ended.c.at).where(m.ended.c.digest == key))
    return found is not None
