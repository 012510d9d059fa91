"""Numbers for what waits to be told to halls, and word for citizens.

A booking leaves a directive behind in its own transaction. Giving it the hall's next number there would make all
bookings of a hall, and with the audit's chain all of the city, wait for one another until the disk has answered. So
one worker at a time gives numbers to what waits, many at once; what a cut or a killed worker leaves is found again.
"""

import asyncio

import msgspec
import sqlalchemy as sa
import structlog

from console.core.db import CityUnavailable, Database
from console.core.permissions import SYSTEM, Permission
from console.core.uow import Uow
from console.halls.api import HallsApi
from console.modules.appointments import models as m
from console.modules.appointments.telling import Told
from console.modules.notifications.api import NotificationsApi
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
                await asyncio.wait_for(self._woken.wait(), LOOK_SECONDS)
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
            rows = await uow.all(sa.select(m.outgoing).order_by(m.outgoing.c.no).limit(BATCH))
            for row in rows:
                if row["told"] is not None:
                    await self._tell(uow, _words.decode(row["told"]))
                else:
                    await self._send(uow, row)
            await uow.run(
                sa.delete(m.outgoing).where(m.outgoing.c.no.in_([row["no"] for row in rows]))
            )
            if rows:
                uow.changed(CHANGED)
        return len(rows) == BATCH

    async def _tell(self, uow: Uow, word: Told) -> None:
        """What cannot be told is left out: halls and the other citizens must not wait for it for ever."""
        try:
            async with uow.savepoint():
                await self._hand_on(uow, word)
        except (ValueError, KeyError):
            log.exception("appointments.word_refused", topic=word.topic, hall=word.hall)

    async def _hand_on(self, uow: Uow, word: Told) -> None:
        await self._notifications.tell(
            uow,
            word.topic,
            word.citizen,
            word.params,
            key=word.key,
            until=word.until or None,
            hall=word.hall,
        )

    async def _send(self, uow: Uow, row: sa.RowMapping) -> None:
        hall = HallId(row["hall"])
        try:
            no = await self._halls.send(
                uow,
                SYSTEM,
                hall,
                _directives.decode(row["body"]),
                under=Permission.APPOINTMENTS_HANDLE,
            )
        except Refusal as refusal:
            # A hall that the city does not know any more: nobody is there to be told.
            log.warning("appointments.hall_gone", hall=hall, code=refusal.code)
            return
        await uow.run(sa.insert(m.sent).values(hall=hall, no=no, appointment=row["appointment"]))
