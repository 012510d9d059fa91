"""Staff and their passwords. A manager never sets a password, only gives a one-time one."""

from collections.abc import Sequence

from aiohttp import web

from hallserver.app.desk import Desk, desk_of
from qingting.contract.config import Staff
from qingting.contract.errors import Refusal
from qingting.contract.ids import StaffId


async def page(request: web.Request) -> web.Response:
    desk = desk_of(request)
    state = desk.state
    context = {
        "staff": sorted(state.staff.values(), key=lambda one: one.number),
        "passwords": await desk.accounts.staff.with_password(),
        "windows": {
            life.staff: state.window_config[life.id].number
            for life in state.windows.values()
            if life.staff is not None and life.id in state.window_config
        },
        "departments": state.departments,
    }
    return desk.pages.render(request, "staff.html", context)


async def reset(request: web.Request) -> web.Response:
    """Shows the new one-time password once; every session of that person ends."""
    desk = desk_of(request)
    person = _person(request)
    password = await desk.accounts.staff.reset(person)
    await end_logins(desk, person)
    return show_passwords(request, [(person, password)], "staff.reset_title")


async def end_logins(desk: Desk, person: Staff) -> None:
    """The person is logged in nowhere any more: on no page and on no call pad."""
    await desk.accounts.sessions.drop_subject(person.id)
    await desk.accounts.devices.forget_login(staff=person.id)
    desk.hub.board.log_out(person.id)


def show_passwords(
    request: web.Request, given: Sequence[tuple[Staff, str]], title: str
) -> web.Response:
    """One-time passwords, on this page and nowhere else."""
    context = {"given": given, "title": title}
    return desk_of(request).pages.render(request, "staff_password.html", context)


def _person(request: web.Request) -> Staff:
    person = desk_of(request).state.staff.get(StaffId(request.match_info["staff"]))
    if person is None:
        raise Refusal("staff.unknown")
    return person


ROUTES = (
    web.get("/manage/staff", page),
    web.post("/manage/staff/{staff}/reset", reset),
)
