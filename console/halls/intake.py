"""The city end of the link as use cases: greet a hall, take its frames, decide its forks.

What is said here is said after the commit only: :mod:`console.halls.link` sends an answer when the
transaction of the call has ended.
"""

from dataclasses import dataclass

import structlog

from console.core.db import Database
from console.halls.chain import Cursor, Fork, Fresh, Repeat, check_frame, frame_instants
from console.halls.partitions import Months
from console.halls.repository import HallRepository
from qingting.contract.ids import HallId
from qingting.contract.link import GENESIS, LINK_VERSION, Ack, Events, Hello, Nack, Welcome
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import matches, new_token

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


class Intake:
    """Applies what halls send. Any number of workers may do so for the same hall at the same time."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
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
        )

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
        """A quarantined hall knocks: is there a decision, and does this log fit it?"""
        fork = await halls.open_fork(hello.hall)
        if hello.epoch == cursor.epoch and _continues(hello, cursor):
            if fork is not None:
                await halls.close_fork(fork["no"], now)
            await halls.put_cursor(hello.hall, cursor, now)
            return _Verdict("resume", cursor)
        if fork is None:
            await _found(halls, hello, cursor, now)
            return _Verdict("fork", await _common(halls, hello, cursor), "link.fork")
        await halls.see_fork_again(fork["no"], hello)
        branch = await _branch(halls, hello, cursor)
        if fork["decision"] != "accept" or branch is None:
            return _Verdict("fork", await _common(halls, hello, cursor), "link.fork")
        return await self._merge(halls, hello, branch, fork["no"], now)

    async def _merge(
        self, halls: HallRepository, hello: Hello, branch: Cursor, fork: int, now: int
    ) -> _Verdict:
        lost = 0
        if hello.parent_epoch:
            lost = await halls.lose_after(hello.hall, branch.seq)
        await halls.put_cursor(hello.hall, branch, now)
        await halls.close_fork(fork, now)
        await halls.restart_projections(hello.hall)
        log.warning("link.fork_merged", hall=hello.hall, after=branch.seq, lost=lost)
        return _Verdict("resume", branch)

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
        if held is None or held[1]:
            return Nack(code="auth", expect=0, retry_after=REFUSED_SECONDS)
        cursor = held[0]
        judged = check_frame(cursor, frame)
        if isinstance(judged, Nack):
            return judged
        if isinstance(judged, Repeat):
            known = await halls.hash_at(hall, frame.epoch, judged.seq)
            judged = Fresh(()) if known == judged.hash else Fork(judged.seq)
        if isinstance(judged, Fork):
            await halls.quarantine(hall)
            end = frame.first + len(frame.events) - 1
            await halls.add_fork(hall, cursor, (frame.epoch, end), (0, 0), now)
            halls.changed()
            log.warning("link.fork_found", hall=hall, seq=judged.seq)
            return Nack(code="hash", expect=cursor.seq + 1, retry_after=REFUSED_SECONDS)
        if not judged.links:
            return _ack(cursor)
        await halls.append(hall, frame.epoch, judged.links, now)
        last = judged.links[-1]
        return _ack(Cursor(cursor.epoch, last.seq, last.hash))


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
    """The last event of which the city can tell that both have it; number 0 when it cannot."""
    seq = min(hello.head, cursor.seq)
    if hello.epoch == cursor.epoch and seq:
        known = await halls.hash_at(hello.hall, cursor.epoch, seq)
        if known is not None and (seq != hello.head or known == hello.head_hash):
            return Cursor(cursor.epoch, seq, known)
    return Cursor(cursor.epoch, 0, GENESIS)


async def _branch(halls: HallRepository, hello: Hello, cursor: Cursor) -> Cursor | None:
    """Where the new epoch begins; None when the hall has not minted one that the city can place."""
    if hello.epoch <= cursor.epoch:
        return None
    if not hello.parent_epoch:
        return Cursor(hello.epoch, 0, GENESIS)
    if hello.parent_epoch > cursor.epoch:
        return None
    if hello.parent_seq == 0:
        return Cursor(hello.epoch, 0, GENESIS)
    known = await halls.hash_at(hello.hall, hello.parent_epoch, hello.parent_seq)
    return None if known is None else Cursor(hello.epoch, hello.parent_seq, known)


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
