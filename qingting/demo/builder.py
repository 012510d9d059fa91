"""Builds the configuration of a demonstration hall from the data files.

Items are marked as samples, staff and codes are invented, and nothing here holds a password. Every
queue is open round the clock; hours are the calendar's (:mod:`qingting.demo.hours`).
"""

from collections.abc import Iterator, Mapping

from qingting.contract.calendar import HallCalendar, Period
from qingting.contract.config import (
    Department,
    Device,
    HallConfig,
    HallInfo,
    Item,
    Queue,
    Staff,
    Window,
)
from qingting.contract.ids import DeviceId, HallId, QueueId, StaffId, WindowId
from qingting.contract.rules import CallCondition, CallingRules, WaitingOver
from qingting.contract.states import DeviceKind, StaffPermission, StaffRole
from qingting.contract.templates import KioskNotice, KioskTemplate
from qingting.demo import sources
from qingting.demo.reading import initials, pinyin

CITY_LEVEL = "3"
"""行使层级 of an item offered by the city (GB/T 39046 table A.2): the fourth part of its code."""
ALWAYS_OPEN = (Period(start="00:00", end="24:00"),)
SEATS_A_WINDOW = 6
"""Seats of the waiting area for each window."""
RULES = CallingRules(
    name="演示规则",
    name_en="Rules of the demonstration",
    conditions=(
        CallCondition(
            name="老年人等满 15 分钟",
            name_en="Elderly who waited 15 minutes",
            when=(WaitingOver(minutes=15, classes=("elderly",)),),
            classes=("elderly",),
        ),
    ),
)
"""The standard classes and one condition."""
SCREENS = KioskTemplate(
    id="demo",
    name="演示界面",
    name_en="Screens of the demonstration",
    notices=(
        KioskNotice(
            text="取号前先看材料：点选事项，就能看到要带什么。",
            text_en="Look first: choose an item to see what to bring.",
        ),
    ),
    kiosks=(DeviceId("k1"), DeviceId("k2")),
)
SPARE_CLERKS = 2
"""Clerks beyond one a window, so that a window can change hands."""


def hall_ids(count: int) -> tuple[HallId, ...]:
    """The first ``count`` halls; 9 are the five districts and four counties. ``ValueError`` outside 1–12."""
    known = tuple(sources.halls())
    if not 1 <= count <= len(known):
        raise ValueError(f"there are 1 to {len(known)} demonstration halls, not {count}")
    return known[:count]


def build_hall(
    hall_id: HallId,
    *,
    version: int = 1,
    urls: Mapping[DeviceId, str] | None = None,
    calendar: HallCalendar | None = None,
) -> HallConfig:
    """The configuration of one hall. ``urls`` says where each peripheral listens, by device id. Without
    ``calendar`` the hall sets no hours.

    Raises ``KeyError`` for a hall that is not in the data.
    """
    hall = sources.halls()[hall_id]
    layout = sources.layouts()[hall.layout]
    served = {queue for window in layout for queue in window.queues}
    return HallConfig(
        version=version,
        hall=HallInfo(
            id=hall.id,
            name=hall.name,
            name_en=hall.name_en,
            division=hall.division,
            address=hall.address,
            phone=hall.phone,
            seats=SEATS_A_WINDOW * len(layout),
        ),
        departments=tuple(_departments(served)),
        queues=tuple(_queues(served)),
        items=tuple(_items(served)),
        windows=tuple(_windows(layout)),
        staff=tuple(_staff(hall, layout)),
        devices=tuple(_devices(hall, len(layout), urls or {})),
        calendar=calendar or HallCalendar(),
        rules=RULES,
        kiosk_templates=(SCREENS,),
    )


def _departments(served: set[QueueId]) -> Iterator[Department]:
    for order, source in enumerate(sources.departments(), start=1):
        if source.queue in served:
            yield Department(
                id=source.id,
                name=source.name,
                name_en=source.name_en,
                short_name=source.short_name,
                uscc=source.uscc,
                order=order,
                icon=source.icon,
            )


def _queues(served: set[QueueId]) -> Iterator[Queue]:
    for source in sources.queues():
        if source.id in served:
            yield Queue(
                id=source.id,
                name=source.name,
                name_en=source.name_en,
                prefix=source.prefix,
                hours=ALWAYS_OPEN,
            )


def _items(served: set[QueueId]) -> Iterator[Item]:
    for department in sources.departments():
        if department.queue in served:
            for source in sources.items()[department.id]:
                yield _item(source, department)


def _item(source: sources.ItemSource, department: sources.DepartmentSource) -> Item:
    return Item(
        id=source.id,
        name=source.name,
        name_en=source.name_en,
        department=department.id,
        queue=department.queue,
        code=department.uscc + CITY_LEVEL + source.basic_code,
        minutes=source.minutes,
        weekdays=source.weekdays,
        materials=source.materials,
        materials_en=source.materials_en,
        legal_basis=source.law,
        legal_basis_en=source.law_en,
        promised_days=source.days,
        needs_identity=source.needs_identity,
        hot=source.hot,
        pinyin=pinyin(source.name, *source.keywords),
        initials=initials(source.name, *source.keywords),
        sample=True,
        skill=source.skill,
        group=source.group,
        daily_cap=source.daily_cap,
        repeat=source.repeat,
        party_max=source.party_max,
    )


def _windows(layout: tuple[sources.WindowSource, ...]) -> Iterator[Window]:
    for number, source in enumerate(layout, start=1):
        yield Window(
            id=WindowId(f"w{number}"),
            number=str(number),
            name=source.name,
            name_en=source.name_en,
            queues=source.queues,
            place=source.place,
            place_en=source.place_en,
            area=source.area,
            appointment_only=source.appointment_only,
        )


def _staff(hall: sources.HallSource, layout: tuple[sources.WindowSource, ...]) -> Iterator[Staff]:
    """The manager has number 00 of the hall, the clerk of window ``n`` number ``n``; the first clerk may do
    all that can be permitted."""
    by_queue = {one.queue: one.id for one in reversed(sources.departments())}
    for index in range(1 + len(layout) + SPARE_CLERKS):
        number = f"{hall.no:02d}{index:02d}"
        window = layout[(index - 1) % len(layout)]
        manager = index == 0
        yield Staff(
            id=StaffId(f"s-{number}"),
            number=number,
            name=_invented_name(hall.no, index),
            role=StaffRole.MANAGER if manager else StaffRole.CLERK,
            department=None if manager else by_queue[window.queues[0]],
            skills=() if manager else window.skills,
            permissions=() if manager else _permissions(index),
        )


def _permissions(index: int) -> tuple[StaffPermission, ...]:
    return tuple(StaffPermission) if index == 1 else (StaffPermission.MAKE_TICKETS,)


def _invented_name(hall_no: int, index: int) -> str:
    names = sources.staff_names()
    surname = names.surnames[(hall_no * 13 + index * 6) % len(names.surnames)]
    given = names.given_names[(hall_no * 17 + index * 5) % len(names.given_names)]
    return surname + given


def _devices(
    hall: sources.HallSource, windows: int, urls: Mapping[DeviceId, str]
) -> Iterator[Device]:
    source = sources.hall_devices()
    for kiosk, printer_profile in zip(source.kiosk, hall.printers, strict=True):
        yield from _kiosk(kiosk, printer_profile, source.reader_profile, urls)
    for number in range(1, windows + 1):
        yield from _pads(number)
    for board in source.board:
        yield Device(id=board.id, kind=DeviceKind.BOARD, name=board.name, name_en=board.name_en)
    for led in source.led:
        yield Device(
            id=led.id,
            kind=DeviceKind.LED,
            name=led.name,
            name_en=led.name_en,
            window=WindowId(f"w{led.window}"),
            profile=led.profile,
            url=urls.get(led.id, ""),
        )


def _kiosk(
    kiosk: sources.KioskSource, printer: str, reader: str, urls: Mapping[DeviceId, str]
) -> Iterator[Device]:
    yield Device(id=kiosk.id, kind=DeviceKind.KIOSK, name=kiosk.name, name_en=kiosk.name_en)
    parts = (
        (DeviceKind.AGENT, "agent", "设备代理", "agent", ""),
        (DeviceKind.PRINTER, "printer", "号票打印机", "ticket printer", printer),
        (DeviceKind.ID_READER, "reader", "身份证读卡器", "ID card reader", reader),
        (DeviceKind.SCANNER, "scanner", "二维码扫描器", "QR scanner", kiosk.scanner_profile),
        (DeviceKind.FACE, "face", "人脸识别终端", "face terminal", kiosk.face_profile),
    )
    for kind, suffix, name, name_en, profile in parts:
        if kind is DeviceKind.FACE and not profile:
            continue
        device = DeviceId(f"{kiosk.id}-{suffix}")
        yield Device(
            id=device,
            kind=kind,
            name=f"{kiosk.name}{name}",
            name_en=f"{kiosk.name_en} {name_en}",
            parent=kiosk.id,
            profile=profile,
            url=urls.get(device, ""),
        )


def _pads(number: int) -> Iterator[Device]:
    for kind, prefix, name, name_en in (
        (DeviceKind.CALL_PAD, "cp", "叫号平板", "call pad"),
        (DeviceKind.RATING_PAD, "rp", "评价平板", "rating pad"),
    ):
        yield Device(
            id=DeviceId(f"{prefix}-{number}"),
            kind=kind,
            name=f"{number}号窗口{name}",
            name_en=f"Window {number} {name_en}",
            window=WindowId(f"w{number}"),
        )
