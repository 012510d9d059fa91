"""Today's tickets."""

from console.core.module import ModuleContext, ModuleSpec
from console.modules.statistics.api import STATISTICS
from console.modules.statistics.projector import TicketProjector
from console.modules.statistics.service import StatisticsService


def setup(context: ModuleContext) -> None:
    service = StatisticsService(context.clock, context.utc_offset_minutes)
    context.provide(STATISTICS, service)
    context.projector(TicketProjector())


MODULE = ModuleSpec(
    name="statistics",
    package="console.modules.statistics",
    requires=("halls",),
    table_prefix="stat_",
    setup=setup,
)
