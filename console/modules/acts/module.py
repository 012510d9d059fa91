"""Remote hands (远程处置) at the devices of all halls."""

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.halls.api import HALLS
from console.modules.acts.api import ACTS
from console.modules.acts.projector import ActProjector
from console.modules.acts.service import ActService
from console.modules.acts.views import fragments, routes
from console.modules.devicepage.api import DEVICE_ACTS, DEVICE_PAGE
from console.modules.devices.api import DEVICES
from qingting.kernel.web import MenuItem


def setup(context: ModuleContext) -> None:
    service = ActService(context.clock, context.audit, context.get(HALLS), context.get(DEVICES))
    context.provide(ACTS, service)
    context.projector(ActProjector())
    context.routes(routes(service, context.get(DEVICES)))
    buttons, latest = fragments(service)
    context.fill(DEVICE_ACTS, buttons, order=30)
    context.fill(DEVICE_PAGE, latest, order=40, live=("acts",))
    context.menu(35, MenuItem("/acts", "menu.acts", "log"), Permission.LOOK)
    context.menu(36, MenuItem("/profiles", "menu.profiles", "device"), Permission.HANDS)


MODULE = ModuleSpec(
    name="acts",
    package="console.modules.acts",
    requires=("halls", "devices", "devicepage"),
    table_prefix="act_",
    setup=setup,
)
