"""Who may see and say what. Every rule of the hub's authorisation is in this file or its registry."""

from collections.abc import Callable

from hallserver.engine.state import DeviceLife, HallState, children_of, permissions_of
from hallserver.hub.door_book import TurnedAwayRefusal
from hallserver.hub.session import Session
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, StaffId, WindowId
from qingting.contract.states import DeviceKind, Role, StaffPermission, TurnedAway, WindowState

TOPICS: dict[Role, frozenset[str]] = {
    Role.KIOSK: frozenset({"hall", "catalogue", "queues", "windows"}),
    Role.AGENT: frozenset({"hall"}),
    Role.CALL_PAD: frozenset({"hall", "catalogue", "queues", "windows", "help", "devices"}),
    Role.RATING_PAD: frozenset({"hall"}),
    Role.BOARD: frozenset({"hall", "board", "queues", "windows"}),
    Role.MANAGER: frozenset(),
}
"""Topics without a name of their own; ``window:``, ``rating:``, ``kiosk:`` and ``board:`` are decided
below."""


def held_window(state: HallState, staff: StaffId | None) -> WindowId | None:
    """The window where this clerk serves now; the engine sees to it that there is at most one."""
    if staff is None:
        return None
    for life in state.windows.values():
        if life.staff == staff and life.state is not WindowState.CLOSED:
            return life.id
    return None


def check_topic(state: HallState, session: Session, topic: str) -> None:
    """Raises ``hub.forbidden``, or ``hub.not_logged_in`` on a call pad without a clerk."""
    if topic in TOPICS[session.role]:
        return
    kind, _, name = topic.partition(":")
    own: dict[str, Callable[[], bool]] = {
        "kiosk": lambda: session.role is Role.KIOSK and name == session.device,
        "board": lambda: session.role is Role.BOARD and name == session.device,
        "rating": lambda: session.role is Role.RATING_PAD and name == session.bound,
        "desk": lambda: session.role is Role.CALL_PAD and _own_window(state, session, name),
        "window": lambda: session.role is Role.CALL_PAD and _own_window(state, session, name),
    }
    if kind not in own or not own[kind]():
        raise Refusal("hub.forbidden")


def _own_window(state: HallState, session: Session, name: str) -> bool:
    if session.staff is None:
        raise Refusal("hub.not_logged_in")
    return name in (session.bound, held_window(state, session.staff))


def clerk_of(session: Session) -> StaffId:
    """Raises ``hub.not_logged_in``."""
    if session.staff is None:
        raise Refusal("hub.not_logged_in")
    return session.staff


def require(state: HallState, session: Session, permission: StaffPermission) -> None:
    """Raises ``hub.not_logged_in``, or ``staff.not_permitted`` when the clerk lacks the permission;
    managers have every one."""
    staff = state.staff.get(clerk_of(session))
    if staff is None or permission not in permissions_of(staff):
        raise Refusal("staff.not_permitted")


def window_of(state: HallState, session: Session) -> WindowId:
    """The window that this pad's clerk holds; raises ``hub.not_logged_in`` or ``window.none``."""
    window = held_window(state, clerk_of(session))
    if window is None:
        raise Refusal("window.none")
    return window


def own_peripheral(
    state: HallState, session: Session, device: DeviceId, kind: DeviceKind | None = None
) -> DeviceLife:
    """A device that this agent speaks for: attached to its kiosk or to itself.

    Raises ``device.unknown``, or ``hub.forbidden`` for a device of somebody else, which is noted as a
    spoofed id.
    """
    life = state.devices.get(device)
    if life is None or (kind is not None and life.kind is not kind):
        raise Refusal("device.unknown")
    owners = {session.device, session.parent} - {None}
    own = life.parent in owners and life.kind not in (DeviceKind.AGENT, DeviceKind.KIOSK)
    if life.id != session.device and not own:
        raise TurnedAwayRefusal("hub.forbidden", TurnedAway.SPOOFED_ID, life.id, session.device)
    return life


def agent_speaks_for(state: HallState, agent: DeviceId, device: DeviceId) -> bool:
    """True when ``device`` hangs on the agent's kiosk or on the agent itself."""
    life, owner = state.devices.get(device), state.devices.get(agent)
    if life is None or owner is None or life.parent is None:
        return False
    return life.kind in PERIPHERALS and life.parent in (agent, owner.parent)


def is_hall_driven(life: DeviceLife) -> bool:
    """True for a loudspeaker that hangs on no kiosk or agent: the hall server opens it itself and tells of it."""
    return life.kind is DeviceKind.SPEAKER and life.parent is None


def spoken_for(state: HallState, agent: DeviceId) -> list[DeviceLife]:
    """The devices of :func:`agent_speaks_for`, without a look at every pad of the hall."""
    owner = state.devices.get(agent)
    if owner is None:
        return []
    found = children_of(state, agent)
    if owner.parent is not None:
        found += children_of(state, owner.parent)
    return [life for life in found if life.kind in PERIPHERALS]


PERIPHERALS = frozenset(
    {
        DeviceKind.PRINTER,
        DeviceKind.ID_READER,
        DeviceKind.SCANNER,
        DeviceKind.FACE,
        DeviceKind.SPEAKER,
    }
)
"""Devices that have no connection of their own."""
