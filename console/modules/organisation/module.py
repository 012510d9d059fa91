"""Divisions, departments and staff of the city."""

from functools import partial

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.core.turns import Turn
from console.halls.api import HALLS
from console.modules.jobs.api import JOBS
from console.modules.organisation.api import ORGANISATION
from console.modules.organisation.calls import calls, department_calls
from console.modules.organisation.service import OrganisationService
from console.modules.organisation.sheet_job import KIND, taking
from console.modules.organisation.sheets import LOCK, OrganisationSheets
from console.modules.organisation.staff import StaffService
from console.modules.organisation.views import routes
from console.modules.organisation.views_adopting import adopting_routes
from console.modules.organisation.views_sheets import sheet_routes
from console.modules.organisation.views_staff import staff_routes
from qingting.kernel.web import MenuItem


def setup(context: ModuleContext) -> None:
    service = OrganisationService(context.audit, context.get(HALLS))
    context.provide(ORGANISATION, service)
    context.routes(routes(service))
    context.api(*calls(service), *department_calls(service))
    staff = StaffService(context.clock, context.audit, context.get(HALLS), service)
    context.routes(adopting_routes(staff, service))
    context.routes(staff_routes(staff, service))
    jobs = context.get(JOBS)
    turn = Turn(
        lock=LOCK, who=partial(jobs.under_way, kinds=(KIND,)), offset=context.utc_offset_minutes
    )
    sheets = OrganisationSheets(context.clock, context.audit, context.get(HALLS), service, turn)
    kind = taking(context.db, sheets)
    jobs.declare(kind)
    context.routes(sheet_routes(sheets, jobs, kind))
    item = MenuItem("/divisions", "menu.organisation", "people", under=("/departments", "/staff"))
    context.menu(65, item, Permission.ORGANISATION)


MODULE = ModuleSpec(
    name="organisation",
    package="console.modules.organisation",
    requires=("halls", "jobs"),
    table_prefix="org_",
    setup=setup,
)
