"""Appointments of a demonstration: items that can be booked, and the sample bookings as the city's own."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from console.app.city import City
from console.core.permissions import SYSTEM
from console.core.uow import Uow
from console.modules.appointments import repository as repo
from console.modules.appointments.api import Channel, Life
from console.modules.appointments.places import MINUTE_MS, instant
from console.modules.appointments.repository import Names
from console.modules.appointments.repository_rules import add_version, versions
from console.modules.appointments.rules import DEFAULTS, DayChoice, Rule, Target
from console.modules.catalogue.repository import put_flags
from console.modules.citizens.api import CITIZENS
from qingting.contract.bookings import Booking
from qingting.contract.calendar import Period
from qingting.contract.config import HallConfig
from qingting.contract.ids import HallId
from qingting.kernel.security.persons import open_person

RULE = Rule(
    open=True,
    periods=(Period(start="08:30", end="11:30"), Period(start="13:30", end="17:00")),
    days=DayChoice.OPEN_DAYS,
    lead_minutes=30,
    per_day=4,
)
"""All that the halls offer, on whatever days they open, today too, at the hours of an office: a demonstration's halls open
longer than any office."""


async def open_for_booking(city: City, configs: Sequence[HallConfig]) -> None:
    """Says the rule of the demonstration and which items of the catalogue it means, once; whoever changes either keeps
    the change."""
    async with city.db.write() as uow:
        if not await versions(uow, Target()):
            at = city.context.clock.now_ms()
            codes = sorted({item.code for one in configs for item in one.items if item.code})
            await put_flags(uow, [(code, True, True) for code in codes], at, "system")
            _ = await add_version(uow, Target(), 0, RULE, at=at, by="system", note="演示")


async def keep_booking(city: City, uow: Uow, config: HallConfig, booking: Booking) -> None:
    """The city's own record of a sample booking that the hall is told of; one of an earlier start is renewed."""
    hall = HallId(config.hall.id)
    name, number = open_person(city.context.hall_sealer(hall), booking.person)
    citizen = await city.context.take(CITIZENS).register(
        uow, SYSTEM, kind=booking.person.kind, name=name, number=number
    )
    values = _values(config, booking, city.context.clock.now_ms()) | {"citizen": citizen.id}
    if await repo.row_of(uow, booking.id) is None:
        await repo.add(uow, values | {"id": booking.id})
        at = city.context.clock.now_ms()
        await repo.note(uow, booking.id, "booked", at=at, by="system")
    else:
        await repo.put(uow, booking.id, **values)


def _values(config: HallConfig, booking: Booking, now: int) -> dict[str, Any]:
    offset, day = config.hall.utc_offset_minutes, date.fromisoformat(booking.day)
    midnight = instant(day, 0, offset)
    names = _names(config, booking)
    first = next(one for one in config.items if one.id == booking.items[0])
    punctuality = config.rules.punctuality
    return {
        **repo.BLANK,
        "code": booking.code,
        "state": Life.BOOKED,
        "hall": config.hall.id,
        "department": first.department,
        "items": list(booking.items),
        "day": day,
        "start": (booking.start - midnight) // MINUTE_MS,
        "end": min(1440, -(-(booking.end - midnight) // MINUTE_MS)),
        "start_at": booking.start,
        "end_at": booking.end,
        "party": booking.party,
        "names": msgspec.to_builtins(names),
        "masked_name": booking.person.masked_name,
        "masked_number": booking.person.masked_number,
        "channel": Channel.PHONE,
        "made_at": now,
        "made_by": "system",
        "held_until": 0,
        "cancel_until": booking.start - DEFAULTS.cancel_minutes * MINUTE_MS,
        "early_minutes": punctuality.early_minutes,
        "late_minutes": punctuality.late_minutes,
        "remind_at": None,
    }


def _names(config: HallConfig, booking: Booking) -> Names:
    items = {one.id: one for one in config.items}
    booked = [items[one] for one in booking.items]
    department = next(one for one in config.departments if one.id == booked[0].department)
    return Names(
        hall=config.hall.name,
        hall_en=config.hall.name_en,
        address=config.hall.address,
        phone=config.hall.phone,
        item="、".join(one.name for one in booked),
        item_en=", ".join(one.name_en for one in booked),
        department=department.name,
        department_en=department.name_en,
    )
