"""The command loop of a hall: decide, commit, publish, answer. The only way to change a hall.

While one transaction is being written the next commands collect; they are decided together on a
working state that runs ahead, and stored in one transaction. :attr:`Hall.state` follows only what is
committed, so whatever is shown or answered is on the disk.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

import structlog

from hallserver.engine.days import business_day
from hallserver.engine.evolve import evolve
from hallserver.engine.state import STATE_SCHEMA, HallState
from hallserver.round import Committed, Pending, Round
from hallserver.store.batch import Batch, Tip
from hallserver.store.errors import CommitError, ReadDeadlineError
from hallserver.store.exchange import complete
from hallserver.store.replay import PAGE, apply_stored, decode_state, encode_state, rebuild
from hallserver.store.store import HallStore, Span
from qingting.contract.commands import ApplyConfig, CloseDay, Command
from qingting.contract.config import HallConfig
from qingting.contract.errors import Refusal
from qingting.contract.events import DayOpened, Event
from qingting.contract.ids import CommandKey
from qingting.kernel.aio.clock import Clock
from qingting.kernel.aio.tasks import Supervisor

__all__ = ["Committed", "Hall", "open_hall"]

log = structlog.get_logger(__name__)

Listener = Callable[[tuple[Event, ...]], None]

MAX_BATCH = 256
"""Commands of one transaction; bounds how long a round holds the event loop."""
KEYS_REMEMBERED = 50_000
"""Idempotency keys in memory, more than a busy day's; older ones are looked up in the table."""
DAY_CHECK_SECONDS = 30.0
"""How often the wall clock is compared with the business day; short, since a machine may sleep."""
GIVE_UP_AFTER = 3
"""Failed commits in a row after which the disk, not a command, is at fault."""


class Hall:
    """One hall in operation. Made by :func:`open_hall`."""

    def __init__(self, store: HallStore, state: HallState, tip: Tip, clock: Clock) -> None:
        self.store = store
        self.state = state
        """What is committed. Read only."""
        self.writable = True
        """False while the disk does not take the log; every command is then refused."""
        self._clock = clock
        self._ahead = decode_state(encode_state(state))
        self._inbox: deque[Pending] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._listeners: list[Listener] = []
        self._keys: dict[str, Span] = {}
        self._keys_forgotten = False
        self._tip = tip
        self._stale = False
        self._snapshot_seq = -1

    async def submit(self, command: Command, *, key: str, actor: str) -> Committed:
        """Carries out a command once for each ``key``, and returns after it is safely stored.

        ``key`` must be unique among all senders: the hub puts the device in front of a client's own.
        Raises :class:`Refusal`: the engine's, ``store.unavailable`` or ``internal``; nothing has
        changed then. A cancelled caller may find its command carried out; the same key tells.
        """
        if self._closing:
            raise Refusal("store.unavailable")
        done: asyncio.Future[Committed] = asyncio.get_running_loop().create_future()
        self._inbox.append(Pending(CommandKey(key), actor, command, done))
        self._wake.set()
        return await done

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """``listener`` is called in the loop after each commit, before the senders are answered.

        Returns a function that ends the subscription.
        """
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    # ---- the loop -------------------------------------------------------------------------------

    async def serve(self) -> None:
        """Carries out commands until :meth:`close`."""
        await self._remember_commands()
        while not self._closing or self._inbox:
            await self._wake.wait()
            self._wake.clear()
            while self._inbox:
                size = min(len(self._inbox), MAX_BATCH)
                await self._carry_out([self._inbox.popleft() for _ in range(size)])

    async def _remember_commands(self) -> None:
        recent = await self.store.recent_commands(KEYS_REMEMBERED)
        self._keys = dict(recent)
        self._keys_forgotten = len(recent) == KEYS_REMEMBERED

    async def _carry_out(self, pendings: Sequence[Pending]) -> None:
        try:
            await self._round(pendings)
        except Exception as error:
            _log_failure(error)
            if len(pendings) == 1 and not isinstance(error, CommitError):
                pendings[0].refuse(_refusal_for(error))
            else:
                await self._one_by_one(pendings)

    async def _one_by_one(self, pendings: Sequence[Pending]) -> None:
        """Second and last try, each in a transaction of its own: one bad command fails alone."""
        disk_failures = 0
        for pending in pendings:
            if disk_failures >= GIVE_UP_AFTER:
                pending.refuse(Refusal("store.unavailable"))
                continue
            try:
                await self._round([pending], await self.store.former([pending.key]))
                disk_failures = 0
            except Exception as error:
                _log_failure(error)
                disk_failures += _is_disk(error)
                pending.refuse(_refusal_for(error))

    async def _round(
        self, pendings: Sequence[Pending], former: Mapping[str, Span] = MappingProxyType({})
    ) -> None:
        if self._stale:
            await self._recover()
        # Whatever interrupts what follows leaves the working state in doubt.
        self._stale = True
        work = Round(self._ahead, Batch(self.store.epoch, self._tip), self._clock.now_ms())
        for pending in pendings:
            work.take(pending, self._keys.get(pending.key) or former.get(pending.key))
        if work.new:
            await self._commit(work)
        self._stale = False
        await self._answer(work)

    async def _commit(self, work: Round) -> None:
        try:
            await self.store.append(work.batch)
        except CommitError as error:
            self.writable = error.conflict
            raise
        self.writable = True
        self._tip = work.batch.tip
        for key, first, last in work.batch.commands:
            self._remember(key, Span(first, last))
        events = work.events
        for event in events:
            evolve(self.state, event)
        self._publish(events)
        if any(isinstance(event.b, DayOpened) for event in events):
            await self._save_snapshot()

    def _remember(self, key: str, span: Span) -> None:
        self._keys[key] = span
        if len(self._keys) > KEYS_REMEMBERED:
            del self._keys[next(iter(self._keys))]
            self._keys_forgotten = True

    def _publish(self, events: tuple[Event, ...]) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(events)
            except Exception:
                log.exception(
                    "hall.listener_failed", listener=getattr(listener, "__qualname__", "?")
                )

    async def _recover(self) -> None:
        """Working state and tip from what is stored. A commit that was reported failed may have landed."""
        while page := await self.store.events(self.state.seq, PAGE):
            apply_stored(self.state, page)
            events = tuple(stored.event() for stored in page)
            for event in events:
                known = self._keys.get(event.cmd)
                self._remember(event.cmd, Span(known.first if known else event.s, event.s))
            self._publish(events)
        self._tip = await self.store.tip()
        self._ahead = decode_state(encode_state(self.state))
        self._stale = False

    # ---- answers --------------------------------------------------------------------------------

    async def _answer(self, work: Round) -> None:
        for pending, events in work.new:
            pending.answer(Committed(events))
        for pending, span in work.repeats:
            await self._repeat(pending, span)
        former = await self._former(work)
        for pending in work.idle:
            await self._settle(pending, former, None)
        for pending, refusal in work.refused:
            await self._settle(pending, former, refusal)
        for pending, twin in work.twins:
            _copy_answer(twin, pending)

    async def _former(self, work: Round) -> dict[str, Span]:
        """Old keys among commands that came to nothing; those that changed the hall are unique by the table."""
        if not self._keys_forgotten:
            return {}
        doubtful = [pending.key for pending in work.idle]
        doubtful += [pending.key for pending, _ in work.refused]
        return await self.store.former(doubtful) if doubtful else {}

    async def _settle(
        self, pending: Pending, former: dict[str, Span], refusal: Refusal | None
    ) -> None:
        if (span := former.get(pending.key)) is not None:
            await self._repeat(pending, span)
        elif refusal is not None:
            pending.refuse(refusal)
        else:
            pending.answer(Committed(()))

    async def _repeat(self, pending: Pending, span: Span) -> None:
        try:
            stored = await self.store.events(span.first - 1, span.last - span.first + 1)
        except (sqlite3.Error, ReadDeadlineError) as error:
            _log_failure(error)
            pending.refuse(Refusal("store.unavailable"))
            return
        pending.answer(Committed(tuple(one.event() for one in stored), repeated=True))

    # ---- days, snapshots, the end ---------------------------------------------------------------

    async def keep_day(self) -> None:
        """Ends the business day when the hall's date has turned, also when nobody presses anything."""
        while True:
            await self._clock.sleep(DAY_CHECK_SECONDS)
            day = self.state.day
            if day is None or business_day(self._clock.now_ms(), self.state.config) <= day:
                continue
            try:
                await self.submit(CloseDay(), key=f"day-end:{day}", actor="timer")
            except Refusal as refusal:
                log.warning("hall.day_end_refused", day=day, code=refusal.code)

    async def _save_snapshot(self) -> None:
        if self.state.seq <= self._snapshot_seq:
            return
        seq, json = self.state.seq, encode_state(self.state)
        try:
            await self.store.save_snapshot(seq, STATE_SCHEMA, json)
            self._snapshot_seq = seq
        except Refusal as refusal:
            log.warning("hall.snapshot_failed", seq=seq, code=refusal.code)

    async def close(self, loop_task: asyncio.Task[None]) -> None:
        """Carries out what was submitted, refuses anything new, and keeps a snapshot."""
        self._closing = True
        self._wake.set()
        await loop_task
        await self._save_snapshot()


def _copy_answer(twin: Pending, pending: Pending) -> None:
    match twin.outcome:
        case Committed(events=events):
            pending.answer(Committed(events, repeated=True))
        case Refusal() as refusal:
            pending.refuse(refusal)
        case None:
            raise RuntimeError("a command was left without an outcome")


def _is_disk(error: Exception) -> bool:
    if isinstance(error, CommitError):
        return not error.conflict
    return isinstance(error, sqlite3.Error | ReadDeadlineError)


def _refusal_for(error: Exception) -> Refusal:
    return Refusal("store.unavailable" if _is_disk(error) else "internal")


def _log_failure(error: Exception) -> None:
    log.error("hall.round_failed", disk=_is_disk(error), exc_info=error)


@asynccontextmanager
async def open_hall(
    path: Path, *, clock: Clock, config: HallConfig | None = None
) -> AsyncIterator[Hall]:
    """Opens the hall at ``path``: store, state from snapshot and log, command loop, day timer. A restore that was
    wanted is carried out first.

    ``config`` is put in force when it is newer than the hall's. Raises
    :class:`hallserver.store.errors.StoreOpenError`, or :class:`Refusal` for an unusable ``config``.
    """
    await asyncio.to_thread(complete, path, clock.now_ms())
    async with HallStore.open(path, clock=clock) as store:
        state = await rebuild(store)
        hall = Hall(store, state, await store.tip(), clock)
        async with Supervisor("hall") as tasks:
            serving = tasks.run("commands", hall.serve())
            _ = tasks.run("day", hall.keep_day())
            try:
                await _put_config(hall, config)
                yield hall
            finally:
                await hall.close(serving)


async def _put_config(hall: Hall, config: HallConfig | None) -> None:
    known = hall.state.config
    if config is not None and (known is None or config.version > known.version):
        await hall.submit(
            ApplyConfig(config=config), key=f"config:file:{config.version}", actor="file"
        )
