"""Working days and what is set about them; implements :class:`console.modules.calendar.api.CalendarApi`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from console.core.audit import Audit
from console.core.days import day_of
from console.core.divisions import division_chain
from console.core.permissions import Permission, Scope, Subject, stem
from console.core.uow import ReadUow, Uow
from console.halls.api import HallsApi
from console.modules.calendar import repository
from console.modules.calendar.api import HallDay
from console.modules.calendar.domain import (
    DIVISION,
    FIRST_YEAR,
    HALL,
    LAST_YEAR,
    STATUTORY,
    DayKind,
    Due,
    SpecialDay,
    TimeLimit,
    WorkCalendar,
    YearDays,
    days_by_law,
    folded,
    place_meant,
    places_of,
    work_calendar,
)
from console.modules.calendar.repository import SettledYear
from qingting.contract.calendar import HallCalendar, hours_on
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import Clock

NAME_LENGTH = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class YearSheet:
    """A year somewhere: what holds on each date, and which of it is set for ``place`` itself."""

    year: int
    place: str
    settled: SettledYear | None
    days: Mapping[date, SpecialDay]

    @property
    def own(self) -> Sequence[SpecialDay]:
        return [one for one in self.days.values() if one.place == self.place]


@dataclass(frozen=True, slots=True)
class Change:
    """What storing a notice does to a date: ``new``, ``changed``, ``dropped`` or ``same``."""

    what: str
    day: SpecialDay


class CalendarService:
    """See :class:`console.modules.calendar.api.CalendarApi`."""

    def __init__(
        self, clock: Clock, audit: Audit, halls: HallsApi, utc_offset_minutes: int
    ) -> None:
        self._clock = clock
        self._audit = audit
        self._halls = halls
        self._offset = utc_offset_minutes

    def today(self) -> date:
        """The city's date."""
        return day_of(self._clock.now_ms(), self._offset)

    async def working_days(self, uow: ReadUow, division: str = "") -> WorkCalendar:
        days = await repository.days(uow, places_of(division))
        return work_calendar(days, await self._settled(uow), division)

    async def due(self, uow: ReadUow, start: date, limit: TimeLimit, *, division: str = "") -> Due:
        return (await self.working_days(uow, division)).due(start, limit)

    async def hall_day(self, uow: ReadUow, hall: HallId, day: date) -> HallDay:
        return (await self.hall_days(uow, hall, day, day))[day]

    async def hall_days(
        self, uow: ReadUow, hall: HallId, first: date, last: date
    ) -> dict[date, HallDay]:
        """What each date from ``first`` to ``last`` is at a hall. Raises ``hall.unknown``."""
        status = await self._halls.hall(uow, hall)
        places = places_of(status.division, hall)
        law = days_by_law(_span(first, last), await self._settled(uow))
        special = folded([*law, *await repository.days(uow, places, first, last)], places)
        own = await repository.hall_calendar(uow, hall)
        days = _span(first, last)
        return {day: _hall_day(day, own, special.get(day)) for day in days}

    async def year(self, uow: ReadUow, subject: Subject, year: int, place: str) -> YearSheet:
        """Raises ``calendar.place``, ``hall.unknown``."""
        place = place_meant(place)
        _check_place(subject.scope(Permission.LOOK), place)
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise Refusal("page.not_found")
        places = await self._places(uow, place)
        first, last = date(year - 1, 12, 25), date(year + 1, 1, 7)
        settled = {one.year: one for one in await repository.years(uow)}
        law = days_by_law(_span(date(year, 1, 1), date(year, 12, 31)), settled)
        found = folded([*law, *await repository.days(uow, places, first, last)], places)
        return YearSheet(year=year, place=place, settled=settled.get(year), days=found)

    async def _settled(self, uow: ReadUow) -> list[int]:
        return [one.year for one in await repository.years(uow)]

    async def settled_years(self, uow: ReadUow) -> list[SettledYear]:
        return await repository.years(uow)

    async def _places(self, uow: ReadUow, place: str) -> tuple[str, ...]:
        """Places whose days hold at ``place``."""
        if place.startswith(DIVISION) and division_chain(place.removeprefix(DIVISION)):
            return places_of(place.removeprefix(DIVISION))
        if place.startswith(HALL):
            hall = await self._halls.hall(uow, HallId(place.removeprefix(HALL)))
            return places_of(hall.division, hall.id)
        if place != STATUTORY:
            raise Refusal("calendar.place")
        return (STATUTORY,)

    async def division_of(self, uow: ReadUow, place: str) -> str:
        """The division that a place is or stands in; empty for the country. Raises ``hall.unknown``."""
        if place.startswith(HALL):
            return (await self._halls.hall(uow, HallId(place.removeprefix(HALL)))).division
        return place.removeprefix(DIVISION)

    async def put_day(self, uow: Uow, subject: Subject, one: SpecialDay) -> None:
        """Sets a date. Raises ``calendar.name``, ``calendar.place``, ``hall.unknown``."""
        one = replace(one, place=place_meant(one.place))
        self._check_change(subject, one.place)
        if not one.name.strip() or max(len(one.name), len(one.name_en)) > NAME_LENGTH:
            raise Refusal("calendar.name", most=NAME_LENGTH)
        await self._places(uow, one.place)
        kept = replace(
            one,
            deadlines=one.place == STATUTORY or (one.deadlines and one.place.startswith(DIVISION)),
            of_year=one.of_year or one.day.year,
        )
        await self._touch(uow, subject, kept.place, kept.of_year)
        await repository.put_day(uow, kept, self._clock.now_ms(), subject.id)
        await self._note(uow, subject, "calendar.day_put", kept.place, kept.day, kept.kind.value)

    async def drop_day(self, uow: Uow, subject: Subject, day: date, place: str) -> None:
        """Lets a date follow its weekday, or the place above, again."""
        place = place_meant(place)
        self._check_change(subject, place)
        await self._touch(uow, subject, place, day.year)
        if await repository.drop_day(uow, day, place):
            await self._note(uow, subject, "calendar.day_dropped", place, day, "")

    async def _touch(self, uow: Uow, subject: Subject, place: str, year: int) -> None:
        """A change of the country's days makes another version of their year; an open year stays open."""
        if place != STATUTORY:
            return
        settled = await repository.lock_year(uow, year)
        if settled is not None:
            await repository.put_year(uow, self._next(settled, subject))

    def _next(self, settled: SettledYear, subject: Subject) -> SettledYear:
        return replace(
            settled,
            version=settled.version + 1,
            changed_at=self._clock.now_ms(),
            changed_by=subject.id,
        )

    async def _note(
        self, uow: Uow, subject: Subject, act: str, place: str, day: date, kind: str
    ) -> None:
        await self._audit.write(uow, subject, act, object=f"{day} {place}".strip(), detail=kind)
        uow.changed("calendar")

    def may_change(self, subject: Subject, place: str) -> bool:
        """Whether the days of ``place`` are the subject's to set."""
        if place == STATUTORY:
            return subject.may(Permission.CALENDAR_YEARS)
        return subject.may(Permission.CALENDAR) and _is_within(
            subject.scope(Permission.CALENDAR), place
        )

    def _check_change(self, subject: Subject, place: str) -> None:
        subject.require(Permission.CALENDAR_YEARS if place == STATUTORY else Permission.CALENDAR)
        if not self.may_change(subject, place):
            raise Refusal("page.forbidden")

    async def changes(
        self, uow: ReadUow, subject: Subject, year: int, days: Sequence[SpecialDay]
    ) -> list[Change]:
        """What storing ``days`` as all of ``year`` would do, by date."""
        subject.require(Permission.CALENDAR_YEARS)
        first, last = date(year - 1, 12, 1), date(year + 1, 1, 31)
        held = await repository.days(uow, (STATUTORY,), first, last)
        present = {one.day: one for one in held if one.of_year == year}
        found = [Change(_difference(present.get(one.day), one), one) for one in days]
        given = {one.day for one in days}
        gone = [Change("dropped", one) for day, one in present.items() if day not in given]
        return sorted((*found, *gone), key=lambda one: one.day.day)

    async def put_year(self, uow: Uow, subject: Subject, found: YearDays, version: int) -> None:
        """Stores a year's notice in place of what was there; the year is settled from now on.

        Raises ``calendar.empty``, ``calendar.source``, ``calendar.changed`` when somebody else changed the year
        since ``version`` was shown.
        """
        subject.require(Permission.CALENDAR_YEARS)
        if not found.days:
            raise Refusal("calendar.empty")
        if not found.source.strip():
            raise Refusal("calendar.source")
        settled = await repository.lock_year(uow, found.year)
        if (settled.version if settled else 0) != version:
            raise Refusal("calendar.changed")
        now = self._clock.now_ms()
        await repository.put_year(
            uow,
            SettledYear(
                year=found.year,
                source=found.source.strip()[:200],
                issued=date.fromisoformat(found.issued) if found.issued else None,
                version=version + 1,
                changed_at=now,
                changed_by=subject.id,
            ),
        )
        await repository.replace_year(uow, found.year, found.days, now, subject.id)
        await self._audit.write(
            uow, subject, "calendar.year_put", object=str(found.year), detail=found.source[:200]
        )
        uow.changed("calendar")


def _is_within(scope: Scope, place: str) -> bool:
    if place.startswith(HALL):
        return scope.has(place.removeprefix(HALL))
    return scope.has_division(place.removeprefix(DIVISION))


def _check_place(scope: Scope, place: str) -> None:
    """The country's days and those of the divisions above one's own hold there too, so everybody may see them.

    Raises ``page.forbidden`` for a hall or division elsewhere.
    """
    if place == STATUTORY or _is_within(scope, place):
        return
    code = stem(place.removeprefix(DIVISION)) if place.startswith(DIVISION) else ""
    if not code or not any((one.division or "").startswith(code) for one in scope.areas):
        raise Refusal("page.forbidden")


def _span(first: date, last: date) -> list[date]:
    return [first + timedelta(days=one) for one in range((last - first).days + 1)]


def _hall_day(day: date, own: HallCalendar | None, special: SpecialDay | None) -> HallDay:
    periods = hours_on(own, day).periods if own is not None else None
    differs = (
        periods is not None
        and special is not None
        and bool(periods) != (special.kind is DayKind.WORK)
    )
    return HallDay(day=day, periods=periods, special=special, differs=differs)


def _difference(before: SpecialDay | None, after: SpecialDay) -> str:
    if before is None:
        return "new"
    same = (before.kind, before.name) == (after.kind, after.name)
    return "same" if same else "changed"
