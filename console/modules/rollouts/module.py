"""Staged updates (分批更新) of the screens' programs and of device models."""

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.halls.api import HALLS
from console.modules.acts.api import ACTS
from console.modules.alarms.api import ALARMS
from console.modules.devices.api import DEVICES
from console.modules.rollouts.job import advancing
from console.modules.rollouts.projector import ShelfProjector
from console.modules.rollouts.service import ROLLOUTS, RolloutService
from console.modules.rollouts.sights import Looker
from console.modules.rollouts.views import routes
from qingting.kernel.web import MenuItem


def setup(context: ModuleContext) -> None:
    halls, devices, acts = context.get(HALLS), context.get(DEVICES), context.get(ACTS)
    looker = Looker(devices, acts, context.get(ALARMS))
    service = RolloutService(context.clock, context.audit, halls, devices, acts, looker)
    context.provide(ROLLOUTS, service)
    context.projector(ShelfProjector())
    context.job("rollouts", advancing(context.db, context.signals, service))
    context.routes(routes(service, halls, devices, acts))
    context.menu(
        37, MenuItem("/releases", "menu.releases", "pair", under=("/rollouts",)), Permission.LOOK
    )


MODULE = ModuleSpec(
    name="rollouts",
    package="console.modules.rollouts",
    requires=("halls", "devices", "acts", "alarms"),
    table_prefix="roll_",
    setup=setup,
)
