"""The roster (排班): windows with their queues in order, clerks with skills, shifts by week, who is missing."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from hallserver.app.desk import Desk, desk_of, person_of
from hallserver.app.manage.editor import Editor, Form
from hallserver.app.manage.edits import (
    Typed,
    convert,
    given,
    in_row,
    marked,
    needed,
    periods_of,
    periods_text,
    say,
    ticks,
)
from hallserver.app.manage.rows import Values
from hallserver.app.manage.staff import end_logins, show_passwords
from hallserver.engine.days import weekday, within
from qingting.contract.config import HallConfig, Shift, Staff, Window, WindowOrder
from qingting.contract.config_parts import RosterPart
from qingting.contract.errors import Refusal
from qingting.contract.ids import StaffId
from qingting.contract.states import StaffPermission, StaffRole, WindowState

HOME = "/manage/roster"
MOST_QUEUES = 12
LISTS = {"window": "windows", "staff": "staff", "shift": "shifts"}
"""Which field of the part each list of the form is."""
WEEK = ("1", "2", "3", "4", "5", "6", "7")


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
        "place_en": window.place_en,
        "area": window.area,
        "department": window.department or "",
        "order": window.order.value,
        "appointment_only": "on" if window.appointment_only else "",
    }
    return values | {f"q{n}": queue for n, queue in enumerate(window.queues)}


def _staff_values(staff: Staff) -> Values:
    return {
        "id": staff.id,
        "number": staff.number,
        "name": staff.name,
        "role": staff.role.value,
        "department": staff.department or "",
        "skills": " ".join(staff.skills),
    } | ticks("may", staff.permissions)


def _shift_values(shift: Shift) -> Values:
    values = {"staff": shift.staff, "window": shift.window, "periods": periods_text(shift.periods)}
    return values | ticks("days", shift.weekdays)


def part(request: web.Request, form: Form, config: HallConfig) -> RosterPart:
    """Windows and clerks are those of the form; each keeps what its row does not show.

    Raises ``roster.yourself``: whoever saves stays a manager.
    """
    raw = {
        "part": "roster",
        "windows": _records(request, form, "window", config.windows, _window),
        "staff": _records(request, form, "staff", config.staff, _staff),
        "shifts": _records(request, form, "shift", (), _shift),
    }
    found = convert(request, raw, RosterPart, "roster.f")
    me = person_of(request).id
    if not any(one.id == me and one.role is StaffRole.MANAGER for one in found.staff):
        raise Refusal("roster.yourself")
    return found


def _records(
    request: web.Request,
    form: Form,
    name: str,
    known: tuple[Window, ...] | tuple[Staff, ...] | tuple[()],
    read: Callable[[web.Request, Values], dict[str, object]],
) -> list[dict[str, object]]:
    former: dict[str, dict[str, object]] = {one.id: msgspec.to_builtins(one) for one in known}
    label = say(request, f"roster.f.{LISTS[name]}")
    found = []
    for number, row in enumerate(form.rows[name]):
        with in_row(label, name, number):
            found.append(former.get(row.get("id", ""), {}) | read(request, row))
    return found


def _window(request: web.Request, row: Values) -> dict[str, object]:
    queues = [row[f"q{n}"] for n in range(MOST_QUEUES) if row.get(f"q{n}")]
    return {
        **needed(request, row, "roster.f", "id", "number", "name", "name_en"),
        **given(row, "order"),
        "place": row.get("place", ""),
        "place_en": row.get("place_en", ""),
        "area": row.get("area", ""),
        "department": row.get("department") or None,
        "appointment_only": row.get("appointment_only") == "on",
        "queues": list(dict.fromkeys(queues)),
    }


def _staff(request: web.Request, row: Values) -> dict[str, object]:
    skills = row.get("skills", "").replace("，", " ").replace("、", " ").replace(",", " ").split()
    return {
        **needed(request, row, "roster.s", "id", "number", "name"),
        **given(row, "role"),
        "department": row.get("department") or None,
        "skills": list(dict.fromkeys(skills)),
        "permissions": marked(row, "may"),
    }


def _shift(request: web.Request, row: Values) -> dict[str, object]:
    return {
        **needed(request, row, "roster.f", "staff", "window", "periods"),
        "weekdays": marked(row, "days"),
        "periods": periods_of(row.get("periods", ""), say(request, "roster.f.periods")),
    }


def press(form: Form, fields: Typed) -> None:
    """Empty places between a window's queues close up, so that a free one is always last. Shifts of a
    clerk or window that was taken away go with them."""
    for row in form.rows["window"]:
        queues = [row.pop(f"q{n}") for n in range(MOST_QUEUES) if f"q{n}" in row]
        row.update({f"q{n}": one for n, one in enumerate(filter(None, queues))})
    there = {name: {row["id"] for row in form.rows[name]} | {""} for name in ("window", "staff")}
    form.rows["shift"] = [
        row
        for row in form.rows["shift"]
        if all(row.get(name, "") in there[name] for name in ("window", "staff"))
    ]


async def saved(request: web.Request, before: HallConfig) -> web.Response | None:
    """Who left can log in nowhere any more; who is new gets a one-time password, shown once."""
    desk = desk_of(request)
    after = desk.state.staff
    for person in before.staff:
        if person.id not in after:
            await desk.accounts.staff.drop(person)
            await end_logins(desk, person)
    known = {one.id for one in before.staff}
    fresh = [one for one in after.values() if one.id not in known]
    if not fresh:
        return None
    given_to = [(one, await desk.accounts.staff.reset(one)) for one in fresh]
    return show_passwords(request, given_to, "roster.welcome")


def more(request: web.Request, form: Form) -> dict[str, Any]:
    desk = desk_of(request)
    state = desk.state
    return {
        "queues": list(state.queues.values()),
        "windows": form.rows["window"],
        "staff": form.rows["staff"],
        "names": {row["id"]: row.get("name", "") for row in form.rows["staff"]},
        "departments": list(state.departments.values()),
        "roles": list(StaffRole),
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
    ids={"window": "w", "staff": "s"},
    lists=LISTS,
    saved=saved,
)
ROUTES = EDITOR.routes()
