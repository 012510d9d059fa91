"""Loudspeakers: a call is said by one player of its place, never by two at once, and none is lost when one breaks off."""

from typing import Any

import msgspec
import pytest
from calling_house import BOARD, SPEAKERS, House
from engine_builders import W1, W2, W3
from hypothesis import given, settings
from hypothesis import strategies as st

from hallserver.boards.announce import due_aloud, sound_now
from hallserver.boards.layouts import DEFAULT
from hallserver.boards.speaking import HANDOVER_MS, RETRY_MS, reach, scope_of
from qingting.contract import acts as a
from qingting.contract import commands as c
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, WindowId
from qingting.contract.layouts import (
    LoudSpan,
    QuietSpan,
    Scope,
    ScopeAreas,
    ScopeHall,
    ScopeWindows,
)
from qingting.contract.states import Condition, DeviceKind, DeviceState

FIRST, SECOND = SPEAKERS
EAST, WEST = ScopeAreas(areas=("东区",)), ScopeAreas(areas=("西区",))


class Loud(House):
    """The hall of three windows with two loudspeakers and a board that says its calls."""

    def __init__(self, **announcements: Any) -> None:
        super().__init__(**announcements)
        self.playing: set[DeviceId] = set()

    def tell(self, device: DeviceId, state: DeviceState, *conditions: Condition) -> None:
        kind = DeviceKind.BOARD if device == BOARD else DeviceKind.SPEAKER
        self.do(c.ReportDevice(device=device, kind=kind, state=state, conditions=conditions))

    def ready(self, *devices: DeviceId) -> None:
        for one in devices:
            self.tell(one, DeviceState.READY)

    def aloud(self) -> list[tuple[DeviceId, str]]:
        return [
            (one.speaker, self.state.tickets[one.ticket].number)
            for one in due_aloud(self.state, self.playing, self.now)
        ]

    def begin(self) -> list[Any]:
        found = due_aloud(self.state, self.playing, self.now)
        self.playing |= {one.speaker for one in found}
        return found

    def end(self, saying: Any, *, well: bool = True) -> None:
        self.playing.discard(saying.speaker)
        if well:
            self.do(c.ReportAnnounced(device=saying.speaker, call_no=saying.call_no), after=0)
        else:
            fault = Condition.SOUND_FAULT
            self.do(
                c.ReportUnsaid(device=saying.speaker, call_no=saying.call_no, cause=fault), after=0
            )


def test_the_first_loudspeaker_that_works_says_a_call_and_boards_do_not() -> None:
    house = Loud()
    house.ready(BOARD, FIRST, SECOND)
    house.call(W1)
    assert house.aloud() == [(FIRST, "A001")]
    assert house.owed() == []
    (saying,) = house.begin()
    house.end(saying)
    assert house.aloud() == []
    assert house.owed() == []  # it was said: the board never comes after it


def test_calls_are_said_one_after_the_other_in_their_order() -> None:
    house = Loud()
    house.ready(FIRST, SECOND)
    house.call(W1)
    house.call(W2)
    (saying,) = house.begin()
    assert house.aloud() == []  # both loudspeakers are heard in the whole hall
    house.end(saying)
    assert house.aloud() == [(FIRST, "B001")]


def test_loudspeakers_of_different_places_speak_at_the_same_time() -> None:
    house = Loud(speakers={FIRST: EAST, SECOND: WEST})
    house.ready(FIRST, SECOND)
    house.call(W1)
    house.call(W2)
    assert house.aloud() == [(FIRST, "A001"), (SECOND, "B001")]


def test_a_call_that_broke_off_is_said_by_the_next_player_and_by_the_board_at_last() -> None:
    house = Loud()
    house.ready(FIRST, SECOND)
    house.call(W1)
    (saying,) = house.begin()
    house.end(saying, well=False)
    assert house.aloud() == [(SECOND, "A001")]
    house.tell(FIRST, DeviceState.LOST, Condition.OFFLINE)
    house.now += RETRY_MS
    assert house.aloud() == [(SECOND, "A001")]
    house.tell(SECOND, DeviceState.LOST, Condition.SOUND_TAKEN)
    assert house.owed() == ["A001"]


def test_what_a_board_took_over_stays_with_it_and_nobody_speaks_into_it() -> None:
    house = Loud()
    house.ready(BOARD, FIRST)
    house.call(W1)
    (saying,) = house.begin()
    house.end(saying, well=False)
    assert house.owed() == ["A001"]
    house.call(W2)
    house.now += RETRY_MS
    assert house.aloud() == []  # the board is in the middle of A001
    assert house.owed() == ["A001"]
    house.say_next()
    assert house.aloud() == [(FIRST, "B001")]
    assert house.owed() == []


def test_a_loudspeaker_that_comes_lets_the_board_finish_but_does_not_wait_for_ever() -> None:
    house = Loud()
    house.ready(BOARD)
    house.call(W1)
    assert house.owed() == ["A001"]
    house.ready(FIRST)
    house.call(W2)
    assert house.aloud() == []
    house.now += HANDOVER_MS
    assert house.aloud() == [(FIRST, "B001")]
    assert house.owed() == ["A001"]


def test_it_does_not_try_the_same_call_for_ever_and_the_next_one_anew() -> None:
    house = Loud()
    house.ready(FIRST)
    house.call(W1)
    for _ in range(2):
        (saying,) = house.begin()
        house.end(saying, well=False)
        house.now += RETRY_MS
    assert house.aloud() == []
    assert house.owed() == ["A001"]  # nobody has said it: a board that comes may
    house.do(c.Recall(window=W1), after=20_000)
    assert house.aloud() == [(FIRST, "A001")]


@pytest.mark.parametrize("silent", [Condition.MUTED, Condition.SOUND_TAKEN, Condition.SOUND_FAULT])
def test_a_loudspeaker_that_cannot_be_heard_takes_no_call_from_a_board(silent: Condition) -> None:
    house = Loud()
    house.ready(BOARD)
    house.tell(FIRST, DeviceState.READY, silent)
    house.call(W1)
    assert house.aloud() == []
    assert house.owed() == ["A001"]


def test_quiet_hours_are_quiet_and_volume_follows_the_hour_and_the_remote_hand() -> None:
    house = Loud(
        volume=60,
        volumes=(LoudSpan(start="00:00", end="24:00", percent=50),),
    )
    house.ready(FIRST)
    act = c.AskAct(
        act=a.ActId("v1"), device=FIRST, action=a.SetVolume(percent=40), until=house.now + 60_000,
        asked_by="m",
    )  # fmt: skip
    house.do(act)
    house.call(W1)
    assert [one.volume for one in due_aloud(house.state, (), house.now)] == [20]
    house.do(msgspec.structs.replace(act, act=a.ActId("v2"), action=a.SetVolume(percent=0)))
    assert house.aloud() == []
    quiet = Loud(quiet=(QuietSpan(start="00:00", end="23:59"),))
    quiet.ready(BOARD, FIRST)
    quiet.call(W1)
    assert sound_now(quiet.state, quiet.now).quiet
    assert quiet.aloud() == []
    assert quiet.owed() == ["A001"]  # it flashes there


def test_a_call_that_nobody_waits_for_any_more_is_not_said() -> None:
    house = Loud()
    house.ready(FIRST)
    house.call(W1)
    house.do(c.BeginService(window=W1))
    assert house.aloud() == []


def test_only_a_loudspeaker_tells_that_a_call_broke_off() -> None:
    house = Loud()
    house.call(W1)
    with pytest.raises(Refusal, match=r"device\.unknown"):
        house.do(c.ReportUnsaid(device=BOARD, call_no=1))
    before = house.state.seq
    house.do(c.ReportUnsaid(device=FIRST, call_no=99))
    assert house.state.seq == before


SCOPES: list[Scope] = [ScopeHall(), EAST, WEST, ScopeWindows(windows=(W1, W3))]


@settings(max_examples=40, deadline=None)
@given(
    scopes=st.tuples(st.sampled_from(SCOPES), st.sampled_from(SCOPES)),
    steps=st.lists(st.sampled_from(["w1", "w2", "w3", "begin", "end", "break", "lose", "back", "wait"]), max_size=25),
)  # fmt: skip
def test_whatever_happens_no_two_speak_in_one_place_and_no_call_is_lost(
    scopes: tuple[Scope, Scope], steps: list[str]
) -> None:
    house = Loud(speakers=dict(zip((FIRST, SECOND), scopes, strict=True)), too_old_seconds=900)
    house.ready(FIRST, SECOND)
    saying: list[Any] = []
    free = {"w1": W1, "w2": W2, "w3": W3}
    for step in steps:
        if step in free:
            house.call(free.pop(step))
        elif step == "begin":
            saying += house.begin()
        elif step in ("end", "break") and saying:
            house.end(saying.pop(0), well=step == "end")
        elif step in ("lose", "back"):
            house.tell(FIRST, DeviceState.LOST if step == "lose" else DeviceState.READY)
        house.now += RETRY_MS if step == "wait" else 10
        places = [reach(house.state, scope_of(house.state, one.speaker)) for one in saying]
        assert sum(map(len, places)) == len(frozenset[WindowId]().union(*places))
    unsaid = {one.ticket for one in house.state.calls.values() if not one.said}
    under_way = {one.ticket for one in saying}
    for one in house.state.calls.values():
        if one.ticket in unsaid - under_way:
            due_there = {number for _, number in house.aloud()}
            owner = house.state.tickets[one.ticket].number
            tried = bool(one.unsaid) or bool(saying) or bool(due_there)
            assert owner in due_there or owner in house.owed(layout=DEFAULT) or tried
