"""Numbers for what waits to be told to halls, and word for citizens.

A booking leaves a directive behind in its own transaction. Giving it the hall's next number there would make all
bookings of a hall, and with the audit's chain all of the city, wait for one another until the disk has answered. So
one worker at a time gives numbers to what waits, many at once; what a cut or a killed worker leaves is found again.
What is for a hall that has not reported since a restore waits for it, and holds nobody else up.
"""

import asyncio
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
import structlog

from console.core.db import CityUnavailable, Database
from console.core.permissions import SYSTEM, Permission
from console.core.uow import Uow
from console.halls.api import HallsApi
from console.modules.appointments import models as m
from console.modules.appointments.telling import Told
from console.modules.notifications.api import NotificationsApi, Word
from qingting.contract.directives import Directive
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId

log = structlog.get_logger(__name__)
CHANGED = "appointments"
BATCH = 50
LOOK_SECONDS = 1.0
"""How often is looked for what another worker left behind."""
_ONE = sa.text("SELECT pg_try_advisory_xact_lock(:no)")
_LOCK = 0x71746170
_words = msgspec.json.Decoder(Told)
_directives: msgspec.json.Decoder[Directive] = msgspec.json.Decoder(Directive)


class Relay:
    """``wake`` after a commit; ``run`` is kept running in every worker."""

    def __init__(self, db: Database, halls: HallsApi, notifications: NotificationsApi) -> None:
        self._db = db
        self._halls = halls
        self._notifications = notifications
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        while True:
            self._woken.clear()
            try:
                while await self.send_some():
                    pass
            except CityUnavailable:
                log.warning("appointments.relay_waits")
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def send_some(self) -> bool:
        """Gives numbers to the oldest that wait; True when there may be more. Another worker that is at it is left
        alone."""
        async with self._db.read() as reader:
            if await reader.scalar(sa.select(m.outgoing.c.no).limit(1)) is None:
                return False
        async with self._db.write() as uow:
            if not await uow.scalar(_ONE, {"no": _LOCK}):
                return False
            waiting = await self._halls.unsettled(uow)
            ready = m.outgoing.c.told.is_not(None) | m.outgoing.c.hall.not_in(sorted(waiting))
            rows = await uow.all(
                sa.select(m.outgoing).where(ready).order_by(m.outgoing.c.no).limit(BATCH)
            )
            await self._send_all(uow, [row for row in rows if row["told"] is None])
            await self._tell_all(
                uow, [_words.decode(row["told"]) for row in rows if row["told"] is not None]
            )
            await uow.run(
                sa.delete(m.outgoing).where(m.outgoing.c.no.in_([row["no"] for row in rows]))
            )
            if rows:
                uow.changed(CHANGED)
        return len(rows) == BATCH

    async def _tell_all(self, uow: Uow, words: Sequence[Told]) -> None:
        """What cannot be told is left out: halls and the other citizens must not wait for it for ever."""
        if not words:
            return
        try:
            await self._notifications.tell_all(uow, [_word(one) for one in words])
        except (ValueError, KeyError):
            for one in words:
                await self._tell(uow, one)

    async def _tell(self, uow: Uow, one: Told) -> None:
        try:
            await self._notifications.tell_all(uow, [_word(one)])
        except (ValueError, KeyError):
            log.exception("appointments.word_refused", topic=one.topic, hall=one.hall)

    async def _send_all(self, uow: Uow, rows: Sequence[sa.RowMapping]) -> None:
        """To each hall its own, in their order."""
        by_hall: dict[str, list[sa.RowMapping]] = {}
        for row in rows:
            by_hall.setdefault(row["hall"], []).append(row)
        # Halls are locked in one order by whoever numbers directives of several.
        for hall in sorted(by_hall):
            await self._send(uow, HallId(hall), by_hall[hall])

    async def _send(self, uow: Uow, hall: HallId, rows: Sequence[sa.RowMapping]) -> None:
        directives = [_directives.decode(row["body"]) for row in rows]
        try:
            numbers = await self._halls.send_all(
                uow, SYSTEM, hall, directives, under=Permission.APPOINTMENTS_HANDLE
            )
        except Refusal as refusal:
            if refusal.code != "hall.unknown":
                raise
            # A hall that the city does not know any more: nobody is there to be told.
            log.warning("appointments.hall_gone", hall=hall, code=refusal.code)
            return
        sent = [
            {"hall": hall, "no": no, "appointment": row["appointment"]}
            for no, row in zip(numbers, rows, strict=True)
        ]
        await uow.run(sa.insert(m.sent), sent)


def _word(told: Told) -> Word:
    return Word(
        told.topic,
        told.citizen,
        told.params,
        key=told.key,
        until=told.until or None,
        since=told.since or None,
        hall=told.hall,
    )
