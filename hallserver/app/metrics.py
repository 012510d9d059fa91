"""``/metrics`` of a hall: queues, windows, devices, connections and the line to the city."""

from collections import Counter
from collections.abc import Iterator

from aiohttp import web
from prometheus_client.core import Metric

from hallserver.app.desk import Desk, desk_of
from hallserver.engine.lines import count
from hallserver.engine.state import HallState
from qingting.contract.states import DeviceState, Role, TicketState, WindowState
from qingting.kernel.web.metrics import check_asker, counter, exposition, gauge


def add_metrics(app: web.Application) -> None:
    app.router.add_get("/metrics", metrics)


async def metrics(request: web.Request) -> web.Response:
    desk = desk_of(request)
    check_asker(request, desk.settings.metrics_token, desk.settings.proxy_addresses)
    return await exposition([*_of_the_day(desk.state), *_of_devices(desk), *_of_the_server(desk)])


def _of_the_day(state: HallState) -> Iterator[Metric]:
    tickets = Counter(one.state for one in state.tickets.values())
    yield gauge(
        "qingting_tickets",
        "Tickets of the business day by state",
        ("state",),
        [((one.value,), tickets[one]) for one in TicketState],
    )
    yield gauge(
        "qingting_queue_waiting",
        "People who wait in a queue",
        ("queue",),
        [((one,), count(state, one)) for one in state.queues],
    )
    windows = Counter(one.state for one in state.windows.values())
    yield gauge(
        "qingting_windows",
        "Windows by state",
        ("state",),
        [((one.value,), windows[one]) for one in WindowState],
    )


def _of_devices(desk: Desk) -> Iterator[Metric]:
    devices = desk.state.devices.values()
    states = Counter((one.kind.value, one.state.value) for one in devices)
    yield gauge(
        "qingting_devices",
        "Devices by kind and state",
        ("kind", "state"),
        [
            ((kind, one.value), states[kind, one.value])
            for kind in _kinds(states)
            for one in DeviceState
        ],
    )
    yield gauge(
        "qingting_device_condition",
        "1 for each condition that a device has now",
        ("device", "kind", "condition"),
        [((one.id, one.kind.value, what.value), 1) for one in devices for what in one.conditions],
    )
    sessions = Counter(one.role.value for one in desk.hub.board.sessions())
    yield gauge(
        "qingting_hub_sessions",
        "Connected screens and agents by role",
        ("role",),
        [((role.value,), sessions[role.value]) for role in Role],
    )


def _kinds(states: Counter[tuple[str, str]]) -> list[str]:
    return sorted({kind for kind, _ in states})


def _of_the_server(desk: Desk) -> Iterator[Metric]:
    yield gauge(
        "qingting_hall_writable", "1 while commands can be stored", (), [((), desk.hall.writable)]
    )
    bad = desk.copies.bad_since
    yield gauge(
        "qingting_backup_bad_since_seconds",
        "For how long the hall has had no fresh backup of itself, 0 while it has",
        (),
        [((), (desk.clock.now_ms() - bad) / 1000 if bad else 0)],
    )
    yield counter("qingting_log_events", "Events in the hall's log", desk.state.seq)
    if desk.link is not None:
        yield gauge(
            "qingting_city_connected",
            "1 while the city takes this hall's events",
            (),
            [((), desk.link.connected)],
        )
        yield gauge(
            "qingting_city_lag_events",
            "Events the city has not confirmed",
            (),
            [((), desk.link.lag)],
        )
        yield gauge(
            "qingting_city_oldest_unacked_seconds",
            "Age of the oldest event that the city has not confirmed",
            (),
            [((), desk.link.oldest_unacked_age)],
        )
