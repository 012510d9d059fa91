"""Rules of devices and of calls for help."""

from hallserver.engine.state import HallState
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId


def register(state: HallState, command: c.RegisterDevice, now: int) -> list[e.EventBody]:
    known = state.devices.get(command.device)
    if command.window is not None and command.window not in state.window_config:
        raise Refusal("window.unknown")
    if command.parent is not None and command.parent not in state.devices:
        raise Refusal("device.unknown")
    if known is not None and (
        (known.kind, known.name, known.name_en, known.parent, known.window)
        == (command.kind, command.name, command.name_en, command.parent, command.window)
    ):
        return []
    return [
        e.DeviceRegistered(
            device=command.device,
            kind=command.kind,
            name=command.name,
            name_en=command.name_en,
            parent=command.parent,
            window=command.window,
        )
    ]


def report(state: HallState, command: c.ReportDevice, now: int) -> list[e.EventBody]:
    life = state.devices.get(command.device)
    if life is None or life.kind is not command.kind:
        raise Refusal("device.unknown")
    conditions = tuple(sorted(set(command.conditions)))
    if (
        life.state is command.state
        and set(life.conditions) == set(conditions)
        and life.detail == command.detail
    ):
        return []
    return [
        e.DeviceChanged(
            device=life.id,
            kind=life.kind,
            state=command.state,
            conditions=conditions,
            detail=command.detail,
        )
    ]


def refuse(state: HallState, command: c.RefuseDevice, now: int) -> list[e.EventBody]:
    """Told whoever it was: the id is what somebody claimed."""
    return [
        e.DeviceRefused(
            device=DeviceId(command.device),
            why=command.why,
            origin=command.origin,
            count=command.count,
            by=command.by,
        )
    ]


def key(state: HallState, command: c.KeyDevice, now: int) -> list[e.EventBody]:
    if command.device not in state.devices:
        raise Refusal("device.unknown")
    return [e.DeviceKeyed(device=command.device, revoked=command.revoked)]


def request_help(state: HallState, command: c.RequestHelp, now: int) -> list[e.EventBody]:
    if command.device not in state.devices:
        raise Refusal("device.unknown")
    return [] if command.device in state.help else [e.HelpRequested(device=command.device)]


def answer_help(state: HallState, command: c.AnswerHelp, now: int) -> list[e.EventBody]:
    return [e.HelpAnswered(device=command.device)] if command.device in state.help else []
