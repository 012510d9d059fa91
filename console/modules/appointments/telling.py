"""Telling citizens what became of their appointments (消息推送).

What there is to tell waits beside the directives, written with what happened: the relay hands it on, so that many who
book at once do not queue up for the outbox of messages.
"""

from typing import Protocol

import msgspec

from console.core.uow import ReadUow, Uow
from console.modules.appointments import repository as repo
from console.modules.appointments.api import Appointment, Life
from console.modules.notifications.api import FieldKind, NotificationsApi, Topic, TopicField, topics
from qingting.contract.base import Strict
from qingting.contract.ids import BookingId, HallId
from qingting.kernel.aio.clock import Clock

_LINK = "/c/bookings"
REMINDER = "appointment.reminder"
_FIELDS = (
    TopicField(id="item", example="居民身份证换领"),
    TopicField(id="item_en", example="Renewal of the resident ID card"),
    TopicField(id="hall", example="萨尔图区政务服务中心"),
    TopicField(id="hall_en", example="Sartu District Service Hall"),
    TopicField(id="address", example="大庆市萨尔图区东风路 1 号"),
    TopicField(id="start", kind=FieldKind.MOMENT, example=1_795_570_200_000),
)
_DAYS = TopicField(id="days", kind=FieldKind.NUMBER, example=30)
TOPICS = topics(
    "console.modules.appointments",
    Topic(id="appointment.booked", fields=_FIELDS, link=_LINK),
    Topic(id="appointment.changed", fields=_FIELDS, link=_LINK),
    Topic(id="appointment.moved", fields=_FIELDS, link=_LINK, urgent=True),
    Topic(id="appointment.cancelled", fields=_FIELDS, link=_LINK),
    Topic(id=REMINDER, fields=_FIELDS, link=_LINK, keep_minutes=120),
    Topic(id="appointment.missed", fields=_FIELDS, link=_LINK),
    Topic(id="appointment.punished", fields=(*_FIELDS, _DAYS), link=_LINK),
)


class Told(Strict, frozen=True, kw_only=True):
    """Something to tell, as it waits. ``until`` (UTC ms) it is useless; 0: as its topic says. ``since`` there is cause to."""

    topic: str
    citizen: str
    hall: str
    key: str
    params: dict[str, str | int]
    until: int = 0
    since: int = 0


class Teller(Protocol):
    """Tells in the transaction of what happened; ``topic`` is one of :data:`TOPICS`, ``days`` the length of a
    punishment, ``since`` when there was cause to tell it, 0 for now."""

    async def tell(
        self, uow: Uow, topic: str, appointment: Appointment, *, days: int = 0, since: int = 0
    ) -> None: ...

    def word(self, topic: str, appointment: Appointment) -> bytes:
        """The same as it waits, for who leaves it together with a directive."""
        ...

    async def announce(self, uow: Uow, topic: str, appointment: Appointment) -> None:
        """Tells integrators of what :meth:`word` says; :meth:`tell` does it by itself."""
        ...

    async def follow(self, uow: Uow, appointment: Appointment, *, until: int) -> None:
        """The citizen has come and waits: is told when few are before them."""
        ...


def told(topic: str, one: Appointment, at: int, *, days: int = 0, since: int = 0) -> Told:
    """What is said at an instant of an appointment as it is then."""
    params: dict[str, str | int] = {
        "item": one.item_name[:200],
        "item_en": one.item_name_en[:200],
        "hall": one.hall_name,
        "hall_en": one.hall_name_en,
        "address": one.address[:200],
        "start": one.start_at,
    }
    reminder = topic == REMINDER
    if days:
        params["days"] = days
    # Of each reminder of a time there is one: the booked time is in its key, and when it was due.
    which = f"{one.start_at}-{at // 60_000}" if reminder else f"{one.revision}"
    return Told(
        topic=topic,
        citizen=one.citizen,
        hall=one.hall,
        key=f"{topic}:{one.id}:{which}",
        params=params,
        until=one.start_at if reminder else 0,
        since=since or at,
    )


async def reminder_stands(uow: ReadUow, key: str) -> bool:
    """A reminder is told while its visit is still booked, at the time that it was for."""
    about, _, when = key.removeprefix(f"{REMINDER}:").rpartition(":")
    row = await repo.row_of(uow, about)
    return (
        row is not None
        and row["state"] == Life.BOOKED
        and f"{row['start_at']}" == when.partition("-")[0]
    )


class WaitingTeller:
    """Implements :class:`Teller`: leaves word for the relay."""

    def __init__(self, clock: Clock, notifications: NotificationsApi) -> None:
        self._clock = clock
        self._notifications = notifications

    async def tell(
        self, uow: Uow, topic: str, appointment: Appointment, *, days: int = 0, since: int = 0
    ) -> None:
        word = told(topic, appointment, self._clock.now_ms(), days=days, since=since)
        await repo.send(uow, appointment.hall, appointment.id, told=msgspec.json.encode(word))

    def word(self, topic: str, appointment: Appointment) -> bytes:
        return msgspec.json.encode(told(topic, appointment, self._clock.now_ms()))

    async def follow(self, uow: Uow, appointment: Appointment, *, until: int) -> None:
        await self._notifications.follow(
            uow,
            appointment.citizen,
            HallId(appointment.hall),
            BookingId(appointment.id),
            until=until,
        )
