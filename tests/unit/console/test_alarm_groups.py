"""Root causes and availability: pure rules."""

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from console.core.delivering import LONGEST_RETRY_MS, retry_after_ms
from console.modules.alarms.availability import (
    DAY_MS,
    Interval,
    availability,
    common,
    merged,
    periods,
    to_measure,
    without,
)
from console.modules.alarms.tree import Node, Tree, group
from console.modules.devices.api import GONE, HallHours
from qingting.contract.calendar import ClosedDay, HallCalendar, Period, WeeklyHours
from qingting.contract.conditions import Severity
from qingting.contract.states import DeviceKind

DEVICES = {
    ("h", "k1"): Node(DeviceKind.KIOSK),
    ("h", "k1-agent"): Node(DeviceKind.AGENT, "k1"),
    ("h", "k1-printer"): Node(DeviceKind.PRINTER, "k1"),
    ("h", "k1-reader"): Node(DeviceKind.ID_READER, "k1"),
    ("h", "pad"): Node(DeviceKind.CALL_PAD),
    ("other", "k1"): Node(DeviceKind.KIOSK),
}
TREE = Tree.of(DEVICES)


@dataclass(frozen=True)
class One:
    no: int
    device: str
    what: str = GONE
    hall: str = "h"
    severity: Severity = Severity.CRITICAL


def test_a_lost_kiosk_is_one_alarm_and_not_four() -> None:
    alarms = [One(1, "k1-agent"), One(2, "k1-printer"), One(3, "k1-reader"), One(4, "k1")]
    assert group(alarms, TREE) == {1: 4, 2: 4, 3: 4}


def test_a_hall_that_is_offline_stands_for_everything_in_it_and_nothing_elsewhere() -> None:
    alarms = [
        One(1, "k1"),
        One(2, "k1-printer", "paper_out"),
        One(3, "k1", hall="other"),
        One(4, "", "hall_offline"),
    ]
    assert group(alarms, TREE) == {1: 4, 2: 4}


def test_an_empty_printer_beside_a_working_agent_stands_for_itself() -> None:
    assert group([One(1, "k1"), One(2, "k1-printer", "paper_out")], TREE) == {}
    assert group([One(1, "k1-agent"), One(2, "k1-printer", "paper_out")], TREE) == {2: 1}


def test_two_rules_about_one_fault_are_one_alarm() -> None:
    mild = One(1, "pad", severity=Severity.WARNING)
    assert group([mild, One(2, "pad")], TREE) == {1: 2}


def test_an_intruder_is_never_hidden_behind_an_outage() -> None:
    alarms = [One(1, "", "hall_offline"), One(2, "k1", "refused_copied_key"), One(3, "k1")]
    assert group(alarms, TREE) == {3: 1}


ALARMS = st.lists(
    st.builds(
        One,
        st.just(0),
        st.sampled_from([*(device for _, device in DEVICES), "", "stranger"]),
        st.sampled_from([GONE, "paper_out", "hall_offline", "refused_wrong_key"]),
        st.sampled_from(["h", "other"]),
        st.sampled_from(Severity),
    ),
    max_size=15,
).map(lambda found: [One(n, a.device, a.what, a.hall, a.severity) for n, a in enumerate(found, 1)])


@given(ALARMS)
def test_every_group_has_one_head_that_is_open_and_in_the_same_hall(alarms: list[One]) -> None:
    roots = group(alarms, TREE)
    known = {one.no: one for one in alarms}
    for no, root in roots.items():
        assert root in known
        assert root not in roots, "a head stands behind nothing"
        assert known[root].hall == known[no].hall
    assert not alarms or len(roots) < len(alarms), "somebody is always told"


# -- availability -----------------------------------------------------------------------------

TIMES = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 60)), max_size=10).map(
    lambda found: [Interval(start, start + length) for start, length in found]
)


def minutes(intervals: list[Interval]) -> set[int]:
    return {at for one in intervals for at in range(one.start, one.end)}


@given(TIMES, TIMES, TIMES)
def test_availability_counts_each_moment_once(
    measure: list[Interval], down: list[Interval], excluded: list[Interval]
) -> None:
    found = availability(measure, down, excluded, by_hours=True)
    counted = minutes(measure) - minutes(excluded)
    assert found.measured == len(counted)
    assert found.down == len(counted & minutes(down))
    assert (found.share is None) == (not counted)
    assert found.share is None or 0 <= found.share <= 1


@given(TIMES, TIMES)
def test_intervals_are_sets_of_moments(one: list[Interval], other: list[Interval]) -> None:
    a, b = merged(one), merged(other)
    assert minutes(a) == minutes(one)
    assert minutes(common(a, b)) == minutes(one) & minutes(other)
    assert minutes(without(a, b)) == minutes(one) - minutes(other)
    assert all(left.end < right.start for left, right in pairwise(a))


def test_only_opening_hours_count_where_the_hall_has_them() -> None:
    calendar = HallCalendar(
        weekly=(
            WeeklyHours(
                weekdays=(1, 2, 3, 4, 5),
                periods=(Period(start="09:00", end="12:00"), Period(start="13:30", end="17:00")),
            ),
        ),
        closed=(ClosedDay(date="2026-11-24", name="停电"),),
    )
    hours = HallHours(calendar=calendar, utc_offset_minutes=480)
    monday = 1_795_363_200_000  # 2026-11-23 00:00 in China
    found, by_hours = to_measure(hours, Interval(monday, monday + 7 * DAY_MS))
    assert by_hours
    assert sum(one.end - one.start for one in found) == 4 * 390 * 60_000
    whole, by_hours = to_measure(None, Interval(0, DAY_MS))
    assert (whole, by_hours) == ([Interval(0, DAY_MS)], False)


def test_today_begins_at_the_citys_midnight() -> None:
    now = 1_795_363_200_000 + 9 * 3_600_000
    assert periods(now, 480)["day"] == Interval(1_795_363_200_000, now)


def test_tries_come_ever_later_but_within_an_hour() -> None:
    waits = [retry_after_ms(tries) for tries in range(1, 40)]
    assert waits[:3] == [30_000, 60_000, 120_000]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_RETRY_MS
