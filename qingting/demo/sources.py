"""The demonstration data as strictly parsed types, read from ``data/*.toml`` once.

A key that is not known, a missing one or a wrong value raises :class:`msgspec.ValidationError` with
its place: the data files are part of the program and are wrong only by mistake.
"""

import tomllib
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, TypeVar

import msgspec

from qingting.contract.base import Strict
from qingting.contract.calendar import ALL_WEEK, Weekday
from qingting.contract.config import RepeatRule
from qingting.contract.ids import DepartmentId, DeviceId, HallId, ItemId, QueueId, ShortText

T = TypeVar("T")


class DivisionKind(StrEnum):
    """What a division is (区划类型). ``other`` are farms and zones below a district or county."""

    CITY = "city"
    DISTRICT = "district"
    COUNTY = "county"
    ZONE = "zone"
    STREET = "street"
    TOWN = "town"
    TOWNSHIP = "township"
    OTHER = "other"


class Division(Strict, frozen=True, kw_only=True):
    """An administrative division. ``code`` has 6 digits, below a district or county 9."""

    code: str
    name: str
    name_en: str
    kind: DivisionKind
    parent: str | None


class DepartmentSource(Strict, frozen=True, kw_only=True):
    """A department with the queue that its items wait in. ``uscc`` is an invented sample code."""

    id: DepartmentId
    name: ShortText
    name_en: ShortText
    short_name: ShortText
    icon: str
    queue: QueueId
    uscc: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-HJ-NPQRTUWXY]{18}$")]


class QueueSource(Strict, frozen=True, kw_only=True):
    id: QueueId
    prefix: str
    name: ShortText
    name_en: ShortText


class ItemSource(Strict, frozen=True, kw_only=True):
    """A service item. ``minutes`` is the typical serving time, ``days`` the promised working days.

    ``group`` empty: the group of its file.
    """

    id: ItemId
    name: ShortText
    name_en: ShortText
    basic_code: Annotated[str, msgspec.Meta(pattern=r"^\d{12}$")]
    minutes: Annotated[float, msgspec.Meta(gt=0, le=240)]
    law: str
    law_en: Annotated[str, msgspec.Meta(min_length=1)]
    materials: Annotated[tuple[str, ...], msgspec.Meta(min_length=3, max_length=6)]
    materials_en: Annotated[tuple[str, ...], msgspec.Meta(min_length=3, max_length=6)]
    keywords: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    days: Annotated[int, msgspec.Meta(ge=0)] = 0
    group: ShortText = ""
    repeat: RepeatRule = RepeatRule.FREE
    party_max: int = 20
    daily_cap: int = 0
    skill: ShortText = ""
    hot: bool = False
    needs_identity: bool = True
    weekdays: tuple[Weekday, ...] = ALL_WEEK


class WindowSource(Strict, frozen=True, kw_only=True):
    """A window. ``skills`` are those of the clerks who usually work there."""

    name: ShortText
    name_en: ShortText
    area: ShortText
    place: str
    place_en: str
    queues: Annotated[tuple[QueueId, ...], msgspec.Meta(min_length=1, max_length=3)]
    skills: tuple[ShortText, ...] = ()
    appointment_only: bool = False


class HallSource(Strict, frozen=True, kw_only=True):
    """A hall. ``no`` starts its staff numbers; ``printers`` are the profiles of its kiosks' printers; ``spot`` is its
    latitude and longitude."""

    id: HallId
    no: Annotated[int, msgspec.Meta(ge=1, le=99)]
    name: ShortText
    name_en: ShortText
    division: str
    address: str
    spot: tuple[float, float]
    layout: str
    printers: tuple[str, ...]
    phone: str = "12345"


class StaffSource(Strict, frozen=True, kw_only=True):
    surnames: tuple[str, ...]
    given_names: tuple[str, ...]


class KioskSource(Strict, frozen=True, kw_only=True):
    """A kiosk. Without ``face_profile`` no face terminal stands beside it."""

    id: DeviceId
    name: ShortText
    name_en: ShortText
    scanner_profile: str
    face_profile: str = ""


class BoardSource(Strict, frozen=True, kw_only=True):
    id: DeviceId
    name: ShortText
    name_en: ShortText


class LedSource(Strict, frozen=True, kw_only=True):
    """An LED strip above a window, by the window's number."""

    id: DeviceId
    name: ShortText
    name_en: ShortText
    window: int
    profile: str


class DeviceSource(Strict, frozen=True, kw_only=True):
    reader_profile: str
    kiosk: tuple[KioskSource, ...]
    board: tuple[BoardSource, ...]
    led: tuple[LedSource, ...]


class BookingSource(Strict, frozen=True, kw_only=True):
    """A sample booking. ``card`` lies at the simulated reader; ``minutes`` is the booked time from the start."""

    card: str
    minutes: Annotated[int, msgspec.Meta(ge=-720, le=720)]
    items: Annotated[tuple[ItemId, ...], msgspec.Meta(min_length=1, max_length=5)]
    party: Annotated[int, msgspec.Meta(ge=1, le=200)] = 1


class Readings(Strict, frozen=True, kw_only=True):
    """Corrections to the pinyin dictionary: text → syllables separated by spaces."""

    surnames: dict[str, str]
    phrases: dict[str, str]


class _City(Strict, frozen=True, kw_only=True):
    code: str
    name: str
    name_en: str


class _Area(Strict, frozen=True, kw_only=True):
    code: Annotated[str, msgspec.Meta(pattern=r"^\d{6}$")]
    kind: DivisionKind
    name: str
    name_en: str
    parts: dict[Annotated[str, msgspec.Meta(pattern=r"^\d{3}$")], str]


class _DivisionFile(Strict, frozen=True, kw_only=True):
    city: _City
    area: tuple[_Area, ...]


class _DepartmentFile(Strict, frozen=True, kw_only=True):
    department: tuple[DepartmentSource, ...]


class _QueueFile(Strict, frozen=True, kw_only=True):
    queue: tuple[QueueSource, ...]


class _ItemFile(Strict, frozen=True, kw_only=True):
    department: DepartmentId
    group: ShortText
    item: tuple[ItemSource, ...]


class _Layout(Strict, frozen=True, kw_only=True):
    id: str
    windows: tuple[WindowSource, ...]


class _LayoutFile(Strict, frozen=True, kw_only=True):
    layout: tuple[_Layout, ...]


class _BookingFile(Strict, frozen=True, kw_only=True):
    booking: tuple[BookingSource, ...]


class _HallFile(Strict, frozen=True, kw_only=True):
    hall: tuple[HallSource, ...]


_SUFFIXES = (
    ("街道", DivisionKind.STREET),
    ("镇", DivisionKind.TOWN),
    ("乡", DivisionKind.TOWNSHIP),
)


def _read(name: str, kind: type[T]) -> T:
    text = files("qingting.demo").joinpath("data", *name.split("/")).read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), kind)


def _kind_of(name: str) -> DivisionKind:
    return next((kind for suffix, kind in _SUFFIXES if name.endswith(suffix)), DivisionKind.OTHER)


@cache
def divisions() -> tuple[Division, ...]:
    """All divisions of Daqing: the city, then each district, county or zone followed by its parts."""
    file = _read("divisions.toml", _DivisionFile)
    city = file.city
    found = [
        Division(
            code=city.code,
            name=city.name,
            name_en=city.name_en,
            kind=DivisionKind.CITY,
            parent=None,
        )
    ]
    for area in file.area:
        found.append(
            Division(
                code=area.code,
                name=area.name,
                name_en=area.name_en,
                kind=area.kind,
                parent=city.code,
            )
        )
        found += [
            Division(
                code=area.code + part, name=name, name_en="", kind=_kind_of(name), parent=area.code
            )
            for part, name in area.parts.items()
        ]
    return tuple(found)


@cache
def departments() -> tuple[DepartmentSource, ...]:
    """The thirteen departments in the order in which screens show them."""
    return _read("departments.toml", _DepartmentFile).department


@cache
def queues() -> tuple[QueueSource, ...]:
    return _read("queues.toml", _QueueFile).queue


@cache
def items() -> dict[DepartmentId, tuple[ItemSource, ...]]:
    """The items of each department, one data file a department."""
    found: dict[DepartmentId, tuple[ItemSource, ...]] = {}
    for department in departments():
        file = _read(f"items/{department.id}.toml", _ItemFile)
        if file.department != department.id:
            raise LookupError(f"items/{department.id}.toml is of {file.department!r}")
        found[department.id] = tuple(
            one if one.group else msgspec.structs.replace(one, group=file.group)
            for one in file.item
        )
    return found


@cache
def layouts() -> dict[str, tuple[WindowSource, ...]]:
    return {one.id: one.windows for one in _read("layouts.toml", _LayoutFile).layout}


@cache
def halls() -> dict[HallId, HallSource]:
    """The twelve halls by id, the nine of the districts and counties first."""
    return {hall.id: hall for hall in _read("halls.toml", _HallFile).hall}


@cache
def bookings() -> tuple[BookingSource, ...]:
    """Who has booked on the day of the demonstration, at every hall that offers it."""
    return _read("bookings.toml", _BookingFile).booking


@cache
def staff_names() -> StaffSource:
    return _read("staff.toml", StaffSource)


@cache
def hall_devices() -> DeviceSource:
    return _read("devices.toml", DeviceSource)


@cache
def readings() -> Readings:
    return _read("readings.toml", Readings)
