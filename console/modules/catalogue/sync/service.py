"""The sync with the city's item system: runs, and what people decide about them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from console.core.audit import Audit
from console.core.db import Database
from console.core.permissions import SYSTEM, Permission, Subject
from console.core.uow import ReadUow, Uow
from console.modules.catalogue import repository
from console.modules.catalogue.api import SyncFigures
from console.modules.catalogue.domain import ItemBody, body_faults
from console.modules.catalogue.service import CatalogueService, within
from console.modules.catalogue.sync import store
from console.modules.catalogue.sync.rules import (
    MOST_TRIES,
    Kind,
    Merge,
    SyncRules,
    decided,
    due,
    merge,
    retry_after_ms,
    silent,
    suspicious,
)
from console.modules.catalogue.sync.store import Conflict, Run, Standing
from console.modules.catalogue.sync.taking import ASKED, ORIGIN, Taking
from console.modules.catalogue.sync.wire import Page, Source, SourceError
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock

log = structlog.get_logger(__name__)

LEASE_MS = 180_000
"""A worker that dies leaves its run to others after this; longer than a page takes."""
OVERLAP_MS = 300_000
"""An increment by time begins so much earlier: clocks differ."""
MOST_PAGES = 5_000
KEEP_MS = 400 * 86_400_000
"""How long runs are kept with what they found."""
CHANGED = "sync"


class _MovedOnError(Exception):
    """The run is another worker's by now: what this one did must not stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenConflict:
    """A conflict with both sides as they are now. ``seen`` tells that they are still so."""

    conflict: Conflict
    ours: ItemBody
    base: Mapping[str, object] | None
    merged: Merge
    seen: str


class SyncService:
    """``source`` None: no item system is set up."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        audit: Audit,
        catalogue: CatalogueService,
        source: Source | None,
        utc_offset_minutes: int,
    ) -> None:
        self._db = db
        self._clock = clock
        self._audit = audit
        self._catalogue = catalogue
        self._source = source
        self._offset = timedelta(minutes=utc_offset_minutes)

    @property
    def connected(self) -> bool:
        """True when there is an item system to ask."""
        return self._source is not None

    async def standing(self, uow: ReadUow) -> Standing:
        return await store.standing(uow)

    def is_silent(self, standing: Standing) -> bool:
        """True when the source has not answered for too long."""
        now = self._clock.now_ms()
        return self.connected and silent(
            standing.rules, standing.answered_at, standing.asked_at, now
        )

    async def figures(self, uow: ReadUow) -> SyncFigures | None:
        if not self.connected:
            return None
        standing, now = await store.standing(uow), self._clock.now_ms()
        return SyncFigures(
            age_ms=now - standing.answered_at if standing.answered_at else None,
            failing=bool(standing.failing_since),
            conflicts=len(await store.conflicts(uow)),
        )

    # -- what workers do --------------------------------------------------------------------------

    async def turn(self, worker: str) -> bool:
        """Begins what is due, and takes in one page of the run that goes on; True when there is more to do at once."""
        if self._source is None:
            return False
        async with self._db.write() as uow:
            run, standing = await self._claim(uow, worker)
        if run is None:
            return False
        try:
            page = await _next_page(self._source, run, standing)
        except SourceError as error:
            await self._failed(run, error.reason)
            return False
        try:
            async with self._db.write() as uow:
                return await self._take(uow, run, page)
        except _MovedOnError:
            return False

    async def _claim(self, uow: Uow, worker: str) -> tuple[Run | None, Standing]:
        now, standing = self._clock.now_ms(), await store.standing(uow)
        if await store.running(uow) is None:
            kind = due(standing.rules, *await store.last_began(uow), now, self._offset)
            if kind is not None:
                await self._begin(uow, kind, SYSTEM, standing)
        if not standing.asked_at:
            await store.put_standing(uow, asked_at=now)
        return await store.claim(uow, worker, now, now + LEASE_MS), standing

    async def _begin(self, uow: Uow, kind: Kind, subject: Subject, standing: Standing) -> bool:
        now = self._clock.now_ms()
        start = {"kind": kind.value, "by": subject.id, "began_at": now}
        if kind is Kind.INCREMENT and standing.rules.increment == "modified":
            start["since"] = max(0, standing.modified - OVERLAP_MS) or 1
        elif kind is Kind.INCREMENT:
            start["cursor"] = standing.cursor
        uow.changed(CHANGED)
        return await store.begin_run(uow, **start)

    async def _failed(self, run: Run, reason: str) -> None:
        now = self._clock.now_ms()
        async with self._db.write() as uow:
            standing = await store.lock_standing(uow)
            if not standing.failing_since:
                uow.on_commit(lambda: log.warning("items.source_lost", why=reason))
            since = standing.failing_since or now
            await store.put_standing(uow, failing_since=since, problem=reason)
            tries = run.tries + 1
            values = {"tries": tries, "problem": reason, "retry_at": now + retry_after_ms(tries)}
            if tries >= MOST_TRIES:
                values |= {"state": "failed", "ended_at": now}
            await store.put_run(uow, run, **values)
            uow.changed(CHANGED)

    async def _take(self, uow: Uow, run: Run, page: Page) -> bool:
        now = self._clock.now_ms()
        standing = await store.lock_standing(uow)
        taking = await self._taking(uow, run, standing.rules)
        await taking.page(uow, page.items)
        moved: dict[str, object] = {
            "pages": run.pages + 1,
            "cursor": page.next if page.more or run.kind == Kind.INCREMENT else "",
            "position": run.position or page.position,
            "total": page.total if page.total is not None else run.total,
            "figures": dict(taking.figures),
            "uncoded": run.uncoded + taking.uncoded,
            "tries": 0,
            "problem": "",
            "lease_until": now + LEASE_MS,
        }
        if run.pages + 1 >= MOST_PAGES:
            moved |= {"state": "failed", "problem": "endless", "ended_at": now}
        if not await store.put_run(uow, run, **moved):
            raise _MovedOnError
        if standing.failing_since:
            uow.on_commit(lambda: log.info("items.source_back"))
        await store.put_standing(uow, answered_at=now, failing_since=0, problem="")
        uow.changed(CHANGED, "catalogue")
        if not page.more and "state" not in moved:
            ended = await store.run(uow, run.no)
            assert ended is not None
            await self._finish(uow, ended, standing)
        return page.more

    async def _taking(self, uow: ReadUow, run: Run, rules: SyncRules) -> Taking:
        return Taking(
            run=run,
            rules=rules,
            pattern=await self._catalogue.lists.pattern(uow),
            today=self._catalogue.today(),
            now=self._clock.now_ms(),
            place=run.figures.get("rows", 0),
            figures=Counter(run.figures),
            announce=self._catalogue.announce,
        )

    async def _finish(self, uow: Uow, run: Run, standing: Standing) -> None:
        """All pages are in: what is missing is concluded, withdrawals are done or wait, increments go on from here."""
        taking = await self._taking(uow, run, standing.rules)
        alive, problem = await store.alive(uow), ""
        if run.kind == Kind.FULL:
            problem = await self._missing(uow, run, taking)
        pending = await store.withdrawals(uow, run.no, "pending")
        waits = suspicious(len(pending), alive, standing.rules.most_withdrawn)
        if not waits:
            await taking.withdraw(uow, pending)
        taking.figures["withdrawals"] = len(pending)
        values = {"ended_at": taking.now, "figures": dict(taking.figures), "problem": problem}
        await store.end_run(uow, run.no, "waiting" if waits else "done", "running", **values)
        await store.forget_runs(uow, taking.now - KEEP_MS)
        # A listing without a position leaves increments where they were.
        cursor = run.position if run.kind == Kind.FULL else run.cursor
        await store.put_standing(uow, cursor=cursor or standing.cursor, modified=run.began_at)
        told = " ".join(f"{name}={n}" for name, n in sorted(taking.figures.items()))
        await self._audit.write(uow, SYSTEM, "catalogue.sync", object=str(run.no), detail=told)

    async def _missing(self, uow: Uow, run: Run, taking: Taking) -> str:
        """Stages what a full listing did not have; why nothing can be concluded, otherwise."""
        missing = await store.missing(uow, run.no)
        if run.uncoded:
            problem = "uncoded"
        elif run.total is not None and run.total != await store.seen(uow, run.no):
            problem = "total"
        else:
            found = [
                {"code": code, "name": name, "on": None, "missing": True, "revision": revision}
                for code, name, revision in missing
            ]
            await store.stage(uow, run.no, found)
            return ""
        taking.figures["unclear"] = len(missing)
        return problem

    # -- what people do ---------------------------------------------------------------------------

    async def start(self, uow: Uow, subject: Subject, kind: Kind) -> None:
        """Begins a run by hand. Raises ``sync.none`` without an item system, ``sync.running``."""
        subject.require(Permission.CATALOGUE_SYNC)
        if self._source is None:
            raise Refusal("sync.none")
        if not await self._begin(uow, kind, subject, await store.standing(uow)):
            raise Refusal("sync.running")
        await self._audit.write(uow, subject, "catalogue.sync_start", object=kind.value)

    async def stop(self, uow: Uow, subject: Subject, no: int) -> None:
        """What was taken in stays. Raises ``sync.over``."""
        subject.require(Permission.CATALOGUE_SYNC)
        if not await store.end_run(uow, no, "stopped", "running", ended_at=self._clock.now_ms()):
            raise Refusal("sync.over")
        uow.changed(CHANGED)
        await self._audit.write(uow, subject, "catalogue.sync_stop", object=str(no))

    async def decide_withdrawals(
        self, uow: Uow, subject: Subject, no: int, *, accept: bool
    ) -> None:
        """Withdraws what waits, or leaves it in force. Raises ``sync.over`` when nothing waits any more."""
        subject.require(Permission.CATALOGUE_SYNC)
        standing, run = await store.lock_standing(uow), await store.run(uow, no)
        if run is None or run.state != "waiting":
            raise Refusal("sync.over")
        figures = dict(run.figures)
        if accept:
            taking = await self._taking(uow, run, standing.rules)
            await taking.withdraw(uow, await store.withdrawals(uow, no, "pending"))
            figures = dict(taking.figures)
        else:
            await store.settle(uow, no, "refused")
        await store.end_run(uow, no, "done", "waiting", figures=figures)
        uow.changed(CHANGED, "catalogue")
        act = "catalogue.sync_withdraw" if accept else "catalogue.sync_keep"
        await self._audit.write(uow, subject, act, object=str(no))

    async def put_rules(self, uow: Uow, subject: Subject, rules: SyncRules) -> None:
        """Raises ``sync.names`` when a row could not be known by its code."""
        subject.require(Permission.CATALOGUE_SYNC)
        if not all(rules.names.get(one) for one in ("code", "name", "department")):
            raise Refusal("sync.names")
        await store.put_standing(uow, rules=store.packed_rules(rules))
        uow.changed(CHANGED)
        detail = f"trusted={','.join(rules.trusted)} withdrawn={rules.most_withdrawn}%"
        await self._audit.write(uow, subject, "catalogue.sync_rules", detail=detail)

    async def conflicts(self, uow: ReadUow, subject: Subject) -> list[OpenConflict]:
        """Those of items within the subject's reach."""
        scope = subject.scope(Permission.CATALOGUE)
        found = await self._open(uow, await store.conflicts(uow))
        return [one for one in found if within(scope, one.ours)]

    async def conflict(self, uow: ReadUow, subject: Subject, code: str) -> OpenConflict:
        """Raises ``sync.no_conflict``."""
        scope = subject.scope(Permission.CATALOGUE)
        found = await self._open(uow, await store.conflicts(uow, [code]))
        if not found or not within(scope, found[0].ours):
            raise Refusal("sync.no_conflict")
        return found[0]

    async def _open(self, uow: ReadUow, conflicts: Sequence[Conflict]) -> list[OpenConflict]:
        codes = [one.code for one in conflicts]
        newest = await repository.newest(uow, codes)
        known = await store.known(uow, codes)
        found = []
        for one in conflicts:
            ours = newest[one.code]
            base = known[one.code].said if one.code in known else None
            merged = merge(base, ours.body, one.said, ask=ASKED)
            seen = f"{one.revision}-{one.at}-{ours.version}-{ours.made_at}"
            found.append(
                OpenConflict(conflict=one, ours=ours.body, base=base, merged=merged, seen=seen)
            )
        return found

    async def decide(
        self, uow: Uow, subject: Subject, code: str, choices: Mapping[str, str], seen: str
    ) -> None:
        """Settles a conflict: each field ``ours`` or ``theirs``. What changes becomes a draft, reviewed like any.

        Raises ``sync.no_conflict``, ``sync.undecided``, ``catalogue.changed``, ``catalogue.faulty``, ``page.forbidden``.
        """
        await self._catalogue.turn.take(uow, subject)
        found = await self.conflict(uow, subject, code)
        body = decided(found.merged, choices)
        if found.seen != seen:
            raise Refusal("catalogue.changed")
        if body is None:
            raise Refusal("sync.undecided")
        if body_faults(body):
            raise Refusal("catalogue.faulty")
        if not within(subject.scope(Permission.CATALOGUE), body):
            raise Refusal("page.forbidden")
        conflict, now = found.conflict, self._clock.now_ms()
        if body != found.ours:
            await repository.add_materials(uow, body.materials)
            await repository.put_draft(
                uow, code, body,
                origin=ORIGIN, at=now, by=subject.id, wanted_from=conflict.wanted_from,
            )  # fmt: skip
        said = {**(found.base or {}), **conflict.said}
        gone = bool(said.get("withdrawn"))
        await store.agree(uow, code, conflict.revision, said, conflict.run, gone=gone)
        await store.drop_conflict(uow, code)
        uow.changed(CHANGED, "catalogue")
        detail = " ".join(f"{name}={choice}" for name, choice in sorted(choices.items()))
        await self._audit.write(uow, subject, "catalogue.sync_decide", object=code, detail=detail)


async def _next_page(source: Source, run: Run, standing: Standing) -> Page:
    """Raises :class:`SourceError`, for a source that goes round in a circle too."""
    page = await source.page(*_request(run, standing))
    if page.more and page.next == run.cursor:
        raise SourceError("malformed")
    return page


def _request(run: Run, standing: Standing) -> tuple[str, dict[str, str]]:
    """Path and query of the run's next page."""
    query = {"limit": str(standing.rules.page_rows)}
    if run.since:
        since = datetime.fromtimestamp(run.since / 1000, UTC).isoformat(timespec="seconds")
        query["modified_since"] = since
    if run.cursor:
        query["cursor"] = run.cursor
    by_cursor = run.kind == Kind.INCREMENT and not run.since
    return ("/v1/changes" if by_cursor else "/v1/items"), query
