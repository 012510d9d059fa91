"""Configurations (配置) of halls: written at the city, put in force by the hall."""

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.halls.api import HALLS
from console.modules.catalogue.api import CATALOGUE
from console.modules.configuration import views, views_edit, views_typed
from console.modules.configuration.api import CONFIGURATION
from console.modules.configuration.copying import copying
from console.modules.configuration.projector import ConfigurationProjector
from console.modules.configuration.service import ConfigurationService
from console.modules.jobs.api import JOBS
from qingting.kernel.web import MenuItem


def setup(context: ModuleContext) -> None:
    halls, jobs = context.get(HALLS), context.get(JOBS)
    service = ConfigurationService(context.clock, context.audit, halls)
    context.provide(CONFIGURATION, service)
    context.projector(ConfigurationProjector())
    kind = copying(context.db, service)
    jobs.declare(kind)
    desk = views.Desk(service, halls, context.utc_offset_minutes)
    context.routes(views.routes(desk))
    context.routes(views_typed.routes(desk))
    context.routes(views_edit.routes(desk, context.get(CATALOGUE), jobs, kind))
    item = MenuItem(
        "/configurations", "menu.configuration", "gear", under=("/configuration-copies",)
    )
    context.menu(27, item, Permission.CONFIGURATION)


MODULE = ModuleSpec(
    name="configuration",
    package="console.modules.configuration",
    requires=("halls", "catalogue", "jobs"),
    table_prefix="conf_",
    setup=setup,
)
