"""Rules of remote hands (远程处置): who may be asked what, once, and how it ends."""

from hallserver.engine import decide_tickets
from hallserver.engine.decide_tickets import reprint_at
from hallserver.engine.state import ActLife, DeviceLife, HallState
from qingting.contract import acts as a
from qingting.contract import commands as c
from qingting.contract import directives as d
from qingting.contract import events as e
from qingting.contract.errors import Refusal
from qingting.contract.releases import APP_OF, ReleaseFacts
from qingting.contract.states import ActOutcome, DeviceKind, PrintOutcome

OUTCOMES = {
    PrintOutcome.PRINTED: ActOutcome.DONE,
    PrintOutcome.FAILED: ActOutcome.FAILED,
    PrintOutcome.UNKNOWN: ActOutcome.UNKNOWN,
}
"""What a reprint's paper makes of the act that asked for it."""


def ask(state: HallState, command: c.AskAct, now: int) -> list[e.EventBody]:
    """A known act changes nothing, however often and by whatever way it comes."""
    if command.act in state.acts:
        return []
    life = state.devices.get(command.device)
    if life is None:
        raise Refusal("device.unknown")
    if life.kind not in a.ALLOWED[type(command.action)]:
        raise Refusal("act.not_for_kind", name=life.name)
    if command.until <= now:
        raise Refusal("act.expired")
    given_up: list[e.EventBody] = []
    for other in open_acts(state):
        if other.device != life.id or type(other.action) is not type(command.action):
            continue
        if not isinstance(command.action, a.UseRelease):
            raise Refusal("act.running", name=life.name)
        given_up.append(_superseded(other))
    return [*given_up, *_begin(state, life, command)]


def _superseded(other: ActLife) -> e.DeviceActEnded:
    """A screen waits for hours to be idle: who wants another release by then does not wait for that."""
    return e.DeviceActEnded(
        act=other.id, device=other.device, outcome=ActOutcome.REFUSED, code="act.superseded"
    )


def open_acts(state: HallState) -> list[ActLife]:
    """Acts without an outcome, in the order of asking."""
    return [one for one in state.acts.values() if one.outcome is None]


def _begin(state: HallState, life: DeviceLife, command: c.AskAct) -> list[e.EventBody]:
    match command.action:
        case a.ReprintNumber(number=number):
            return _reprint(state, life, command, number)
        case a.UseProfiles(bundle=bundle) if bundle and bundle not in state.bundles:
            raise Refusal("act.no_bundle")
        case a.UseRelease(release=release) if release:
            return [_released(state, life, command, release)]
        case a.SetVolume() if life.kind is DeviceKind.SPEAKER:
            # The hall itself says how loud each call is to be.
            done = e.DeviceActEnded(act=command.act, device=life.id, outcome=ActOutcome.DONE)
            return [_asked(command), done]
        case a.NewRoll():
            done = e.DeviceActEnded(act=command.act, device=life.id, outcome=ActOutcome.DONE)
            return [_asked(command), done]
        case _:
            return [_asked(command)]


def _reprint(
    state: HallState, life: DeviceLife, command: c.AskAct, number: str
) -> list[e.EventBody]:
    """The paper goes the way of every reprint; what becomes of it ends the act (:func:`report_print`)."""
    ticket = next((one for one in state.tickets.values() if one.number == number), None)
    if ticket is None or life.kind is not DeviceKind.PRINTER:
        raise Refusal("ticket.unknown")
    request = reprint_at(ticket, life.id)
    return [_asked(command, request), request]


def _released(
    state: HallState, life: DeviceLife, command: c.AskAct, release: str
) -> e.DeviceActAsked:
    known = state.releases.get(release)
    if known is None or not known.kept:
        raise Refusal("act.no_release")
    if known.facts.app is not APP_OF[life.kind]:
        raise Refusal("act.not_for_kind", name=life.name)
    return _asked(command)


def _asked(command: c.AskAct, job: e.PrintRequested | None = None) -> e.DeviceActAsked:
    return e.DeviceActAsked(
        act=command.act,
        device=command.device,
        action=command.action,
        until=command.until,
        asked_by=command.asked_by,
        ticket=job.ticket if job is not None else None,
        attempt=job.attempt if job is not None else 0,
    )


def report_print(state: HallState, command: c.ReportPrint, now: int) -> list[e.EventBody]:
    """A print outcome, and with it the end of the reprint that somebody far away asked for."""
    told = decide_tickets.report_print(state, command, now)
    return [*told, *(end for one in told for end in _ends_of_print(state, one))]


def _ends_of_print(state: HallState, told: e.EventBody) -> list[e.EventBody]:
    assert isinstance(told, e.PrintReported)
    found = [
        one
        for one in state.acts.values()
        if one.job == (told.ticket, told.attempt) and _may_end(one, OUTCOMES[told.outcome])
    ]
    return [
        e.DeviceActEnded(
            act=one.id,
            device=one.device,
            outcome=OUTCOMES[told.outcome],
            code=_print_code(told.outcome),
            note=told.cause.value if told.cause is not None else "",
        )
        for one in found
    ]


def _print_code(outcome: PrintOutcome) -> str:
    if outcome is PrintOutcome.PRINTED:
        return ""
    return "act.not_ready" if outcome is PrintOutcome.FAILED else "act.no_answer"


def _may_end(life: ActLife, outcome: ActOutcome) -> bool:
    """An outcome is for good; only ``unknown`` may still become known."""
    return life.outcome is None or (
        life.outcome is ActOutcome.UNKNOWN and outcome is not ActOutcome.UNKNOWN
    )


def end(state: HallState, command: c.EndAct, now: int) -> list[e.EventBody]:
    life = state.acts.get(command.act)
    if life is None:
        raise Refusal("act.unknown")
    if not _may_end(life, command.outcome):
        return []
    return [
        e.DeviceActEnded(
            act=life.id,
            device=life.device,
            outcome=command.outcome,
            code=command.code,
            figures=command.figures,
            note=command.note,
        )
    ]


Directed = d.DirectAct | d.PutProfiles | d.PutRelease


def directed(state: HallState, asked: Directed, now: int) -> list[e.EventBody]:
    """The city's way to the same rules."""
    if isinstance(asked, d.PutRelease):
        return put_release(state, asked.release)
    if isinstance(asked, d.PutProfiles):
        return put_profiles(state, asked.bundle)
    command = c.AskAct(
        act=a.ActId(asked.act),
        device=asked.device,
        action=asked.action,
        until=asked.until,
        asked_by=asked.asked_by,
    )
    return ask(state, command, now)


def put_profiles(state: HallState, bundle: a.ProfileBundle) -> list[e.EventBody]:
    """Models under another name than their digest are refused: a name is a promise of content."""
    if a.bundle_id(bundle.files) != bundle.id or not bundle.files:
        raise Refusal("act.profiles_bad")
    return [] if bundle.id in state.bundles else [e.ProfilesPut(bundle=bundle)]


def put_release(state: HallState, facts: ReleaseFacts) -> list[e.EventBody]:
    """One that could not be fetched is fetched anew when the city tells of it once more."""
    if not facts.id or not facts.sha256.startswith(facts.id):
        raise Refusal("release.digest")
    known = state.releases.get(facts.id)
    if known is not None and not known.code:
        return []
    return [e.ReleasePut(release=facts)]


def report_release(state: HallState, command: c.ReportRelease, now: int) -> list[e.EventBody]:
    """What the hall's own shelf found."""
    known = state.releases.get(command.release)
    if known is None:
        raise Refusal("release.unknown")
    if known.kept is (not command.code) and known.code == command.code:
        return []
    return [e.ReleaseKept(release=command.release, code=command.code)]
