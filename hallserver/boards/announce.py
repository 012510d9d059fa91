"""Which calls a board has to say, in which order, how loud. Pure: reads the state, changes nothing.

A call is owed until the board has reported it said, the visitor has come, another board owes it, or it is
too old. A ticket that was called again before it was said is said once, in the place of its first call.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from hallserver.boards.facts import in_scope
from hallserver.boards.phrases import call_phrase, spoken_name, text_of
from hallserver.boards.speaking import Saying, next_sayings, spoken_for
from hallserver.engine.announcing import ticket_of_call
from hallserver.engine.days import MINUTE_MS, hall_time
from hallserver.engine.state import Call, HallState, Ticket
from qingting.contract.boards import BoardSay, BoardSound
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, Millis, TicketId
from qingting.contract.layouts import (
    Announcements,
    BoardLayout,
    LoudSpan,
    Named,
    QuietSpan,
)
from qingting.contract.states import Language, TicketState

ELDERLY = "elderly"
"""Class of the statutory calling rules (老年人); a hall without it has tickets of the elder version only."""


class Due(NamedTuple):
    """A call that is owed. ``order`` is the number of the first call that was not said."""

    ticket: TicketId
    call_no: int
    order: int


@dataclass(frozen=True, slots=True)
class Announcement:
    """All that decides how a call sounds; two calls with equal announcements share their sound."""

    number: str
    window: str
    named: tuple[str, str]
    languages: tuple[Language, ...]
    repeats: int
    slow: bool
    chime: bool
    pause_seconds: float


def settings_of(state: HallState) -> Announcements:
    return state.config.announcements if state.config is not None else Announcements()


def due(state: HallState, board: DeviceId, layout: BoardLayout, now: Millis) -> list[Due]:
    """What ``board`` owes, in the order to say it. While the hall is quiet it also flashes what loudspeakers would
    say."""
    if not layout.aloud:
        return []
    quiet = sound_now(state, now).quiet
    owed = (
        Due(call.ticket, call.numbers[-1], first)
        for call in _in_time(state, now)
        if (first := _first_unsaid(call, board)) is not None
        and in_scope(state, layout.scope, state.tickets[call.ticket], call.window)
        and (quiet or not spoken_for(state, call, now))
    )
    return sorted(owed, key=lambda one: one.order)


def due_aloud(state: HallState, playing: Collection[DeviceId], now: Millis) -> list[Saying]:
    """What loudspeakers are to begin now; ``playing`` are those in the middle of a call. Nothing while it is quiet."""
    sound = sound_now(state, now)
    if sound.quiet:
        return []
    calls = sorted(_in_time(state, now), key=_place)
    return list(next_sayings(state, calls, playing, sound.volume, now))


def _place(call: Call) -> int:
    """The number of the first call of a ticket that nobody has said."""
    said = max(call.said.values(), default=0)
    return next((number for number in call.numbers if number > said), call.numbers[-1])


def _in_time(state: HallState, now: Millis) -> Iterator[Call]:
    """Calls that are not too old and whose visitor is still expected."""
    oldest = now - settings_of(state).too_old_seconds * 1000
    for call in state.calls.values():
        if call.at[-1] >= oldest and _expected(state, call):
            yield call


def _first_unsaid(call: Call, board: DeviceId) -> int | None:
    said = call.said.get(board, 0)
    return next((number for number in call.numbers if number > said), None)


def _expected(state: HallState, call: Call) -> bool:
    """True until the visitor stands at the window, or was given up."""
    return (
        state.tickets[call.ticket].state is TicketState.CALLED
        and call.window in state.window_config
    )


def says(state: HallState, owed: Iterable[Due], now: Millis) -> Iterable[BoardSay]:
    """What is owed as a board is told it."""
    sound = sound_now(state, now)
    for one in owed:
        ticket = state.tickets[one.ticket]
        window = state.window_config[state.calls[one.ticket].window]
        announcement = announcement_of(state, ticket, window.number)
        phrase = call_phrase(ticket.number, window.number, Language.ZH, announcement.named)
        english = Language.EN in announcement.languages
        phrase_en = call_phrase(ticket.number, window.number, Language.EN) if english else []
        yield BoardSay(
            ticket=ticket.id,
            call_no=one.call_no,
            order=one.order,
            number=ticket.number,
            window_number=window.number,
            text=text_of(phrase),
            quiet=sound.quiet,
            volume=sound.volume,
            text_en=text_of(phrase_en),
        )


def announcement_of_call(state: HallState, call_no: int) -> Announcement:
    """How call ``call_no`` sounds; raises ``voice.unknown_call`` when it is not remembered."""
    found = ticket_of_call(state, call_no)
    window = state.window_config.get(state.calls[found].window) if found is not None else None
    if found is None or window is None:
        raise Refusal("voice.unknown_call")
    return announcement_of(state, state.tickets[found], window.number)


def announcement_of(state: HallState, ticket: Ticket, window: str) -> Announcement:
    settings = settings_of(state)
    languages = settings.languages
    if settings.ticket_language and ticket.language not in languages:
        languages = (*languages, ticket.language)
    slow = settings.elder_slow and is_elder(ticket)
    return Announcement(
        number=ticket.number,
        window=window,
        named=_named(settings, ticket),
        languages=languages,
        repeats=settings.repeats + slow,
        slow=slow,
        chime=settings.chime,
        pause_seconds=settings.pause_seconds,
    )


def is_elder(ticket: Ticket) -> bool:
    """True for a ticket that was taken in the elder version (长辈版) or by the class of the elderly."""
    return ticket.elder or ticket.priority == ELDERLY


def _named(settings: Announcements, ticket: Ticket) -> tuple[str, str]:
    if settings.named is not Named.MASKED_NAME or ticket.person is None:
        return "", ""
    return spoken_name(ticket.person.masked_name, ticket.person.masked_number)


# ---- loudness by time of day --------------------------------------------------------------------


def sound_now(state: HallState, now: Millis) -> BoardSound:
    """Quiet or not, and how loud, at this minute of the hall's day."""
    settings = settings_of(state)
    at = hall_time(now - now % MINUTE_MS, state.config)
    minute = at.hour * 60 + at.minute
    volume = next(
        (one.percent for one in settings.volumes if _inside(one, minute)), settings.volume
    )
    quiet = any(_inside(one, minute) for one in settings.quiet) or volume == 0
    return BoardSound(quiet=quiet, volume=volume)


def _inside(span: LoudSpan | QuietSpan, minute: int) -> bool:
    start, end = _minutes(span.start), _minutes(span.end)
    return start <= minute < end if start < end else minute >= start or minute < end


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)
