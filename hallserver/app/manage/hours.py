"""Opening hours (开放时间): the week, closed days, open Saturdays, and what that makes of the next two weeks."""

from datetime import date, timedelta
from typing import Any, NamedTuple

from aiohttp import web

from hallserver.app.desk import desk_of
from hallserver.app.manage.editor import Editor, Form
from hallserver.app.manage.edits import (
    convert,
    given,
    marked,
    periods_of,
    periods_text,
    say,
    ticks,
)
from hallserver.engine.days import hall_time
from qingting.contract.calendar import HallCalendar, calendar_faults, hours_on, weekday_on
from qingting.contract.config import HallConfig
from qingting.contract.config_parts import CalendarPart
from qingting.contract.errors import Refusal
from qingting.contract.faults import FaultyConfig

HOME = "/manage/hours"
PREVIEW_DAYS = 14
WEEK = ("1", "2", "3", "4", "5", "6", "7")


class Day(NamedTuple):
    """One date of the preview. ``hours`` None: no hours are set; empty: shut. ``like`` is the weekday whose
    items and shifts it has."""

    date: str
    weekday: int
    hours: str | None
    name: str
    like: int


def load(config: HallConfig) -> Form:
    calendar = config.calendar
    values = {
        "early_minutes": str(calendar.early_minutes),
        "last_minutes": str(calendar.last_minutes),
        "tickets_in_breaks": "on" if calendar.tickets_in_breaks else "",
    }
    rows = {
        "weekly": [
            {"periods": periods_text(one.periods)} | ticks("days", one.weekdays)
            for one in calendar.weekly
        ],
        "closed": [
            {"date": one.date, "name": one.name, "name_en": one.name_en} for one in calendar.closed
        ],
        "open": [
            {
                "date": one.date,
                "name": one.name,
                "name_en": one.name_en,
                "periods": periods_text(one.periods),
                "like": str(one.like or ""),
            }
            for one in calendar.open
        ],
    }
    return Form(config.version, values, rows)


def calendar_of(request: web.Request, form: Form) -> HallCalendar:
    """The calendar that was typed. Raises ``form.invalid``, ``config.invalid``."""
    word = say(request, "hours.f.periods")
    raw = {
        **given(form.values, "early_minutes", "last_minutes"),
        "tickets_in_breaks": form.values["tickets_in_breaks"] == "on",
        "weekly": [
            {
                "weekdays": marked(row, "days"),
                "periods": periods_of(row.get("periods", ""), word, f"weekly-{n}-periods"),
            }
            for n, row in enumerate(form.rows["weekly"])
        ],
        "closed": [given(row, "date", "name", "name_en") for row in form.rows["closed"]],
        "open": [
            {
                **given(row, "date", "name", "name_en", "like"),
                "periods": periods_of(row.get("periods", ""), word, f"open-{n}-periods"),
            }
            for n, row in enumerate(form.rows["open"])
        ],
    }
    calendar = convert(request, raw, HallCalendar, "hours.f")
    if faults := calendar_faults(calendar):
        raise FaultyConfig(faults)
    return calendar


def part(request: web.Request, form: Form, config: HallConfig) -> CalendarPart:
    return CalendarPart(calendar=calendar_of(request, form))


def more(request: web.Request, form: Form) -> dict[str, Any]:
    """The preview is of what is typed; when that cannot be read, the reason stands in its place."""
    try:
        days, why = _days(calendar_of(request, form), _today(request)), None
    except Refusal as refusal:
        days, why = [], refusal
    return {"days": days, "why": why, "week": WEEK}


def _today(request: web.Request) -> date:
    desk = desk_of(request)
    return hall_time(desk.clock.now_ms(), desk.state.config).date()


def _days(calendar: HallCalendar, first: date) -> list[Day]:
    found = []
    for number in range(PREVIEW_DAYS):
        day = first + timedelta(days=number)
        hours = hours_on(calendar, day)
        text = periods_text(hours.periods) if hours.periods is not None else None
        like = weekday_on(calendar, day)
        found.append(Day(day.isoformat(), day.isoweekday(), text, hours.name, like))
    return found


EDITOR = Editor(
    home=HOME,
    template="hours.html",
    done="hours.saved",
    plain=("early_minutes", "last_minutes", "tickets_in_breaks"),
    fresh={"weekly": {}, "closed": {}, "open": {"periods": "09:00-12:00"}},
    load=load,
    part=part,
    more=more,
    block="preview",
)
ROUTES = EDITOR.routes()
