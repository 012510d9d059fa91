"""Notifications (消息通知): what citizens are told, by which ways, and what became of it."""

from console.core.module import ModuleContext, ModuleSpec
from console.modules.notifications.api import NOTIFICATIONS
from console.modules.notifications.service import NotificationService


def setup(context: ModuleContext) -> None:
    service = NotificationService(context.clock, context.utc_offset_minutes)
    context.provide(NOTIFICATIONS, service)


MODULE = ModuleSpec(
    name="notifications",
    package="console.modules.notifications",
    requires=(),
    table_prefix="note_",
    setup=setup,
)
