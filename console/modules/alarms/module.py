"""Alarms: what is wrong anywhere, who takes care of it, and who is told."""

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.core.pruning import pruning
from console.halls.api import HALLS
from console.modules.alarms import views, views_receivers, views_rules
from console.modules.alarms.api import ALARMS
from console.modules.alarms.looking import Lookout
from console.modules.alarms.naming import Naming
from console.modules.alarms.outbox import Outbox
from console.modules.alarms.pruning import PRUNE_LOCK, prunes
from console.modules.alarms.receiver_desk import ReceiverService
from console.modules.alarms.service import AlarmService
from console.modules.alarms.watch import delivering, looking
from console.modules.devicepage.api import DEVICE_PAGE
from console.modules.devices.api import DEVICES
from console.modules.identity.api import IDENTITY
from qingting.kernel.web import MenuItem


def setup(context: ModuleContext) -> None:
    halls, devices = context.get(HALLS), context.get(DEVICES)
    service = AlarmService(context.clock, context.audit, halls, devices, context.channels)
    context.provide(ALARMS, service)
    _add_jobs(context)
    desk = views.Desk(
        service=service,
        halls=halls,
        devices=devices,
        identity=context.get(IDENTITY),
        clock=context.clock,
        utc_offset_minutes=context.utc_offset_minutes,
    )
    receivers = ReceiverService(context.clock, context.audit, halls, context.channels)
    context.routes(
        [
            *views.routes(desk),
            *views_rules.routes(desk),
            *views_receivers.routes(desk, receivers),
        ]
    )
    context.fill(DEVICE_PAGE, views.record_part(desk), order=20, live=("alarms",))
    context.bell = "/alarms/bell"
    context.menu(25, MenuItem("/alarms", "menu.alarms", "bell"), Permission.ALARMS)


def _add_jobs(context: ModuleContext) -> None:
    """Looking, telling, forgetting: every worker has all of them."""
    halls, devices = context.get(HALLS), context.get(DEVICES)
    lookout = Lookout(
        context.clock,
        halls,
        devices,
        context.channels,
        context.utc_offset_minutes,
        context.retention,
    )
    outbox = Outbox(
        context.db,
        context.clock,
        Naming(halls, devices),
        context.channels,
        context.utc_offset_minutes,
    )
    context.job("alarms", looking(context.db, context.signals, lookout))
    context.job(
        "alarm pruning",
        pruning(context.db, "alarms", PRUNE_LOCK, prunes(context.clock, context.retention)),
    )
    context.job("alarm notices", delivering(context.signals, outbox))


MODULE = ModuleSpec(
    name="alarms",
    package="console.modules.alarms",
    requires=("halls", "devices", "devicepage", "identity"),
    table_prefix="alarm_",
    setup=setup,
)
