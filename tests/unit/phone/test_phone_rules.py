"""What the phone page promises without a hall: every stage has words, nobody finds a ticket by trying."""

from functools import partial
from itertools import pairwise
from typing import get_args

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from phone_hall import plain

from hallserver.app.phone.stages import _OF_STATE, NEAR, STAGES, Stage, stage_of
from hallserver.app.phone.standing import Standing
from hallserver.app.phone.tries import (
    ADDRESSES_KEPT,
    BURST,
    OPENED_KEPT,
    PER_SECOND,
    WrongTries,
    network_of,
)
from hallserver.app.phone.watch import QUIET
from hallserver.app.phone.words import Voice, sentences
from hallserver.engine.state import Case, Ticket
from qingting.contract.events import EventBody, Interval
from qingting.contract.ids import DepartmentId, ItemId, StaffId, WindowId
from qingting.contract.states import Language, ReturnCause, TicketState, WaitBasis
from qingting.kernel.i18n import Catalogue, prefers
from qingting.kernel.web import sender_of

TEXTS = Catalogue.load("qingting.web.pages", "hallserver.app", "hallserver.app.phone")
VOICES = {one: Voice(one, partial(TEXTS.text, one), str) for one in Language}
WAITS = (None, Interval(low=0, high=2), Interval(low=12, high=20))


def a_ticket(**more: object) -> Ticket:
    values: dict[str, object] = {
        "id": "2026-11-24-ga-23",
        "number": "A023",
        "serial": 23,
        "queue": "ga",
        "item": "id-renew",
        "department": "gaj",
        "token": "t",
        "state": TicketState.WAITING,
        "issued_at": 0,
        "since": 0,
        "ahead": 0,
        "wait": None,
        "person": None,
        "device": None,
        "language": Language.ZH,
    }
    return Ticket(**(values | more))  # type: ignore[arg-type]


def a_case(number: int, rated: bool) -> Case:
    return Case(
        number=f"case-{number}",
        item=ItemId("id-renew"),
        department=DepartmentId("gaj"),
        window=WindowId("w3"),
        staff=StaffId("s-01"),
        begun_at=0,
        finished_at=0,
        rated=rated,
    )


# ---- stages and words -------------------------------------------------------------------------------


def test_every_state_of_a_ticket_has_a_face() -> None:
    assert set(_OF_STATE) == set(TicketState)
    for state in TicketState:
        assert stage_of(a_ticket(state=state), 0, False) in STAGES


@pytest.mark.parametrize("ahead", [0, NEAR, NEAR + 1, 40])
def test_near_begins_at_three_before_you(ahead: int) -> None:
    assert stage_of(a_ticket(), ahead, False).name == ("near" if ahead <= 3 else "waiting")


def test_who_left_and_who_was_not_reached_read_different_things() -> None:
    faces = {
        stage_of(a_ticket(state=TicketState.CANCELLED, cancelled=why), 0, False).name
        for why in ("left", "day_end")
    }
    assert faces == {"left", "cancelled"}


def test_a_finished_ticket_is_rated_when_each_of_its_cases_is() -> None:
    def after(*rated: bool) -> str:
        cases = [a_case(number, one) for number, one in enumerate(rated)]
        return stage_of(a_ticket(state=TicketState.DONE, cases=cases), 0, False).name

    assert [after(False), after(True), after(True, False), after(True, True)] == [
        "done",
        "rated",
        "done",
        "rated",
    ]


def test_who_was_missed_comes_back_only_within_the_rules() -> None:
    missed = a_ticket(state=TicketState.NO_SHOW)
    assert stage_of(missed, 0, True).can_return
    assert not stage_of(missed, 0, False).can_return


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_stage_has_its_sentences_in_both_languages(stage: Stage, language: Language) -> None:
    text = partial(TEXTS.text, language)
    for ahead in (0, 1, 3, 12):
        for wait in WAITS:
            for windows, until in (((), None), (("3",), 5), (("3", "5"), None)):
                standing = Standing(stage, ahead, windows, "3", 1, until, wait=wait)
                said = sentences(Voice(language, text, str), "A023", standing)
                for sentence in (said.say, said.todo, said.title):
                    assert sentence
                    assert "{" not in sentence
                assert bool(said.more) == stage.waits
    assert text(f"phone.{stage.name}.since", time="x")


@pytest.mark.parametrize("cause", list(ReturnCause))
def test_every_way_back_into_the_line_is_told(cause: ReturnCause) -> None:
    standing = Standing(STAGES[0], again=cause.value)
    assert all(sentences(voice, "A023", standing).again for voice in VOICES.values())


def test_waiting_is_one_sentence_with_place_and_interval() -> None:
    standing = Standing(STAGES[0], 4, ("3", "5"), wait=told(WaitBasis.SIMULATION))
    said = sentences(VOICES[Language.ZH], "A023", standing)
    assert plain(said.say) == "前面还有 4 人，约 12–20 分钟"
    assert said.more == "3、5 号窗口正在办这项业务"
    said = sentences(VOICES[Language.EN], "A023", standing)
    assert plain(said.say) == "4 people are ahead of you, about 12–20 minutes"


def told(basis: WaitBasis, *, beyond: bool = False) -> Interval:
    return Interval(low=12, high=20, basis=basis, beyond=beyond)


def test_a_rough_waiting_time_and_one_beyond_closing_are_said_in_words() -> None:
    def say(wait: Interval, language: Language) -> str:
        return plain(sentences(VOICES[language], "A023", Standing(STAGES[0], 4, wait=wait)).say)

    average = told(WaitBasis.AVERAGE)
    assert say(average, Language.ZH).endswith("约 12–20 分钟（按平均办理时间估计）")
    assert "average serving time" in say(average, Language.EN)
    assert "放宽" in say(told(WaitBasis.WIDE), Language.ZH)
    late = told(WaitBasis.SIMULATION, beyond=True)
    assert say(late, Language.ZH).endswith("下班前可能排不到")
    assert "before closing" in say(late, Language.EN)


def test_quiet_events_are_those_that_no_page_shows() -> None:
    """A new event is followed unless somebody says that it need not be."""
    assert set(QUIET) < set(get_args(EventBody))
    assert [one.__name__ for one in QUIET if "Ticket" in one.__name__] == []


# ---- trying links -----------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=120))
def test_no_pattern_of_tries_gets_more_than_the_allowance(
    tries: list[tuple[float, bool]],
) -> None:
    door, now, let_in = WrongTries(), 0.0, []
    for number, (pause, _) in enumerate(tries):
        now += pause
        if door.seconds_to_wait("10.0.0.1", f"wrong-{number}", now) == 0:
            door.wrong("10.0.0.1", now)
            let_in.append(now)
    for first, begin in enumerate(let_in):
        for last, end in enumerate(let_in[first:], start=1):
            assert last <= BURST + (end - begin) * PER_SECOND + 1e-6
    assert all(one <= other for one, other in pairwise(let_in))


@given(st.integers(0, 200))
def test_the_told_wait_is_enough(extra: int) -> None:
    door, now = WrongTries(), 100.0
    for _ in range(BURST + extra % 5):
        door.wrong("a", now)
    seconds = door.seconds_to_wait("a", "t", now)
    assert seconds > 0
    assert door.seconds_to_wait("a", "t", now + seconds) == 0
    assert door.seconds_to_wait("b", "t", now) == 0


def test_what_was_open_stays_open_to_the_same_address_only() -> None:
    door = WrongTries()
    door.right("a", "mine")
    for _ in range(BURST):
        door.wrong("a", 0.0)
    assert door.seconds_to_wait("a", "mine", 0.0) == 0
    assert door.seconds_to_wait("a", "other", 0.0) > 0


def test_the_memory_of_tries_is_bounded() -> None:
    door = WrongTries()
    for number in range(max(ADDRESSES_KEPT, OPENED_KEPT) + 10):
        door.wrong(f"10.{number}", 0.0)
        door.right("a", f"t{number}")
    assert len(door._spent) == ADDRESSES_KEPT
    assert len(door._opened) == OPENED_KEPT


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.168.1.7", "192.168.1.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.5", "10.0.0.5"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("nonsense", "nonsense"),
    ],
)
def test_an_ipv6_sender_cannot_take_a_new_address_for_each_try(address: str, network: str) -> None:
    assert network_of(address) == network


# ---- who asks, and in which language -----------------------------------------------------------------


class _Transport:
    def __init__(self, address: str) -> None:
        self._address = address

    def get_extra_info(self, name: str, default: object = None) -> object:
        return (self._address, 4711) if name == "peername" else default


@pytest.mark.parametrize(
    ("remote", "forwarded", "sender"),
    [
        ("10.0.0.9", "1.2.3.4", "10.0.0.9"),
        ("127.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("127.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("127.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.1", "1.2.3.4"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "10.0.0.1", "127.0.0.1"),
    ],
)
def test_a_forwarded_address_is_believed_from_our_proxies_only(
    remote: str, forwarded: str, sender: str
) -> None:
    request = make_mocked_request(
        "GET", "/", headers={"X-Forwarded-For": forwarded}, transport=_Transport(remote)
    )
    assert sender_of(request, frozenset({"127.0.0.1", "10.0.0.1"})) == sender


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", Language.ZH),
        ("en", Language.EN),
        ("EN-us", Language.EN),
        ("fr, en;q=0.5", Language.EN),
        ("zh-TW, en;q=0.9", Language.ZH),
        ("en;q=0.2, zh-CN;q=0.3", Language.ZH),
        ("en;q=0", Language.ZH),
        ("en;q=x, de", Language.ZH),
        (";;,=,", Language.ZH),
    ],
)
def test_the_browser_s_wish_is_read_as_it_is_meant(header: str, language: Language) -> None:
    assert prefers(header) is language
