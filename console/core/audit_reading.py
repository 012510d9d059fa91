"""Reading the audit: pages of it by number, and whether its chain is whole.

The chain itself is not keyed: whoever may write to the database could change an entry and every hash behind it, or cut
the end off. Heads that were signed and written elsewhere (:class:`Head`) show that.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes, hmac

from console.core.audit import GENESIS, AuditEntry, entry_hash
from console.core.models import audit_entry
from console.core.uow import ReadUow
from qingting.contract.base import Strict

STEP_ROWS = 2000


ANY_CITIZEN = "citizen"
"""As an actor: any citizen, each of whom acts as ``citizen <id>``."""
_CITIZENS = audit_entry.c.actor.startswith("citizen ", autoescape=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What a reader looks for; empty and 0: everything. ``since`` and ``until`` are UTC milliseconds, the second one
    is outside. ``actor`` :data:`ANY_CITIZEN` stands for all citizens. ``object`` and ``address`` are beginnings. ``result``: ``done``, ``refused`` or a code."""

    since: int = 0
    until: int = 0
    actor: str = ""
    act: str = ""
    object: str = ""
    result: str = ""
    address: str = ""

    def where(self) -> list[sa.ColumnElement[bool]]:
        c = audit_entry.c
        parts: list[sa.ColumnElement[bool]] = []
        if self.since:
            parts.append(c.at >= self.since)
        if self.until:
            parts.append(c.at < self.until)
        if self.actor == ANY_CITIZEN:
            parts.append(_CITIZENS)
        for column, value in ((c.actor, self.actor), (c.act, self.act)):
            if value and value != ANY_CITIZEN:
                parts.append(column == value)
        for column, value in ((c.object, self.object), (c.address, self.address)):
            if value:
                parts.append(column.startswith(value, autoescape=True))
        if self.result == "refused":
            parts.append(c.result != "done")
        elif self.result:
            parts.append(c.result == self.result)
        return parts


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """Entries, newest first. ``older`` and ``newer`` are the numbers from which the next pages go on, 0 without one."""

    entries: Sequence[AuditEntry]
    older: int
    newer: int


async def audit_page(
    uow: ReadUow, wanted: AuditFilter, *, before: int = 0, after: int = 0, rows: int = 50
) -> AuditPage:
    """By number and not by counting: the millionth page costs what the first does."""
    no = audit_entry.c.no
    statement = sa.select(audit_entry).where(*wanted.where()).limit(rows + 1)
    if after:
        statement = statement.where(no > after).order_by(no)
    else:
        statement = statement.order_by(no.desc())
        if before:
            statement = statement.where(no < before)
    found = [AuditEntry(**row) for row in await uow.all(statement)]
    more, kept = len(found) > rows, found[:rows]
    if after:
        kept.reverse()
        return AuditPage(
            entries=kept, older=kept[-1].no if kept else 0, newer=kept[0].no if more else 0
        )
    return AuditPage(
        entries=kept,
        older=kept[-1].no if more else 0,
        newer=kept[0].no if kept and before else 0,
    )


async def audit_count_of(uow: ReadUow, wanted: AuditFilter, most: int) -> int:
    """How many entries are found; of more than ``most``, that many."""
    some = sa.select(audit_entry.c.no).where(*wanted.where()).limit(most).subquery()
    return int(await uow.scalar(sa.select(sa.func.count()).select_from(some)))


async def audit_blocks(
    uow: ReadUow, wanted: AuditFilter, most: int, size: int
) -> AsyncIterator[list[AuditEntry]]:
    """The newest ``most`` entries that are found, newest first, so many at once."""
    statement = sa.select(audit_entry).where(*wanted.where())
    async for rows in uow.blocks(statement.order_by(audit_entry.c.no.desc()).limit(most), size):
        yield [AuditEntry(**row) for row in rows]


async def audit_one(uow: ReadUow, no: int) -> AuditEntry | None:
    row = await uow.first(sa.select(audit_entry).where(audit_entry.c.no == no))
    return AuditEntry(**row) if row is not None else None


async def audit_values(uow: ReadUow, column: str) -> list[str]:
    """Each value that ``actor`` or ``act`` ever had; reads one entry of each, not all. Citizens, of whom there may be
    a million, are :data:`ANY_CITIZEN` together."""
    assert column in ("actor", "act")
    name: sa.ColumnElement[str] = sa.literal_column(column)
    others = ~_CITIZENS if column == "actor" else sa.true()
    first = sa.select(sa.func.min(name).label("value")).select_from(audit_entry).where(others)
    walk = first.cte("walk", recursive=True)
    following = (
        sa.select(sa.func.min(name)).select_from(audit_entry).where(name > walk.c.value, others)
    ).scalar_subquery()
    walk = walk.union_all(sa.select(following).where(walk.c.value.is_not(None)))
    rows = await uow.all(sa.select(walk.c.value).where(walk.c.value.is_not(None)))
    found = [row["value"] for row in rows]
    if column == "actor" and await uow.scalar(sa.select(sa.exists().where(_CITIZENS))):
        found.append(ANY_CITIZEN)
    return found


# ---- is it whole ----------------------------------------------------------------------------------


class FaultKind(StrEnum):
    """``chain``: an entry was changed, removed or put in; ``cut``: entries that a head knew are gone; ``rewritten``:
    a head knew another entry there; ``heads``: a line of the heads was not written by this city."""

    CHAIN = "chain"
    CUT = "cut"
    REWRITTEN = "rewritten"
    HEADS = "heads"


@dataclass(frozen=True, slots=True)
class AuditFault:
    """``no`` is the first entry concerned; of a head the line in its file."""

    kind: FaultKind
    no: int


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a check has come; ``fault`` ends it, ``over`` says that the end was reached."""

    no: int = 0
    hash: str = GENESIS
    fault: AuditFault | None = None
    over: bool = False


async def walk_audit(uow: ReadUow, walk: Walk, rows: int = STEP_ROWS) -> Walk:
    """Checks the next ``rows`` entries."""
    statement = (
        sa.select(audit_entry)
        .where(audit_entry.c.no > walk.no)
        .order_by(audit_entry.c.no)
        .limit(rows)
    )
    entries = [AuditEntry(**row) for row in await uow.all(statement)]
    no, previous = walk.no, walk.hash
    for entry in entries:
        if entry.no != no + 1 or entry.previous != previous or entry.hash != entry_hash(entry):
            return Walk(no, previous, AuditFault(FaultKind.CHAIN, no + 1))
        no, previous = entry.no, entry.hash
    return Walk(no, previous, over=len(entries) < rows)


async def audit_fault(uow: ReadUow) -> int | None:
    """Number of the first entry that does not fit the chain, or None when all is whole; no more than a step of it is in
    memory."""
    walk = Walk()
    while not walk.over and walk.fault is None:
        walk = await walk_audit(uow, walk)
    return walk.fault.no if walk.fault is not None else None


async def audit_count(uow: ReadUow) -> int:
    """The number of the newest entry."""
    return int(await uow.scalar(sa.select(sa.func.max(audit_entry.c.no))) or 0)


# ---- heads that are kept elsewhere ----------------------------------------------------------------


class Head(Strict, frozen=True, kw_only=True):
    """The audit's end at an instant, signed: entry ``no`` had ``hash``. One JSON line of a file."""

    no: int
    hash: str
    at: int
    sign: str = ""

    def signed(self, key: bytes) -> "Head":
        return msgspec.structs.replace(self, sign=self._mac(key))

    def genuine(self, key: bytes) -> bool:
        return self.sign == self._mac(key)

    def _mac(self, key: bytes) -> str:
        mac = hmac.HMAC(key, hashes.SM3())
        mac.update(f"{self.no}|{self.hash}|{self.at}".encode())
        return mac.finalize().hex()


async def head_now(uow: ReadUow, at: int, key: bytes) -> Head | None:
    """The present end, signed; None while nothing was written."""
    row = await uow.first(
        sa.select(audit_entry.c.no, audit_entry.c.hash).order_by(audit_entry.c.no.desc()).limit(1)
    )
    return Head(no=row["no"], hash=row["hash"], at=at).signed(key) if row else None


HEADS_PURPOSE = "heads of the audit"
"""What the key for heads is derived for."""
RESTORED = "backup.restored"


def restored_words(moment: int, former: str, head: Head | None) -> str:
    """What the first entry after a restore says: the state that was restored, where the city before is kept, and the
    signed end of the audit that it goes on from."""
    state = datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%dT%H:%MZ")
    signed = f" signed={head.at} sign={head.sign}" if head is not None else ""
    return f"state={state} before={former}{signed}"


async def _restores(uow: ReadUow, key: bytes) -> list[Head]:
    """Ends from which the audit goes on after genuine restores: whoever has no key cannot excuse a cut with one."""
    statement = sa.select(audit_entry).where(audit_entry.c.act == RESTORED)
    found = []
    for row in await uow.all(statement.order_by(audit_entry.c.no)):
        said = dict(one.partition("=")[::2] for one in row["detail"].split())
        if said.get("signed", "").isdecimal():
            at, sign = int(said["signed"]), said.get("sign", "")
            head = Head(no=row["no"] - 1, hash=row["previous"], at=at, sign=sign)
            if head.genuine(key):
                found.append(head)
    return found


async def check_heads(uow: ReadUow, lines: Sequence[str], key: bytes) -> AuditFault | None:
    """What heads that were kept elsewhere say against the audit as it is now. Those of entries that a restore took away
    belong to the database that is kept of before."""
    heads: list[Head] = []
    restores = await _restores(uow, key)
    for number, line in enumerate(lines, start=1):
        try:
            head = msgspec.json.decode(line, type=Head)
        except msgspec.DecodeError:
            return AuditFault(FaultKind.HEADS, number)
        if not head.genuine(key):
            return AuditFault(FaultKind.HEADS, number)
        if not any(head.no > one.no and head.at <= one.at for one in restores):
            heads.append(head)
    for first in range(0, len(heads), STEP_ROWS):
        some = heads[first : first + STEP_ROWS]
        statement = sa.select(audit_entry.c.no, audit_entry.c.hash).where(
            audit_entry.c.no.in_([one.no for one in some])
        )
        known = {row["no"]: row["hash"] for row in await uow.all(statement)}
        for head in some:
            if head.no not in known:
                return AuditFault(FaultKind.CUT, head.no)
            if known[head.no] != head.hash:
                return AuditFault(FaultKind.REWRITTEN, head.no)
    return None
