"""What a citizen sees of times and bookings: the nearest free times, a calendar file. Pure rules."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from console.modules.appointments.api import Appointment, FreeDay, FreePlace, Level, Life, Offer
from console.modules.citizens.api import Citizen
from qingting.contract.calendar import clock_minutes
from qingting.contract.states import Language

OFFERED = 3
DAY_MINUTES = 1440
MINUTE_MS = 60_000
STILL_OPEN = (Life.HELD, Life.BOOKED, Life.ARRIVED)
"""Visits that are not over."""
FOLD = 73
"""Octets of a line of a calendar file before it is folded (RFC 5545 §3.1 allows 75)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A time that can be booked."""

    day: date
    place: FreePlace


@dataclass(frozen=True, slots=True)
class Proof:
    """How surely it has to be known who books, and how surely it is; ``known`` None: nobody is logged in."""

    needed: Level
    known: Level | None

    @property
    def lacking(self) -> bool:
        return self.known is not None and not self.known.reaches(self.needed)

    @property
    def told(self) -> bool:
        """Who is not known yet is told before logging in."""
        return self.known is None and self.needed is not Level.BASIC


def proof_of(offers: Sequence[Offer], citizen: Citizen | None, *, together: bool) -> Proof:
    """For booking all of ``offers`` ``together``, or one of them."""
    levels = sorted((one.identity for one in offers), key=tuple(Level).index) or [Level.BASIC]
    known = None if citizen is None else Level(citizen.level.value)
    return Proof(levels[-1 if together else 0], known)


def nearest_free(days: Sequence[FreeDay], day: date, start: str) -> list[Choice]:
    """The times nearest to one that was wanted, in the order of their nearness; those before it and after it alike."""
    wanted = _minutes(day, start)
    found = [
        Choice(one.day, place)
        for one in days
        for place in one.places
        if place.free and not place.why
    ]
    found = [one for one in found if (one.day, one.place.start) != (day, start)]
    return sorted(found, key=lambda one: abs(_minutes(one.day, one.place.start) - wanted))[:OFFERED]


def shown_days(days: Sequence[FreeDay]) -> list[FreeDay]:
    """Without the days at the end that nobody can book yet, but for the first of them, which says so."""
    last = max((place for place, one in enumerate(days) if one.why != "too_far"), default=-1)
    return list(days[: last + 2])


def first_free(days: Sequence[FreeDay]) -> date | None:
    """The first day with a free place, else the first with any."""
    for wanted in (lambda one: one.free > 0, lambda one: bool(one.places)):
        for one in days:
            if wanted(one):
                return one.day
    return days[0].day if days else None


def gone(day: FreeDay) -> str:
    """Why nothing is left of a day's places: it is too late for all of them, or others have the rest."""
    whys = {one.why or "full" for one in day.places}
    return whys.pop() if len(whys) == 1 else "full"


def pick_up(one: Appointment, now: int) -> tuple[str, str, bool]:
    """From when to when a number is to be taken, by the clock of the day, and whether that is over."""
    first = max(0, clock_minutes(one.start) - one.early_minutes)
    last = min(DAY_MINUTES, clock_minutes(one.end) + one.late_minutes)
    return _clock(first), _clock(last), now > one.end_at + one.late_minutes * MINUTE_MS


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _minutes(day: date, start: str) -> int:
    hours, _, minutes = start.partition(":")
    return day.toordinal() * 1440 + int(hours) * 60 + int(minutes)


def calendar_file(one: Appointment, language: Language, made_at: int) -> str:
    """The visit for a calendar (RFC 5545), with a reminder an hour before. It names no person."""
    title = f"{one.item_title(language)} · {one.hall_title(language)}"
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Qingting//Appointments//ZH",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{one.id}@qingting",
        f"SEQUENCE:{one.revision}",
        f"DTSTAMP:{_utc(made_at)}",
        f"DTSTART:{_utc(one.start_at)}",
        f"DTEND:{_utc(one.end_at)}",
        f"SUMMARY:{_escaped(title)}",
        f"LOCATION:{_escaped(' '.join(filter(None, (one.hall_title(language), one.address))))}",
        f"STATUS:{'CANCELLED' if one.state is Life.CANCELLED else 'CONFIRMED'}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_escaped(title)}",
        "TRIGGER:-PT1H",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _utc(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    for sign in ("\\", ";", ","):
        text = text.replace(sign, "\\" + sign)
    return " ".join(text.split())


def _folded(line: str) -> Iterator[str]:
    """A long line over several, never in the middle of a character; the further ones begin with a space."""
    part, size = "", 0
    for sign in line:
        length = len(sign.encode())
        if size + length > FOLD:
            yield part
            part, size = " ", 1
        part, size = part + sign, size + length
    yield part
