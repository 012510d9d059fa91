"""What remote hands leave behind in the state: open acts, their outcomes, what is in force at a device."""

from collections.abc import Callable
from typing import Any

import msgspec

from hallserver.engine.state import ActLife, HallState, ReleaseLife
from qingting.contract import acts as a
from qingting.contract import events as e
from qingting.contract.ids import DeviceId
from qingting.contract.states import ActOutcome

ACTS_KEPT = 200
"""Acts that the hall's pages can look back on; older ones stay in the log."""
RELEASES_KEPT = 3
"""Of each program, besides those in use."""
BUNDLES_KEPT = 4
"""Profile bundles that agents can be told to use, the latest ones."""


def hands_of(state: HallState, device: DeviceId) -> a.DeviceHands:
    """What is in force at a device."""
    return state.hands.get(device, a.DeviceHands())


def _set(state: HallState, device: DeviceId, **fields: Any) -> None:
    state.hands[device] = msgspec.structs.replace(hands_of(state, device), **fields)


def _asked(state: HallState, body: e.DeviceActAsked, event: e.Event) -> None:
    state.acts[body.act] = ActLife(
        id=body.act,
        device=body.device,
        action=body.action,
        asked_at=event.at,
        until=body.until,
        by=event.by,
        asked_by=body.asked_by,
        job=(body.ticket, body.attempt) if body.ticket is not None else None,
    )
    ended = [one.id for one in state.acts.values() if one.outcome is not None]
    for old in ended[: max(0, len(state.acts) - ACTS_KEPT)]:
        del state.acts[old]


def _ended(state: HallState, body: e.DeviceActEnded, event: e.Event) -> None:
    life = state.acts.get(body.act)
    if life is None:
        return
    life.outcome, life.code, life.note = body.outcome, body.code, body.note
    life.figures, life.ended_at = dict(body.figures), event.at
    if body.outcome is ActOutcome.DONE:
        _in_force(state, life, event)


def _in_force(state: HallState, life: ActLife, event: e.Event) -> None:
    match life.action:
        case a.SetVolume(percent=percent):
            _set(state, life.device, volume=percent)
        case a.SetBrightness(percent=percent):
            _set(state, life.device, brightness=percent)
        case a.SwitchScreen(on=on):
            _set(state, life.device, screen_on=on)
        case a.PlanScreen(hours=hours):
            # A plan is followed from now on: what was switched by hand before is over.
            _set(state, life.device, hours=hours, screen_on=None)
        case a.NewRoll(metres=metres):
            _set(state, life.device, roll=a.PaperRoll(since=event.at, metres=metres))
        case a.UseProfiles(bundle=bundle):
            former = hands_of(state, life.device).bundle
            _set(state, life.device, bundle=bundle, former=former)
        case a.UseRelease(release=release):
            former = hands_of(state, life.device).release
            if former != release:
                _set(state, life.device, release=release, former_release=former)
        case a.PrintTest():
            use_paper(state, life.device, life.figures.get("mm", 0))
        case _:
            pass


def use_paper(state: HallState, printer: DeviceId, mm: int) -> None:
    """One more ticket of ``mm`` millimetres came out of a printer."""
    roll = hands_of(state, printer).roll
    used = msgspec.structs.replace(roll, mm=roll.mm + mm, tickets=roll.tickets + 1)
    _set(state, printer, roll=used)


def _profiles_put(state: HallState, body: e.ProfilesPut, event: e.Event) -> None:
    state.bundles.pop(body.bundle.id, None)
    state.bundles[body.bundle.id] = body.bundle
    used = {one for life in state.hands.values() for one in (life.bundle, life.former)}
    spare = [one for one in state.bundles if one not in used]
    for old in spare[: max(0, len(state.bundles) - BUNDLES_KEPT)]:
        del state.bundles[old]


def _release_put(state: HallState, body: e.ReleasePut, event: e.Event) -> None:
    facts = body.release
    state.releases.pop(facts.id, None)
    state.releases[facts.id] = ReleaseLife(facts=facts)
    used = {one for hands in state.hands.values() for one in (hands.release, hands.former_release)}
    spare = [
        one.facts.id
        for one in state.releases.values()
        if one.facts.app is facts.app and one.facts.id not in used
    ]
    for old in spare[: max(0, len(spare) - RELEASES_KEPT)]:
        del state.releases[old]


def _release_kept(state: HallState, body: e.ReleaseKept, event: e.Event) -> None:
    life = state.releases.get(body.release)
    if life is not None:
        life.kept, life.code = not body.code, body.code


ACT_STEPS: dict[type, Callable[[HallState, Any, e.Event], None]] = {
    e.DeviceActAsked: _asked,
    e.DeviceActEnded: _ended,
    e.ProfilesPut: _profiles_put,
    e.ReleasePut: _release_put,
    e.ReleaseKept: _release_kept,
}
