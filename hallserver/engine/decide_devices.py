"""Rules of devices, help, configuration and the city's directives."""

from hallserver.engine.state import HallState
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.config import HallConfig, config_faults
from qingting.contract.directives import PutConfig, PutNotice
from qingting.contract.errors import Refusal


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


def request_help(state: HallState, command: c.RequestHelp, now: int) -> list[e.EventBody]:
    if command.device not in state.devices:
        raise Refusal("device.unknown")
    return [] if command.device in state.help else [e.HelpRequested(device=command.device)]


def answer_help(state: HallState, command: c.AnswerHelp, now: int) -> list[e.EventBody]:
    return [e.HelpAnswered(device=command.device)] if command.device in state.help else []


def _config_refusal(state: HallState, config: HallConfig) -> Refusal | None:
    if faults := config_faults(config):
        return Refusal("config.invalid", faults="; ".join(faults[:5]))
    if state.config is not None:
        if state.config.hall.id != config.hall.id:
            return Refusal(
                "config.invalid",
                faults=f"hall.id is {config.hall.id!r}, this hall is {state.config.hall.id!r}",
            )
        if config.version < state.config.version:
            return Refusal("config.older", version=config.version)
    return None


def apply_config(state: HallState, command: c.ApplyConfig, now: int) -> list[e.EventBody]:
    if state.config == command.config:
        return []
    if (refusal := _config_refusal(state, command.config)) is not None:
        raise refusal
    return [e.ConfigApplied(config=command.config)]


def apply_directive(state: HallState, command: c.ApplyDirective, now: int) -> list[e.EventBody]:
    if command.no <= state.directive_no:
        return []
    if command.no > state.directive_no + 1:
        raise Refusal("directive.gap", no=command.no)
    if command.expires_at is not None and now > command.expires_at:
        return [e.DirectiveRefused(no=command.no, code="directive.expired")]
    match command.directive:
        case PutConfig(config=config):
            refusal = _config_refusal(state, config)
            if refusal is not None:
                return [e.DirectiveRefused(no=command.no, code=refusal.code)]
            return [e.ConfigApplied(config=config), e.DirectiveApplied(no=command.no)]
        case PutNotice(text=text, text_en=text_en):
            return [e.NoticePut(text=text, text_en=text_en), e.DirectiveApplied(no=command.no)]
