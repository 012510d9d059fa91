"""What a hall offers, by its own configuration, as far as places depend on it."""

import msgspec

from qingting.contract.base import Record
from qingting.contract.calendar import ALL_WEEK, HallCalendar
from qingting.contract.config import HallConfig, HallInfo, Item, Window
from qingting.contract.config_parts import (
    CalendarPart,
    ConfigPart,
    HallPart,
    OfferPart,
    RosterPart,
)


class OfferedItem(Record, frozen=True, kw_only=True):
    """See :class:`qingting.contract.config.Item`."""

    id: str
    name: str
    name_en: str
    department: str
    queue: str
    code: str = ""
    weekdays: tuple[int, ...] = ALL_WEEK
    party_max: int = 1


class DepartmentName(Record, frozen=True, kw_only=True):
    name: str
    name_en: str


class Offering(Record, frozen=True, kw_only=True):
    """A hall's items, hours and how many windows serve each queue."""

    hall: HallInfo
    calendar: HallCalendar
    departments: dict[str, DepartmentName]
    items: tuple[OfferedItem, ...]
    windows: dict[str, int]

    @property
    def offset(self) -> int:
        """Minutes by which the hall's clock is ahead of UTC."""
        return self.hall.utc_offset_minutes

    def item(self, item: str) -> OfferedItem | None:
        return next((one for one in self.items if one.id == item), None)

    def department(self, department: str) -> DepartmentName:
        """An unknown one is called by its id."""
        known = self.departments.get(department)
        return known or DepartmentName(name=department, name_en=department)


def offering_of(config: HallConfig) -> Offering:
    return Offering(
        hall=config.hall,
        calendar=config.calendar,
        departments={
            one.id: DepartmentName(name=one.name, name_en=one.name_en) for one in config.departments
        },
        items=_items(config.items),
        windows=_windows(config.windows),
    )


def with_part(offering: Offering, part: ConfigPart) -> Offering:
    """The offering after the hall changed a part of its configuration."""
    match part:
        case HallPart(hall=hall):
            return msgspec.structs.replace(offering, hall=hall)
        case CalendarPart(calendar=calendar):
            return msgspec.structs.replace(offering, calendar=calendar)
        case OfferPart(items=items):
            return msgspec.structs.replace(offering, items=_items(items))
        case RosterPart(windows=windows):
            return msgspec.structs.replace(offering, windows=_windows(windows))
        case _:
            return offering


def _items(items: tuple[Item, ...]) -> tuple[OfferedItem, ...]:
    return tuple(
        OfferedItem(
            id=one.id,
            name=one.name,
            name_en=one.name_en,
            department=one.department,
            queue=one.queue,
            code=one.code,
            weekdays=one.weekdays,
            party_max=one.party_max,
        )
        for one in items
    )


def _windows(windows: tuple[Window, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for window in windows:
        for queue in window.queues:
            found[queue] = found.get(queue, 0) + 1
    return found
