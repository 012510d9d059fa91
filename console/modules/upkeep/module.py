"""Upkeep (运行维护): how the city does, its backups, restore drills and restores."""

from aiohttp import web
from markupsafe import Markup

from console.core.audit_reading import HEADS_PURPOSE
from console.core.module import Fragment, ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.core.web import PAGES, UOW
from console.halls.api import HALLS
from console.modules.alarms.api import ALARMS
from console.modules.identity.api import CONFIRM, LOGIN_NOTES
from console.modules.jobs.api import JOBS
from console.modules.upkeep import views_restore
from console.modules.upkeep.api import UPKEEP
from console.modules.upkeep.backups import Backups, scheduled
from console.modules.upkeep.restores import Restores
from console.modules.upkeep.service import UpkeepService
from console.modules.upkeep.telling import Caller, calling
from console.modules.upkeep.views import routes
from console.modules.upkeep.watch import Watch
from qingting.kernel.web import MenuItem


def setup(context: ModuleContext) -> None:
    jobs, offset = context.get(JOBS), context.utc_offset_minutes
    backups = Backups(context.db, context.clock, context.audit, context.upkeep, offset)
    restores = Restores(
        context.db, context.clock, context.audit, backups, jobs, context.get(CONFIRM),
        lambda: context.sealer.lasting(HEADS_PURPOSE), offset,
    )  # fmt: skip
    for kind in (backups.making, backups.drilling, restores.restoring, restores.dropping):
        jobs.declare(kind)
    watch = Watch(context.db, context.signals)
    service = UpkeepService(
        context.clock, context.upkeep, backups, restores, watch, context.get(HALLS),
        context.get(ALARMS), jobs, context.channels,
    )  # fmt: skip
    context.provide(UPKEEP, service)
    context.job("upkeep", scheduled(context.db, backups, jobs, restores.sweep))
    context.job("upkeep exchange", watch.run)
    caller = Caller(context.db, context.clock, service, context.get(ALARMS))
    context.job("upkeep alarms", calling(caller))
    context.routes(routes(service, backups, restores, jobs))
    context.routes(views_restore.routes(restores, backups))
    context.fill(LOGIN_NOTES, _restored_note(restores))
    context.menu(91, MenuItem("/health", "menu.health", "done"), Permission.OPERATIONS)
    context.menu(92, MenuItem("/backups", "menu.backups", "log"), Permission.OPERATIONS)


def _restored_note(restores: Restores) -> Fragment[None]:
    """Whoever comes back to the login should know why, and as of when the city is."""

    async def note(request: web.Request, _: None) -> Markup:
        row = await restores.latest(request[UOW])
        if row is None:
            return Markup()
        context = {"one": row, "state": restores.shown(row["moment"])}
        return Markup(request.app[PAGES].render_block(request, "restored.html", "note", context))  # noqa: S704 - a template's own

    return note


MODULE = ModuleSpec(
    name="upkeep",
    package="console.modules.upkeep",
    requires=("halls", "alarms", "jobs", "identity"),
    table_prefix="up_",
    setup=setup,
)
