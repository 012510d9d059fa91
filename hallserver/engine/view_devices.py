"""Views of devices, kiosks and help."""

from collections.abc import Mapping

from hallserver.engine.kiosks import screen, template_of
from hallserver.engine.lines import ahead, class_of
from hallserver.engine.state import DeviceLife, HallState, Ticket, children_of
from hallserver.engine.view_tickets import booked_at, item_names, may_return
from hallserver.engine.waiting import Outlook
from qingting.contract import views as v
from qingting.contract.acts import DeviceHands
from qingting.contract.conditions import blocks_printing
from qingting.contract.ids import DeviceId, Millis
from qingting.contract.pads import PadFacts
from qingting.contract.releases import Runs
from qingting.contract.states import (
    Condition,
    DeviceKind,
    DeviceState,
    IdentityWay,
    TicketState,
)

KIOSK_TICKET_MS = 10 * 60_000
"""How long a kiosk's topic keeps a ticket taken there."""
_ABSENT = (DeviceState.ABSENT, DeviceState.LOST)
_STARTING = (DeviceState.CONNECTING, DeviceState.IDENTIFYING)


def device(
    life: DeviceLife,
    seen: Mapping[DeviceId, Millis],
    pad: PadFacts | None = None,
    hands: DeviceHands | None = None,
    runs: Runs | None = None,
) -> v.DeviceView:
    return v.DeviceView(
        id=life.id,
        kind=life.kind,
        name=life.name,
        name_en=life.name_en,
        parent=life.parent,
        window=life.window,
        state=life.state,
        conditions=tuple(
            v.ConditionView(condition=one, since=since)
            for one, since in sorted(life.conditions.items())
        ),
        since=life.since,
        seen=seen.get(life.id, life.since),
        detail=life.detail,
        pad=pad,
        hands=hands,
        runs=runs,
    )


def devices(
    state: HallState,
    seen: Mapping[DeviceId, Millis],
    pads: Mapping[DeviceId, PadFacts],
    runs: Mapping[DeviceId, Runs],
) -> dict[str, v.View]:
    return {
        life.id: device(life, seen, pads.get(life.id), state.hands.get(life.id), runs.get(life.id))
        for life in state.devices.values()
    }


def help_wanted(state: HallState) -> dict[str, v.View]:
    return {
        one: v.HelpView(device=one, name=state.devices[one].name, since=since)
        for one, since in state.help.items()
        if one in state.devices
    }


def blocked_by(peripherals: list[DeviceLife]) -> tuple[str, ...]:
    """Why tickets cannot be taken at a kiosk: error codes, worst first; empty when they can."""
    agents = [life for life in peripherals if life.kind is DeviceKind.AGENT]
    reasons = ["kiosk.agent_offline" for life in agents if life.state in _ABSENT]
    reasons += [_printer_reason(life) for life in peripherals if life.kind is DeviceKind.PRINTER]
    return tuple(dict.fromkeys(reason for reason in reasons if reason))


def identity_ways(
    peripherals: list[DeviceLife], code_service: bool | None, face_service: bool | None = None
) -> tuple[IdentityWay, ...]:
    """How a citizen can show at a kiosk with these peripherals who they are now (亮明身份)."""
    ready = {life.kind for life in peripherals if life.state is DeviceState.READY}
    card = (IdentityWay.CARD,) if DeviceKind.ID_READER in ready else ()
    code = (IdentityWay.CODE,) if code_service and DeviceKind.SCANNER in ready else ()
    face = (IdentityWay.FACE,) if face_service and DeviceKind.FACE in ready else ()
    return card + code + face


def _printer_reason(life: DeviceLife) -> str:
    faults = {one for one in life.conditions if blocks_printing(one)}
    unreachable = life.state in _ABSENT and faults <= {Condition.COMM_ERROR, Condition.OFFLINE}
    if faults and not unreachable:
        return "kiosk.printer_fault"
    return "kiosk.printer_absent" if life.state in _ABSENT + _STARTING else ""


def kiosk_ticket(state: HallState, ticket: Ticket, now: Millis, outlook: Outlook) -> v.KioskTicket:
    """One ticket as its kiosk shows it; also used for a ticket whose code was scanned. Who waits is shown the wait from
    now on, everybody else what was told."""
    item = state.items.get(ticket.item)
    department = state.departments.get(ticket.department)
    group = class_of(state, ticket.priority)
    waiting = ticket.state is TicketState.WAITING
    window = state.window_config.get(ticket.window) if ticket.window is not None else None
    return v.KioskTicket(
        ticket=ticket.id,
        number=ticket.number,
        state=ticket.state,
        print_state=ticket.print_state,
        print_cause=ticket.print_cause,
        attempt=ticket.attempt,
        ahead=ahead(state, ticket, now),
        wait=outlook.ticket(ticket) or ticket.wait if waiting else ticket.wait,
        item_name=item.name if item is not None else "",
        item_name_en=item.name_en if item is not None else "",
        department_name=department.name if department is not None else "",
        department_name_en=department.name_en if department is not None else "",
        masked_name=ticket.person.masked_name if ticket.person is not None else "",
        masked_number=ticket.person.masked_number if ticket.person is not None else "",
        issued_at=ticket.issued_at,
        materials=item.materials if item is not None else (),
        materials_en=item.materials_en if item is not None else (),
        todo=item_names(state, ticket),
        party=ticket.party,
        priority_name=group.name if group.weight else "",
        priority_name_en=group.name_en if group.weight else "",
        booked=booked_at(state, ticket),
        late=ticket.late,
        can_return=may_return(state, ticket, now),
        window_number=window.number if window is not None else "",
    )


def _camera(state: HallState, kiosk_id: DeviceId) -> v.KioskCamera | None:
    devices = state.config.devices if state.config is not None else ()
    for one in devices:
        if one.kind is DeviceKind.CAMERA and one.parent == kiosk_id and one.profile:
            return v.KioskCamera(device=one.id, profile=one.profile)
    return None


def kiosk(
    state: HallState,
    kiosk_id: DeviceId,
    now: Millis,
    seen: Mapping[DeviceId, Millis],
    outlook: Outlook,
    code_service: bool | None = None,
    face_service: bool | None = None,
) -> dict[str, v.View]:
    """``code_service`` and ``face_service`` as in :class:`hallserver.engine.views.Ambient`."""
    life = state.devices[kiosk_id]
    peripherals = children_of(state, kiosk_id)
    shown: dict[str, v.View] = {
        "kiosk": v.KioskView(
            id=kiosk_id,
            name=life.name,
            name_en=life.name_en,
            peripherals=tuple(device(one, seen) for one in peripherals),
            blocked_by=blocked_by(peripherals),
            screen=screen(state, template_of(state, kiosk_id), now),
            ways=identity_ways(peripherals, code_service, face_service),
            code_down=code_service is False,
            camera=_camera(state, kiosk_id),
        )
    }
    for ticket_id in reversed(state.taken_at.get(kiosk_id, [])):
        ticket = state.tickets[ticket_id]
        if now - ticket.issued_at <= KIOSK_TICKET_MS:
            shown[f"ticket:{ticket.id}"] = kiosk_ticket(state, ticket, now, outlook)
    return shown
