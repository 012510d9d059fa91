"""Layouts that cannot work are refused before they come into force, each with what is wrong."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingting.contract.layouts import (
    BoardLayout,
    Content,
    Known,
    Matrix,
    fill,
    layout_faults,
    layouts_faults,
)

KNOWN = Known(
    areas=frozenset({"A区"}), windows=frozenset({"w1"}), departments=frozenset({"ga", "rs"})
)
STRIP = {
    "id": "strip",
    "name": "窗口屏",
    "kind": "window_strip",
    "rows": 1,
    "matrix": {"height": 16, "width": 128},
    "slots": [{"zone": "calls", "parts": [{"what": "text", "text": "请{number}到{window}号窗口"}]}],
}


def layout(**changes: Any) -> BoardLayout:
    return msgspec.convert(STRIP | changes, BoardLayout)


def slot(**changes: Any) -> list[dict[str, Any]]:
    return [{"zone": "foot", "parts": [{"what": "notice"}]} | changes]


def test_a_sound_layout_has_no_faults() -> None:
    assert list(layout_faults(layout(), KNOWN)) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"matrix": None}, "a strip needs a matrix"),
        ({"rows": 2}, "16 dots are too few for its lines"),
        ({"kind": "page_overview"}, "a page has none of the lamps"),
        ({"scope": {"of": "areas", "areas": ["C区"]}}, "no area 'C区'"),
        ({"scope": {"of": "windows", "windows": ["w9"]}}, "no window 'w9'"),
        ({"scope": {"of": "departments", "departments": ["ga", "xx"]}}, "no department 'xx'"),
        ({"slots": slot(zone="side")}, "a strip has no side"),
        ({"slots": slot(line=2)}, "it has no line 2"),
        ({"slots": slot(parts=[{"what": "number"}])}, "number needs a call"),
        ({"slots": slot(parts=[{"what": "text", "text": "请{number}"}])}, "{number} needs a call"),
        ({"slots": slot(parts=[{"what": "text", "text": "{phone}"}])}, "placeholder '{phone}'"),
        ({"slots": slot(parts=[{"what": "text", "text": "请 { 到"}])}, "a brace stands alone"),
        ({"slots": slot(parts=[{"what": "text", "text": " "}])}, "a text is empty"),
        ({"slots": slot(parts=[{"what": "clock", "text": "钟"}])}, "clock has no text of its own"),
        ({"slots": slot(parts=[{"what": "earlier"}])}, "earlier calls stand beside"),
        ({"slots": slot(parts=[{"what": "notice", "share": 60}] * 2)}, "more than 100"),
        (
            {"slots": slot(starts="2027-01-02T08:00", ends="2027-01-02T08:00")},
            "it ends before it starts",
        ),
        ({"languages": ["en", "en"]}, "one appears twice"),
    ],
)
def test_what_cannot_work_is_named(changes: dict[str, Any], fault: str) -> None:
    assert fault in "; ".join(one.line() for one in layout_faults(layout(**changes), KNOWN))


def test_a_board_bound_to_nothing_and_a_doubled_id_are_named() -> None:
    faults = layouts_faults((layout(), layout()), {"board-1": "gone"}, KNOWN)
    assert [one.line() for one in faults] == [
        "layouts: id 'strip' appears twice",
        "board_layouts.board-1: no layout 'gone'",
    ]


@pytest.mark.parametrize(
    "wrong", [{"colour": "red"}, {"rows": 0}, {"matrix": {"height": 20, "width": 128}}]
)
def test_unknown_fields_and_impossible_sizes_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        layout(**wrong)


def test_a_panel_has_whole_bytes_of_dots() -> None:
    assert msgspec.convert({"height": 32, "width": 256}, Matrix).width == 256


@given(st.text(alphabet="请到号A0{} ", max_size=20), st.sampled_from(Content))
def test_text_around_placeholders_is_never_changed(text: str, what: Content) -> None:
    plain = text.replace("{", "").replace("}", "")
    assert fill(plain + "{" + what.value + "}", {what: "X"}) == plain + "X"
