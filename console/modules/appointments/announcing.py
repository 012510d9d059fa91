"""What integrators hear of appointments: told beside what citizens are told, in the same transaction."""

import msgspec

from console.core.api import ApiEvents, ApiEventType, Both, Day, Instant
from console.core.api_scopes import APPOINTMENTS_READ
from console.core.uow import Uow
from console.modules.appointments.api import Appointment, Life
from console.modules.appointments.telling import WaitingTeller


class AppointmentTold(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment as it is now. Nothing of the person: whoever made it knows it by its id."""

    appointment: str
    hall: str
    items: list[str]
    day: Day
    start_at: Instant
    party: int
    state: Life


def _type(kind: str, zh: str, en: str) -> ApiEventType[AppointmentTold]:
    return ApiEventType(
        kind=f"appointment.{kind}",
        payload=AppointmentTold,
        scope=APPOINTMENTS_READ,
        summary=Both(f"预约：{zh}", f"Appointment: {en}"),
        purpose=Both(
            f"一个预约{zh}。没有个人信息。", f"An appointment: {en}. It says nothing of the person."
        ),
    )


BOOKED = _type("booked", "已约上", "booked")
CHANGED = _type("changed", "已改期", "changed, by the citizen or by staff")
CANCELLED = _type("cancelled", "已取消", "cancelled")
ARRIVED = _type("arrived", "本人已到", "arrived")
MISSED = _type("missed", "爽约", "missed")
TYPES = (BOOKED, CHANGED, CANCELLED, ARRIVED, MISSED)
_OF_TOPIC = {
    "appointment.booked": BOOKED,
    "appointment.changed": CHANGED,
    "appointment.moved": CHANGED,
    "appointment.cancelled": CANCELLED,
    "appointment.missed": MISSED,
}


class Announcer:
    """Implements :class:`console.modules.appointments.telling.Teller` around the one that tells citizens; declares
    what it tells."""

    def __init__(self, teller: WaitingTeller, events: ApiEvents) -> None:
        self._teller = teller
        self._events = events
        events.declare(*TYPES)

    async def tell(
        self, uow: Uow, topic: str, appointment: Appointment, *, days: int = 0, since: int = 0
    ) -> None:
        await self._teller.tell(uow, topic, appointment, days=days, since=since)
        await self.announce(uow, topic, appointment)

    def word(self, topic: str, appointment: Appointment) -> bytes:
        return self._teller.word(topic, appointment)

    async def announce(self, uow: Uow, topic: str, appointment: Appointment) -> None:
        if topic in _OF_TOPIC:
            await self._told(uow, _OF_TOPIC[topic], appointment, appointment.state)

    async def follow(self, uow: Uow, appointment: Appointment, *, until: int) -> None:
        await self._teller.follow(uow, appointment, until=until)
        await self._told(uow, ARRIVED, appointment, Life.ARRIVED)

    async def _told(
        self, uow: Uow, kind: ApiEventType[AppointmentTold], one: Appointment, state: Life
    ) -> None:
        told = AppointmentTold(
            appointment=one.id,
            hall=one.hall,
            items=list(one.items),
            day=one.day,
            start_at=one.start_at,
            party=one.party,
            state=state,
        )
        key = f"{kind.kind}:{one.id}:{one.revision}"
        await self._events.tell(uow, kind, told, hall=one.hall, key=key)
