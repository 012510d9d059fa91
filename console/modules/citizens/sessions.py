"""Sessions of citizens, in a table of their own; see :mod:`qingting.kernel.web.sessions`."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from console.core.db import Database
from console.core.uow import ReadUow, Uow
from console.modules.citizens import models as m
from qingting.kernel.web import WebSession
from qingting.kernel.web.csrf import token_for
from qingting.kernel.web.session import FOR
from qingting.kernel.web.sessions import ABSOLUTE_MS

COOKIE = "qt_citizen"
LONGEST_PROGRAM = 200
_s = m.session.c
_FIND = sa.select(m.session).where(_s.digest == sa.bindparam("its"))


class CitizenSessions:
    """Implements :class:`qingting.kernel.web.SessionStore`; within a transaction, or in ones of its own."""

    def __init__(
        self,
        db: Database,
        uow: Uow | None = None,
        *,
        address: str = "",
        program: str = "",
        login: str = "",
        sid: str = "",
    ) -> None:
        self._db = db
        self._uow = uow
        self._address = address
        self._program = program
        self._login, self._sid = login, sid

    def within(
        self, uow: Uow, *, address: str = "", program: str = "", login: str = "", sid: str = ""
    ) -> "CitizenSessions":
        """The same in the caller's transaction; what is begun there comes from ``address`` and ``program``, by the
        sign-on's ``login`` (digest) and its session ``sid`` (digest)."""
        program = program[:LONGEST_PROGRAM]
        return CitizenSessions(
            self._db, uow, address=address, program=program, login=login, sid=sid
        )

    async def put(self, digest: str, session: WebSession) -> None:
        values = {
            "digest": digest,
            "subject": session.subject,
            "csrf": session.csrf,
            "created_at": session.created_at,
            "seen_at": session.seen_at,
            "marks": list(session.marks),
            "address": self._address,
            "program": self._program,
            "login": self._login,
            "sid": self._sid,
        }
        # Of sessions that nobody ended the rows go with the next login, whoever's it is.
        await self._run(
            sa.delete(m.session).where(_s.created_at < session.created_at - ABSOLUTE_MS)
        )
        await self._run(sa.insert(m.session).values(**values))

    async def find(self, digest: str) -> WebSession | None:
        row = await self._db.glance(_FIND, {"its": digest})
        if row is None:
            return None
        return WebSession(
            subject=row["subject"],
            csrf=row["csrf"],
            created_at=row["created_at"],
            seen_at=row["seen_at"],
            marks=tuple(row["marks"]),
        )

    async def touch(self, digest: str, seen_at: int) -> None:
        statement = sa.update(m.session).where(_s.digest == digest).values(seen_at=seen_at)
        if self._uow is not None:
            await self._uow.run(statement)
        else:
            await self._db.single(statement)

    async def drop(self, digest: str) -> None:
        await self._run(sa.delete(m.session).where(_s.digest == digest))

    async def drop_subject(self, subject: str) -> None:
        await self._run(sa.delete(m.session).where(_s.subject == subject))

    async def drop_logged_out(self, login: str, sid: str, until: int) -> None:
        """Sessions that began by then with a login (digest) at the sign-on, in its session ``sid`` (digest) where one is
        named; one of both may be empty."""
        named = [column == value for column, value in ((_s.login, login), (_s.sid, sid)) if value]
        if named:
            await self._run(sa.delete(m.session).where(*named, _s.created_at <= until))

    async def act_for(self, digest: str, session: WebSession, firm: str) -> WebSession:
        """From now on in the name of ``firm``, or in the own one; gives the session as it is then. Forms of before were made
        in another's: none of them goes out without being looked at."""
        if firm == session.acting:
            return session
        marks, csrf = (FOR + firm,) if firm else (), token_for(session.subject, firm)
        values = {"marks": list(marks), "csrf": csrf}
        await self._run(sa.update(m.session).where(_s.digest == digest).values(**values))
        return msgspec.structs.replace(session, marks=marks, csrf=csrf)

    async def _run(self, statement: sa.Executable) -> None:
        if self._uow is not None:
            await self._uow.run(statement)
            return
        async with self._db.write() as uow:
            await uow.run(statement)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLine:
    """A session as its owner sees it. ``key`` is the digest of its cookie, which opens nothing."""

    key: str
    program: str
    created_at: int
    seen_at: int


async def sessions_of(uow: ReadUow, citizen: str) -> Sequence[SessionLine]:
    """The newest first."""
    rows = await uow.all(
        sa.select(_s.digest, _s.program, _s.created_at, _s.seen_at)
        .where(_s.subject == citizen)
        .order_by(_s.created_at.desc())
    )
    return [
        SessionLine(
            key=row["digest"],
            program=row["program"],
            created_at=row["created_at"],
            seen_at=row["seen_at"],
        )
        for row in rows
    ]
