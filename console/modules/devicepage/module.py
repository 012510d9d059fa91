"""The page of one device."""

from console.core.module import ModuleContext, ModuleSpec
from console.core.pruning import pruning
from console.halls.api import HALLS
from console.modules.devicepage.api import DEVICE_ACTS, DEVICE_PAGE, MODELS
from console.modules.devicepage.projector import TimelineProjector
from console.modules.devicepage.pruning import PRUNE_LOCK, prunes
from console.modules.devicepage.service import DevicePageService
from console.modules.devicepage.views import routes
from console.modules.devices.api import DEVICES


def setup(context: ModuleContext) -> None:
    service = DevicePageService(
        context.clock, context.audit, context.get(DEVICES), context.utc_offset_minutes
    )
    context.provide(MODELS, service)
    context.projector(TimelineProjector())
    context.job(
        "timeline pruning",
        pruning(context.db, "timelines", PRUNE_LOCK, prunes(context.clock, context.retention)),
    )
    live, acts = context.slot(DEVICE_PAGE), context.slot(DEVICE_ACTS)
    context.routes(routes(service, context.get(HALLS), live, acts))


MODULE = ModuleSpec(
    name="devicepage",
    package="console.modules.devicepage",
    requires=("halls", "devices"),
    table_prefix="page_",
    setup=setup,
)
