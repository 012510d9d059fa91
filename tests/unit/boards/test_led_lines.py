"""An LED panel shows what its layout says of its own window, frame after frame."""

from typing import Any

import msgspec

from hallserver.boards.layouts import TEMPLATES
from hallserver.boards.led_lines import lines_at
from hallserver.boards.strip import StripProgramme, programme_of
from qingting.contract.boards import BoardRow, BoardScreen, Frame, Segment, Track
from qingting.contract.ids import TicketId
from qingting.contract.layouts import Colour, Content, LayoutKind, Motion, Size, Zone
from qingting.contract.printing import Align
from qingting.contract.states import Language

NOW = 1_795_395_600_000


def segment(text: str, **changes: Any) -> Segment:
    base = Segment(
        what=Content.TEXT,
        text=text,
        lang=Language.ZH,
        size=Size.NORMAL,
        colour=Colour.CALLED,
        align=Align.LEFT,
    )
    return msgspec.structs.replace(base, **changes)


def programme(kind: LayoutKind, idle: list[Frame], calls: list[Frame]) -> StripProgramme:
    layout = next(one for one in TEMPLATES if one.kind is kind)
    screen = BoardScreen(
        layout=layout.id,
        kind=kind,
        rows=1,
        aloud=False,
        matrix=layout.matrix,
        hall_name="",
        hall_name_en="",
        since=NOW,
        tracks=(Track(zone=Zone.FOOT, line=1, frames=tuple(idle)),) if idle else (),
    )
    rows = [
        BoardRow(
            ticket=TicketId("t"),
            number="A001",
            window_number="1",
            call_no=1,
            called_at=NOW,
            tracks=(Track(zone=Zone.CALLS, line=1, frames=tuple(calls)),),
        )
    ]
    return programme_of(screen, rows if calls else [])


def test_a_called_number_is_followed_by_its_service_and_then_by_the_notice() -> None:
    call = Frame(segments=(segment("请A001号"),), motion=Motion.BLINK, seconds=4, repeats=2)
    served = Frame(segments=(segment("A001 办理中"),), motion=Motion.STATIC, seconds=4, repeats=1)
    idle = Frame(segments=(segment("欢迎您"),), motion=Motion.SCROLL_LEFT, seconds=10)
    strip = programme(LayoutKind.WINDOW_STRIP, [idle], [call, served])
    texts = [lines_at(strip, NOW + at).lines[0].text for at in (0, 3_999, 4_000, 8_000, 12_000)]
    assert texts == ["请A001号", "请A001号", "A001 办理中", "请A001号", "欢迎您"]
    shown = lines_at(strip, NOW + 1_000)
    assert shown.until == NOW + 4_000
    assert shown.lines[0].motion is Motion.BLINK
    assert (shown.lines[0].width, shown.lines[0].height) == (128, 16)


def test_a_call_that_is_shown_again_does_not_wait_for_the_end_of_the_notice() -> None:
    call = Frame(
        segments=(segment("请A001号"),),
        motion=Motion.STATIC,
        seconds=4,
        repeats=2,
        every_seconds=20,
    )
    idle = Frame(segments=(segment("欢迎您"),), motion=Motion.SCROLL_LEFT, seconds=15)
    strip = programme(LayoutKind.WINDOW_STRIP, [idle], [call])
    between = lines_at(strip, NOW + 16_000)
    assert between.lines[0].text == "欢迎您"
    assert between.until is not None
    assert between.until <= NOW + 20_000
    assert lines_at(strip, NOW + 20_000).lines[0].text == "请A001号"


def test_a_line_that_has_nothing_to_say_is_dark() -> None:
    (line,) = lines_at(programme(LayoutKind.WINDOW_STRIP, [], []), NOW).lines
    assert line.runs == ()
    assert lines_at(programme(LayoutKind.WINDOW_STRIP, [], []), NOW).until is None


def test_parts_with_shares_are_set_apart_by_spaces_and_keep_their_colours() -> None:
    frame = Frame(
        segments=(
            segment("请A001", share=50),
            segment("3号窗口", share=50, align=Align.RIGHT, colour=Colour.DONE),
        ),
        motion=Motion.STATIC,
        seconds=5,
    )
    (line,) = lines_at(programme(LayoutKind.WINDOW_STRIP, [frame], []), NOW).lines
    # 128 dots are 16 half-width columns of 8 dots; a share of 50 is eight of them.
    assert [run.text for run in line.runs] == ["请A001  ", " 3号窗口"]
    assert [run.colour for run in line.runs] == [Colour.CALLED, Colour.DONE]


def test_a_single_part_is_placed_by_the_controller() -> None:
    frame = Frame(segments=(segment("A001", align=Align.CENTRE),), motion=Motion.STATIC, seconds=5)
    (line,) = lines_at(programme(LayoutKind.WINDOW_STRIP, [frame], []), NOW).lines
    assert (line.text, line.align) == ("A001", Align.CENTRE)
