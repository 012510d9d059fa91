"""The frame of the manager's pages: menu by task, counts that ask for attention."""

from aiohttp import web

from hallserver.app.desk import DESK, Desk
from hallserver.app.manage.words import device_lines
from hallserver.engine.days import offset_minutes
from qingting.contract.config import Staff
from qingting.contract.ids import StaffId
from qingting.contract.states import Language, StaffRole
from qingting.kernel.i18n import pick_language
from qingting.kernel.web import LANGUAGE, SESSION, Account, MenuGroup, MenuItem, Shell, WebSession

PRODUCT = {Language.ZH: "庆厅", Language.EN: "Qingting"}
HOME, LOGIN = "/manage/", "/manage/login"


def shell_of(request: web.Request) -> Shell:
    """Menu and account for a manager, the bare frame for everybody else."""
    desk = request.app[DESK]
    language: Language = request.get(LANGUAGE) or pick_language(None)
    session: WebSession | None = request.get(SESSION)
    staff = desk.state.staff.get(StaffId(session.subject)) if session is not None else None
    inside = staff is not None and request.path.startswith("/manage")
    manager = inside and may_manage(staff, session)
    return Shell(
        product=PRODUCT[language],
        place=_place(desk, language),
        menu=_menu(desk) if manager else (),
        account=_account(desk, staff, language) if inside and staff is not None else None,
        live="/manage/live" if manager else "",
        home=HOME if inside else "/",
        login=LOGIN if request.path.startswith("/manage") else "",
        offset_minutes=offset_minutes(desk.state.config),
        styles=("manage.css",),
        scripts=("look.js", "boards.js") if manager else (),
        takes_out=manager,
    )


def may_manage(staff: Staff | None, session: WebSession | None) -> bool:
    """A manager whose password is the own one."""
    return (
        staff is not None
        and session is not None
        and staff.role is StaffRole.MANAGER
        and MUST_CHANGE not in session.marks
    )


MUST_CHANGE = "must_change"
"""Mark of a session that began with a one-time password."""


def _place(desk: Desk, language: Language) -> str:
    config = desk.state.config
    if config is None:
        return ""
    return config.hall.name if language is Language.ZH else config.hall.name_en


def _account(desk: Desk, staff: Staff, language: Language) -> Account:
    role = desk.pages.text(language, f"role.{staff.role.value}")
    return Account(
        name=staff.name,
        role=role,
        password_href="/manage/password",  # noqa: S106 - an address
        logout_href="/manage/logout",
    )


def _menu(desk: Desk) -> tuple[MenuGroup, ...]:
    state = desk.state
    faults = sum(line.needs_somebody for line in device_lines(desk))
    return (
        MenuGroup(
            "menu.today",
            (
                MenuItem(HOME, "menu.overview", "overview", len(state.help)),
                MenuItem("/manage/devices", "menu.devices", "device", faults),
                MenuItem("/manage/queues", "menu.queues", "queue"),
                MenuItem("/manage/forecast", "menu.forecast", "clock"),
                MenuItem("/manage/windows", "menu.windows", "window"),
                MenuItem("/manage/tickets", "menu.tickets", "ticket"),
                MenuItem("/manage/ratings", "menu.ratings", "rating"),
            ),
        ),
        MenuGroup(
            "menu.setup",
            (
                MenuItem("/manage/rules", "menu.rules", "chart"),
                MenuItem("/manage/hall", "menu.hall", "overview"),
                MenuItem("/manage/hours", "menu.hours", "clock"),
                MenuItem("/manage/roster", "menu.roster", "people"),
                MenuItem("/manage/offers", "menu.offers", "log"),
                MenuItem("/manage/ticket-layouts", "menu.ticket_layouts", "print"),
                MenuItem("/manage/kiosk-screens", "menu.kiosk_screens", "overview"),
                MenuItem("/manage/boards", "menu.boards", "board"),
                MenuItem("/manage/announcements", "menu.announcements", "voice"),
                MenuItem("/manage/pair", "menu.pair", "pair"),
                MenuItem("/manage/staff", "menu.staff", "staff"),
                MenuItem("/manage/backups", "menu.backups", "log", int(desk.copies.bad_since > 0)),
            ),
        ),
    )
