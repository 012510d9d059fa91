"""Overview, halls and the wall screen: pages over the other modules' interfaces."""

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.halls.api import HALLS
from console.modules.alarms.api import ALARMS
from console.modules.devicepage.api import MODELS
from console.modules.devices.api import DEVICES
from console.modules.evaluation.api import EVALUATION
from console.modules.overview.service import OverviewService
from console.modules.overview.views import routes
from console.modules.statistics.api import STATISTICS
from qingting.kernel.web import MenuItem


def setup(context: ModuleContext) -> None:
    halls = context.get(HALLS)
    service = OverviewService(
        context.clock,
        halls,
        context.get(DEVICES),
        context.get(STATISTICS),
        context.get(EVALUATION),
        context.get(MODELS),
        context.get(ALARMS),
    )
    context.routes(routes(service, halls, context.home))
    context.menu(10, MenuItem("/", "menu.overview", "overview"), Permission.LOOK)
    context.menu(20, MenuItem("/halls", "menu.halls", "hall"), Permission.LOOK)


MODULE = ModuleSpec(
    name="overview",
    package="console.modules.overview",
    requires=("halls", "devices", "devicepage", "alarms", "statistics", "evaluation"),
    table_prefix="",
    setup=setup,
)
