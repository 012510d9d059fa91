"""``/metrics`` of the city: halls, how far each is behind, what is wrong with their devices, open alarms."""

from collections import Counter
from collections.abc import Mapping, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client.core import Metric

from console.app.city import City
from console.core.permissions import EVERYWHERE
from console.core.web import PROXIES
from console.halls.api import HALLS, HallStatus, LinkState
from console.modules.alarms.api import ALARMS, OpenAlarms
from console.modules.catalogue.api import ITEM_SYNC, SyncFigures
from console.modules.devices.api import DEVICES, DeviceInfo
from console.modules.upkeep.api import UPKEEP, Health, HealthState
from qingting.contract.ids import Millis
from qingting.kernel.web.metrics import check_asker, exposition, gauge


def metrics_of(city: City, token: str) -> Handler:
    """The handler; ``token`` empty: asked from this machine alone."""
    halls_api, devices_api = city.context.take(HALLS), city.context.take(DEVICES)
    alarms_api, upkeep = city.context.take(ALARMS), city.context.take(UPKEEP)
    sync_api = city.context.take(ITEM_SYNC)

    async def metrics(request: web.Request) -> web.StreamResponse:
        check_asker(request, token, request.app[PROXIES])
        async with city.db.read() as uow:
            halls = await halls_api.halls(uow, EVERYWHERE)
            devices = await devices_api.devices(uow, EVERYWHERE)
            alarms = await alarms_api.open(uow, EVERYWHERE)
            undelivered = await alarms_api.undelivered(uow)
            sync = await sync_api.figures(uow)
        async with city.db.write() as writing:
            parts = await upkeep.health(writing)
        now = Millis(city.context.clock.now_ms())
        figures = city_figures(halls, devices, alarms, undelivered, now)
        return await exposition([*figures, health_figures(parts), *sync_figures(sync)])

    return metrics


def health_figures(parts: Sequence[Health]) -> Metric:
    """0 well, 1 attention, 2 fault; what is not known is left out."""
    values = {HealthState.OK: 0, HealthState.CAUTION: 1, HealthState.FAULT: 2}
    return gauge(
        "qingting_health",
        "How a part of the system does: 0 well, 1 attention, 2 fault",
        ("part",),
        [((one.name,), values[one.state]) for one in parts if one.state in values],
    )


def sync_figures(sync: SyncFigures | None) -> list[Metric]:
    """Nothing where no item system is connected; no age before it first answered."""
    if sync is None:
        return []
    age = [] if sync.age_ms is None else [((), sync.age_ms / 1000)]
    return [
        gauge(
            "qingting_item_sync_age_seconds",
            "Time since the city's item system last answered well",
            (),
            age,
        ),
        gauge(
            "qingting_item_sync_failing",
            "1 while the city's item system does not answer, or not well",
            (),
            [((), sync.failing)],
        ),
        gauge(
            "qingting_item_sync_conflicts",
            "Items that two changed and that wait for a person",
            (),
            [((), sync.conflicts)],
        ),
    ]


def city_figures(
    halls: Sequence[HallStatus],
    devices: Sequence[DeviceInfo],
    alarms: OpenAlarms,
    undelivered: Mapping[tuple[str, str], int],
    now: Millis,
) -> list[Metric]:
    """Everything that the city tells Prometheus. ``undelivered`` as :class:`AlarmsApi` gives it."""
    return [*_halls(halls, now), *_devices(devices), *_alarms(alarms, undelivered)]


def _halls(halls: Sequence[HallStatus], now: Millis) -> list[Metric]:
    return [
        gauge(
            "qingting_hall_link",
            "1 for the state in which the city stands with a hall",
            ("hall", "state"),
            [((one.id, state.value), one.state is state) for one in halls for state in LinkState],
        ),
        gauge(
            "qingting_hall_lag_seconds",
            "Age of the oldest event of a hall that the city has not got",
            ("hall",),
            [((one.id,), one.lag_ms(now) / 1000) for one in halls],
        ),
        gauge(
            "qingting_hall_events",
            "Events of a hall that the city has",
            ("hall",),
            [((one.id,), one.seq) for one in halls],
        ),
    ]


def _devices(devices: Sequence[DeviceInfo]) -> list[Metric]:
    states = Counter((one.hall, one.kind.value, _state(one)) for one in devices)
    conditions = Counter(
        (one.hall, one.kind.value, what.condition.value)
        for one in devices
        if one.fresh
        for what in one.conditions
    )
    return [
        gauge(
            "qingting_devices",
            "Devices by hall, kind and state; unknown while their hall is away",
            ("hall", "kind", "state"),
            [(labels, n) for labels, n in sorted(states.items())],
        ),
        gauge(
            "qingting_device_conditions",
            "Devices that have a condition now, by hall and kind",
            ("hall", "kind", "condition"),
            [(labels, n) for labels, n in sorted(conditions.items())],
        ),
    ]


def _alarms(alarms: OpenAlarms, undelivered: Mapping[tuple[str, str], int]) -> list[Metric]:
    return [
        gauge(
            "qingting_alarms",
            "Open alarms that stand for themselves, without what is maintained",
            ("severity",),
            [((severity.value,), n) for severity, n in alarms.by_severity.items()],
        ),
        gauge(
            "qingting_alarms_new",
            "Open alarms that nobody has acknowledged",
            ("severity",),
            [((severity.value,), n) for severity, n in alarms.new_by_severity.items()],
        ),
        gauge(
            "qingting_alarms_maintained",
            "Open alarms of what is under maintenance",
            (),
            [((), alarms.maintained)],
        ),
        gauge(
            "qingting_alarm_undelivered",
            "Notices that a channel has not taken (pending) or was given up on (failed) within a week",
            ("channel", "state"),
            sorted(undelivered.items()),
        ),
    ]


def _state(device: DeviceInfo) -> str:
    return device.state.value if device.fresh else "unknown"
