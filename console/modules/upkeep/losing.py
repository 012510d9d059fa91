"""What a restore would take away: the city as it is now beside what an archive or a kept database holds of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import sqlalchemy as sa

from console.core.databases import Beside, beside, connected
from console.core.uow import ReadUow
from console.modules.upkeep.archive import Manifest, read_manifest
from qingting.contract.errors import Refusal

COUNTED: Mapping[str, str] = {
    "accounts": "ident_account",
    "staff": "org_staff",
    "citizens": "cit_citizen",
    "bookings": "app_appointment",
    "versions": "cat_version",
    "drafts": "conf_draft",
    "requests": "priv_request",
    "integrators": "gate_integrator",
}
"""What is made at the city alone and can be counted; their texts are ``restore.count.<name>``. A dump knows tables, so these
are tables of other modules."""
MOST_ACTS = 12
_LETTERS = sa.text(
    "SELECT count(*) FROM note_delivery d JOIN note_message m ON m.no = d.message"
    " WHERE d.rank > 0 AND m.made_at <= :moment AND d.sent_at > :moment AND m.until > :now"
)
"""What is useless by now waits for nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What could be the city. ``moment``: the state that it holds; ``counts`` by :data:`COUNTED`, None where it had no such
    table; ``audit_no`` and ``audit_hash``: the end of its audit; ``halls``: how far each hall's log had come."""

    name: str
    moment: int
    bytes: int
    counts: Mapping[str, int | None]
    audit_no: int
    audit_hash: str
    halls: Mapping[str, tuple[int, int]]
    manifest: Manifest | None = None
    kept: Beside | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What happened at the city that the source knows nothing of. ``same_line``: its audit is the beginning of the
    present one; ``acts``: the most frequent entries of the audit since, with ``entries`` of them in all; ``counts``: name,
    then, now; ``events``: what halls send again; ``letters``: messages that waited then and were sent since, which wait for a decision then; ``strangers``: halls that the source does not know."""

    same_line: bool
    entries: int
    acts: tuple[tuple[str, int], ...]
    counts: tuple[tuple[str, int | None, int], ...]
    events: int
    letters: int
    halls: int
    strangers: int


def of_archive(path: Path) -> Source:
    """Blocks. Raises ``backup.damaged``, ``backup.newer``, ``backup.unknown``."""
    manifest = read_manifest(path)
    return Source(
        name=path.name,
        moment=manifest.made_at,
        bytes=path.stat().st_size,
        counts={name: manifest.tables.get(table) for name, table in COUNTED.items()},
        audit_no=manifest.audit_no,
        audit_hash=manifest.audit_hash,
        halls={hall: (one.epoch, one.seq) for hall, one in manifest.halls.items()},
        manifest=manifest,
    )


async def of_kept(url: str, kept: Beside, moment: int) -> Source:
    """Raises ``backup.not_kept`` when it is gone, or no city."""
    try:
        async with connected(beside(url, kept.name)) as connection:
            end = await connection.fetchrow(
                "SELECT no, hash FROM core_audit ORDER BY no DESC LIMIT 1"
            )
            rows = await connection.fetch("SELECT hall, epoch, seq FROM hall_cursor")
            counts = {name: await _count(connection, table) for name, table in COUNTED.items()}
    except (asyncpg.InvalidCatalogNameError, asyncpg.UndefinedTableError) as error:
        raise Refusal("backup.not_kept") from error
    return Source(
        name=kept.name,
        moment=moment,
        bytes=kept.bytes,
        counts=counts,
        audit_no=end["no"] if end is not None else 0,
        audit_hash=end["hash"] if end is not None else "",
        halls={row["hall"]: (row["epoch"], row["seq"]) for row in rows},
        kept=kept,
    )


async def _count(connection: asyncpg.Connection, table: str) -> int | None:
    if await connection.fetchval("SELECT to_regclass($1)", table) is None:
        return None
    found: int = await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - of COUNTED
    return found


async def loss(uow: ReadUow, source: Source, now_ms: int) -> Loss:
    """Compares the city of now with what would take its place."""
    halls = await uow.all(sa.text("SELECT hall, epoch, seq FROM hall_cursor"))
    known = {row["hall"]: (row["epoch"], row["seq"]) for row in halls}
    ahead = {hall: source.halls[hall] for hall in known.keys() & source.halls.keys()}
    late = {hall: known[hall][1] - seq for hall, (_, seq) in ahead.items() if known[hall][1] > seq}
    since, entries = await _acts(uow, source.audit_no)
    return Loss(
        same_line=await _same_line(uow, source),
        entries=entries,
        acts=since,
        counts=tuple([(name, then, await _now(uow, name)) for name, then in source.counts.items()]),
        events=sum(late.values()),
        letters=int(await uow.scalar(_LETTERS, {"moment": source.moment, "now": now_ms})),
        halls=len(late),
        strangers=len(known.keys() - source.halls.keys()),
    )


async def _now(uow: ReadUow, name: str) -> int:
    statement = sa.select(sa.func.count()).select_from(sa.table(COUNTED[name]))
    return int(await uow.scalar(statement))


async def _acts(uow: ReadUow, after: int) -> tuple[tuple[tuple[str, int], ...], int]:
    statement = sa.text(
        "SELECT act, count(*) AS n FROM core_audit WHERE no > :after GROUP BY act ORDER BY n DESC, act"
    )
    rows = await uow.all(statement, {"after": after})
    shown = tuple((row["act"], row["n"]) for row in rows[:MOST_ACTS])
    return shown, sum(row["n"] for row in rows)


async def _same_line(uow: ReadUow, source: Source) -> bool:
    if not source.audit_no:
        return True
    statement = sa.text("SELECT hash FROM core_audit WHERE no = :no")
    return bool(await uow.scalar(statement, {"no": source.audit_no}) == source.audit_hash)
