"""Appointments (预约): places by rules, their life from the hold to what came of it, staff's pages."""

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.core.pruning import pruning
from console.core.uow import CHANGED
from console.halls.api import HALLS
from console.modules.appointments import views, views_day, views_rules, views_standing
from console.modules.appointments.announcing import Announcer
from console.modules.appointments.api import APPOINTMENTS
from console.modules.appointments.booker import Booker, Tools
from console.modules.appointments.closing import Closing
from console.modules.appointments.closing_job import closing_days
from console.modules.appointments.desk import StaffDesk
from console.modules.appointments.fulfilment import FulfilmentProjector
from console.modules.appointments.personal import AppointmentData
from console.modules.appointments.planner import Planner
from console.modules.appointments.pruning import PRUNE_LOCK, prunes
from console.modules.appointments.relay import Relay
from console.modules.appointments.reminders import Reminders
from console.modules.appointments.rule_desk import RuleDesk
from console.modules.appointments.service import AppointmentService, Door
from console.modules.appointments.taking_out import TakingOut
from console.modules.appointments.telling import REMINDER, TOPICS, WaitingTeller, reminder_stands
from console.modules.appointments.views import Desk
from console.modules.appointments.visits import Counter
from console.modules.appointments.whole_list import whole_list
from console.modules.calendar.api import CALENDAR
from console.modules.catalogue.api import CATALOGUE
from console.modules.jobs.api import JOBS, list_route
from console.modules.notifications.api import NOTIFICATIONS
from console.modules.organisation.api import ORGANISATION
from console.modules.privacy.api import PRIVACY
from qingting.kernel.web import MenuItem


def setup(context: ModuleContext) -> None:
    clock, halls, offset = context.clock, context.get(HALLS), context.utc_offset_minutes
    notifications = context.get(NOTIFICATIONS)
    notifications.declare(TOPICS)
    notifications.checked_by(REMINDER, reminder_stands)
    planner = Planner(clock, halls, context.get(CALENDAR), context.get(CATALOGUE))
    context.signals.subscribe(CHANGED, planner.heard)
    counter, door = Counter(clock, planner), Door()
    teller = Announcer(WaitingTeller(clock, notifications), context.events)
    relay = Relay(context.db, halls, notifications)
    tools = Tools(clock=clock, counter=counter, teller=teller, people=door.people, wake=relay.wake, offset=offset)  # fmt: skip
    booker = Booker(tools)
    context.provide(APPOINTMENTS, AppointmentService(clock, planner, counter, booker, door, offset))
    _people(context, door)
    staff = StaffDesk(clock, context.audit, planner, booker, door)
    closing, jobs = Closing(context.db, planner, counter, staff), context.get(JOBS)
    kind = closing_days(context.db, staff, closing)
    jobs.declare(kind)
    rules = RuleDesk(clock, context.audit, planner, counter)
    desk = Desk(staff=staff, closing=closing, rules=rules, counter=counter, halls=halls, offset=offset)  # fmt: skip
    context.routes(
        [
            *views.routes(desk),
            list_route(context, jobs, "/appointments/list.{kind}", whole_list(clock)),
            *views_day.routes(desk, offset, jobs, kind),
            *views_rules.routes(desk, context.get(ORGANISATION)),
            *views_standing.routes(desk, offset),
        ]
    )
    item = MenuItem("/appointments", "menu.appointments", "clock")
    context.menu(45, item, Permission.APPOINTMENTS)
    context.projector(FulfilmentProjector(planner, teller, clock.now_ms))
    context.job("appointments relay", relay.run)
    old = prunes(clock, context.retention, halls)
    context.job("appointments pruning", pruning(context.db, "visits", PRUNE_LOCK, old))
    context.job("appointment reminders", Reminders(context.db, clock, planner, teller).run)


def _people(context: ModuleContext, door: Door) -> None:
    """What is held about people, and how it leaves in clear."""
    clock, sealer = context.clock, context.hall_sealer
    context.holds(AppointmentData(clock, door, context.get(HALLS), sealer))
    context.get(PRIVACY).declare_export(TakingOut(clock, door).kind())


MODULE = ModuleSpec(
    name="appointments",
    package="console.modules.appointments",
    requires=("halls", "calendar", "catalogue", "jobs", "notifications", "organisation", "privacy"),
    table_prefix="app_",
    setup=setup,
)
