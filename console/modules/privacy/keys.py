"""Keys that follow each other: what the database is sealed with, and boxes that change to the newest key."""

from collections.abc import Sequence

import sqlalchemy as sa

from console.core.audit import Audit
from console.core.db import Database
from console.core.permissions import Subject
from console.core.personal import Boxes
from console.core.uow import ReadUow, Uow
from console.modules.jobs.api import JobResult, JobRun
from console.modules.privacy import models as m
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.seal import Sealer, SealError, SealKey

_LOCK = 0x71746B79
"""Of several consoles that start together on a new database, one notes its keys first."""
STEP_ROWS = 200
SETTLED_MS = 120_000
"""So long after a key was added some console may still seal with the one before."""


class ReSeal(Strict, frozen=True, kw_only=True):
    """Nothing to say: every box that is not under the newest key."""


class Keys:
    """Compares by fingerprint: two files made apart both call their first key ``k1``."""

    def __init__(
        self, db: Database, clock: Clock, audit: Audit, sealer: Sealer, boxes: Sequence[Boxes]
    ) -> None:
        self._db, self._clock, self._audit = db, clock, audit
        self._sealer, self._boxes = sealer, boxes

    async def check_keys(self, uow: Uow, sealer: Sealer) -> None:
        await uow.scalar(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        held = {key.id: key.fingerprint() for key in sealer.keys}
        noted = {
            row["id"]: row["fingerprint"]
            for row in await uow.all(sa.select(m.key.c.id, m.key.c.fingerprint))
        }
        foreign = sorted(name for name, mark in noted.items() if held.get(name) != mark)
        if foreign:
            raise Refusal("keys.foreign", keys=", ".join(foreign))
        now = self._clock.now_ms()
        for name, mark in held.items():
            if name not in noted:
                await uow.run(sa.insert(m.key), {"id": name, "fingerprint": mark, "seen_at": now})

    async def behind(self, uow: ReadUow) -> dict[str, dict[str, int]]:
        """By kind of boxes, how many are under each key that is not the newest."""
        return {one.name: dict(await one.behind(uow, self._sealer)) for one in self._boxes}

    async def job(self, run: JobRun, _: ReSeal) -> JobResult:
        """Changes every box to the newest key, a few rows in a transaction. Stopped and started again it goes on
        where it was, as what is done is no longer behind.

        Raises ``keys.settling`` while a new key is not yet known to all workers, ``keys.damaged``."""
        newest = self._sealer.newest
        if newest != self._sealer.keys[-1].id:
            raise Refusal("keys.settling")
        async with self._db.read() as uow:
            total = sum(sum(one.values()) for one in (await self.behind(uow)).values())
        done = 0
        for boxes in self._boxes:
            found = 1
            while found:
                await run.say("keys.sealing", done, max(total, done))
                found = await self._step(run, boxes)
                done += found
        return JobResult(key="keys.sealed", params={"n": done, "key": newest})

    async def _step(self, run: JobRun, boxes: Boxes) -> int:
        try:
            async with self._db.write() as uow:
                found = await boxes.renew(uow, self._sealer, STEP_ROWS)
                await run.keep(uow, boxes.name)
        except SealError as error:
            raise Refusal("keys.damaged", boxes=boxes.name) from error
        return found

    # ---- for whoever has a shell on the city's machine ------------------------------------------

    async def added(self, uow: Uow, subject: Subject, key: SealKey) -> None:
        """Notes a key before the file has it, so that no file without it is taken for the right one."""
        now = self._clock.now_ms()
        values = {"id": key.id, "fingerprint": key.fingerprint(), "seen_at": now}
        await uow.run(sa.insert(m.key), values)
        await self._audit.write(uow, subject, "key.added", object=key.id)

    async def removed(self, uow: Uow, subject: Subject, name: str) -> None:
        """Forgets a key that nothing needs. Raises ``keys.unknown``, ``keys.newest``, ``keys.settling``, ``keys.in_use``."""
        known = [key.id for key in self._sealer.keys]
        if name not in known:
            raise Refusal("keys.unknown")
        if name == known[-1]:
            raise Refusal("keys.newest")
        since = await uow.scalar(sa.select(m.key.c.seen_at).where(m.key.c.id == known[-1]))
        if self._clock.now_ms() - int(since or 0) < SETTLED_MS:
            raise Refusal("keys.settling")
        self._sealer.use(self._sealer.keys)
        counts = await self.behind(uow)
        using = {boxes: one[name] for boxes, one in counts.items() if one.get(name)}
        if using:
            raise Refusal("keys.in_use", boxes=", ".join(using), n=sum(using.values()))
        await uow.run(sa.delete(m.key).where(m.key.c.id == name))
        await self._audit.write(uow, subject, "key.removed", object=name)
