"""Layouts become frames: what, how, how long and how often, and nothing that is not theirs."""

import itertools
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallserver.boards.facts import CallFacts, HallFacts, WindowFacts
from hallserver.boards.layouts import DEFAULT, TEMPLATES
from hallserver.boards.play import frame_at, showings
from hallserver.boards.render import earlier_of, rows_of, screen_of
from hallserver.boards.strip import frame_up, programme_of, split_pages, text_width
from qingting.contract.boards import Frame, Segment
from qingting.contract.ids import TicketId
from qingting.contract.layouts import (
    BoardLayout,
    Colour,
    Content,
    Known,
    Motion,
    Size,
    Zone,
    layout_faults,
)
from qingting.contract.printing import Align
from qingting.contract.states import Language, WindowState

NOW = 1_795_395_600_000
"""2026-11-23 09:00 in China, a Monday."""
TURNS = json.loads((Path(__file__).parent / "turns.json").read_text("utf-8"))
SHOULD_BE_KNOWN = Known(areas=frozenset(), windows=frozenset({"w3"}), departments=frozenset())


def call(no: int = 1, **changes: Any) -> CallFacts:
    base = {
        "ticket": TicketId(f"t{no}"),
        "number": f"A{no:03d}",
        "window": "3",
        "window_name": ("户政窗口", "Household registration"),
        "place": ("一楼 A 区", "Floor 1, area A"),
        "name": "张*三",
        "item": ("身份证换领", "ID card renewal"),
        "department": ("公安局", "Police"),
        "call_no": no,
        "called_at": NOW - 10_000 + no * 1000,
        "active": True,
    }
    return CallFacts(**(base | changes))


def facts(*calls: CallFacts, **changes: Any) -> HallFacts:
    base: dict[str, Any] = {
        "hall": ("萨尔图政务大厅", "Sartu Hall"),
        "notice": ("11月30日停电", ""),
        "waiting": 27,
        "calls": tuple(sorted(calls, key=lambda one: -one.call_no)),
        "window": None,
        "offset_minutes": 480,
        "since": NOW - 9 * 3_600_000,
    }
    return HallFacts(**(base | changes))


def layout(*slots: dict[str, Any], **changes: Any) -> BoardLayout:
    base = {"id": "x", "name": "试", "kind": "page_overview", "slots": list(slots)}
    return msgspec.convert(base | changes, BoardLayout)


def texts(frames: tuple[Frame, ...]) -> list[str]:
    return [" ".join(segment.text for segment in frame.segments) for frame in frames]


def slot(zone: str = "foot", text: str = "{hall}", **changes: Any) -> dict[str, Any]:
    return {"zone": zone, "parts": [{"what": "text", "text": text}]} | changes


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.id)
def test_every_template_is_sound_and_shows_a_call_or_is_a_notice(template: BoardLayout) -> None:
    assert list(layout_faults(template, SHOULD_BE_KNOWN)) == []
    rows = rows_of(template, facts(call()), NOW)
    assert bool(rows) is (template.kind.value != "notice")
    assert all("A001" in "".join(texts(track.frames)) for row in rows for track in row.tracks[:1])


def test_the_default_shows_number_name_window_and_the_count() -> None:
    screen = screen_of(DEFAULT, facts(call()), NOW)
    (row,) = rows_of(DEFAULT, facts(call()), NOW)
    assert texts(row.tracks[0].frames) == ["A001 张*三 3号窗口 户政窗口"]
    side = next(track for track in screen.tracks if track.zone is Zone.SIDE)
    assert texts(side.frames) == ["等候人数 27"]


def test_newest_calls_stand_first_and_those_without_room_move_to_the_earlier_ones() -> None:
    many = facts(*(call(no, active=no != 5) for no in range(1, 8)))
    assert [row.number for row in rows_of(DEFAULT, many, NOW)] == ["A007", "A006", "A004", "A003"]
    assert [one.number for one in earlier_of(DEFAULT, many).calls] == ["A005", "A002", "A001"]


def test_every_placeholder_is_filled_in_the_language_of_the_frame() -> None:
    text = "{number}|{window}|{window_name}|{place}|{name}|{item}|{department}|{waiting}|{hall}"
    two = layout(
        {"zone": "calls", "parts": [{"what": "text", "text": text, "text_en": text}]},
        languages=["zh-CN", "en"],
    )
    (row,) = rows_of(two, facts(call()), NOW)
    assert texts(row.tracks[0].frames) == [
        "A001|3|户政窗口|一楼 A 区|张*三|身份证换领|公安局|27|萨尔图政务大厅",
        "A001|3|Household registration|Floor 1, area A|张*三|ID card renewal|Police|27|Sartu Hall",
    ]


def test_what_is_alike_in_both_languages_is_shown_once() -> None:
    two = layout(
        {"zone": "calls", "parts": [{"what": "number"}]},
        {"zone": "calls", "parts": [{"what": "window"}]},
        languages=["zh-CN", "en"],
    )
    (row,) = rows_of(two, facts(call()), NOW)
    assert texts(row.tracks[0].frames) == ["A001", "3号窗口", "Window 3"]


def test_clock_and_date_are_those_of_the_hall() -> None:
    both = layout(slot(parts=[{"what": "clock"}, {"what": "date"}]), languages=["zh-CN", "en"])
    (track,) = screen_of(both, facts(), NOW).tracks
    assert texts(track.frames) == ["09:00 11月23日 星期一", "09:00 Monday 23 November"]


def test_a_notice_is_its_own_text_or_the_halls_and_nothing_when_there_is_none() -> None:
    own = layout(slot(parts=[{"what": "notice", "text": "今天提前下班"}]))
    common = layout(slot(parts=[{"what": "notice"}]))
    assert texts(screen_of(own, facts(), NOW).tracks[0].frames) == ["今天提前下班"]
    assert texts(screen_of(common, facts(), NOW).tracks[0].frames) == ["11月30日停电"]
    assert screen_of(common, facts(notice=("", "")), NOW).tracks == ()


def test_the_bounds_of_a_slot_are_instants_of_the_halls_clock() -> None:
    bounded = layout(slot(starts="2026-11-23T09:00", ends="2026-11-23T10:30"))
    frame = screen_of(bounded, facts(), NOW).tracks[0].frames[0]
    assert (frame.starts_at, frame.ends_at) == (NOW, NOW + 90 * 60_000)


def test_the_board_above_one_window_shows_that_window_and_its_state_without_a_call() -> None:
    above = layout(
        slot(text="{window}号 {window_name} {state}"),
        scope={"of": "windows", "windows": ["w3"]},
    )
    assert list(layout_faults(above, SHOULD_BE_KNOWN)) == []
    window = WindowFacts("3", ("户政窗口", ""), ("一楼", ""), WindowState.PAUSED)
    frames = screen_of(above, facts(window=window), NOW).tracks[0].frames
    assert texts(frames) == ["3号 户政窗口 暂停服务"]


# ---- turns --------------------------------------------------------------------------------------

SINCE = 1_000_000


def frame(**changes: Any) -> Frame:
    return Frame(**({"segments": (), "motion": Motion.STATIC, "seconds": 8.0} | changes))


def moved(given_frame: dict[str, Any]) -> Frame:
    bounds = {
        name: SINCE + given_frame[name] for name in ("starts_at", "ends_at") if name in given_frame
    }
    return frame(**(given_frame | bounds))


@pytest.mark.parametrize("example", TURNS, ids=lambda one: one["name"])
def test_frames(example: dict[str, Any]) -> None:
    frames = [moved(one) for one in example["frames"]]
    for at, expected in example["up"]:
        assert frame_at(frames, SINCE, SINCE + at) == expected, at


frames_of_any_kind = st.lists(
    st.builds(
        lambda seconds, repeats, every, start, length: frame(
            seconds=float(seconds),
            repeats=repeats,
            every_seconds=every,
            starts_at=None if start is None else SINCE + start,
            ends_at=None if start is None else SINCE + start + length,
        ),
        st.integers(1, 20),
        st.integers(0, 4),
        st.integers(0, 40),
        st.none() | st.integers(0, 60_000),
        st.integers(1, 60_000),
    ),
    max_size=5,
)


@given(frames_of_any_kind, st.integers(1, 300_000))
def test_turns_leave_no_gap_and_keep_every_bound(frames: list[Frame], length: int) -> None:
    seen = list(showings(frames, SINCE, SINCE + length))
    assert all(a.end == b.start for a, b in itertools.pairwise(seen))
    assert seen[-1].end >= SINCE + length
    for number, one in enumerate(frames):
        mine = [showing for showing in seen if showing.frame == number]
        assert one.repeats == 0 or len(mine) <= one.repeats
        assert all(
            later.start - former.start >= one.every_seconds * 1000
            for former, later in itertools.pairwise(mine)
        )
        for showing in mine:
            assert showing.start < showing.end <= showing.start + one.seconds * 1000
            assert one.starts_at is None or showing.start >= one.starts_at
            assert one.ends_at is None or showing.end <= one.ends_at


# ---- strips -------------------------------------------------------------------------------------


def segment(text: str, **changes: Any) -> Segment:
    base = {
        "what": Content.TEXT,
        "text": text,
        "lang": Language.ZH,
        "size": Size.NORMAL,
        "colour": Colour.TEXT,
        "align": Align.LEFT,
    }
    return Segment(**(base | changes))


@given(st.lists(st.text(alphabet="请到窗口A01 ", min_size=1), max_size=4), st.integers(2, 12))
def test_long_texts_are_cut_into_pages_that_fit_and_lose_no_letter(
    pieces: list[str], letters: int
) -> None:
    pages = list(split_pages(tuple(segment(one) for one in pieces), letters * 16, 16))
    joined = "".join(one.text for page in pages for one in page)
    assert joined == "".join(pieces)
    assert all(sum(text_width(one.text, 16) for one in page) <= letters * 16 for page in pages)


def strip(*slots: dict[str, Any], **changes: Any) -> BoardLayout:
    base: dict[str, Any] = {
        "kind": "window_strip",
        "rows": 1,
        "matrix": {"height": 16, "width": 128},
    }
    return layout(*slots, **(base | changes))


def programme(made: BoardLayout, present: HallFacts) -> Any:
    return programme_of(screen_of(made, present, NOW), rows_of(made, present, NOW))


def up(made: BoardLayout, present: HallFacts, at: int) -> str | None:
    plan = programme(made, present)
    found = frame_up(plan.lines[0], plan.since, at)
    return None if found is None else texts((found[0],))[0]


def test_a_strip_shows_a_call_as_often_as_it_should_and_then_what_stands_between_calls() -> None:
    made = strip(
        slot("calls", "请{number}号", seconds=4, repeats=2),
        slot("foot", "{hall}"),
    )
    present = facts(call())
    called = call().called_at
    assert up(made, present, called) == "请A001号"
    assert up(made, present, called + 7_999) == "请A001号"
    assert up(made, present, called + 8_000) == "萨尔图政务大厅"
    assert up(made, facts(call(active=False)), called) == "萨尔图政务大厅"


def test_the_newest_call_is_up_at_once_whatever_was_on() -> None:
    made = strip(slot("calls", "{number}", seconds=30))
    present = facts(call(1), call(2))
    assert up(made, present, call(2).called_at) == "A002"


def test_lines_share_the_height_and_a_page_has_no_programme() -> None:
    two = strip(
        slot("calls", "{number}"),
        slot("calls", "{place}", line=2),
        rows=2,
        matrix={"height": 32, "width": 256},
    )
    assert [(one.top, one.height) for one in programme(two, facts(call())).lines] == [
        (0, 16),
        (16, 16),
    ]
    with pytest.raises(ValueError, match="a page has no strip"):
        programme(DEFAULT, facts())


def test_a_paged_text_becomes_one_frame_for_each_piece() -> None:
    made = strip(slot("foot", "一二三四五六七八九十", motion="page", seconds=3))
    idle = programme(made, facts()).lines[0].idle
    assert texts(idle) == ["一二三四五六七八", "九十"]
    assert {one.motion for one in idle} == {Motion.STATIC}
