"""Whether the audit is whole, and its signed end written elsewhere from time to time."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import structlog

from console.core.audit_reading import (
    HEADS_PURPOSE,
    AuditFault,
    Head,
    Walk,
    audit_count,
    check_heads,
    head_now,
    walk_audit,
)
from console.core.db import Database
from console.modules.jobs.api import JobResult, JobRun
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.seal import Sealer

log = structlog.get_logger(__name__)

EVERY_SECONDS = 600.0


class VerifyAudit(Strict, frozen=True, kw_only=True):
    """Nothing to say: the whole audit is checked."""


class AuditKeeping:
    """``heads`` is the file that signed ends are added to; None: they are in the log alone."""

    def __init__(self, db: Database, clock: Clock, sealer: Sealer, heads: Path | None) -> None:
        self._db, self._clock, self._sealer, self._heads = db, clock, sealer, heads
        self._written = 0

    @property
    def _key(self) -> bytes:
        return self._sealer.lasting(HEADS_PURPOSE)

    async def note_head(self) -> Head | None:
        """Writes the signed end where it has moved since; raises ``city.unavailable`` and ``OSError``."""
        async with self._db.read() as uow:
            head = await head_now(uow, self._clock.now_ms(), self._key)
        if head is None or head.no == self._written:
            return None
        if self._heads is not None:
            line = msgspec.json.encode(head) + b"\n"
            await asyncio.to_thread(_append, self._heads, line)
        log.info("audit.head", no=head.no, hash=head.hash, at=head.at, sign=head.sign)
        self._written = head.no
        return head

    def noting(self) -> Callable[[], Awaitable[None]]:
        """The job of every worker; a line too many harms nobody."""

        async def run() -> None:
            while True:
                try:
                    await self.note_head()
                except Refusal as refusal:
                    if refusal.code != "city.unavailable":
                        raise
                except OSError:
                    log.exception("audit.head_not_written", path=str(self._heads))
                await self._clock.sleep(EVERY_SECONDS)

        return run

    async def verify(
        self, progress: Callable[[int, int], Awaitable[None]] | None = None
    ) -> tuple[int, AuditFault | None]:
        """How many entries are whole, and the first fault. Entries written meanwhile are checked too."""
        walk = Walk()
        while not walk.over and walk.fault is None:
            async with self._db.read() as uow:
                walk = await walk_audit(uow, walk)
                total = await audit_count(uow) if progress is not None else 0
            if progress is not None:
                await progress(walk.no, max(total, walk.no))
        fault = walk.fault
        if fault is None and self._heads is not None:
            lines = await asyncio.to_thread(_lines, self._heads)
            async with self._db.read() as uow:
                fault = await check_heads(uow, lines, self._key)
        return walk.no, fault

    async def job(self, run: JobRun, _: VerifyAudit) -> JobResult:
        """:meth:`verify` with progress on screen."""

        async def progress(done: int, total: int) -> None:
            await run.say("audit.verifying", done, total)

        count, fault = await self.verify(progress)
        if fault is not None:
            log.error("audit.faulty", kind=fault.kind.value, no=fault.no)
            return JobResult(key=f"audit.fault.{fault.kind.value}", params={"no": fault.no})
        return JobResult(key="audit.whole", params={"n": count})


def _append(path: Path, line: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.exists() else []
