"""What each clerk did today, counted as it happens."""

from hallserver.engine.days import hall_time
from hallserver.engine.state import Case, ClerkDay, HallState, Served
from qingting.contract.ids import Millis, StaffId
from qingting.contract.states import RatingLevel


def clerk_day(state: HallState, staff: StaffId) -> ClerkDay:
    return state.clerks.setdefault(staff, ClerkDay())


def note_case(state: HallState, case: Case) -> None:
    """An item was finished."""
    day = clerk_day(state, case.staff)
    hour = hall_time(case.finished_at, state.config).hour
    day.hours[hour] = day.hours.get(hour, 0) + 1
    own = day.items.setdefault(case.item, Served())
    own.count += 1
    own.total_ms += max(0, case.finished_at - case.begun_at)


def note_level(state: HallState, staff: StaffId, level: RatingLevel, *, late: bool) -> None:
    """A rating came; ``late``: the visit had counted as not rated before."""
    day = clerk_day(state, staff)
    day.levels[level] = day.levels.get(level, 0) + 1
    day.not_rated -= late


def serving_ms(day: ClerkDay) -> Millis:
    return Millis(sum(one.total_ms for one in day.items.values()))
