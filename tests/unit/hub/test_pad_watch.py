"""A pad's facts become conditions only when they mean something, and do not sway in the log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallserver.engine.state import DeviceLife, HallState, WindowLife
from hallserver.hub.pad_watch import OUTDATED_SECONDS, PadWatch
from qingting.contract.ids import DeviceId, WindowId
from qingting.contract.pads import PadFacts
from qingting.contract.states import Condition, DeviceKind, WindowState
from qingting.kernel.aio.clock import ManualClock

PAD = DeviceId("pad1")


class Hall:
    """A pad at an open window, and the log as far as the watch writes it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.watch = PadWatch(self.clock, lambda device: "b2")
        self.life = DeviceLife(
            id=PAD, kind=DeviceKind.CALL_PAD, name="1号呼叫器", window=WindowId("w1")
        )
        self.window = WindowLife(id=WindowId("w1"), state=WindowState.OPEN)
        self.state = HallState(devices={PAD: self.life}, windows={self.window.id: self.window})
        self.changes = 0

    def look(self) -> set[Condition]:
        now = self.watch.conditions(self.state, self.life)
        if now != set(self.life.conditions):
            self.changes += 1
            self.life.conditions = dict.fromkeys(now, self.clock.now_ms())
        return set(now)

    def says(self, facts: PadFacts) -> set[Condition]:
        self.watch.heard(self.life, facts)
        return self.look()

    async def passes(self, seconds: int) -> set[Condition]:
        """Time, with the looks that housekeeping takes."""
        for _ in range(seconds):
            await self.clock.advance(1)
            found = self.look()
        return found


@pytest.fixture
def hall() -> Hall:
    return Hall()


async def test_a_pad_whose_browser_tells_nothing_is_never_marked(hall: Hall) -> None:
    hall.says(PadFacts())
    assert await hall.passes(3 * 3600) == set()


async def test_a_low_battery_is_told_at_once_and_ends_when_there_is_room(hall: Hall) -> None:
    assert Condition.BATTERY_LOW in hall.says(PadFacts(battery=19, charging=False))
    assert Condition.BATTERY_LOW in hall.says(PadFacts(battery=21, charging=False))
    hall.says(PadFacts(battery=22, charging=True))
    assert await hall.passes(59) == {Condition.BATTERY_LOW}
    assert await hall.passes(20) == set()


async def test_unplugged_is_told_after_ten_minutes_and_a_loose_plug_says_it_once(
    hall: Hall,
) -> None:
    for _ in range(30):
        hall.says(PadFacts(battery=80, charging=False))
        await hall.passes(30)
        hall.says(PadFacts(battery=80, charging=True))
        await hall.passes(5)
    assert hall.changes == 0
    hall.says(PadFacts(battery=80, charging=False))
    assert await hall.passes(10 * 60) == {Condition.ON_BATTERY}
    for _ in range(30):
        hall.says(PadFacts(battery=80, charging=True))
        await hall.passes(30)
        hall.says(PadFacts(battery=80, charging=False))
        await hall.passes(30)
    assert hall.changes == 1


async def test_out_of_sight_counts_only_at_an_open_window(hall: Hall) -> None:
    hall.says(PadFacts(visible=False))
    assert await hall.passes(135) == {Condition.IN_BACKGROUND}
    hall.window.state = WindowState.CLOSED
    assert await hall.passes(40) == set()
    assert await hall.passes(3600) == set()


async def test_an_old_program_is_told_only_when_it_did_not_renew_itself(hall: Hall) -> None:
    hall.says(PadFacts(build="b1"))
    assert await hall.passes(OUTDATED_SECONDS - 30) == set()
    assert await hall.passes(60) == {Condition.APP_OUTDATED}
    assert hall.says(PadFacts(build="b2")) == set()


async def test_a_restart_of_the_hall_changes_nothing_about_a_pad_that_is_as_it_was(
    hall: Hall,
) -> None:
    hall.says(PadFacts(battery=12, charging=False))
    before = dict(hall.life.conditions)
    hall.watch = PadWatch(hall.clock, lambda device: "b2")
    assert hall.look() == set(before)
    hall.says(PadFacts(battery=12, charging=False))
    assert (hall.life.conditions, hall.changes) == (before, 1)


async def test_what_a_pad_said_is_gone_with_its_connection(hall: Hall) -> None:
    hall.says(PadFacts(battery=50))
    hall.watch.gone(PAD)
    assert hall.watch.facts == {}


@given(levels=st.lists(st.integers(16, 29), min_size=2, max_size=60))
async def test_a_level_that_sways_between_the_bounds_is_told_at_most_once(
    levels: list[int],
) -> None:
    hall = Hall()
    for level in levels:
        hall.says(PadFacts(battery=level))
        hall.says(PadFacts(battery=level, charging=False))
        await hall.passes(2)
    assert hall.changes <= 1
