"""What needs a person now, worst first: pure rules over what the other modules know."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from console.halls.api import HallStatus, LinkState
from console.modules.devices.api import DeviceInfo
from console.modules.statistics.api import QueueFigures
from qingting.contract.ids import HallId
from qingting.contract.link import Live
from qingting.contract.states import DeviceKind, DeviceState

CATCHING_UP_MS = 5_000
"""Behind by more than this, a hall's LIVE frame says more about waiting people than its log."""
_ORDER = {
    "help": 0,
    "quarantined": 1,
    "offline": 2,
    "stalled": 3,
    "device": 4,
    "device_lost": 5,
    "parked": 6,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Something that waits for a person. ``kind`` is a text key's end; ``device`` is set for devices."""

    kind: str
    hall: HallStatus
    since: int
    device: DeviceInfo | None = None
    count: int = 0


def attention(
    halls: Sequence[HallStatus], devices: Sequence[DeviceInfo], now_ms: int
) -> list[Attention]:
    """All that needs somebody now; within one kind what has waited longest comes first."""
    known = {hall.id: hall for hall in halls}
    found = [*_of_halls(halls, now_ms), *_of_devices(known, devices)]
    return sorted(found, key=lambda one: (_ORDER[one.kind], one.since))


def _of_halls(halls: Sequence[HallStatus], now_ms: int) -> Iterator[Attention]:
    for hall in halls:
        if hall.state is LinkState.QUARANTINED:
            since = hall.fork.found_at if hall.fork else hall.since
            yield Attention(kind="quarantined", hall=hall, since=since)
        elif hall.state is LinkState.OFFLINE:
            yield Attention(kind="offline", hall=hall, since=hall.since)
        elif hall.stalled(now_ms):
            yield Attention(kind="stalled", hall=hall, since=hall.oldest_unacked)
        if hall.parked:
            yield Attention(kind="parked", hall=hall, since=hall.received_at, count=hall.parked)


def _of_devices(
    halls: dict[HallId, HallStatus], devices: Sequence[DeviceInfo]
) -> Iterator[Attention]:
    """A lost kiosk stands for what is lost in it, and so does a lost agent: one fault, told once."""
    dead_agents = {
        (device.hall, device.parent)
        for device in devices
        if device.kind is DeviceKind.AGENT
        and device.state in (DeviceState.LOST, DeviceState.ABSENT)
    }
    dead_kiosks = {
        (device.hall, device.id)
        for device in devices
        if device.kind is DeviceKind.KIOSK and device.gone
    }
    for device in devices:
        if not device.fresh:
            continue
        hall = halls[device.hall]
        if device.help_since:
            yield Attention(kind="help", hall=hall, since=device.help_since, device=device)
        behind_agent = (
            device.kind is not DeviceKind.AGENT and (device.hall, device.parent) in dead_agents
        )
        behind_kiosk = device.gone and (device.hall, device.parent) in dead_kiosks
        if device.out_of_order and not behind_agent and not behind_kiosk:
            lost = device.state in (DeviceState.LOST, DeviceState.ABSENT)
            yield Attention(
                kind="device_lost" if lost else "device",
                hall=hall,
                since=min((one.since for one in device.conditions), default=device.since),
                device=device,
            )


def waiting_now(hall: HallStatus, counted: int, live: Live | None, now_ms: int) -> int:
    """People waiting in a hall: by the log, or by its own word while the log catches up."""
    if live is not None and hall.lag_ms(now_ms) > CATCHING_UP_MS:
        return sum(queue.waiting for queue in live.queues)
    return counted


def longest_wait(queues: Sequence[QueueFigures], now_ms: int) -> int | None:
    """Whole minutes since the first of those who wait now took a ticket; None when nobody waits."""
    taken = [one.oldest_waiting for one in queues if one.oldest_waiting]
    return max(0, now_ms - min(taken)) // 60_000 if taken else None
