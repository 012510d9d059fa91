"""Use cases around halls; implements :class:`console.halls.api.HallsApi`."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.audit import Audit
from console.core.models import parked_event
from console.core.permissions import Permission, Scope, Subject
from console.core.uow import ReadUow, Uow
from console.halls import models as m
from console.halls.api import (
    Directory,
    Entry,
    ForkInfo,
    HallFile,
    HallStatus,
    LinkState,
    ParkedEvent,
    Spot,
)
from console.halls.boxes import empty_people
from console.halls.link import SILENCE_SECONDS
from console.halls.repository import HallRepository, unsettled_halls
from qingting.contract.base import Record
from qingting.contract.directives import Directive
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId, Slug
from qingting.contract.link import Live
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import digest, new_device_key

_lives = msgspec.json.Decoder(Live)


class _Backlog(Record, frozen=True):
    """All that a hall's state needs of a LIVE frame; its hundreds of devices are not decoded for it."""

    oldest_unacked: int
    backup_bad: int = 0


_backlogs = msgspec.json.Decoder(_Backlog)
_SILENCE_MS = int(SILENCE_SECONDS * 1000)

_STATUS = sa.text("""
    SELECT h.id, h.enrolled_at,
           coalesce(p.name, h.name) AS name, coalesce(p.name_en, h.name_en) AS name_en,
           coalesce(nullif(h.division, ''), p.division, '') AS division, h.department,
           h.latitude, h.longitude,
           coalesce(p.address, '') AS address, coalesce(p.phone, '') AS phone,
           coalesce(p.config_version, 0) AS config_version,
           coalesce(c.seq, 0) AS seq, coalesce(c.event_at, 0) AS event_at,
           coalesce(c.received_at, 0) AS received_at, coalesce(c.quarantined, false) AS quarantined,
           l.connected, l.since, l.seen_at, coalesce(l.head, 0) AS head,
           coalesce(l.offset_ms, 0) AS offset_ms, coalesce(l.build, '') AS build,
           coalesce(l.refused, '') AS refused, v.body AS live, v.received_at AS live_at,
           (SELECT count(*) FROM core_parked_event k WHERE k.hall = h.id) AS parked
    FROM hall_hall h
    LEFT JOIN hall_cursor c ON c.hall = h.id
    LEFT JOIN hall_link l ON l.hall = h.id
    LEFT JOIN hall_profile p ON p.hall = h.id
    LEFT JOIN hall_live v ON v.hall = h.id
    WHERE CAST(:within AS text[]) IS NULL OR h.id = ANY(CAST(:within AS text[]))
    ORDER BY h.enrolled_at, h.id""")


class HallService:
    """See :class:`console.halls.api.HallsApi`."""

    def __init__(self, clock: Clock, audit: Audit) -> None:
        self._clock = clock
        self._audit = audit
        self._lives: dict[HallId, tuple[str, Live]] = {}
        """The last LIVE frame of each hall with its row's version: decoded once, however many ask."""

    async def halls(self, uow: ReadUow, scope: Scope) -> list[HallStatus]:
        return await self._statuses(uow, scope.touched)

    async def _statuses(self, uow: ReadUow, within: frozenset[str] | None) -> list[HallStatus]:
        forks = {row["hall"]: _fork(row) for row in await uow.all(_open_forks())}
        now = self._clock.now_ms()
        given = {"within": None if within is None else sorted(within)}
        return [_status(row, forks.get(row["id"]), now) for row in await uow.all(_STATUS, given)]

    async def hall(self, uow: ReadUow, hall: HallId) -> HallStatus:
        found = await self._statuses(uow, frozenset({hall}))
        if not found:
            raise Refusal("hall.unknown")
        return found[0]

    async def placed(self, uow: ReadUow) -> dict[HallId, tuple[str, str]]:
        h, p = m.hall.c, m.profile.c
        division = sa.func.coalesce(sa.func.nullif(h.division, ""), p.division, "")
        rows = await uow.all(
            sa.select(h.id, division.label("division"), h.department).select_from(
                m.hall.outerjoin(m.profile, p.hall == h.id)
            )
        )
        return {HallId(row["id"]): (row["division"], row["department"]) for row in rows}

    async def place(
        self,
        uow: Uow,
        subject: Subject,
        hall: HallId,
        *,
        division: str,
        department: str,
        spot: Spot | None,
    ) -> None:
        subject.require(Permission.ORGANISATION, hall=hall)
        changed = await uow.run(
            sa.update(m.hall)
            .where(m.hall.c.id == hall)
            .values(
                division=division,
                department=department,
                latitude=spot.latitude if spot else None,
                longitude=spot.longitude if spot else None,
            )
        )
        if not changed:
            raise Refusal("hall.unknown")
        where = f"{division} {department}".strip()
        await self._audit.write(uow, subject, "hall.place", object=hall, detail=where)
        uow.changed("halls")

    async def directory(self, uow: ReadUow, scope: Scope, hall: HallId | None = None) -> Directory:
        statement = sa.select(m.directory).order_by(m.directory.c.hall, m.directory.c.place)
        if scope.touched is not None:
            statement = statement.where(m.directory.c.hall.in_(sorted(scope.touched)))
        if hall is not None:
            statement = statement.where(m.directory.c.hall == hall)
        entries = {}
        for row in await uow.all(statement):
            fields = {name: value for name, value in row.items() if name != "place"}
            entries[row["hall"], row["kind"], row["id"]] = Entry(**fields)
        return Directory(entries)

    async def live(self, uow: ReadUow) -> dict[HallId, Live]:
        # LIVE comes after a change alone: how old it is says nothing, whether its line is heard does.
        heard = self._clock.now_ms() - _SILENCE_MS
        # A row that was written again has another of these two.
        version: sa.ColumnElement[str] = sa.literal_column(
            "CAST(hall_live.xmin AS text) || CAST(hall_live.ctid AS text)"
        ).label("version")
        rows = await uow.all(
            sa.select(m.live.c.hall, version)
            .join(m.link, m.link.c.hall == m.live.c.hall)
            .where(m.link.c.connected, m.link.c.seen_at >= heard)
            .where(m.live.c.received_at >= m.link.c.since)
            .order_by(m.live.c.hall)
        )
        wanted = {HallId(row["hall"]): str(row["version"]) for row in rows}
        stale = [hall for hall, seen in wanted.items() if self._lives.get(hall, ("",))[0] != seen]
        if stale:
            bodies = await uow.all(
                sa.select(m.live.c.hall, m.live.c.body, version).where(m.live.c.hall.in_(stale))
            )
            for row in bodies:
                self._lives[HallId(row["hall"])] = (row["version"], _lives.decode(row["body"]))
        return {hall: self._lives[hall][1] for hall in wanted}

    async def parked(self, uow: ReadUow, hall: HallId | None = None) -> Sequence[ParkedEvent]:
        statement = sa.select(parked_event).order_by(parked_event.c.at.desc()).limit(100)
        if hall is not None:
            statement = statement.where(parked_event.c.hall == hall)
        return [ParkedEvent(**row) for row in await uow.all(statement)]

    async def files(self, uow: ReadUow) -> set[tuple[str, str]]:
        rows = await uow.all(
            sa.select(m.file.c.hall, m.file.c.act).where(m.file.c.expires_at > self._clock.now_ms())
        )
        return {(row["hall"], row["act"]) for row in rows}

    async def file(self, uow: ReadUow, hall: HallId, act: str) -> HallFile:
        row = await uow.first(
            sa.select(m.file).where(
                m.file.c.hall == hall,
                m.file.c.act == act,
                m.file.c.expires_at > self._clock.now_ms(),
            )
        )
        if row is None:
            raise Refusal("act.file_gone")
        return HallFile(media=row["media"], data=row["data"])

    async def put_parcel(self, uow: Uow, parcel: str, data: bytes) -> None:
        statement = insert(m.parcel).values(id=parcel, data=data)
        await uow.run(statement.on_conflict_do_nothing())

    async def drop_parcel(self, uow: Uow, parcel: str) -> None:
        await uow.run(sa.delete(m.parcel).where(m.parcel.c.id == parcel))

    async def enrol(
        self, uow: Uow, subject: Subject, hall: HallId, *, name: str, name_en: str, key: str | None
    ) -> str:
        subject.require(Permission.HALLS_ENROL)
        msgspec.convert(hall, Slug)
        given = key or new_device_key()
        await HallRepository(uow).add_hall(
            hall, name, name_en or name, digest(given), self._clock.now_ms()
        )
        await self._audit.write(uow, subject, "hall.enrol", object=hall)
        uow.changed("halls")
        return given

    async def decide_fork(self, uow: Uow, subject: Subject, hall: HallId, *, accept: bool) -> None:
        subject.require(Permission.HALLS_DECIDE, hall=hall)
        halls = HallRepository(uow)
        await halls.lock_cursor(hall)
        fork = await halls.open_fork(hall)
        if fork is None:
            raise Refusal("hall.no_fork")
        decision = "accept" if accept else "reject"
        await halls.decide_fork(fork["no"], decision, subject.id, self._clock.now_ms())
        await self._audit.write(
            uow,
            subject,
            f"hall.fork_{decision}",
            object=hall,
            detail=f"city {fork['city_epoch']}/{fork['city_seq']} "
            f"hall {fork['hall_epoch']}/{fork['hall_seq']}",
        )
        uow.changed("halls")

    async def outcomes(
        self, uow: ReadUow, directives: Sequence[tuple[str, int]]
    ) -> dict[tuple[str, int], tuple[str, int]]:
        c = m.outcome.c
        wanted = sa.tuple_(c.hall, c.no).in_(directives)
        rows = await uow.all(sa.select(m.outcome).where(wanted)) if directives else ()
        return {(row["hall"], row["no"]): (row["code"], row["at"]) for row in rows}

    async def unsettled(self, uow: ReadUow) -> frozenset[HallId]:
        return await unsettled_halls(uow)

    async def empty_people(self, uow: Uow, directives: Sequence[tuple[str, int]]) -> int:
        return await empty_people(uow, directives)

    async def send(
        self,
        uow: Uow,
        subject: Subject,
        hall: HallId,
        directive: Directive,
        *,
        under: Permission,
        expires_at: int | None = None,
    ) -> int:
        sent = await self.send_all(
            uow, subject, hall, [directive], under=under, expires_at=expires_at
        )
        return sent[0]

    async def send_all(
        self,
        uow: Uow,
        subject: Subject,
        hall: HallId,
        directives: Sequence[Directive],
        *,
        under: Permission,
        expires_at: int | None = None,
    ) -> range:
        subject.require(under, hall=hall)
        bodies = [msgspec.json.encode(one) for one in directives]
        first = await HallRepository(uow).add_directives(
            hall, bodies, subject.id, self._clock.now_ms(), expires_at
        )
        if first is None:
            known = await HallRepository(uow).key_digest(hall) is not None
            raise Refusal("hall.unsettled" if known else "hall.unknown")
        numbers = range(first, first + len(bodies))
        what = [
            (str(hall), f"{no} {type(one).__name__}")
            for no, one in zip(numbers, directives, strict=True)
        ]
        await self._audit.write_all(uow, subject, "hall.directive", what)
        return numbers

    async def withdraw(
        self, uow: Uow, subject: Subject, hall: HallId, no: int, *, under: Permission
    ) -> bool:
        subject.require(under, hall=hall)
        return await HallRepository(uow).withdraw(hall, no)


def _open_forks() -> sa.Select[tuple[object, ...]]:
    return sa.select(m.fork).where(m.fork.c.merged_at.is_(None)).order_by(m.fork.c.no)


def _fork(row: sa.RowMapping) -> ForkInfo:
    return ForkInfo(
        no=row["no"],
        found_at=row["found_at"],
        city_epoch=row["city_epoch"],
        city_seq=row["city_seq"],
        hall_epoch=row["hall_epoch"],
        hall_seq=row["hall_seq"],
        parent_epoch=row["parent_epoch"],
        parent_seq=row["parent_seq"],
        decision=row["decision"] or "",
    )


def _status(row: sa.RowMapping, fork: ForkInfo | None, now: int) -> HallStatus:
    seen = max(row["seen_at"] or 0, row["live_at"] or 0, row["received_at"])
    live = _backlogs.decode(row["live"]) if row["live"] is not None else None
    state, since = _link_state(row, seen, now)
    return HallStatus(
        id=HallId(row["id"]),
        name=row["name"],
        name_en=row["name_en"],
        division=row["division"],
        department=row["department"],
        address=row["address"],
        phone=row["phone"],
        state=state,
        since=since,
        seen_at=seen,
        event_at=row["event_at"],
        received_at=row["received_at"],
        seq=row["seq"],
        head=max(row["head"], row["seq"]),
        oldest_unacked=_oldest_unacked(live, row["event_at"]),
        clock_offset_ms=row["offset_ms"],
        build=row["build"],
        refused=row["refused"],
        config_version=row["config_version"],
        parked=row["parked"],
        fork=fork,
        spot=None if row["latitude"] is None else Spot(row["latitude"], row["longitude"]),
        backup_bad=live.backup_bad if live is not None else 0,
    )


def _oldest_unacked(live: "_Backlog | None", event_at: int) -> int:
    """LIVE comes only after a change: what has arrived since is confirmed, whatever it said then."""
    if live is None or live.oldest_unacked <= event_at:
        return 0
    return live.oldest_unacked


def _link_state(row: sa.RowMapping, seen: int, now: int) -> tuple[LinkState, int]:
    if row["quarantined"]:
        return LinkState.QUARANTINED, row["since"] or 0
    if row["connected"] is None:
        return LinkState.NEVER, row["enrolled_at"]
    if not row["connected"]:
        return LinkState.OFFLINE, row["since"]
    # A worker that died could not note the end of its sessions.
    if now - seen > _SILENCE_MS:
        return LinkState.OFFLINE, seen
    return LinkState.ONLINE, row["since"]
