"""When a hall's backup is due and when it is missed: pure rules."""

from hypothesis import given
from hypothesis import strategies as st

from hallserver.copies.rules import (
    HOUR_MS,
    LATE_MS,
    RETRY_MS,
    START_MS,
    bad_since,
    due_since,
    is_due,
)
from hallserver.engine.days import DAY_MS, MINUTE_MS

NOW = 1_795_395_600_000
INSTANTS = st.integers(NOW - 30 * DAY_MS, NOW + 30 * DAY_MS)
HOURS = st.integers(0, 23)
OFFSETS = st.sampled_from([0, 480, -210, 345])


@given(INSTANTS, HOURS, OFFSETS)
def test_a_backup_is_due_from_the_last_time_the_clock_of_the_hall_struck_its_hour(
    now: int, hour: int, offset: int
) -> None:
    struck = due_since(now, hour, offset)
    assert 0 <= now - struck < DAY_MS
    assert (struck + offset * MINUTE_MS) % DAY_MS == hour * HOUR_MS


@given(INSTANTS, HOURS, OFFSETS, st.integers(0, 3 * DAY_MS))
def test_one_backup_a_day_is_made_and_none_is_left_out(
    now: int, hour: int, offset: int, age: int
) -> None:
    def due(made: int, born: int) -> bool:
        return is_due(now, made=made, born=born, failed=0, hour=hour, offset_minutes=offset)

    assert not due(made=now, born=0)
    assert not due(made=0, born=now), (
        "a hall of today has nothing to save from before its first night"
    )
    assert due(made=now - age, born=0) == (now - age < due_since(now, hour, offset))
    assert due(made=now - DAY_MS, born=0)


def test_what_failed_is_tried_again_after_a_pause() -> None:
    def due(failed: int) -> bool:
        return is_due(NOW, made=0, born=0, failed=failed, hour=2, offset_minutes=480)

    assert not due(NOW - RETRY_MS + 1)
    assert due(NOW - RETRY_MS)


def test_a_hall_is_without_a_fresh_backup_when_making_it_fails_or_the_last_is_too_old() -> None:
    def bad(*, made: int, failing: int = 0, started: int = 0) -> int:
        return bad_since(NOW, made=made, born=0, failing=failing, started=started)

    assert bad(made=NOW - LATE_MS + 1) == 0
    assert bad(made=NOW - LATE_MS - 5) == NOW - 5
    assert bad(made=NOW, failing=NOW - 7) == NOW - 7
    assert bad(made=NOW - LATE_MS - 5, failing=NOW - 7) == NOW - 7
    weekend = NOW - 3 * DAY_MS
    assert bad(made=weekend, started=NOW - START_MS + 1) == 0, (
        "it was switched off: it may make one first"
    )
    assert bad(made=weekend, started=NOW - START_MS) == NOW
