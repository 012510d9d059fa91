"""What is different in a replay: rules, roster; and what that makes of configuration and windows."""

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from hallserver.engine.days import MINUTE_MS, offset_minutes
from hallserver.engine.state import HallState
from hallserver.engine.whatif.script import Script, Turn
from qingting.contract.calendar import clock_minutes
from qingting.contract.config import HallConfig, Staff, Window, config_faults
from qingting.contract.errors import Refusal
from qingting.contract.faults import Fault, FaultyConfig
from qingting.contract.ids import BusinessDay, Millis, StaffId, WindowId
from qingting.contract.rules import CallingRules
from qingting.contract.states import WindowState
from qingting.contract.whatif import RosterPlan, WindowPlan


@dataclass(frozen=True, slots=True)
class Variant:
    """None keeps what was in force that day, changes during the day included."""

    rules: CallingRules | None = None
    roster: RosterPlan | None = None

    @property
    def plans(self) -> dict[WindowId, WindowPlan]:
        return {one.id: one for one in self.roster.windows} if self.roster is not None else {}


def stand_in(window: WindowId) -> StaffId:
    """Somebody who is only in the replay."""
    return StaffId(f"extra-{window}")


def varied(config: HallConfig, variant: Variant) -> HallConfig:
    """The configuration of a replay. Raises ``config.invalid``."""
    rules = variant.rules if variant.rules is not None else config.rules
    windows, staff = config.windows, config.staff
    if variant.roster is not None:
        windows = _windows(config, variant)
        staff = _staff(config, variant)
    changed = msgspec.structs.replace(config, rules=rules, windows=windows, staff=staff)
    faults = config_faults(changed)
    if variant.roster is not None:
        known = {one.id for one in config.staff}
        faults += [
            Fault("fault.no_staff", "staff", name=one.id, what=one.id)
            for one in variant.roster.staff
            if one.id not in known
        ]
    if faults:
        raise FaultyConfig(faults)
    return changed


def _windows(config: HallConfig, variant: Variant) -> tuple[Window, ...]:
    plans = variant.plans
    changed = [_window(one, plans.get(one.id)) for one in config.windows]
    known = {one.id for one in config.windows}
    changed += [
        _window(Window(id=one.id, number=one.id, name=one.id, name_en=one.id, queues=()), one)
        for one in plans.values()
        if one.id not in known
    ]
    return tuple(changed)


def _window(window: Window, plan: WindowPlan | None) -> Window:
    if plan is None:
        return window
    return msgspec.structs.replace(
        window,
        queues=plan.queues if plan.queues is not None else window.queues,
        order=plan.order if plan.order is not None else window.order,
        appointment_only=(
            plan.appointment_only if plan.appointment_only is not None else window.appointment_only
        ),
    )


def _staff(config: HallConfig, variant: Variant) -> tuple[Staff, ...]:
    assert variant.roster is not None
    skills = {one.id: one.skills for one in variant.roster.staff}
    everything = tuple(sorted({one.skill for one in config.items if one.skill}))
    changed = [
        msgspec.structs.replace(one, skills=skills.get(one.id, one.skills)) for one in config.staff
    ]
    changed += [
        Staff(id=stand_in(plan.id), number="—", name="增开", skills=everything)
        for plan in variant.roster.windows
        if any(one.staff is None for one in plan.hours or ())
    ]
    return tuple(changed)


# ---- who wants which window in which state, and when ---------------------------------------------


def turns_of(script: Script, opening: HallState, variant: Variant) -> list[Turn]:
    """The windows' turns under the roster. Raises ``replay.staff_busy`` when a clerk would be needed at
    two windows at once."""
    plans = variant.plans
    turns: list[Turn] = []
    for one in script.turns:
        plan = plans.get(one.window)
        if plan is None or (plan.hours is None and not _too_late(one, plan, script, opening)):
            turns.append(one)
    number = 0
    for plan in plans.values():
        for turn in _planned(plan, opening, number):
            turns.append(turn)
            number += 1
    turns.sort(key=lambda one: (one.at, one.seq))
    _check_staff(turns, plans, opening)
    return turns


def _too_late(turn: Turn, plan: WindowPlan, script: Script, opening: HallState) -> bool:
    return plan.closes_at is not None and turn.at >= at_clock(opening, plan.closes_at)


def _planned(plan: WindowPlan, opening: HallState, number: int) -> list[Turn]:
    """After everything else of the same instant: a shift's end meets the next one's begin."""
    first = -1_000_000 + 4 * number
    found: list[Turn] = []
    if plan.hours is not None:
        found.append(Turn(0, first, plan.id, WindowState.CLOSED))
    for stint in plan.hours or ():
        staff = stint.staff if stint.staff is not None else stand_in(plan.id)
        start, end = (
            at_clock(opening, stint.period.start),
            at_clock(opening, stint.period.end),
        )
        found.append(Turn(end, first, plan.id, WindowState.CLOSED, staff))
        found.append(Turn(start, first + 1, plan.id, WindowState.OPEN, staff))
    if plan.hours is None and plan.closes_at is not None:
        found.append(Turn(at_clock(opening, plan.closes_at), first, plan.id, WindowState.CLOSED))
    return found


def at_clock(state: HallState, clock: str) -> Millis:
    """A time of the state's day as an instant."""
    day = datetime.fromisoformat(state.day or BusinessDay("1970-01-01")).replace(tzinfo=UTC)
    midnight = int(day.timestamp() * 1000) - offset_minutes(state.config) * MINUTE_MS
    return midnight + clock_minutes(clock) * MINUTE_MS


def _check_staff(turns: list[Turn], plans: dict[WindowId, WindowPlan], opening: HallState) -> None:
    where: dict[StaffId, WindowId] = {
        life.staff: life.id
        for life in opening.windows.values()
        if life.staff is not None and plans.get(life.id, WindowPlan(id=life.id)).hours is None
    }
    planned = {one for one, plan in plans.items() if plan.hours is not None}
    for turn in turns:
        if turn.staff is None:
            continue
        held = where.get(turn.staff)
        if turn.state is WindowState.CLOSED:
            if held == turn.window:
                del where[turn.staff]
            continue
        if held is not None and held != turn.window and {held, turn.window} & planned:
            raise Refusal("replay.staff_busy", staff=turn.staff, window=held, other=turn.window)
        where[turn.staff] = turn.window
