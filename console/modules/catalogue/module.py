"""The catalogue of service items (事项目录)."""

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.halls.api import HALLS
from console.modules.calendar.api import CALENDAR
from console.modules.catalogue import views, views_edit
from console.modules.catalogue.api import CATALOGUE
from console.modules.catalogue.calls import change_call, item_call, search_call
from console.modules.catalogue.events import ITEM_PUBLISHED
from console.modules.catalogue.service import CatalogueService
from qingting.kernel.web import MenuItem


def setup(context: ModuleContext) -> None:
    service = CatalogueService(
        context.clock,
        context.audit,
        context.get(CALENDAR),
        context.events,
        context.utc_offset_minutes,
    )
    context.api_events(ITEM_PUBLISHED)
    context.provide(CATALOGUE, service)
    context.api(search_call(service), item_call(service), change_call(service))
    desk = views.Desk(service, context.get(HALLS))
    context.routes([*views.routes(desk), *views_edit.routes(desk)])
    context.menu(60, MenuItem("/catalogue", "menu.catalogue", "log"), Permission.LOOK)


MODULE = ModuleSpec(
    name="catalogue",
    package="console.modules.catalogue",
    requires=("halls", "calendar"),
    table_prefix="cat_",
    setup=setup,
)
