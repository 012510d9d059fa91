"""The calendar: working days and days of rest, and what lies so many of them ahead."""

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.halls.api import HALLS
from console.modules.calendar.api import CALENDAR
from console.modules.calendar.calls import day_call, due_call, hour_call
from console.modules.calendar.projector import HoursProjector
from console.modules.calendar.service import CalendarService
from console.modules.calendar.views import Desk, routes
from console.modules.organisation.api import ORGANISATION
from qingting.kernel.web import MenuItem


def setup(context: ModuleContext) -> None:
    halls = context.get(HALLS)
    service = CalendarService(context.clock, context.audit, halls, context.utc_offset_minutes)
    context.provide(CALENDAR, service)
    context.api(day_call(service), due_call(service), hour_call(halls, service))
    context.projector(HoursProjector())
    context.routes(routes(Desk(service, halls, context.get(ORGANISATION))))
    context.menu(62, MenuItem("/calendar", "menu.calendar", "clock"), Permission.LOOK)


MODULE = ModuleSpec(
    name="calendar",
    package="console.modules.calendar",
    requires=("halls", "organisation"),
    table_prefix="cal_",
    setup=setup,
)
