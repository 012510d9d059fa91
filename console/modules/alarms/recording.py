"""The record of one device: availability, what held and when, alarms, maintenance."""

from collections.abc import Sequence

from console.core.uow import ReadUow
from console.halls.api import HallsApi, LinkState
from console.modules.alarms import models as m
from console.modules.alarms import repository as repo
from console.modules.alarms.api import DeviceRecord, Held
from console.modules.alarms.availability import DAY_MS, Interval, availability, periods, to_measure
from console.modules.devices.api import DOWN, DevicesApi, Span
from qingting.contract.ids import HallId

ALARMS_SHOWN = 50
_CHINA_MINUTES = 480


async def record(
    uow: ReadUow, halls: HallsApi, devices: DevicesApi, hall: HallId, device: str, now: int
) -> DeviceRecord:
    """Raises ``hall.unknown`` and ``device.unknown``."""
    status = await halls.hall(uow, hall)
    info = await devices.device(uow, hall, device)
    until = now if status.state is LinkState.ONLINE else min(status.seen_at, now)
    hours = await devices.hours(uow, hall)
    offset = hours.utc_offset_minutes if hours else _CHINA_MINUTES
    first = now - 31 * DAY_MS
    spans = await devices.spans(uow, hall, device, first, now)
    works = [
        one
        for one in await repo.maintenance(uow, first, hall)
        if one.device in ("", device, info.parent)
    ]
    down = [Interval(one.began, one.ended or now) for one in spans if one.what == DOWN]
    excluded = [
        *(Interval(one.start, one.until) for one in works),
        Interval(0, info.known_since),
        Interval(until, now),
    ]
    found = {}
    for name, period in periods(now, offset).items():
        measure, by_hours = to_measure(hours, period)
        found[name] = availability(measure, down, excluded, by_hours=by_hours)
    c = m.alarm.c
    return DeviceRecord(
        hall=hall,
        device=device,
        availability=found,
        held=tuple(_held(spans, now)),
        alarms=tuple(
            await repo.alarms(uow, c.hall == hall, c.device == device, limit=ALARMS_SHOWN)
        ),
        maintenance=tuple(one for one in works if one.until > now),
        known_until=until,
    )


def _held(spans: Sequence[Span], now: int) -> list[Held]:
    """What held longest comes first."""
    by_what: dict[str, list[Span]] = {}
    for one in spans:
        if one.what != DOWN:
            by_what.setdefault(one.what, []).append(one)
    found = [
        Held(
            what=what,
            times=len(each),
            total=sum((one.ended if one.ended is not None else now) - one.began for one in each),
            last=max(one.began for one in each),
        )
        for what, each in by_what.items()
    ]
    return sorted(found, key=lambda one: -one.total)
