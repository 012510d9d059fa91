"""Wishes to be erased: carried out at once as far as can be, and finished by itself once nothing has to stay any more
(decision 0063)."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog

from console.core.audit import Audit
from console.core.db import Database
from console.core.delivering import Waker, work_when_woken
from console.core.permissions import SYSTEM
from console.core.personal import Erased, Left, PersonalData, PersonSought
from console.core.signals import Signals
from console.core.uow import ReadUow, Uow
from console.modules.privacy import models as m
from console.modules.privacy.api import StillKept
from console.modules.privacy.halls_told import CHANGED, HallsTold
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.seal import SealError

LOOK_MS = 3_600_000
"""So often is looked whether what was left has to stay still: a visit can be over before its time."""
AT_ONCE = 50
log = structlog.get_logger(__name__)
Counts = dict[str, int]


class Erasures:
    """``holders`` are asked to erase, in the order in which they were put together."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        audit: Audit,
        holders: Sequence[PersonalData],
        halls: HallsTold,
    ) -> None:
        self._db, self._clock, self._audit = db, clock, audit
        self._holders, self._halls = holders, halls

    async def carry_out(self, uow: Uow, sought: PersonSought, request: int) -> Counts:
        """Erases what can be erased now; gives by holder how many records that were and how many were left."""
        counts: Counts = {}
        for one in self._holders:
            gone = await one.erase(uow, sought)
            counts[one.holder] = gone.erased
            _put_kept(counts, one.holder, gone.kept)
            await self.finish_later(uow, one.holder, gone.left, request)
        counts["halls"] = await self._halls.tell(uow, sought.number, request)
        return counts

    async def finish_later(
        self, uow: Uow, holder: str, left: Sequence[Left], request: int | None = None
    ) -> None:
        """Notes what had to stay, of whom it is and why."""
        now = self._clock.now_ms()
        for record in dict.fromkeys(one.record for one in left):
            kept = [one for one in left if one.record == record]
            row = {"request": request, "holder": holder, "record": record, "at": now}
            await uow.run(sa.insert(m.left).values(**row, **_looked(kept, now)))

    async def kept_of(
        self, uow: ReadUow, requests: Sequence[int]
    ) -> Mapping[int, Sequence[StillKept]]:
        """By request what is still kept, in the order of holders."""
        c, found = m.left.c, dict[int, list[StillKept]]()
        for row in await uow.all(sa.select(m.left).where(c.request.in_(requests)).order_by(c.no)):
            kept = [StillKept(holder=row["holder"], **one) for one in row["kept"]]
            found.setdefault(row["request"], []).extend(kept)
        return found

    async def finish_due(self) -> bool:
        """Looks at what was left and is due; False when there may be more."""
        c, now = m.left.c, self._clock.now_ms()
        due = sa.select(c.no).where(c.next_at <= now).order_by(c.next_at, c.no).limit(AT_ONCE)
        async with self._db.read() as reader:
            found = [int(row["no"]) for row in await reader.all(due)]
        for no in found:
            await self._try_one(no)
        return len(found) < AT_ONCE

    async def _try_one(self, no: int) -> None:
        try:
            async with self._db.write() as uow:
                await self.finish_one(uow, no)
        except (Refusal, SealError) as error:
            if isinstance(error, Refusal) and error.code == "city.unavailable":
                raise
            # One that cannot be finished now holds up none of the others.
            log.warning("erasure.put_off", left=no, reason=str(error))
            later = {"next_at": self._clock.now_ms() + LOOK_MS}
            async with self._db.write() as uow:
                await uow.run(sa.update(m.left).where(m.left.c.no == no).values(**later))

    async def finish_one(self, uow: Uow, no: int) -> None:
        """Erases what need not stay any more of ``no``, wholly or not at all; left alone while another worker is at it."""
        c, now = m.left.c, self._clock.now_ms()
        mine = sa.select(m.left).where(c.no == no, c.next_at <= now)
        row = await uow.first(mine.with_for_update(skip_locked=True))
        if row is None:
            return
        request = await self._locked(uow, row["request"])
        await self._halls.hold_words(uow, row["request"])
        (holder,) = [one for one in self._holders if one.holder == row["holder"]]
        gone = await holder.finish(uow, row["record"])
        if gone.left:
            again = sa.update(m.left).where(c.no == no)
            await uow.run(again.values(**_looked(gone.left, now)))
        else:
            await uow.run(sa.delete(m.left).where(c.no == no))
        if gone.number:
            await self._halls.tell(uow, gone.number, row["request"])
        if request is not None:
            await self._noted(uow, request, row["holder"], gone)
        elif not gone.left:
            await self._audit.write(uow, SYSTEM, "erasure.completed", object=row["record"])
        uow.changed(CHANGED)

    async def _locked(self, uow: Uow, request: int | None) -> sa.RowMapping | None:
        """The request, before anything is erased: of two workers with its last two records one comes last."""
        r = m.request.c
        found = sa.select(r.no, r.kind, r.counts).where(r.no == request)
        return None if request is None else await uow.first(found.with_for_update())

    async def _noted(self, uow: Uow, request: sa.RowMapping, holder: str, gone: Erased) -> None:
        """What was erased now counts with what was erased before; the last of it finishes the request."""
        no, counts = request["no"], msgspec.json.decode(request["counts"], type=Counts)
        still = (await self.kept_of(uow, [no])).get(no, ())
        counts[holder] = counts.get(holder, 0) + gone.erased
        _put_kept(counts, holder, sum(one.count for one in still if one.holder == holder))
        values: dict[str, Any] = {"counts": msgspec.json.encode(counts).decode()}
        if not still:
            values["finished_at"] = self._clock.now_ms()
            what, detail = f"request:{no}", f"{request['kind']} {values['counts']}"
            await self._audit.write(uow, SYSTEM, "request.completed", object=what, detail=detail)
        await uow.run(sa.update(m.request).where(m.request.c.no == no).values(**values))

    async def run(self, signals: Signals) -> None:
        """Finishes what is due, in any number of workers."""
        await work_when_woken(Waker(signals, frozenset({CHANGED})), self.finish_due)


def _put_kept(counts: Counts, holder: str, kept: int) -> None:
    counts.pop(f"{holder}.kept", None)
    if kept:
        counts[f"{holder}.kept"] = kept


def _looked(left: Sequence[Left], now: int) -> dict[str, Any]:
    """Columns of what was looked at now."""
    kept = [{"why": one.why, "count": one.count, "until": one.until} for one in left]
    return {"kept": kept, "next_at": now + LOOK_MS}
