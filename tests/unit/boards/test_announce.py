"""Announcements: none is lost, none comes twice, all come in the order of the calls, by the hall's own log."""

from typing import Any

import msgspec
import pytest
from calling_house import BOARD, OTHER, House
from engine_builders import CARE, HOUR, MONDAY_9, W1, W2, W3
from hypothesis import given, settings
from hypothesis import strategies as st

from hallserver.boards.announce import announcement_of_call, due, says, sound_now
from hallserver.boards.layouts import DEFAULT
from hallserver.engine.announcing import KEPT_MS
from hallserver.engine.evolve import evolve
from hallserver.engine.state import new_state
from qingting.contract import commands as c
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, WindowId
from qingting.contract.layouts import (
    LoudSpan,
    Named,
    QuietSpan,
    ScopeAreas,
    ScopeWindows,
)
from qingting.contract.states import Language, TicketState


def test_calls_are_owed_in_their_order_until_they_were_said() -> None:
    house = House()
    house.call(W1)
    house.call(W2)
    assert house.owed() == ["A001", "B001"]
    house.say_next()
    assert house.owed() == ["B001"]
    house.say_next()
    assert house.owed() == []


def test_each_board_says_for_itself() -> None:
    house = House()
    house.call()
    house.say_next(BOARD)
    assert house.owed(OTHER) == ["A001"]


def test_a_recall_before_the_call_was_said_is_one_announcement_in_the_first_place() -> None:
    house = House()
    house.call(W1)
    house.call(W2)
    house.do(c.Recall(window=W1), after=6_000)
    assert house.owed() == ["A001", "B001"]
    house.say_next()
    assert house.owed() == ["B001"]


def test_a_recall_after_it_was_said_is_said_again_behind_the_others() -> None:
    house = House()
    house.call(W1)
    house.say_next()
    house.call(W2)
    house.do(c.Recall(window=W1), after=6_000)
    assert house.owed() == ["B001", "A001"]


def test_a_recall_during_its_own_announcement_is_said_after_it() -> None:
    house = House()
    house.call(W1)
    saying = due(house.state, BOARD, DEFAULT, house.now)[0]
    house.do(c.Recall(window=W1), after=6_000)
    house.do(c.ReportAnnounced(device=BOARD, call_no=saying.call_no))
    assert house.owed() == ["A001"]


@pytest.mark.parametrize("arrival", [c.BeginService, c.MarkNoShow])
def test_a_visitor_who_is_there_or_given_up_is_not_called_any_more(arrival: Any) -> None:
    house = House()
    house.call()
    house.do(arrival(window=W1))
    assert house.owed() == []


def test_what_could_not_be_said_in_time_is_not_said_later() -> None:
    house = House(too_old_seconds=60)
    house.call()
    house.now += 60_000
    assert house.owed() == ["A001"]
    house.now += 1
    assert house.owed() == []


def test_a_board_of_an_area_or_a_window_says_only_its_own_calls_and_a_silent_one_none() -> None:
    house = House()
    house.call(W1)
    house.call(W2)
    east = msgspec.structs.replace(DEFAULT, scope=ScopeAreas(areas=("东区",)))
    second = msgspec.structs.replace(DEFAULT, scope=ScopeWindows(windows=(W2,)))
    silent = msgspec.structs.replace(DEFAULT, aloud=False)
    assert [house.owed(BOARD, one) for one in (east, second, silent)] == [["A001"], ["B001"], []]


def test_a_report_of_a_device_that_is_no_board_is_refused_and_an_unknown_call_is_nothing() -> None:
    house = House()
    house.call()
    with pytest.raises(Refusal) as refused:
        house.do(c.ReportAnnounced(device=DeviceId("k1"), call_no=1))
    assert refused.value.code == "device.unknown"
    assert house.do(c.ReportAnnounced(device=BOARD, call_no=99)) == []
    assert house.do(c.ReportAnnounced(device=BOARD, call_no=1)) != []
    assert house.do(c.ReportAnnounced(device=BOARD, call_no=1)) == []


def test_calls_are_forgotten_after_a_quarter_of_an_hour_and_with_the_day() -> None:
    house = House()
    house.call(W1)
    house.do(c.BeginService(window=W1))
    house.now += KEPT_MS + 1
    house.call(W2)
    assert [house.state.tickets[one].number for one in house.state.calls] == ["B001"]
    house.do(c.CloseDay())
    assert house.state.calls == {}


# ---- any day ------------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["call", "recall", "begin", "finish", "miss", "say", "say", "say other"]),
        st.sampled_from([W1, W2, W3]),
        st.sampled_from([200, 3_000, 6_000, 20_000]),
    ),
    max_size=60,
)


MOVES: dict[str, Any] = {
    "recall": c.Recall,
    "begin": c.BeginService,
    "finish": c.FinishService,
    "miss": c.MarkNoShow,
}


class Listener:
    """Somebody who hears all boards of a house and remembers."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.heard: dict[DeviceId, list[int]] = {BOARD: [], OTHER: []}

    def step(self, kind: str, window: WindowId) -> None:
        if kind.startswith("say"):
            self.hear(OTHER if kind == "say other" else BOARD)
            return
        try:
            if kind == "call":
                self.house.call(window)
            else:
                self.house.do(MOVES[kind](window=window))
        except Refusal:
            return

    def hear(self, board: DeviceId) -> bool:
        """The next announcement of a board; False when it owes none."""
        owed = due(self.house.state, board, DEFAULT, self.house.now)
        assert [one.order for one in owed] == sorted(one.order for one in owed)
        if not owed:
            return False
        assert owed[0].call_no not in self.heard[board], "said twice"
        self.heard[board].append(owed[0].call_no)
        self.house.do(c.ReportAnnounced(device=board, call_no=owed[0].call_no), after=0)
        return True

    def lost(self, board: DeviceId) -> list[str]:
        """Visitors who are still expected and never heard their latest call."""
        state = self.house.state
        return [
            state.tickets[call.ticket].number
            for call in state.calls.values()
            if self.house.now - call.at[-1] <= 120_000
            and state.tickets[call.ticket].state is TicketState.CALLED
            and call.numbers[-1] not in self.heard[board]
        ]


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_on_any_day_nothing_is_lost_said_twice_or_out_of_order(steps: list[Any]) -> None:
    house = House()
    listener = Listener(house)
    for kind, window, after in steps:
        house.now += after
        listener.step(kind, window)
    for board in (BOARD, OTHER):
        while listener.hear(board):
            pass
        assert listener.lost(board) == []
    again = new_state()
    for event in house.log:
        evolve(again, event)
    assert again == house.state, "the log alone tells what was said"


# ---- how it sounds ------------------------------------------------------------------------------


def test_an_english_ticket_is_called_in_english_too() -> None:
    house = House()
    house.do(c.IssueTicket(item=CARE, token="t-english", language=Language.EN))
    house.do(c.CallNext(window=W1))
    assert announcement_of_call(house.state, 1).languages == (Language.ZH, Language.EN)
    house = House(ticket_language=False)
    house.do(c.IssueTicket(item=CARE, token="t-english", language=Language.EN))
    house.do(c.CallNext(window=W1))
    assert announcement_of_call(house.state, 1).languages == (Language.ZH,)


def test_nobody_is_named_unless_the_hall_wants_it() -> None:
    for named, expected in ((Named.NUMBER, ("", "")), (Named.MASKED_NAME, ("张", "mr"))):
        house = House(named=named)
        house.call(W2)
        assert announcement_of_call(house.state, 1).named == expected
        (said,) = says(house.state, due(house.state, BOARD, DEFAULT, house.now), house.now)
        assert ("张先生" in said.text) is (named is Named.MASKED_NAME)
        assert "三" not in said.text.replace("二号窗口", "")


def test_a_screen_that_speaks_itself_has_the_english_words_where_they_are_to_be_said() -> None:
    for languages, words in (
        ((Language.ZH,), ""),
        ((Language.ZH, Language.EN), "Number B zero zero one, please go to window two"),
    ):
        house = House(languages=languages)
        house.call(W2)
        (said,) = says(house.state, due(house.state, BOARD, DEFAULT, house.now), house.now)
        assert said.text_en == words


def test_an_unknown_call_has_no_sound() -> None:
    with pytest.raises(Refusal) as refused:
        announcement_of_call(House().state, 1)
    assert refused.value.code == "voice.unknown_call"


@pytest.mark.parametrize(
    ("hours", "quiet", "volume"),
    [
        (0, False, 80),  # 09:00
        (3, True, 80),  # 12:00, the beginning of the midday rest
        (4.99, True, 80),
        (5, False, 80),
        (8, False, 40),  # 17:00, the evening volume
        (14, True, 0),  # 23:00: a volume of nothing is quiet
        (15.5, True, 0),  # 00:30, after midnight
        (18, False, 80),
    ],
)
def test_volume_and_quiet_follow_the_hour_of_the_hall(
    hours: float, quiet: bool, volume: int
) -> None:
    house = House(
        volume=80,
        volumes=(
            LoudSpan(start="17:00", end="19:00", percent=40),
            LoudSpan(start="22:00", end="02:00", percent=0),
        ),
        quiet=(QuietSpan(start="12:00", end="14:00"),),
    )
    sound = sound_now(house.state, MONDAY_9 + round(hours * HOUR))
    assert (sound.quiet, sound.volume) == (quiet, volume)
