"""The inbox (消息): what a citizen was told, and by which ways it may be told."""

from console.core.module import ModuleContext, ModuleSpec
from console.modules.citizens.api import CITIZENS, ME
from console.modules.inbox.views import Inbox, me_part, routes
from console.modules.notifications.api import NOTIFICATIONS


def setup(context: ModuleContext) -> None:
    inbox = Inbox(context.get(CITIZENS), context.get(NOTIFICATIONS))
    context.routes(routes(inbox))
    context.fill(ME, me_part(inbox), order=20)


MODULE = ModuleSpec(
    name="inbox",
    package="console.modules.inbox",
    requires=("citizens", "notifications"),
    table_prefix="",
    setup=setup,
)
