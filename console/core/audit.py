"""The audit (安全审计): append-only, chained with SM3, written in the same transaction as the act."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from console.core.models import audit_entry
from console.core.permissions import Subject
from console.core.uow import ReadUow, Uow
from qingting.contract.people import mask_words
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import digest

GENESIS = "0" * 64
_LOCK = 0x71746175
"""Advisory lock of the chain: entries are written one after the other, whatever the worker."""


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """``actor`` did ``act`` to ``object`` at ``at``; ``result`` is ``done`` or an error code."""

    no: int
    at: int
    actor: str
    address: str
    act: str
    object: str
    result: str
    detail: str
    previous: str
    hash: str


class Audit:
    """Writes and checks the audit."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def write(
        self,
        uow: Uow,
        subject: Subject,
        act: str,
        *,
        object: str = "",  # noqa: A002 - the audit's own word (客体)
        result: str = "done",
        detail: str = "",
    ) -> None:
        """Appends one entry; without the act's commit it does not exist. Never give it a secret."""
        await self.write_all(uow, subject, act, [(object, detail)], result=result)

    async def write_all(
        self,
        uow: Uow,
        subject: Subject,
        act: str,
        what: Sequence[tuple[str, str]],
        *,
        result: str = "done",
    ) -> None:
        """Appends an entry for each object and detail of ``what``, in this order.

        An audit is kept for good and nothing in it can be erased, so that numbers of people in words that somebody
        typed are masked; who knows the name of whom words are about masks it before (:func:`mask_words`).
        """
        if not what:
            return
        await uow.scalar(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        last = await uow.first(
            sa.select(audit_entry.c.no, audit_entry.c.hash)
            .order_by(audit_entry.c.no.desc())
            .limit(1)
        )
        no, previous = (last["no"], last["hash"]) if last else (0, GENESIS)
        rows = []
        for place, (about, detail) in enumerate(what, start=1):
            entry = AuditEntry(
                no=no + place,
                at=self._clock.now_ms(),
                actor=subject.id,
                address=subject.address,
                act=act,
                object=about,
                result=result,
                detail=mask_words(detail),
                previous=previous,
                hash="",
            )
            previous = entry_hash(entry)
            rows.append(msgspec.structs.asdict(entry) | {"hash": previous})
        await uow.run(sa.insert(audit_entry), rows)


def entry_hash(entry: AuditEntry) -> str:
    """SM3 over the previous hash and every other field in a fixed order."""
    fields = msgspec.structs.asdict(entry)
    del fields["hash"]
    return digest(msgspec.json.encode(list(fields.values())).decode())


async def read_audit(uow: ReadUow, subject_act: str = "", limit: int = 200) -> list[AuditEntry]:
    """The newest entries first, all or of one act."""
    statement = sa.select(audit_entry).order_by(audit_entry.c.no.desc()).limit(limit)
    if subject_act:
        statement = statement.where(audit_entry.c.act == subject_act)
    return [AuditEntry(**row) for row in await uow.all(statement)]
