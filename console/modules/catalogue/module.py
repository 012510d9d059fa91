"""The catalogue of service items (事项目录)."""

from functools import partial

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.core.turns import Turn
from console.halls.api import HALLS
from console.modules.calendar.api import CALENDAR
from console.modules.catalogue import repository, views, views_edit
from console.modules.catalogue.api import CATALOGUE, ITEM_SYNC
from console.modules.catalogue.calls import change_call, item_call, search_call
from console.modules.catalogue.events import ITEM_PUBLISHED
from console.modules.catalogue.long_work import TURN_KINDS, publishing, switching, taking
from console.modules.catalogue.references import References
from console.modules.catalogue.service import CatalogueService
from console.modules.catalogue.sync.job import Teller, syncing
from console.modules.catalogue.sync.service import SyncService
from console.modules.catalogue.sync.views import sync_routes
from console.modules.catalogue.sync.wire import HttpSource
from console.modules.catalogue.views_lists import list_routes
from console.modules.catalogue.whole_list import whole_list
from console.modules.jobs.api import JOBS, list_route
from console.modules.organisation.api import ORGANISATION
from qingting.kernel.web import MenuItem


def setup(context: ModuleContext) -> None:
    jobs = context.get(JOBS)
    turn = Turn(
        lock=repository.LOCK,
        who=partial(jobs.under_way, kinds=TURN_KINDS),
        offset=context.utc_offset_minutes,
    )
    service = CatalogueService(
        context.clock,
        context.audit,
        context.get(CALENDAR),
        context.events,
        turn,
        References(context.get(HALLS), context.get(ORGANISATION)),
        context.utc_offset_minutes,
    )
    context.api_events(ITEM_PUBLISHED)
    context.provide(CATALOGUE, service)
    context.api(search_call(service), item_call(service), change_call(service))
    desk = views.Desk(service, context.get(HALLS), context.get(ORGANISATION))
    work = views_edit.LongWork(
        jobs=jobs,
        taking=taking(context.db, service),
        publishing=publishing(context.db, service),
        switching=switching(context.db, service),
    )
    work.jobs.declare(work.taking)
    work.jobs.declare(work.publishing)
    work.jobs.declare(work.switching)
    context.routes([*views.routes(desk), *views_edit.routes(desk, work), *list_routes(service)])
    context.routes([list_route(context, jobs, "/catalogue/items.{kind}", whole_list(service))])
    _sync(context, service, desk)
    context.menu(60, MenuItem("/catalogue", "menu.catalogue", "log"), Permission.LOOK)


def _sync(context: ModuleContext, service: CatalogueService, desk: views.Desk) -> None:
    settings = context.item_system
    source = HttpSource(settings, context.clock) if settings.url else None
    sync = SyncService(
        context.db, context.clock, context.audit, service, source, context.utc_offset_minutes
    )
    context.provide(ITEM_SYNC, sync)
    context.routes(sync_routes(sync, desk))
    if source is not None:
        teller = Teller(context.db, context.clock, sync, context.channels)
        context.job("item sync", syncing(context.signals, sync, teller))


MODULE = ModuleSpec(
    name="catalogue",
    package="console.modules.catalogue",
    requires=("halls", "calendar", "organisation", "jobs"),
    table_prefix="cat_",
    setup=setup,
)
