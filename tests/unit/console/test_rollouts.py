"""A rollout reaches every device, in its waves, each asked once; what goes wrong stays within its wave and goes back."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.modules.rollouts import domain as d
from console.modules.rollouts.domain import At, Phase, Rollout, Sight, Target, What
from console.modules.rollouts.waves import Measure, Place, Wave, read_waves, share_out
from qingting.contract.errors import Refusal
from qingting.contract.states import ActOutcome

NEW, OLD = "b" * 16, "a" * 16
SOAK = 600_000
LOOK = 30_000
places = st.lists(
    st.builds(Place, st.sampled_from(["h1", "h2", "h3"]), st.integers(0, 30).map("d{}".format)),
    min_size=1,
    max_size=12,
    unique=True,
)
waves = st.lists(
    st.builds(Wave, st.sampled_from(Measure), st.integers(1, 100)), min_size=1, max_size=5
)


@given(places, waves)
def test_every_device_has_one_wave_and_no_wave_is_empty(
    found: list[Place], wanted: list[Wave]
) -> None:
    shared = share_out(found, wanted)
    assert set(shared) == set(found)
    assert set(shared.values()) == set(range(max(shared.values()) + 1))


def test_the_usual_waves_are_one_device_then_its_hall_then_a_quarter_then_all() -> None:
    found = [Place(f"h{hall}", f"k{no}") for hall in range(10) for no in range(4)]
    shared = share_out(found, read_waves("1, 1厅, 25%, 100%"))
    sizes = [sum(one == wave for one in shared.values()) for wave in range(4)]
    assert sizes == [1, 3, 6, 30]
    assert {one.hall for one, wave in shared.items() if wave < 2} == {"h0"}
    assert read_waves("2、1 hall, 50％") == (
        Wave(Measure.DEVICES, 2),
        Wave(Measure.HALLS, 1),
        Wave(Measure.PERCENT, 50),
        Wave(Measure.PERCENT, 100),
    )


@pytest.mark.parametrize("text", ["", "0", "101%", "one", "1,2,3,4,5,6,7,8,9", "5 kiosks", "-1"])
def test_waves_that_nobody_can_read_are_refused(text: str) -> None:
    with pytest.raises(Refusal, match=r"rollout\.waves_bad"):
        read_waves(text)


class City:
    """Devices that do what they are asked, or what the test says instead; looks come every half minute."""

    def __init__(self, found: list[Place], wanted: str = "1, 1厅, 100%") -> None:
        shared = share_out(found, read_waves(wanted))
        self.now = 1_000_000
        self.runs = dict.fromkeys(found, OLD)
        self.broken: set[Place] = set()
        """They come back with the former release."""
        self.sick: set[Place] = set()
        self.away: set[Place] = set()
        self.busy: set[Place] = set()
        self.asks: list[d.Ask] = []
        self.ends: dict[str, tuple[ActOutcome, str, int]] = {}
        self.failed: dict[Place, str] = {}
        targets = {one: Target(place=one, wave=shared[one]) for one in found}
        self.rollout = Rollout(
            what=What.PAD, release=NEW, phase=Phase.RUNNING, wave=0, soak_ms=SOAK, targets=targets
        )

    def sights(self) -> dict[Place, Sight]:
        return {place: self._sight(one) for place, one in self.rollout.targets.items()}

    def _sight(self, target: Target) -> Sight:
        place = target.place
        outcome, code, at = self.ends.get(target.act, (None, "", 0))
        here = place not in self.away
        return Sight(
            here=here,
            runs=self.runs[place] if here else None,
            failed=self.failed.get(place, "") if here else "",
            in_force=self.runs[place],
            outcome=outcome,
            code=code,
            ended_at=at,
            worse="alarm" if place in self.sick and target.at is At.RUNS else "",
        )

    def look(self) -> d.Step:
        step = d.decide(self.rollout, self.sights(), self.now)
        targets = dict(step.rollout.targets)
        for ask in step.asks:
            act = f"act-{len(self.asks)}"
            self.asks.append(ask)
            targets[ask.place] = replace(targets[ask.place], act=act)
            if ask.place not in self.busy:
                self.carry_out(act, ask)
        self.rollout = replace(step.rollout, targets=targets)
        self.now += LOOK
        return step

    def carry_out(self, act: str, ask: d.Ask) -> None:
        if ask.place in self.broken and ask.release == NEW:
            self.failed[ask.place] = NEW
            self.ends[act] = (ActOutcome.FAILED, "act.not_started", self.now)
        else:
            self.runs[ask.place] = ask.release
            self.ends[act] = (ActOutcome.DONE, "", self.now)

    def until(self, *phases: Phase, looks: int = 400) -> None:
        for _ in range(looks):
            if self.rollout.phase in phases:
                return
            self.look()
        pytest.fail(f"still {self.rollout.phase} in wave {self.rollout.wave}")

    def at(self, place: Place) -> At:
        return self.rollout.targets[place].at


TEN = [Place("h1" if no < 4 else "h2", f"d{no}") for no in range(10)]


@settings(max_examples=30)
@given(places)
def test_a_release_that_works_reaches_everybody_each_asked_once(found: list[Place]) -> None:
    city = City(found)
    city.until(Phase.DONE)
    assert (len(city.asks), set(city.asks)) == (len(found), {d.Ask(one, NEW) for one in found})
    assert set(city.runs.values()) == {NEW}


@settings(max_examples=40)
@given(places, st.data())
def test_what_is_broken_never_leaves_its_wave_and_all_of_that_wave_goes_back(
    found: list[Place], data: st.DataObject
) -> None:
    city = City(found)
    bad = data.draw(st.sampled_from(found))
    (city.broken if data.draw(st.booleans()) else city.sick).add(bad)
    city.until(Phase.HALTED)
    wave = city.rollout.targets[bad].wave
    for place, target in city.rollout.targets.items():
        assert city.runs[place] == (NEW if target.wave < wave else OLD)
    assert all(city.rollout.targets[one.place].wave <= wave for one in city.asks)
    again = city.look()
    assert (again.asks, again.notes) == ((), ()), "a halted rollout waits for a person"


@settings(max_examples=40)
@given(places, st.integers(0, 60), st.sampled_from(["go_back", "pause"]))
def test_a_person_can_have_everything_back_at_any_moment(
    found: list[Place], looks: int, first: str
) -> None:
    city = City(found)
    for _ in range(looks):
        city.look()
    if first == "pause" and city.rollout.phase is Phase.RUNNING:
        city.rollout = d.pause(city.rollout)
        assert city.look().asks == ()
    city.rollout = d.go_back(city.rollout, city.now)
    city.until(Phase.BACK)
    assert set(city.runs.values()) == {OLD}


def test_deciding_twice_about_the_same_moment_asks_nobody_twice() -> None:
    city = City(TEN)
    city.busy = set(TEN)
    city.look()
    for _ in range(5):
        assert d.decide(city.rollout, city.sights(), city.now).asks == ()


def test_the_next_wave_waits_until_the_one_before_was_well_for_long_enough() -> None:
    city = City(TEN)
    city.look()
    city.look()
    began = city.rollout.targets[TEN[0]].since
    while city.rollout.wave == 0:
        city.look()
    assert city.now - LOOK >= began + SOAK


def test_a_hall_that_is_cut_off_holds_its_wave_gets_the_release_when_back_and_can_be_passed() -> (
    None
):
    city = City(TEN)
    city.away = {TEN[2]}
    for _ in range(100):
        city.look()
    assert (city.rollout.wave, city.at(TEN[2])) == (1, At.WAITING)
    city.rollout = d.go_on(city.rollout, city.sights(), city.now)
    for _ in range(40):
        city.look()
    assert city.rollout.wave == 2
    assert city.rollout.phase is Phase.RUNNING, "one is still without it"
    city.away = set()
    city.until(Phase.DONE)
    assert city.runs[TEN[2]] == NEW


def test_a_device_that_drops_off_between_is_asked_again_and_an_unknown_end_may_become_known() -> (
    None
):
    city = City(TEN)
    city.busy = {TEN[0]}
    city.look()
    city.ends["act-0"] = (ActOutcome.REFUSED, "act.device_away", city.now)
    city.look()
    assert city.at(TEN[0]) is At.WAITING
    city.look()
    city.look()
    assert city.at(TEN[0]) is At.ASKED
    city.ends["act-1"] = (ActOutcome.UNKNOWN, "act.no_answer", city.now)
    city.look()
    assert city.at(TEN[0]) is At.ASKED, "it may tell when it is back"
    city.runs[TEN[0]] = NEW
    city.now += d.LATE_MS
    city.look()
    assert city.at(TEN[0]) is At.RUNS


def test_after_a_halt_a_person_lets_it_go_on_once_the_cause_is_gone() -> None:
    city = City(TEN)
    city.broken = {TEN[1]}
    city.until(Phase.HALTED)
    with pytest.raises(Refusal, match=r"rollout\.not_now"):
        d.pause(city.rollout)
    city.broken, city.failed = set(), {}
    city.rollout = d.go_on(city.rollout, city.sights(), city.now)
    city.until(Phase.DONE)
    assert set(city.runs.values()) == {NEW}


def test_a_device_that_runs_something_newer_by_now_is_left_alone_when_the_rest_goes_back() -> None:
    city = City(TEN)
    city.until(Phase.DONE)
    city.runs[TEN[3]] = "c" * 16
    city.rollout = d.go_back(city.rollout, city.now)
    city.away, city.now = {TEN[3]}, city.now + LOOK
    city.look()
    city.away = set()
    city.until(Phase.BACK)
    assert city.runs[TEN[3]] == "c" * 16
    assert city.runs[TEN[4]] == OLD
