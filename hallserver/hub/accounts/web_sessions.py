"""Sessions of the manager's pages in the hall's database; implements ``kernel.web.SessionStore``."""

from sqlalchemy import Connection, delete, insert, select, update

from hallserver.store import accounts as t
from hallserver.store.store import HallStore
from qingting.kernel.web import WebSession


class WebSessions:
    def __init__(self, store: HallStore) -> None:
        self._store = store

    async def put(self, digest: str, session: WebSession) -> None:
        values = {
            "digest": digest,
            "subject": session.subject,
            "csrf": session.csrf,
            "created_at": session.created_at,
            "seen_at": session.seen_at,
            "marks": " ".join(session.marks),
        }
        await self._store.write(lambda one: one.execute(insert(t.web_session).values(values)))

    async def find(self, digest: str) -> WebSession | None:
        def work(connection: Connection) -> WebSession | None:
            found = select(t.web_session).where(t.web_session.c.digest == digest)
            row = connection.execute(found).one_or_none()
            if row is None:
                return None
            return WebSession(
                subject=row.subject,
                csrf=row.csrf,
                created_at=row.created_at,
                seen_at=row.seen_at,
                marks=tuple(row.marks.split()),
            )

        return await self._store.read(work)

    async def touch(self, digest: str, seen_at: int) -> None:
        statement = (
            update(t.web_session).where(t.web_session.c.digest == digest).values(seen_at=seen_at)
        )
        await self._store.write(lambda one: one.execute(statement))

    async def drop(self, digest: str) -> None:
        await self._store.write(
            lambda one: one.execute(delete(t.web_session).where(t.web_session.c.digest == digest))
        )

    async def drop_subject(self, subject: str) -> None:
        await self._store.write(
            lambda one: one.execute(delete(t.web_session).where(t.web_session.c.subject == subject))
        )
