"""The roster (排班): windows with their queues in order, clerks with skills, shifts by week, who is missing."""

from collections import defaultdict
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from hallserver.app.desk import Desk, desk_of
from hallserver.app.manage.editor import Editor, Form
from hallserver.app.manage.edits import (
    Typed,
    convert,
    given,
    marked,
    periods_of,
    periods_text,
    say,
    ticks,
)
from hallserver.app.manage.rows import Values
from hallserver.engine.days import weekday, within
from qingting.contract.config import HallConfig, Shift, Staff, Window, WindowOrder
from qingting.contract.config_parts import RosterPart
from qingting.contract.ids import StaffId
from qingting.contract.states import StaffPermission, WindowState

HOME = "/manage/roster"
MOST_QUEUES = 12
WEEK = ("1", "2", "3", "4", "5", "6", "7")
_WINDOW = ("number", "name", "name_en", "order")


class Missing(NamedTuple):
    """Somebody who is planned at a window now and is not at any."""

    staff: str
    window: str
    hours: str


def load(config: HallConfig) -> Form:
    rows = {
        "window": [_window_values(one) for one in config.windows],
        "staff": [_staff_values(one) for one in config.staff],
        "shift": [_shift_values(one) for one in config.shifts],
    }
    return Form(config.version, {}, rows)


def _window_values(window: Window) -> Values:
    values = {
        "id": window.id,
        "number": window.number,
        "name": window.name,
        "name_en": window.name_en,
        "place": window.place,
        "area": window.area,
        "order": window.order.value,
        "appointment_only": "on" if window.appointment_only else "",
    }
    return values | {f"q{n}": queue for n, queue in enumerate(window.queues)}


def _staff_values(staff: Staff) -> Values:
    return {"id": staff.id, "skills": " ".join(staff.skills)} | ticks("may", staff.permissions)


def _shift_values(shift: Shift) -> Values:
    values = {"staff": shift.staff, "window": shift.window, "periods": periods_text(shift.periods)}
    return values | ticks("days", shift.weekdays)


def part(request: web.Request, form: Form, config: HallConfig) -> RosterPart:
    """Windows and clerks keep what a row does not show; shifts are those of the form."""
    windows = {row.get("id", ""): row for row in form.rows["window"]}
    staff = {row.get("id", ""): row for row in form.rows["staff"]}
    word = say(request, "roster.f.periods")
    raw = {
        "part": "roster",
        "windows": [
            msgspec.to_builtins(one) | (_window(windows[one.id]) if one.id in windows else {})
            for one in config.windows
        ],
        "staff": [
            msgspec.to_builtins(one) | (_staff(staff[one.id]) if one.id in staff else {})
            for one in config.staff
        ],
        "shifts": [
            {
                **given(row, "staff", "window"),
                "weekdays": marked(row, "days"),
                "periods": periods_of(row.get("periods", ""), word),
            }
            for row in form.rows["shift"]
        ],
    }
    return convert(request, raw, RosterPart, "roster.f")


def _window(row: Values) -> dict[str, object]:
    queues = [row[f"q{n}"] for n in range(MOST_QUEUES) if row.get(f"q{n}")]
    return {
        **given(row, *_WINDOW),
        "place": row.get("place", ""),
        "area": row.get("area", ""),
        "appointment_only": row.get("appointment_only") == "on",
        "queues": list(dict.fromkeys(queues)),
    }


def _staff(row: Values) -> dict[str, object]:
    skills = row.get("skills", "").replace("，", " ").replace("、", " ").replace(",", " ").split()
    return {"skills": list(dict.fromkeys(skills)), "permissions": marked(row, "may")}


def press(form: Form, fields: Typed) -> None:
    """Empty places between a window's queues close up, so that a free one is always last."""
    for row in form.rows["window"]:
        queues = [row.pop(f"q{n}") for n in range(MOST_QUEUES) if f"q{n}" in row]
        row.update({f"q{n}": one for n, one in enumerate(filter(None, queues))})


def more(request: web.Request, form: Form) -> dict[str, Any]:
    desk = desk_of(request)
    state = desk.state
    return {
        "queues": list(state.queues.values()),
        "windows": list(state.window_config.values()),
        "staff": state.staff,
        "orders": list(WindowOrder),
        "permissions": list(StaffPermission),
        "skills": sorted({one.skill for one in state.items.values() if one.skill}),
        "most_queues": MOST_QUEUES,
        "week": WEEK,
        "table": _week(form),
        "missing": missing(desk),
    }


def _week(form: Form) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Who is planned by window and weekday, as typed."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for row in form.rows["shift"]:
        for day in marked(row, "days"):
            found[row.get("window", ""), day].append((row.get("staff", ""), row.get("periods", "")))
    return dict(found)


def missing(desk: Desk) -> list[Missing]:
    """Planned now and at no window; a pause counts as being there."""
    state, now = desk.state, desk.clock.now_ms()
    if state.config is None:
        return []
    there: set[StaffId] = {
        life.staff
        for life in state.windows.values()
        if life.staff is not None and life.state is not WindowState.CLOSED
    }
    today = weekday(now, state.config)
    return [
        Missing(
            state.staff[one.staff].name,
            state.window_config[one.window].number,
            periods_text(one.periods),
        )
        for one in state.config.shifts
        if one.staff not in there
        and today in one.weekdays
        and within(one.periods, now, state.config)
    ]


EDITOR = Editor(
    home=HOME,
    template="roster.html",
    done="roster.saved",
    plain=(),
    fresh={
        "window": {},
        "staff": {},
        "shift": {"periods": "09:00-12:00 13:30-17:00"} | ticks("days", WEEK[:5]),
    },
    load=load,
    part=part,
    more=more,
    press=press,
)
ROUTES = EDITOR.routes()
