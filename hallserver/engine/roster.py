"""The roster (排班): who is planned at which window when."""

from hallserver.engine.days import weekday, within
from hallserver.engine.state import HallState
from qingting.contract.ids import Millis, StaffId, WindowId


def on_shift(state: HallState, staff: StaffId, window: WindowId, now: Millis) -> bool:
    """Whether the roster plans this clerk at this window now."""
    if state.config is None:
        return False
    today = weekday(now, state.config)
    return any(
        (shift.staff, shift.window) == (staff, window)
        and today in shift.weekdays
        and within(shift.periods, now, state.config)
        for shift in state.config.shifts
    )


def planned_now(state: HallState, now: Millis) -> dict[WindowId, StaffId]:
    """The clerk whom the roster plans at each window now; the first where it plans several."""
    found: dict[WindowId, StaffId] = {}
    if state.config is None or not state.config.shifts:
        return found
    today = weekday(now, state.config)
    for shift in state.config.shifts:
        if (
            shift.window not in found
            and today in shift.weekdays
            and shift.staff in state.staff
            and within(shift.periods, now, state.config)
        ):
            found[shift.window] = shift.staff
    return found
