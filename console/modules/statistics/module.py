"""Today's tickets."""

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.halls.api import HALLS
from console.modules.statistics.api import STATISTICS
from console.modules.statistics.calls import figure_call, queue_call
from console.modules.statistics.projector import TicketProjector
from console.modules.statistics.service import StatisticsService
from console.modules.statistics.views import routes
from qingting.kernel.web import MenuItem


def setup(context: ModuleContext) -> None:
    service = StatisticsService(context.clock, context.utc_offset_minutes)
    context.provide(STATISTICS, service)
    halls = context.get(HALLS)
    context.api(queue_call(halls, service, context.clock), figure_call(halls, service))
    context.projector(TicketProjector())
    context.routes(routes(service, context.get(HALLS)))
    context.menu(40, MenuItem("/tickets", "menu.tickets", "ticket"), Permission.TICKETS)


MODULE = ModuleSpec(
    name="statistics",
    package="console.modules.statistics",
    requires=("halls",),
    table_prefix="stat_",
    setup=setup,
)
