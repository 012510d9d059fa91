"""Appointments through the open API. An integrator sees, changes and cancels those that it made, and no others."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from console.core.api import (
    ApiCall,
    ApiOperation,
    Both,
    Cursor,
    Day,
    HallName,
    Instant,
    Next,
    NoParams,
    Nothing,
    check_span,
    cursor_of,
    read_cursor,
    said,
)
from console.core.api_scopes import APPOINTMENTS_READ, APPOINTMENTS_WRITE
from console.core.permissions import Permission
from console.core.uow import ReadUow, Uow
from console.halls.api import HallsApi, hall_within
from console.modules.appointments.api import (
    CANCEL_REASONS,
    Appointment,
    AppointmentsApi,
    Channel,
    FreeDay,
    Level,
    Life,
    Visitor,
    Wanted,
)
from console.modules.citizens.api import CitizensApi
from console.modules.gateway import models as m
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId, ItemId
from qingting.contract.states import CertificateKind
from qingting.kernel.security.device_keys import new_token

MOST_DAYS = 62
ROWS = 20
_Id = r"^[A-Za-z0-9_.-]+$"
BookingName = Annotated[
    str, said("预约的标识", "Id of an appointment", min_length=1, max_length=64, pattern=_Id)
]
ItemName = Annotated[
    str,
    said("大厅事项的标识", "Id of an item in the hall", min_length=1, max_length=64, pattern=_Id),
]
Start = Annotated[
    str,
    said(
        "时段开始，大厅时间，例如 09:30",
        "Begin of the period in the hall's time",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
    ),
]
FOR_CITIZEN = ("citizen.name", "citizen.number", "citizen.phone", "citizen.name_differs")
FOR_PLACE = (
    "hall.unknown", "appointments.full", "appointments.no_place", "appointments.day_closed", "appointments.too_soon",
    "appointments.party", "appointments.no_item", "appointments.holds", "appointments.per_day",
    "appointments.open_at_once", "appointments.same_item", "appointments.cancelled_often", "appointments.banned",
    "appointments.blacklisted", "appointments.needs_real_name", "appointments.needs_face", "citizen.being_erased",
)  # fmt: skip


class OfferParams(Strict, frozen=True, kw_only=True):
    """One hall."""

    hall: HallName


class PlaceParams(Strict, frozen=True, kw_only=True):
    """Free places of an item from ``first`` to ``last``, both inclusive."""

    hall: HallName
    item: ItemName
    first: Day
    last: Day


class BookingParams(Strict, frozen=True, kw_only=True):
    """One appointment."""

    appointment: BookingName


class ListParams(Strict, frozen=True, kw_only=True):
    """A page of appointments."""

    limit: Annotated[int, said("一页最多几条", "Rows of a page at most", ge=1, le=50)] = ROWS
    cursor: Cursor | None = None


class ApiCitizen(Strict, frozen=True, kw_only=True):
    """Who comes. Stored sealed; answers show it masked."""

    kind: Annotated[CertificateKind, said("证件类型", "Kind of certificate")]
    name: Annotated[str, said("姓名", "Name", min_length=1, max_length=60)]
    number: Annotated[str, said("证件号码", "Certificate number", min_length=1, max_length=40)]
    phone: Annotated[str, said("手机号，不填不发短信", "Mobile phone, optional", max_length=20)] = (
        ""
    )
    level: Annotated[
        Level,
        said(
            "您的系统核实身份到什么程度：basic 自报，real_name 实名认证，face 人脸核验",
            "How far your system made sure of who it is: as told, by real name, by face",
        ),
    ] = Level.BASIC


class NewBooking(Strict, frozen=True, kw_only=True):
    """A visit that is asked for."""

    citizen: ApiCitizen
    hall: HallName
    items: Annotated[list[ItemName], said("要办的事项", "What for", min_length=1, max_length=5)]
    day: Day
    start: Start
    party: Annotated[int, said("几个人来", "How many come", ge=1, le=20)] = 1


class NewTime(Strict, frozen=True, kw_only=True):
    """Another time, hall or item."""

    hall: HallName
    items: Annotated[list[ItemName], said("要办的事项", "What for", min_length=1, max_length=5)]
    day: Day
    start: Start
    party: Annotated[int, said("几个人来", "How many come", ge=1, le=20)] = 1


class Cancelling(Strict, frozen=True, kw_only=True):
    """Why it is cancelled."""

    reason: Annotated[
        str,
        said(
            "原因：" + "、".join(CANCEL_REASONS),
            "One of " + ", ".join(CANCEL_REASONS),
            max_length=20,
            pattern=r"^[a-z_]+$",
        ),
    ]
    words: Annotated[
        str, said("说明，other 时必填", "In words; needed for other", max_length=200)
    ] = ""


class ApiOffer(msgspec.Struct, frozen=True, kw_only=True):
    """An item that can be booked in the hall."""

    item: str
    name: str
    name_en: str
    code: Annotated[str, said("实施编码，没有为空", "Implementation code, or empty")]
    department: str
    party_most: Annotated[int, said("一次最多几个人", "How many may come together")]


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """What can be booked in a hall."""

    hall: str
    offers: list[ApiOffer]


class ApiPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A period with what is left."""

    start: str
    end: str
    free: int
    why: Annotated[str, said("不能约的原因代码，可约为空", "Why not, empty where one can book")]


class ApiFreeDay(msgspec.Struct, frozen=True, kw_only=True):
    """A date with its periods."""

    day: Day
    free: int
    why: Annotated[str, said("当天不能约的原因代码", "Why there is nothing on this date, or empty")]
    places: list[ApiPlace]


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Free places of an item."""

    hall: str
    item: str
    days: list[ApiFreeDay]


class ApiBooking(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment."""

    id: str
    code: Annotated[str, said("取号二维码的内容", "Text of the QR code to take a number by")]
    state: Life
    hall: str
    hall_name: str
    address: str
    items: list[str]
    item_name: str
    day: Day
    start: str
    end: str
    start_at: Instant
    end_at: Instant
    party: int
    masked_name: str
    masked_number: str
    held_until: Annotated[
        Instant, said("保留到何时，不是保留为 0", "Until when a hold is kept, else 0")
    ]
    cancel_until: Annotated[Instant, said("最晚何时可取消或改期", "Until when it may be changed")]
    reason: Annotated[str, said("取消原因", "Reason of a cancellation, or empty")]


class BookingPage(msgspec.Struct, frozen=True, kw_only=True):
    """An integrator's appointments, the newest first."""

    appointments: list[ApiBooking]
    next: Next


def _booking(one: Appointment) -> ApiBooking:
    kept = {name: getattr(one, name) for name in ApiBooking.__struct_fields__ if name != "items"}
    return ApiBooking(**{**kept, "cancel_until": max(0, one.cancel_until)}, items=list(one.items))


def _day(one: FreeDay) -> ApiFreeDay:
    places = [
        ApiPlace(start=each.start, end=each.end, free=each.free, why=each.why)
        for each in one.places
    ]
    return ApiFreeDay(day=one.day, free=one.free, why=one.why, places=places)


class Bookings:
    """The use cases behind the calls."""

    def __init__(
        self, halls: HallsApi, appointments: AppointmentsApi, citizens: CitizensApi
    ) -> None:
        self._halls = halls
        self._appointments = appointments
        self._citizens = citizens

    async def _hall(self, call: ApiCall[Any, Any], hall: str, under: Permission) -> HallId:
        """Raises ``hall.unknown``, also out of reach."""
        scope = call.subject.scope(under)
        found = await hall_within(call.uow, self._halls, scope, hall)
        if not scope.has(found.id):
            raise Refusal("hall.unknown")
        return found.id

    async def offers(self, call: ApiCall[OfferParams, None]) -> Offers:
        hall = await self._hall(call, call.params.hall, Permission.APPOINTMENTS)
        found = await self._appointments.offers(call.uow, hall=hall)
        return Offers(
            hall=hall,
            offers=[
                ApiOffer(
                    item=one.item, name=one.name, name_en=one.name_en, code=one.code,
                    department=one.department, party_most=one.party_most,
                )
                for one in found
            ],
        )  # fmt: skip

    async def places(self, call: ApiCall[PlaceParams, None]) -> Places:
        asked = call.params
        hall = await self._hall(call, asked.hall, Permission.APPOINTMENTS)
        check_span(asked.first, asked.last, MOST_DAYS)
        items = (ItemId(asked.item),)
        found = await self._appointments.free(call.uow, hall, items, asked.first, asked.last)
        return Places(hall=hall, item=asked.item, days=[_day(one) for one in found])

    async def hold(self, call: ApiCall[Any, NewBooking]) -> ApiBooking:
        who, wanted = await self._who(call, call.body), await self._wanted(call, call.body)
        made = await self._appointments.hold(call.uow, who, wanted, key=new_token())
        await _keep(call.uow, call.client, made, who.level)
        return _booking(made)

    async def book(self, call: ApiCall[Any, NewBooking]) -> ApiBooking:
        who, wanted = await self._who(call, call.body), await self._wanted(call, call.body)
        made = await self._appointments.book(call.uow, who, wanted, key=new_token())
        await _keep(call.uow, call.client, made, who.level)
        return _booking(made)

    async def _who(self, call: ApiCall[Any, Any], asked: NewBooking) -> Visitor:
        one = asked.citizen
        known = await self._citizens.register(
            call.uow, call.subject, kind=one.kind, name=one.name, number=one.number, phone=one.phone
        )
        return Visitor(citizen=known.id, level=one.level, channel=Channel.API)

    async def _wanted(self, call: ApiCall[Any, Any], asked: NewBooking | NewTime) -> Wanted:
        hall = await self._hall(call, asked.hall, Permission.APPOINTMENTS_HANDLE)
        check_span(asked.day, asked.day, 1)
        return Wanted(
            hall=hall,
            items=tuple(ItemId(one) for one in dict.fromkeys(asked.items)),
            day=asked.day,
            start=asked.start,
            party=asked.party,
        )

    async def confirm(self, call: ApiCall[BookingParams, None]) -> ApiBooking:
        who, name = await self._own(call), call.params.appointment
        made = await self._appointments.confirm(call.uow, who, name, key=new_token())
        return _booking(made)

    async def release(self, call: ApiCall[BookingParams, None]) -> Nothing:
        await self._appointments.release(call.uow, await self._own(call), call.params.appointment)
        return Nothing()

    async def change(self, call: ApiCall[BookingParams, NewTime]) -> ApiBooking:
        who, wanted = await self._own(call), await self._wanted(call, call.body)
        made = await self._appointments.change(
            call.uow, who, call.params.appointment, wanted, key=new_token()
        )
        return _booking(made)

    async def cancel(self, call: ApiCall[BookingParams, Cancelling]) -> ApiBooking:
        who, asked = await self._own(call), call.body
        gone = await self._appointments.cancel(
            call.uow, who, call.params.appointment, reason=asked.reason, words=asked.words, key=new_token()
        )  # fmt: skip
        return _booking(gone)

    async def one(self, call: ApiCall[BookingParams, None]) -> ApiBooking:
        who = await self._own(call)
        return _booking(
            await self._appointments.booking(call.uow, call.params.appointment, who.citizen)
        )

    async def listed(self, call: ApiCall[ListParams, None]) -> BookingPage:
        asked = call.params
        before = read_cursor(asked.cursor, tuple[int])[0] if asked.cursor else None
        rows = await _kept(call.uow, call.client, before, asked.limit + 1)
        page = rows[: asked.limit]
        found = [await self._kept_one(call.uow, row) for row in page]
        return BookingPage(
            appointments=[_booking(one) for one in found if one is not None],
            next=cursor_of(page[-1]["no"]) if len(rows) > len(page) else None,
        )

    async def _kept_one(self, uow: ReadUow, row: sa.RowMapping) -> Appointment | None:
        """None of one that was kept for as long as appointments are, and is gone."""
        try:
            return await self._appointments.booking(uow, row["appointment"], row["citizen"])
        except Refusal as refusal:
            if refusal.code != "appointments.unknown":
                raise
            return None

    async def _own(self, call: ApiCall[BookingParams, Any]) -> Visitor:
        """Whose appointment it is, for the integrator that made it. Raises ``appointments.unknown``."""
        b = m.booking.c
        row = await call.uow.first(
            sa.select(b.citizen, b.level).where(
                b.client == call.client, b.appointment == call.params.appointment
            )
        )
        if row is None:
            raise Refusal("appointments.unknown")
        level = Level(row["level"])
        return Visitor(citizen=row["citizen"], level=level, channel=Channel.API)


async def _keep(uow: Uow, client: str, made: Appointment, level: Level) -> None:
    values = {
        "client": client,
        "appointment": made.id,
        "citizen": made.citizen,
        "level": level.value,
    }
    await uow.run(sa.insert(m.booking).values(values))


async def _kept(
    uow: ReadUow, client: str, before: int | None, limit: int
) -> Sequence[sa.RowMapping]:
    b = m.booking.c
    statement = sa.select(m.booking).where(b.client == client).order_by(b.no.desc()).limit(limit)
    return await uow.all(statement if before is None else statement.where(b.no < before))


def looks(use: Bookings) -> tuple[ApiOperation[Any, Any, Any], ...]:
    """Calls that change nothing."""
    return (
        ApiOperation(
            name="listOffers", method="GET", path="/halls/{hall}/offers", tag="appointments", scope=APPOINTMENTS_READ,
            summary=Both("大厅可预约的事项", "What can be booked"),
            purpose=Both("一个大厅现在可以预约的事项。", "Items that can be booked in a hall now."),
            params=OfferParams, result=Offers, run=use.offers, errors=("hall.unknown",),
        ),
        ApiOperation(
            name="listPlaces", method="GET", path="/halls/{hall}/places", tag="appointments", scope=APPOINTMENTS_READ,
            summary=Both("查询号源", "Free places"),
            purpose=Both(
                "一个事项每天（最长 62 天）每个时段还剩几个号，以及不能约的原因。",
                "What is left of an item in each period of at most 62 dates, and why not.",
            ),
            params=PlaceParams, result=Places, run=use.places,
            errors=("hall.unknown", "api.span", "appointments.no_item"),
        ),
        ApiOperation(
            name="getAppointment", method="GET", path="/appointments/{appointment}", tag="appointments", scope=APPOINTMENTS_READ,
            summary=Both("查看一个预约", "One appointment"),
            purpose=Both("您的系统做的一个预约及其履约情况。", "An appointment that your system made, and what became of it."),
            params=BookingParams, result=ApiBooking, run=use.one, errors=("appointments.unknown",),
        ),
        ApiOperation(
            name="listAppointments", method="GET", path="/appointments", tag="appointments", scope=APPOINTMENTS_READ,
            summary=Both("列出预约", "List appointments"),
            purpose=Both("您的系统做的预约，新的在前。", "Appointments that your system made, the newest first."),
            params=ListParams, result=BookingPage, run=use.listed,
        ),
    )  # fmt: skip


def holds(use: Bookings) -> tuple[ApiOperation[Any, Any, Any], ...]:
    """Calls around holds."""
    errors = (*FOR_PLACE, *FOR_CITIZEN, "api.span", "appointments.no_people")
    return (
        ApiOperation(
            name="holdPlace", method="POST", path="/holds", tag="appointments", scope=APPOINTMENTS_WRITE,
            summary=Both("保留一个号", "Hold a place"),
            purpose=Both(
                "先保留几分钟，确认后才算约上；到时间自动放弃。",
                "Keeps a place for some minutes; it is booked when it is confirmed and lapses otherwise.",
            ),
            params=NoParams, body=NewBooking, result=ApiBooking, run=use.hold, status=201, once=True, errors=errors,
        ),
        ApiOperation(
            name="confirmHold", method="POST", path="/holds/{appointment}/confirm", tag="appointments", scope=APPOINTMENTS_WRITE,
            summary=Both("确认保留的号", "Confirm a hold"),
            purpose=Both("把保留的号变成预约。", "Makes a booking of a hold."),
            params=BookingParams, result=ApiBooking, run=use.confirm, once=True,
            errors=("appointments.unknown", "appointments.lapsed", *FOR_PLACE),
        ),
        ApiOperation(
            name="releaseHold", method="DELETE", path="/holds/{appointment}", tag="appointments", scope=APPOINTMENTS_WRITE,
            summary=Both("放弃保留的号", "Release a hold"),
            purpose=Both("不要了就放弃，别人可以约。", "Gives a hold back, so that others can book."),
            params=BookingParams, result=Nothing, run=use.release, errors=("appointments.unknown",),
        ),
    )  # fmt: skip


def acts(use: Bookings) -> tuple[ApiOperation[Any, Any, Any], ...]:
    """Calls that book, change and cancel."""
    errors = (*FOR_PLACE, *FOR_CITIZEN, "api.span", "appointments.no_people")
    return (
        ApiOperation(
            name="bookPlace", method="POST", path="/appointments", tag="appointments", scope=APPOINTMENTS_WRITE,
            summary=Both("预约", "Book"),
            purpose=Both(
                "替一位办事人预约。姓名、证件号、手机号加密保存，回答里只有脱敏后的。",
                "Books for a citizen. Name, certificate number and phone are stored sealed; the answer shows them masked.",
            ),
            params=NoParams, body=NewBooking, result=ApiBooking, run=use.book, status=201, once=True, errors=errors,
        ),
        ApiOperation(
            name="changeAppointment", method="POST", path="/appointments/{appointment}/change", tag="appointments", scope=APPOINTMENTS_WRITE,
            summary=Both("改期", "Change"),
            purpose=Both("换时间、大厅或事项，二维码不变。", "Another time, hall or item; the code stays the same."),
            params=BookingParams, body=NewTime, result=ApiBooking, run=use.change, once=True,
            errors=("appointments.unknown", "appointments.over", "appointments.too_late", "api.span", *FOR_PLACE),
        ),
        ApiOperation(
            name="cancelAppointment", method="POST", path="/appointments/{appointment}/cancel", tag="appointments", scope=APPOINTMENTS_WRITE,
            summary=Both("取消", "Cancel"),
            purpose=Both("取消一个预约。", "Cancels an appointment."),
            params=BookingParams, body=Cancelling, result=ApiBooking, run=use.cancel, once=True,
            errors=("appointments.unknown", "appointments.over", "appointments.too_late", "appointments.reason"),
        ),
    )  # fmt: skip


def booking_calls(
    halls: HallsApi, appointments: AppointmentsApi, citizens: CitizensApi
) -> tuple[ApiOperation[Any, Any, Any], ...]:
    """All of them."""
    use = Bookings(halls, appointments, citizens)
    return (*looks(use), *holds(use), *acts(use))
