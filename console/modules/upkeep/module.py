"""Upkeep (运行维护): how the city does, its backups and restore drills."""

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.halls.api import HALLS
from console.modules.alarms.api import ALARMS
from console.modules.jobs.api import JOBS
from console.modules.upkeep.api import UPKEEP
from console.modules.upkeep.backups import Backups, scheduled
from console.modules.upkeep.service import UpkeepService
from console.modules.upkeep.telling import Caller, calling
from console.modules.upkeep.views import routes
from qingting.kernel.web import MenuItem


def setup(context: ModuleContext) -> None:
    jobs = context.get(JOBS)
    backups = Backups(
        context.db, context.clock, context.audit, context.upkeep, context.utc_offset_minutes
    )
    jobs.declare(backups.making)
    jobs.declare(backups.drilling)
    service = UpkeepService(
        context.clock,
        context.upkeep,
        backups,
        context.get(HALLS),
        context.get(ALARMS),
        jobs,
        context.channels,
    )
    context.provide(UPKEEP, service)
    context.job("upkeep", scheduled(context.db, backups, jobs))
    caller = Caller(context.db, context.clock, service, context.get(ALARMS))
    context.job("upkeep alarms", calling(caller))
    context.routes(routes(service, backups, jobs))
    context.menu(91, MenuItem("/health", "menu.health", "done"), Permission.OPERATIONS)
    context.menu(92, MenuItem("/backups", "menu.backups", "log"), Permission.OPERATIONS)


MODULE = ModuleSpec(
    name="upkeep",
    package="console.modules.upkeep",
    requires=("halls", "alarms", "jobs"),
    table_prefix="up_",
    setup=setup,
)
