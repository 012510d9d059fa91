"""Working days, time limits and hours of halls for integrators."""

from datetime import timedelta
from typing import Annotated

import msgspec

from console.core.api import ApiCall, ApiOperation, Both, Day, HallName, check_span, said
from console.core.api_scopes import CALENDAR_READ, HALLS_READ
from console.core.permissions import Permission
from console.halls.api import HallsApi, hall_within
from console.modules.calendar.api import CalendarApi, HallDay
from console.modules.calendar.domain import MAX_LIMIT, TimeLimit, Unit
from qingting.contract.base import Strict

MOST_DAYS, MOST_HALL_DAYS = 400, 62
Division = Annotated[
    str, said("12 位区划代码；不填按全国规定", "Division code of 12 digits", pattern=r"^\d{12}$")
]


class DayParams(Strict, frozen=True, kw_only=True):
    """From ``first`` to ``last``, both inclusive."""

    first: Day
    last: Day
    division: Division | None = None


class DueParams(Strict, frozen=True, kw_only=True):
    """A time limit that begins with what happened on ``start``."""

    start: Day
    amount: Annotated[int, said("多少", "How many", ge=0, le=MAX_LIMIT)]
    unit: Annotated[Unit, said("单位", "Unit of the limit")] = Unit.WORKDAYS
    division: Division | None = None


class HourParams(Strict, frozen=True, kw_only=True):
    """One hall from ``first`` to ``last``, both inclusive."""

    hall: HallName
    first: Day
    last: Day


class ApiDay(msgspec.Struct, frozen=True, kw_only=True):
    """A date."""

    day: Day
    workday: bool
    settled: Annotated[
        bool,
        said(
            "该年放假安排已公布", "The notice of its year is in; otherwise the week alone decides"
        ),
    ]


class ApiDays(msgspec.Struct, frozen=True, kw_only=True):
    """Dates in order."""

    days: list[ApiDay]


class ApiDue(msgspec.Struct, frozen=True, kw_only=True):
    """The last day of a time limit."""

    day: Day
    unsettled: Annotated[
        list[int],
        said(
            "还没有公布放假安排的年份，日期可能变动",
            "Years counted through whose notice is not in: the day may move",
        ),
    ]


class ApiPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """A span of a day in the hall's time."""

    start: str
    end: str


class ApiHallDay(msgspec.Struct, frozen=True, kw_only=True):
    """A date at a hall."""

    day: Day
    known: Annotated[bool, said("大厅报过开放时间", "False: the hall has not told its hours")]
    periods: Annotated[
        list[ApiPeriod], said("开放时段，空为不开放", "When it is open; none: it is not")
    ]
    name: Annotated[str, said("节日或安排的名称，没有为空", "Name of the day, or empty")]


class ApiHours(msgspec.Struct, frozen=True, kw_only=True):
    """Opening hours of a hall."""

    hall: str
    days: list[ApiHallDay]


def day_call(calendar: CalendarApi) -> ApiOperation[DayParams, None, ApiDays]:
    async def run(call: ApiCall[DayParams, None]) -> ApiDays:
        asked = call.params
        check_span(asked.first, asked.last, MOST_DAYS)
        known = await calendar.working_days(call.uow, asked.division or "")
        days = [
            asked.first + timedelta(days=one) for one in range((asked.last - asked.first).days + 1)
        ]
        return ApiDays(
            days=[
                ApiDay(day=day, workday=known.is_workday(day), settled=day.year in known.years)
                for day in days
            ]
        )

    return ApiOperation(
        name="listDays",
        method="GET",
        path="/calendar/days",
        tag="calendar",
        scope=CALENDAR_READ,
        summary=Both("哪些天是工作日", "Which dates are working days"),
        purpose=Both(
            "一段时间（最长 400 天）里每天是不是工作日，含调休和本地安排。",
            "Whether each date of at most 400 is a working day, with moved and local days.",
        ),
        params=DayParams,
        result=ApiDays,
        run=run,
        errors=("api.span",),
    )


def due_call(calendar: CalendarApi) -> ApiOperation[DueParams, None, ApiDue]:
    async def run(call: ApiCall[DueParams, None]) -> ApiDue:
        asked = call.params
        limit = TimeLimit(asked.amount, asked.unit)
        check_span(asked.start, asked.start, 1)
        found = await calendar.due(call.uow, asked.start, limit, division=asked.division or "")
        return ApiDue(day=found.day, unsettled=list(found.unsettled))

    return ApiOperation(
        name="getDue",
        method="GET",
        path="/calendar/due",
        tag="calendar",
        scope=CALENDAR_READ,
        summary=Both("时限的最后一天", "The last day of a time limit"),
        purpose=Both(
            "某天之后第 N 个工作日（或天、月、年）是哪一天；当天不算。",
            "The N-th working day (or day, month, year) after a date, which is itself not counted.",
        ),
        params=DueParams,
        result=ApiDue,
        run=run,
        errors=("api.span", "calendar.limit"),
    )


def hour_call(halls: HallsApi, calendar: CalendarApi) -> ApiOperation[HourParams, None, ApiHours]:
    async def run(call: ApiCall[HourParams, None]) -> ApiHours:
        asked, scope = call.params, call.subject.scope(Permission.LOOK)
        status = await hall_within(call.uow, halls, scope, asked.hall)
        check_span(asked.first, asked.last, MOST_HALL_DAYS)
        days = await calendar.hall_days(call.uow, status.id, asked.first, asked.last)
        return ApiHours(hall=status.id, days=[_hall_day(one) for one in days.values()])

    return ApiOperation(
        name="getHallHours",
        method="GET",
        path="/halls/{hall}/hours",
        tag="halls",
        scope=HALLS_READ,
        summary=Both("大厅开放时间", "Opening hours of a hall"),
        purpose=Both(
            "一个大厅每天（最长 62 天）的开放时段，含节假日和临时安排。",
            "When a hall is open on each of at most 62 dates, with holidays and exceptions.",
        ),
        params=HourParams,
        result=ApiHours,
        run=run,
        errors=("hall.unknown", "api.span"),
    )


def _hall_day(one: HallDay) -> ApiHallDay:
    return ApiHallDay(
        day=one.day,
        known=one.periods is not None,
        periods=[ApiPeriod(start=each.start, end=each.end) for each in one.periods or ()],
        name=one.special.name if one.special is not None else "",
    )
