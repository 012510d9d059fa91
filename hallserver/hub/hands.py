"""What was set at a device from afar, told to it whenever it comes and whenever it changes."""

from hallserver.engine.days import offset_minutes
from hallserver.engine.evolve_acts import hands_of
from hallserver.engine.state import DeviceLife, HallState
from hallserver.hub.authority import agent_speaks_for
from qingting.contract import events as e
from qingting.contract.hub_acts import HandsInForce
from qingting.contract.ids import DeviceId
from qingting.contract.states import DeviceKind


def in_force(state: HallState, device: DeviceLife) -> HandsInForce | None:
    """What a page or agent is to follow now; None where nothing was ever set or counted."""
    printers = _printers(state, device.id) if device.kind is DeviceKind.AGENT else []
    if not any(one in state.hands for one in (device.id, *printers)):
        return None
    hands = hands_of(state, device.id)
    return HandsInForce(
        volume=hands.volume,
        brightness=hands.brightness,
        screen_on=hands.screen_on,
        hours=hands.hours,
        utc_offset_minutes=offset_minutes(state.config),
        rolls={one: hands_of(state, one).roll for one in printers},
        bundle=state.bundles.get(hands.bundle),
    )


def _printers(state: HallState, agent: DeviceId) -> list[DeviceId]:
    return [
        one.id
        for one in state.devices.values()
        if one.kind is DeviceKind.PRINTER and agent_speaks_for(state, agent, one.id)
    ]


def touched(state: HallState, events: tuple[e.Event, ...]) -> set[DeviceId]:
    """Devices whose settings or paper counters these events may have changed."""
    found: set[DeviceId] = set()
    for event in events:
        match event.b:
            case e.DeviceActEnded(device=device):
                found.add(device)
            case e.PrintReported(ticket=ticket) if ticket in state.tickets:
                printer = state.tickets[ticket].print_device
                found |= {printer} if printer is not None else set()
            case _:
                pass
    return found
