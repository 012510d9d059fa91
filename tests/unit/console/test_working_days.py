"""Counting working days: pure rules."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.core.divisions import division_chain
from console.modules.calendar.domain import (
    STATUTORY,
    DayKind,
    SpecialDay,
    TimeLimit,
    Unit,
    WorkCalendar,
    days_by_law,
    folded,
    places_of,
    work_calendar,
)
from console.modules.calendar.notice import (
    Row,
    day_of,
    lines_of,
    name_en,
    read_notice,
    read_rows,
    written,
)
from qingting.contract.errors import Refusal

DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31))
KINDS = st.sampled_from(DayKind)
# Never so dense that a count would not end.
CALENDARS = st.builds(
    WorkCalendar, st.dictionaries(DAYS, KINDS, max_size=60), st.frozensets(st.integers(2024, 2030))
)
COUNTS = st.integers(0, 60)
NOTICE = """国务院办公厅关于2025年部分节假日安排的通知
据此对放假调休原则作进一步优化完善,国庆节自10月1日起放假调休7天,劳动节放假调休5天。
一、元旦:1月1日(周三)放假1天,不调休。
二、春节：1月28日（农历除夕、周二）至2月4日(农历正月初七、周二)放假调休，共8天。1月26日(周日)、2月8日(周六)上班。
三、清明节:4月4日(周五)至6日(周日)放假,共3天。
四、劳动节:5月1日(周四)至5日(周一)放假调休,共5天。4月27日(周日)上班。
五、端午节:5月31日(周六)至6月2日(周一)放假,共3天。
六、国庆节、中秋节:10月1日(周三)至8日(周三)放假调休,共8天。9月28日(周日)、10月11日(周六)上班。
国务院办公厅
2024年11月12日"""


def special(
    day: date, kind: DayKind, place: str = STATUTORY, *, deadlines: bool = True
) -> SpecialDay:
    return SpecialDay(day=day, kind=kind, name="x", place=place, deadlines=deadlines)


class TestCounting:
    @given(CALENDARS, DAYS, COUNTS)
    def test_as_many_working_days_lie_up_to_the_due_day_as_were_asked_for(
        self, calendar: WorkCalendar, start: date, count: int
    ) -> None:
        due = calendar.workdays_after(start, count)
        days = (start + timedelta(days=one) for one in range(1, (due.day - start).days + 1))
        assert sum(map(calendar.is_workday, days)) == count
        assert calendar.is_workday(due.day) or count == 0

    @given(CALENDARS, DAYS, COUNTS, COUNTS)
    def test_two_limits_one_after_the_other_are_their_sum(
        self, calendar: WorkCalendar, start: date, first: int, second: int
    ) -> None:
        middle = calendar.workdays_after(start, first).day
        assert (
            calendar.workdays_after(middle, second).day
            == calendar.workdays_after(start, first + second).day
        )

    @given(CALENDARS, DAYS, COUNTS, DAYS)
    def test_one_more_day_of_rest_never_makes_a_limit_end_earlier(
        self, calendar: WorkCalendar, start: date, count: int, rest: date
    ) -> None:
        more = WorkCalendar({**calendar.special, rest: DayKind.REST}, calendar.years)
        assert more.workdays_after(start, count).day >= calendar.workdays_after(start, count).day

    @given(CALENDARS, DAYS, COUNTS)
    def test_a_later_event_never_has_an_earlier_end(
        self, calendar: WorkCalendar, start: date, count: int
    ) -> None:
        later = calendar.workdays_after(start + timedelta(days=1), count).day
        assert later >= calendar.workdays_after(start, count).day

    @given(CALENDARS, DAYS, st.integers(1, 60))
    def test_every_open_year_that_is_counted_through_is_named(
        self, calendar: WorkCalendar, start: date, count: int
    ) -> None:
        due = calendar.workdays_after(start, count)
        through = {start.year, due.day.year} - (
            {start.year} if start == date(start.year, 12, 31) else set()
        )
        assert set(due.unsettled) == {one for one in through if one not in calendar.years}

    @pytest.mark.parametrize("count", [-1, 3001])
    def test_a_limit_out_of_reach_is_refused(self, count: int) -> None:
        with pytest.raises(Refusal, match=r"calendar\.limit"):
            WorkCalendar().workdays_after(date(2026, 1, 1), count)

    @pytest.mark.parametrize(
        ("start", "limit", "end"),
        [
            (date(2026, 1, 31), TimeLimit(1, Unit.MONTHS), date(2026, 2, 28)),
            (date(2026, 3, 5), TimeLimit(14, Unit.MONTHS), date(2027, 5, 5)),
            (date(2024, 2, 29), TimeLimit(1, Unit.YEARS), date(2025, 2, 28)),
            (date(2026, 12, 30), TimeLimit(5, Unit.DAYS), date(2027, 1, 4)),
        ],
    )
    def test_days_months_and_years_are_natural_ones(
        self, start: date, limit: TimeLimit, end: date
    ) -> None:
        assert WorkCalendar().due(start, limit).day == end


class TestHolidaysByLaw:
    @pytest.mark.parametrize("year", [2025, 2027, 2030])
    def test_of_a_year_without_a_notice_the_dates_that_are_law_are_none_to_work_on(
        self, year: int
    ) -> None:
        fixed = [date(year, m, d) for m, d in ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))]
        assert not any(map(WorkCalendar().is_workday, fixed))
        assert [one.day for one in days_by_law(fixed, ())] == fixed

    @given(DAYS)
    def test_the_notice_and_what_is_set_for_a_day_go_before_the_law(self, day: date) -> None:
        week = day.isoweekday() <= 5
        assert WorkCalendar(years=frozenset({day.year})).is_workday(day) is week
        assert WorkCalendar({day: DayKind.WORK}).is_workday(day)
        assert days_by_law((day,), {day.year}) == []

    def test_the_law_of_2025_says_nothing_of_the_years_before(self) -> None:
        assert WorkCalendar().is_workday(date(2024, 5, 2))


class TestPlaces:
    def test_a_division_is_within_those_that_its_code_begins_with(self) -> None:
        assert division_chain("230602013") == ("230600000000", "230602000000", "230602013000")
        assert division_chain("2306") == ("230600000000",)
        assert division_chain("x") == ()
        assert places_of("230602", "saertu") == (
            STATUTORY, "division:230600000000", "division:230602000000", "hall:saertu",
        )  # fmt: skip

    def test_the_nearer_place_goes_before_the_wider_one(self) -> None:
        day = date(2026, 5, 9)
        city, district, elsewhere = (
            f"division:{one}000000" for one in ("230600", "230602", "230603")
        )
        days = [
            special(day, DayKind.REST, district),
            special(day, DayKind.WORK),
            special(day, DayKind.WORK, city),
            special(day, DayKind.WORK, elsewhere),
        ]
        assert folded(days, places_of("230602"))[day].kind is DayKind.REST
        assert folded(days, places_of("230603"))[day].place == elsewhere
        assert folded(days, places_of())[day].place == STATUTORY

    def test_an_open_saturday_of_a_division_moves_no_time_limit_unless_it_says_so(self) -> None:
        saturday, place = date(2026, 11, 28), "division:230624000000"
        for deadlines in (False, True):
            days = [special(saturday, DayKind.WORK, place, deadlines=deadlines)]
            assert work_calendar(days, (2026,), "230624").is_workday(saturday) is deadlines
            assert not work_calendar(days, (2026,), "230602").is_workday(saturday)


class TestNotice:
    def test_the_text_of_the_notice_is_understood_to_the_day(self) -> None:
        reading = read_notice(NOTICE, 2025)
        assert reading.bad == ()
        work = [one.day for one in reading.days if one.kind is DayKind.WORK]
        assert work == [date(2025, m, d) for m, d in ((1, 26), (2, 8), (4, 27), (9, 28), (10, 11))]
        rest = [one for one in reading.days if one.kind is DayKind.REST]
        assert len(rest) == 1 + 8 + 3 + 5 + 3 + 8
        assert {one.name for one in rest if one.day.month == 10} == {"国庆节、中秋节"}
        assert rest[0].name_en == "New Year's Day"

    @given(st.text(max_size=300))
    def test_any_text_is_read_without_a_crash(self, text: str) -> None:
        read_notice(text, 2026)
        read_notice(f"一、春节：{text}", 2026)

    @given(
        st.lists(
            st.tuples(st.dates(date(2026, 1, 1), date(2026, 12, 31)), KINDS),
            unique_by=lambda one: one[0],
        )
    )
    def test_what_a_preview_hands_on_is_read_as_it_was(
        self, found: list[tuple[date, DayKind]]
    ) -> None:
        days = sorted(
            (
                SpecialDay(day=day, kind=kind, name="春节", name_en="Spring Festival", of_year=2026)
                for day, kind in found
            ),
            key=lambda one: one.day,
        )
        reading = read_rows(lines_of(written(days)), 2026)
        assert (list(reading.days), reading.bad) == (days, ())

    @pytest.mark.parametrize(
        ("row", "why"),
        [
            (Row(2, "2026-02-30", "休", "春节"), "calendar.bad.date"),
            (Row(2, "2026-02-15", "半天", "春节"), "calendar.bad.kind"),
            (Row(2, "2026-02-15", "休", " "), "calendar.bad.name"),
            (Row(2, "2028-02-15", "休", "春节"), "calendar.bad.year"),
        ],
    )
    def test_a_bad_row_is_told_with_its_reason(self, row: Row, why: str) -> None:
        reading = read_rows([row], 2026)
        assert [one.why for one in reading.bad] == [why]
        assert reading.days == ()

    def test_a_date_named_both_ways_is_a_bad_row(self) -> None:
        rows = [Row(2, "2026/2/15", "休", "春节"), Row(3, "2026年2月15日", "班", "春节")]
        assert [one.why for one in read_rows(rows, 2026).bad] == ["calendar.bad.twice"]

    def test_a_holiday_that_nobody_translated_has_no_english_name(self) -> None:
        assert (name_en("县庆"), name_en("国庆节")) == ("", "National Day")
        assert day_of(date(2026, 1, 2)) == date(2026, 1, 2)
