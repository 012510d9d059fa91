"""What one board is shown: its layout filled with the hall's present (topic ``board:<device>``).

Keys: ``screen``, ``row:<ticket>`` for each call on it, ``earlier``, ``sound``, and ``say:<ticket>`` for each
call that this board has still to say. Frames of one track take turns; which one is up follows from its
numbers alone (:mod:`hallserver.boards.play`), so every screen shows the same at the same time.
"""

from qingting.contract.base import Record
from qingting.contract.ids import Millis, TicketId
from qingting.contract.layouts import (
    Colour,
    Content,
    LayoutKind,
    Matrix,
    Motion,
    Size,
    Zone,
)
from qingting.contract.printing import Align
from qingting.contract.states import Language


class Segment(Record, frozen=True, kw_only=True):
    """A piece of a line. ``clock`` and ``date`` move on by the screen's own clock."""

    what: Content
    text: str
    lang: Language
    size: Size
    colour: Colour
    align: Align
    share: int = 0
    under: bool = False


class Frame(Record, frozen=True, kw_only=True):
    """One showing of a line. ``seconds``, ``repeats`` and ``every_seconds`` as in ``layouts.Slot``;
    ``starts_at`` and ``ends_at`` are UTC milliseconds, None = no bound."""

    segments: tuple[Segment, ...]
    motion: Motion
    seconds: float
    repeats: int = 0
    every_seconds: int = 0
    starts_at: Millis | None = None
    ends_at: Millis | None = None


class Track(Record, frozen=True, kw_only=True):
    """One line of a zone: its frames in the order of their turns."""

    zone: Zone
    line: int
    frames: tuple[Frame, ...]


class BoardScreen(Record, frozen=True, kw_only=True, tag="board_screen", tag_field="view"):
    """Key ``screen``. ``since`` is the instant from which turns of ``tracks`` are counted."""

    layout: str
    kind: LayoutKind
    rows: int
    aloud: bool
    matrix: Matrix | None
    hall_name: str
    hall_name_en: str
    since: Millis
    tracks: tuple[Track, ...]


class BoardRow(Record, frozen=True, kw_only=True, tag="board_row", tag_field="view"):
    """Key ``row:<ticket>``: a call that is shown. Its turns are counted from ``called_at``."""

    ticket: TicketId
    number: str
    window_number: str
    call_no: int
    called_at: Millis
    tracks: tuple[Track, ...]


class EarlierCall(Record, frozen=True, kw_only=True):
    ticket: TicketId
    number: str
    window_number: str


class BoardEarlier(Record, frozen=True, kw_only=True, tag="board_earlier", tag_field="view"):
    """Key ``earlier``: former calls, newest first."""

    calls: tuple[EarlierCall, ...]


class BoardSound(Record, frozen=True, kw_only=True, tag="board_sound", tag_field="view"):
    """Key ``sound``: whether the hall is quiet now (静音时段) and how loud it is, in percent."""

    quiet: bool
    volume: int


class BoardSay(Record, frozen=True, kw_only=True, tag="board_say", tag_field="view"):
    """Key ``say:<ticket>``: a call that this board owes. ``order`` sorts them; ``text`` is what is said, for
    a screen whose server cannot speak, and ``text_en`` after it where the call is also made in English.
    ``quiet``: flash it, make no sound."""

    ticket: TicketId
    call_no: int
    order: int
    number: str
    window_number: str
    text: str
    quiet: bool
    volume: int
    text_en: str = ""


BoardView = BoardScreen | BoardRow | BoardEarlier | BoardSound | BoardSay
