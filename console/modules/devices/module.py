"""Devices of all halls."""

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.core.pruning import pruning
from console.halls.api import HALLS
from console.modules.devices.api import DEVICES
from console.modules.devices.calls import device_call
from console.modules.devices.projector import DeviceProjector
from console.modules.devices.pruning import PRUNE_LOCK, prunes
from console.modules.devices.service import DeviceService
from console.modules.devices.views import routes
from qingting.kernel.web import MenuItem


def setup(context: ModuleContext) -> None:
    service = DeviceService(context.get(HALLS))
    context.provide(DEVICES, service)
    context.api(device_call(context.get(HALLS), service))
    context.projector(DeviceProjector())
    context.job(
        "device pruning",
        pruning(context.db, "devices", PRUNE_LOCK, prunes(context.clock, context.retention)),
    )
    context.routes(routes(service, context.get(HALLS), context.audit, context.utc_offset_minutes))
    context.menu(30, MenuItem("/devices", "menu.devices", "device"), Permission.LOOK)


MODULE = ModuleSpec(
    name="devices",
    package="console.modules.devices",
    requires=("halls",),
    table_prefix="dev_",
    setup=setup,
)
