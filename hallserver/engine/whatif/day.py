"""One business day of a hall's log with what was in force when it began, as a file of JSON lines."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from hallserver.engine.evolve import evolve, next_day_state
from hallserver.engine.state import HallState, WindowLife, new_state
from qingting.contract import events as e
from qingting.contract.base import Record
from qingting.contract.bookings import Booking
from qingting.contract.config import HallConfig
from qingting.contract.ids import (
    BusinessDay,
    CommandKey,
    HallId,
    Millis,
    QueueId,
    StaffId,
    WindowId,
)
from qingting.contract.states import BookingState, WindowState

FORMAT = "qingting-day-1"
LASTING: tuple[type, ...] = (
    e.ConfigApplied,
    e.ConfigEdited,
    e.BookingPut,
    e.BookingDropped,
    e.WindowOpened,
    e.WindowPaused,
    e.WindowClosed,
    e.WindowLent,
)
"""Events of earlier days that still matter when a day begins."""
LASTING_TAGS = tuple(kind.__struct_config__.tag for kind in LASTING)  # type: ignore[attr-defined]


class WindowAtDawn(Record, frozen=True, kw_only=True):
    """A window that was not closed when the day began."""

    window: WindowId
    state: WindowState
    staff: StaffId | None = None
    reason: str = ""
    lent: tuple[QueueId, ...] = ()
    lent_until: Millis = 0


class DayHead(Record, frozen=True, kw_only=True):
    """First line of the file. ``config`` None: the hall had none before this day."""

    format: str = FORMAT
    hall: HallId
    day: BusinessDay
    config: HallConfig | None = None
    windows: tuple[WindowAtDawn, ...] = ()
    bookings: tuple[Booking, ...] = ()


class DayLogError(ValueError):
    """A file that is not a day's log; the message names the line."""


@dataclass(frozen=True, slots=True)
class DayLog:
    """A day as it is stored. ``events`` are all of that business date, in order."""

    head: DayHead
    events: tuple[e.Event, ...]

    def opening(self) -> HallState:
        """The hall as the day begins; a fresh state each time."""
        state = new_state()
        state.day = self.head.day
        if self.head.config is not None:
            evolve(state, _event(e.ConfigApplied(config=self.head.config), self.head.day))
        for booking in self.head.bookings:
            evolve(state, _event(e.BookingPut(booking=booking), self.head.day))
        for one in self.head.windows:
            state.windows[one.window] = WindowLife(
                id=one.window,
                state=one.state,
                staff=one.staff,
                reason=one.reason,
                lent=one.lent,
                lent_until=one.lent_until,
            )
        return state


def _event(body: e.EventBody, day: BusinessDay) -> e.Event:
    return e.Event(s=0, at=0, bd=day, by="replay", cmd=CommandKey("replay"), b=body)


def lasting(
    day: BusinessDay,
    hall: HallId,
    before: Iterable[e.Event],
    base: HallState | None = None,
) -> DayHead:
    """What was in force when ``day`` began, from the :data:`LASTING` events before it. ``base`` is the
    state before the first of them (it is changed); without one they are all of the log's."""
    state = base if base is not None else new_state()
    for event in before:
        if isinstance(event.b, LASTING):
            _settle(state, event)
    dawn = next_day_state(state, day)
    return DayHead(
        hall=dawn.config.hall.id if dawn.config is not None else hall,
        day=day,
        config=dawn.config,
        windows=tuple(
            WindowAtDawn(
                window=life.id,
                state=life.state,
                staff=life.staff,
                reason=life.reason,
                lent=life.lent,
                lent_until=life.lent_until,
            )
            for life in dawn.windows.values()
            if life.state is not WindowState.CLOSED
        ),
        bookings=tuple(
            life.booking
            for life in dawn.bookings.values()
            if life.booking.day == day and life.state is BookingState.DUE
        ),
    )


def _settle(state: HallState, event: e.Event) -> None:
    """A dropped booking may have been put before the oldest event that is kept."""
    if isinstance(event.b, e.BookingDropped) and event.b.booking not in state.bookings:
        return
    evolve(state, event)


# ---- as a file ----------------------------------------------------------------------------------


def to_lines(head: DayHead, events: Iterable[bytes]) -> Iterator[bytes]:
    """The file's lines without their ends: the head, then each event exactly as it is stored."""
    yield msgspec.json.encode(head)
    yield from events


def from_lines(lines: Iterable[bytes]) -> DayLog:
    """Reads what :func:`to_lines` gave. Raises :class:`DayLogError` with the number of the bad line."""
    head: DayHead | None = None
    events: list[e.Event] = []
    decoder = msgspec.json.Decoder(e.Event)
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            if head is None:
                head = msgspec.json.decode(line, type=DayHead)
                if head.format != FORMAT:
                    raise DayLogError(f"line {number}: format {head.format!r}, expected {FORMAT!r}")
                continue
            event = decoder.decode(line)
        except msgspec.DecodeError as error:
            raise DayLogError(f"line {number}: {error}") from error
        if event.bd != head.day:
            raise DayLogError(f"line {number}: an event of {event.bd} in the log of {head.day}")
        if events and event.s <= events[-1].s:
            raise DayLogError(f"line {number}: event {event.s} after event {events[-1].s}")
        events.append(event)
    if head is None:
        raise DayLogError("the file is empty")
    return DayLog(head, tuple(events))
