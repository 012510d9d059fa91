"""Days that are laid out once: whoever asks sees what a place by place reckoning gives, whatever is taken and whenever."""

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from console.modules.appointments import places as p
from console.modules.appointments.api import FreePlace
from console.modules.appointments.blank_days import BlankDay
from console.modules.appointments.offering import OfferedItem
from console.modules.appointments.planner import DayPlan, Line, spot_of
from console.modules.appointments.rules import DEFAULTS, Resolved
from qingting.contract.calendar import Period

DAY = date(2026, 11, 26)
HALL, OFFSET = "saertu", 480
HOURS = (Period(start="09:00", end="11:00"), Period(start="13:30", end="15:00"))
MIDNIGHT = p.instant(DAY, 0, OFFSET)
TAKEN = st.dictionaries(
    st.integers(0, 1440), st.tuples(st.integers(0, 12), st.integers(0, 4)), max_size=9
)


def line(pool: str, windows: int, lead: int = 60, minutes: int = 30) -> tuple[Line, DayPlan]:
    """An item of a pool of its own, and its periods."""
    rule = replace(DEFAULTS, lead_minutes=lead, minutes=minutes, kept=1)
    item = OfferedItem(id=pool, name="", name_en="", department="gaj", queue=pool)
    found = Line(
        item=item, resolved=Resolved(rule=rule, sources={}), pool=pool, windows=windows, why=""
    )
    return found, DayPlan(day=DAY, why="", slots=p.grid(rule, HOURS, windows))


def reckoned(
    pairs: list[tuple[Line, DayPlan]], taken: dict[tuple[str, int], p.Taken], now: int
) -> list[FreePlace]:
    """Place by place, from the rules alone."""
    found = []
    for slot in pairs[0][1].slots:
        start_at, ones = p.instant(DAY, slot.start, OFFSET), []
        for one, plan in pairs:
            mine = p.slot_at(plan.slots, slot.start)
            if mine is None:
                ones.append((0, "no_window", 0, 0))
                continue
            held = taken.get((one.pool, mine.start), p.Taken())
            why = p.slot_why(mine, held, start_at, now, one.resolved.rule)
            ones.append((0 if why else p.free_of(mine, held), why, mine.total, held.all))
        free, why, total, all_taken = min(ones, key=lambda one: one[0])
        times = {"start": p.clock(slot.start), "end": p.clock(slot.end)}
        found.append(FreePlace(**times, free=free, why=why, total=total, taken=all_taken))
    return found


class TestBlankDay:
    @given(
        taken=st.tuples(TAKEN, TAKEN),
        minute=st.integers(-3_000, 1_500),
        both=st.booleans(),
        leads=st.tuples(st.sampled_from([0, 60, 1_440]), st.sampled_from([0, 60, 1_440])),
        minutes=st.sampled_from([30, 60]),
    )
    def test_what_is_taken_and_how_late_it_is_change_what_they_must(
        self,
        taken: tuple[dict[int, tuple[int, int]], ...],
        minute: int,
        both: bool,
        leads: tuple[int, int],
        minutes: int,
    ) -> None:
        pairs = [line("one", 3, leads[0])]
        if both:
            pairs.append(line("two", 2, leads[1], minutes))
        held = {
            (pool, at): p.Taken(max(every), min(every))
            for pool, of_pool in zip(("one", "two"), taken, strict=True)
            for at, every in of_pool.items()
        }
        spots = {
            spot_of(HALL, one, DAY, slot): held[one.pool, slot.start]
            for one, plan in pairs
            for slot in plan.slots
            if (one.pool, slot.start) in held
        }
        now = MIDNIGHT + minute * p.MINUTE_MS
        blank = BlankDay(HALL, OFFSET, [one for one, _ in pairs], [plan for _, plan in pairs])
        day = blank.with_taken(spots, now)
        assert list(day.places) == reckoned(pairs, held, now)
        # Asked again with nothing taken it is as new: what one citizen saw stays with no other.
        assert list(blank.with_taken({}, MIDNIGHT - 10**9).places) == reckoned(
            pairs, {}, MIDNIGHT - 10**9
        )

    def test_a_day_without_places_says_why_whatever_is_taken(self) -> None:
        pair = line("one", 3)
        closed = DayPlan(day=DAY, why="rest_day", slots=(), name="国庆节", name_en="National Day")
        day = BlankDay(HALL, OFFSET, [pair[0]], [closed]).with_taken({}, MIDNIGHT)
        assert (day.why, day.places, day.name) == ("rest_day", (), "国庆节")
