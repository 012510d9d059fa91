"""The city end of the link as use cases: greet a hall, take its frames, decide its forks.

What is said here is said after the commit only: :mod:`console.halls.link` sends an answer when the
transaction of the call has ended.
"""

from dataclasses import dataclass

import structlog

from console.core.db import Database
from console.halls.chain import Cursor, Fork, Fresh, Repeat, answered, check_frame, frame_instants
from console.halls.partitions import Months
from console.halls.repository import HallRepository
from qingting.contract.ids import HallId
from qingting.contract.link import GENESIS, LINK_VERSION, Ack, Events, Hello, Nack, Welcome
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import matches, new_token
from qingting.kernel.security.persons import hand_over
from qingting.kernel.security.seal import Sealer

log = structlog.get_logger(__name__)

CREDIT = 4
"""Frames of a hall that may be in flight."""
REFUSED_SECONDS = 30.0
"""A refused hall comes again after this long: an administrator needs at least that."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    verdict: str
    cursor: Cursor
    code: str = ""


@dataclass(frozen=True, slots=True)
class _Branch:
    """``lost_after``: epoch and number behind which the city's events become history; None: none do."""

    cursor: Cursor
    lost_after: tuple[int, int] | None


class Intake:
    """Applies what halls send. Any number of workers may do so for the same hall at the same time."""

    def __init__(self, db: Database, clock: Clock, sealer: Sealer) -> None:
        self._db = db
        self._clock = clock
        self._sealer = sealer
        self._months = Months(db)

    async def greet(self, hello: Hello) -> Welcome:
        """Answers a HELLO and notes it. Raises ``city.unavailable``."""
        session = new_token()
        if not hello.proto[0] <= LINK_VERSION <= hello.proto[1]:
            return _refusal(session, "link.version")
        now = self._clock.now_ms()
        async with self._db.write() as uow:
            halls = HallRepository(uow)
            digest = await halls.key_digest(hello.hall)
            if digest is None or not matches(digest, hello.key):
                log.warning("link.refused", hall=hello.hall, code="link.unknown_hall")
                return _refusal(session, "link.unknown_hall")
            verdict = await self._judge(halls, hello, now)
            await halls.put_link(
                hello.hall,
                session,
                connected=verdict.verdict == "resume",
                hello=hello,
                refused=verdict.code,
                now=now,
            )
            if verdict.verdict == "resume":
                await _settle(halls, hello, now)
            uow.changed("halls")
        log.info(
            "link.greeted", hall=hello.hall, verdict=verdict.verdict, cursor=verdict.cursor.seq
        )
        return Welcome(
            proto=LINK_VERSION,
            session=session,
            cursor=verdict.cursor.seq,
            hash_at_cursor=verdict.cursor.hash,
            credit=CREDIT,
            verdict=verdict.verdict,
            code=verdict.code,
            retry_after=0.0 if verdict.verdict == "resume" else REFUSED_SECONDS,
            keys=self._keys_for(hello) if verdict.verdict == "resume" else "",
        )

    def _keys_for(self, hello: Hello) -> str:
        """What opens the persons whom the city books, for this hall alone; nothing for one that cannot take it."""
        if not hello.box_key:
            return ""
        try:
            return hand_over(self._sealer, hello.hall, hello.box_key)
        except ValueError:
            log.warning("link.box_key_unusable", hall=hello.hall)
            return ""

    async def _judge(self, halls: HallRepository, hello: Hello, now: int) -> _Verdict:
        held = await halls.lock_cursor(hello.hall)
        if held is None:
            cursor = Cursor(hello.epoch, 0, GENESIS)
            await halls.put_cursor(hello.hall, cursor, now)
            return _Verdict("resume", cursor)
        cursor, quarantined = held
        if quarantined:
            return await self._again(halls, hello, cursor, now)
        if hello.epoch == cursor.epoch and _continues(hello, cursor):
            return _Verdict("resume", cursor)
        await _found(halls, hello, cursor, now)
        return _Verdict("fork", await _common(halls, hello, cursor), "link.fork")

    async def _again(
        self, halls: HallRepository, hello: Hello, cursor: Cursor, now: int
    ) -> _Verdict:
        """A quarantined hall knocks: is there a decision, or may this be the right disk again?

        Without a decision a log that may continue ours is let in on probation: the quarantine stays
        until its first event proves it (see :meth:`_apply`).
        """
        fork = await halls.open_fork(hello.hall)
        if fork is not None and fork["decision"] == "accept":
            branch = await _branch(halls, hello, cursor)
            if branch is not None:
                return await self._merge(halls, hello, branch, fork["no"], now)
        if hello.epoch == cursor.epoch and _continues(hello, cursor):
            if hello.head == cursor.seq:
                await halls.release(hello.hall, now)
            return _Verdict("resume", cursor)
        if fork is None:
            await _found(halls, hello, cursor, now)
        else:
            await halls.see_fork_again(fork["no"], hello)
        return _Verdict("fork", await _common(halls, hello, cursor), "link.fork")

    async def _merge(
        self, halls: HallRepository, hello: Hello, branch: _Branch, fork: int, now: int
    ) -> _Verdict:
        lost = 0
        if branch.lost_after is not None:
            lost = await halls.lose_after(hello.hall, *branch.lost_after, fork)
        await halls.put_cursor(hello.hall, branch.cursor, now)
        await halls.release(hello.hall, now)
        await halls.restart_projections(hello.hall)
        log.warning("link.fork_merged", hall=hello.hall, after=branch.cursor.seq, lost=lost)
        return _Verdict("resume", branch.cursor)

    async def doubt(self, hello: Hello) -> None:
        """The hall itself found that the city's cursor is not in its log."""
        now = self._clock.now_ms()
        async with self._db.write() as uow:
            halls = HallRepository(uow)
            held = await halls.lock_cursor(hello.hall)
            if held is not None and not held[1]:
                await _found(halls, hello, held[0], now)
                uow.changed("halls")

    async def apply(self, hall: HallId, frame: Events) -> Ack | Nack:
        """Takes one frame in one transaction. Raises ``city.unavailable``; then nothing was taken.

        Idempotent: what the city has is ignored. A difference in the chain quarantines the hall.
        """
        now = self._clock.now_ms()
        await self._months.prepare(frame_instants(frame), now)
        async with self._db.write() as uow:
            return await self._apply(HallRepository(uow), hall, frame, now)

    async def _apply(
        self, halls: HallRepository, hall: HallId, frame: Events, now: int
    ) -> Ack | Nack:
        held = await halls.lock_cursor(hall)
        if held is None:
            return Nack(code="auth", expect=0, retry_after=REFUSED_SECONDS)
        cursor, quarantined = held
        judged = check_frame(cursor, frame)
        if isinstance(judged, Nack):
            return judged
        if isinstance(judged, Repeat):
            known = await halls.hash_at(hall, frame.epoch, judged.seq)
            judged = Fresh(()) if known == judged.hash else Fork(judged.seq)
        if isinstance(judged, Fork):
            if not quarantined:
                end = frame.first + len(frame.events) - 1
                await halls.quarantine(hall)
                await halls.add_fork(hall, cursor, (frame.epoch, end), (0, 0), now)
                halls.changed()
                log.warning("link.fork_found", hall=hall, seq=judged.seq)
            return Nack(code="hash", expect=cursor.seq + 1, retry_after=REFUSED_SECONDS)
        if not judged.links:
            return _ack(cursor)
        if quarantined:
            # The chain goes on from our own hash: the right disk is back.
            await halls.release(hall, now)
            halls.changed()
        await halls.append(hall, frame.epoch, judged.links, now)
        last = judged.links[-1]
        await halls.note_answers(hall, answered(judged.links), last.seq)
        return _ack(Cursor(cursor.epoch, last.seq, last.hash))


async def _settle(halls: HallRepository, hello: Hello, now: int) -> None:
    """After a restore the city's own numbers are those of the backup; the hall says which it has had since. An older
    hall does not say, and one on probation is not believed: unless the city has the whole log already, that is
    settled as the log arrives."""
    held = await halls.lock_cursor(hello.hall)
    if held is None or held[1]:
        return
    if hello.directive_no >= 0:
        await halls.settle(hello.hall, hello.directive_no, now)
    elif hello.head <= held[0].seq:
        await halls.settle(hello.hall, 0, now)


def _ack(cursor: Cursor) -> Ack:
    return Ack(epoch=cursor.epoch, upto=cursor.seq, hash=cursor.hash, credit=CREDIT)


def _refusal(session: str, code: str) -> Welcome:
    return Welcome(
        proto=LINK_VERSION,
        session=session,
        cursor=0,
        hash_at_cursor=GENESIS,
        credit=0,
        verdict="refuse",
        code=code,
        retry_after=REFUSED_SECONDS,
    )


def _continues(hello: Hello, cursor: Cursor) -> bool:
    """False when the hall's log ends before the cursor or with another hash there.

    A head beyond the cursor is proved by the first frame, which carries the hash before it.
    """
    return hello.head > cursor.seq or (
        hello.head == cursor.seq and (cursor.seq == 0 or hello.head_hash == cursor.hash)
    )


async def _common(halls: HallRepository, hello: Hello, cursor: Cursor) -> Cursor:
    """The last event that both are proved to have: the hall's head when our hash there is the same.

    Number 0 when nothing is proved; the hall's log is then compared, or followed, from its beginning.
    """
    if hello.epoch == cursor.epoch and 0 < hello.head <= cursor.seq:
        known = await halls.hash_at(hello.hall, cursor.epoch, hello.head)
        if known == hello.head_hash:
            return Cursor(cursor.epoch, hello.head, known)
    return Cursor(cursor.epoch, 0, GENESIS)


async def _branch(halls: HallRepository, hello: Hello, cursor: Cursor) -> _Branch | None:
    """Where the hall's log is to be followed from; None when the city cannot place it."""
    if hello.epoch < cursor.epoch:
        return None
    if hello.epoch == cursor.epoch:
        common = await _common(halls, hello, cursor)
        if not common.seq and hello.first > 1:
            return None
        return _Branch(common, (cursor.epoch, common.seq))
    if not hello.parent_epoch:
        return _Branch(Cursor(hello.epoch, 0, GENESIS), None)
    if hello.parent_seq == 0:
        return _Branch(Cursor(hello.epoch, 0, GENESIS), (hello.parent_epoch, 0))
    known = await halls.hash_at(hello.hall, hello.parent_epoch, hello.parent_seq)
    if known is None:
        return None
    start = Cursor(hello.epoch, hello.parent_seq, known)
    return _Branch(start, (hello.parent_epoch, hello.parent_seq))


async def _found(halls: HallRepository, hello: Hello, cursor: Cursor, now: int) -> None:
    await halls.quarantine(hello.hall)
    await halls.add_fork(
        hello.hall,
        cursor,
        (hello.epoch, hello.head),
        (hello.parent_epoch, hello.parent_seq),
        now,
    )
    log.warning("link.fork_found", hall=hello.hall, city=cursor.seq, head=hello.head)
