"""All SQL of the link's city end."""

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.models import projection_cursor
from console.core.projection import REBUILD
from console.core.uow import ReadUow, Uow
from console.halls import models as m
from console.halls.chain import Cursor, Link
from qingting.contract.ids import HallId
from qingting.contract.link import Hello

EVENTS_CHANNEL = "hall_events"
"""One notification per applied frame, its payload the hall's id."""
DIRECTIVES_CHANNEL = "hall_directives"
FILE_KEPT_MS = 15 * 60_000
WITHDRAWN_AT = 1
"""When what was withdrawn expires: halls count what they are told, so its number still goes out, and every hall, also one
of an older release, answers it without doing it."""
_FIRST_MONTH, _LAST_MONTH = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

_INSERT_EVENTS = sa.text("""
    INSERT INTO hall_event (hall, epoch, seq, at, kind, day, raw, hash, received_at, lost)
    SELECT :hall, :epoch, seq, at, kind, day, raw, hash, :now, false
    FROM unnest(
        CAST(:seqs AS bigint[]), CAST(:ats AS timestamptz[]), CAST(:kinds AS text[]),
        CAST(:days AS date[]), CAST(:raws AS bytea[]), CAST(:hashes AS text[])
    ) AS fresh (seq, at, kind, day, raw, hash)
    ON CONFLICT DO NOTHING""")


class HallRepository:
    """Statements over one unit of work."""

    def __init__(self, uow: Uow) -> None:
        self._uow = uow

    async def add_hall(self, hall: HallId, name: str, name_en: str, digest: str, now: int) -> None:
        """Enrols a hall, or gives a known one another key and name."""
        statement = insert(m.hall).values(
            id=hall,
            name=name,
            name_en=name_en,
            key_digest=digest,
            enrolled_at=now,
            next_directive=1,
        )
        await self._uow.run(
            statement.on_conflict_do_update(
                index_elements=[m.hall.c.id],
                set_={"name": name, "name_en": name_en, "key_digest": digest},
            )
        )

    async def put_file(self, hall: HallId, act: str, media: str, data: bytes, now: int) -> None:
        """Keeps what an act brought back, and throws away whatever is too old, of all halls."""
        await self._uow.run(sa.delete(m.file).where(m.file.c.expires_at <= now))
        values = {"media": media, "data": data, "expires_at": now + FILE_KEPT_MS}
        statement = insert(m.file).values(hall=hall, act=act, **values)
        await self._uow.run(
            statement.on_conflict_do_update(
                index_elements=[m.file.c.hall, m.file.c.act], set_=values
            )
        )

    async def key_digest(self, hall: HallId) -> str | None:
        digest: str | None = await self._uow.scalar(
            sa.select(m.hall.c.key_digest).where(m.hall.c.id == hall)
        )
        return digest

    async def lock_cursor(self, hall: HallId) -> tuple[Cursor, bool] | None:
        """The hall's cursor and whether it is quarantined; rival sessions wait here for each other."""
        row = await self._uow.first(
            sa.select(m.cursor).where(m.cursor.c.hall == hall).with_for_update()
        )
        if row is None:
            return None
        return Cursor(row["epoch"], row["seq"], row["hash"]), row["quarantined"]

    async def put_cursor(self, hall: HallId, cursor: Cursor, now: int) -> None:
        """Sets the cursor of a hall that is new or whose fork was decided; lifts the quarantine."""
        values = {
            "epoch": cursor.epoch,
            "seq": cursor.seq,
            "hash": cursor.hash,
            "quarantined": False,
        }
        statement = insert(m.cursor).values(hall=hall, event_at=0, received_at=now, **values)
        await self._uow.run(
            statement.on_conflict_do_update(index_elements=[m.cursor.c.hall], set_=values)
        )

    async def quarantine(self, hall: HallId) -> None:
        await self._uow.run(
            sa.update(m.cursor).where(m.cursor.c.hall == hall).values(quarantined=True)
        )

    async def hash_at(self, hall: HallId, epoch: int, seq: int) -> str | None:
        """The chain's hash at an event of the valid log, of this epoch or one before it."""
        found: str | None = await self._uow.scalar(
            sa.select(m.event.c.hash)
            .where(m.event.c.hall == hall, m.event.c.epoch <= epoch, m.event.c.seq == seq)
            .where(~m.event.c.lost)
            .order_by(m.event.c.epoch.desc())
            .limit(1)
        )
        return found

    async def append(self, hall: HallId, epoch: int, links: Sequence[Link], now: int) -> None:
        """Stores events and moves the locked cursor behind the last of them."""
        ats = [_instant(link.at, now) for link in links]
        await self._uow.run(
            _INSERT_EVENTS,
            {
                "hall": hall,
                "epoch": epoch,
                "now": now,
                "seqs": [link.seq for link in links],
                "ats": ats,
                "kinds": [link.kind for link in links],
                "days": [link.day for link in links],
                "raws": [link.raw for link in links],
                "hashes": [link.hash for link in links],
            },
        )
        await self._uow.run(
            sa.update(m.cursor)
            .where(m.cursor.c.hall == hall)
            .values(
                seq=links[-1].seq,
                hash=links[-1].hash,
                event_at=round(ats[-1].timestamp() * 1000),
                received_at=now,
            )
        )
        self._uow.notify(EVENTS_CHANNEL, hall)

    # -- forks --------------------------------------------------------------------------------

    async def open_fork(self, hall: HallId) -> sa.RowMapping | None:
        """The newest fork that is not merged yet."""
        return await self._uow.first(
            sa.select(m.fork)
            .where(m.fork.c.hall == hall, m.fork.c.merged_at.is_(None))
            .order_by(m.fork.c.no.desc())
            .limit(1)
        )

    async def add_fork(
        self,
        hall: HallId,
        city: Cursor,
        hall_at: tuple[int, int],
        parent: tuple[int, int],
        now: int,
    ) -> None:
        await self._uow.run(
            sa.insert(m.fork).values(
                hall=hall,
                found_at=now,
                city_epoch=city.epoch,
                city_seq=city.seq,
                hall_epoch=hall_at[0],
                hall_seq=hall_at[1],
                parent_epoch=parent[0],
                parent_seq=parent[1],
            )
        )

    async def see_fork_again(self, no: int, hello: Hello) -> None:
        """What the hall says of itself now: it may have minted its new epoch since."""
        await self._uow.run(
            sa.update(m.fork)
            .where(m.fork.c.no == no)
            .values(
                hall_epoch=hello.epoch,
                hall_seq=hello.head,
                parent_epoch=hello.parent_epoch,
                parent_seq=hello.parent_seq,
            )
        )

    async def decide_fork(self, no: int, decision: str, by: str, now: int) -> None:
        await self._uow.run(
            sa.update(m.fork)
            .where(m.fork.c.no == no)
            .values(decision=decision, decided_by=by, decided_at=now)
        )

    async def release(self, hall: HallId, now: int) -> None:
        """Lifts the quarantine and closes what led to it."""
        await self._uow.run(
            sa.update(m.cursor).where(m.cursor.c.hall == hall).values(quarantined=False)
        )
        await self._uow.run(
            sa.update(m.fork)
            .where(m.fork.c.hall == hall, m.fork.c.merged_at.is_(None))
            .values(merged_at=now)
        )

    async def lose_after(self, hall: HallId, epoch: int, seq: int, fork: int) -> int:
        """Makes history of what the hall no longer knows; gives the number of events.

        Their epoch becomes minus the fork's number, so that the new branch may use their numbers.
        """
        return await self._uow.run(
            sa.update(m.event)
            .where(m.event.c.hall == hall, ~m.event.c.lost)
            .where(sa.tuple_(m.event.c.epoch, m.event.c.seq) > sa.tuple_(epoch, seq))
            .values(lost=True, epoch=-fork)
        )

    async def restart_projections(self, hall: HallId) -> None:
        """Every read model of the hall is built again from the log."""
        await self._uow.run(
            sa.update(projection_cursor)
            .where(projection_cursor.c.hall == hall)
            .values(epoch=REBUILD, seq=0)
        )
        self._uow.notify(EVENTS_CHANNEL, hall)

    def changed(self) -> None:
        """Pages that show halls look again after the commit."""
        self._uow.changed("halls")

    # -- link ---------------------------------------------------------------------------------

    async def put_link(
        self, hall: HallId, session: str, *, connected: bool, hello: Hello, refused: str, now: int
    ) -> None:
        values = {
            "session": session,
            "connected": connected,
            "since": now,
            "seen_at": now,
            "head": hello.head,
            "offset_ms": hello.clock - now,
            "build": hello.build[:80],
            "refused": refused,
        }
        statement = insert(m.link).values(hall=hall, **values)
        await self._uow.run(
            statement.on_conflict_do_update(index_elements=[m.link.c.hall], set_=values)
        )

    async def see_link(self, hall: HallId, session: str, now: int, offset_ms: int | None) -> None:
        values: dict[str, object] = {"seen_at": now, "connected": True}
        if offset_ms is not None:
            values["offset_ms"] = offset_ms
        await self._uow.run(
            sa.update(m.link)
            .where(m.link.c.hall == hall, m.link.c.session == session)
            .values(**values)
        )

    async def drop_link(self, hall: HallId, session: str, now: int) -> None:
        """The session ended; a newer one of the same hall stays as it is."""
        await self._uow.run(
            sa.update(m.link)
            .where(m.link.c.hall == hall, m.link.c.session == session, m.link.c.connected)
            .values(connected=False, since=now, seen_at=now)
        )

    async def put_live(self, hall: HallId, body: bytes, now: int) -> None:
        statement = insert(m.live).values(hall=hall, received_at=now, body=body)
        await self._uow.run(
            statement.on_conflict_do_update(
                index_elements=[m.live.c.hall], set_={"received_at": now, "body": body}
            )
        )

    # -- directives ---------------------------------------------------------------------------

    async def add_directives(
        self, hall: HallId, bodies: Sequence[bytes], by: str, now: int, expires_at: int | None
    ) -> int | None:
        """The number of the first, the others follow it: taken in the same transaction so that none is ever missing;
        None for no such hall, and for one that is not settled."""
        first: int | None = await self._uow.scalar(
            sa.update(m.hall)
            .where(m.hall.c.id == hall, m.hall.c.settled)
            .values(next_directive=m.hall.c.next_directive + len(bodies))
            .returning(m.hall.c.next_directive - len(bodies))
        )
        if first is None:
            return None
        shared = {"hall": hall, "created_by": by, "created_at": now, "expires_at": expires_at}
        await self._uow.run(
            sa.insert(m.directive),
            [{**shared, "no": no, "body": body} for no, body in enumerate(bodies, start=first)],
        )
        self._uow.notify(DIRECTIVES_CHANNEL, hall)
        return first

    async def ack_directives(self, hall: HallId, upto: int, now: int) -> None:
        await self._uow.run(
            sa.update(m.directive)
            .where(m.directive.c.hall == hall, m.directive.c.no <= upto)
            .where(m.directive.c.acked_at.is_(None))
            .values(acked_at=now)
        )

    async def withdraw(self, hall: HallId, no: int) -> bool:
        """False when the hall has confirmed it already."""
        d = m.directive.c
        here = sa.and_(d.hall == hall, d.no == no, d.acked_at.is_(None))
        statement = sa.update(m.directive).where(here).values(expires_at=WITHDRAWN_AT)
        return bool(await self._uow.run(statement))

    async def settle(self, hall: HallId, applied: int, now: int) -> None:
        """The hall has answered every directive up to number ``applied``: those are confirmed, and the next gets a
        number that the hall has not seen. A hall that was put back from an older copy of itself has forgotten what came
        after that, though it had confirmed it: it is told again."""
        c = m.hall.c
        await self._uow.run(
            sa.update(m.hall)
            .where(c.id == hall, ~c.settled | (c.next_directive <= applied))
            .values(settled=True, next_directive=sa.func.greatest(c.next_directive, applied + 1))
        )
        await self.ack_directives(hall, applied, now)
        d = m.directive.c
        forgotten = sa.and_(d.hall == hall, d.no > applied, d.acked_at.is_not(None))
        await self._uow.run(sa.update(m.directive).where(forgotten).values(acked_at=None))

    async def note_answers(self, hall: HallId, answered: int, seq: int) -> None:
        """The log holds an answer to directive ``answered`` (0: to none) and is read up to ``seq``. A hall that said
        nothing in HELLO is settled once its log is read as far as it was then."""
        c = m.hall.c
        head = sa.select(m.link.c.head).where(m.link.c.hall == hall).scalar_subquery()
        await self._uow.run(
            sa.update(m.hall)
            .where(c.id == hall, ~c.settled | (c.next_directive <= answered))
            .values(
                settled=c.settled | sa.func.coalesce(head <= seq, sa.false()),
                next_directive=sa.func.greatest(c.next_directive, answered + 1),
            )
        )


async def unsettled_halls(uow: ReadUow) -> frozenset[HallId]:
    """Halls that have not reported since the city was put back from a backup."""
    rows = await uow.all(sa.select(m.hall.c.id).where(~m.hall.c.settled))
    return frozenset(HallId(row["id"]) for row in rows)


async def piece_of(uow: ReadUow, parcel: str, offset: int, size: int) -> bytes:
    """``size`` bytes of a parcel from ``offset`` on, fewer at its end; none of one that is not here."""
    piece = sa.func.substring(m.parcel.c.data, offset + 1, size)
    found = await uow.scalar(sa.select(piece).where(m.parcel.c.id == parcel))
    return bytes(found) if found is not None else b""


async def open_directives(uow: ReadUow, hall: HallId, after: int) -> Sequence[sa.RowMapping]:
    """Directives that the hall has not confirmed, in order, after number ``after``."""
    return await uow.all(
        sa.select(m.directive)
        .where(m.directive.c.hall == hall, m.directive.c.no > after)
        .where(m.directive.c.acked_at.is_(None))
        .order_by(m.directive.c.no)
        .limit(100)
    )


def _instant(at: int | None, now: int) -> datetime:
    """The event's time, or the city's where the hall's is missing or out of this century."""
    for millis in (at, now):
        if millis is not None and 0 <= millis < 4_102_444_800_000:
            instant = datetime.fromtimestamp(millis / 1000, UTC)
            if _FIRST_MONTH <= instant < _LAST_MONTH:
                return instant
    return datetime.now(UTC)


async def ensure_months(uow: Uow, months: set[tuple[int, int]]) -> None:
    """Makes the monthly partitions of ``months``. Two workers may both try: one waits for the other."""
    for year, month in sorted(months):
        await uow.scalar(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": 0x71747074})
        end_year, end_month = (year, month + 1) if month < 12 else (year + 1, 1)
        await uow.run(
            sa.text(
                f"CREATE TABLE IF NOT EXISTS hall_event_{year:04d}_{month:02d} "
                f"PARTITION OF hall_event FOR VALUES "
                f"FROM ('{year:04d}-{month:02d}-01 00:00+00') "
                f"TO ('{end_year:04d}-{end_month:02d}-01 00:00+00')"
            )
        )
