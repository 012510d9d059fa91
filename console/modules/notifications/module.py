"""Notifications (消息通知): what citizens are told, by which ways, and what became of it."""

from console.core.delivering import Waker, work_when_woken
from console.core.module import ModuleContext, ModuleSpec
from console.modules.notifications.api import NOTIFICATIONS
from console.modules.notifications.receiving import Receiving
from console.modules.notifications.sending import Post
from console.modules.notifications.service import CHANGED, NotificationService


def setup(context: ModuleContext) -> None:
    service = NotificationService(context.clock, context.utc_offset_minutes)
    context.provide(NOTIFICATIONS, service)
    _add_jobs(context, service)


def _add_jobs(context: ModuleContext, service: NotificationService) -> None:
    """Every worker sends and fetches receipts."""
    senders = {one.name: one for one in context.senders}
    post = Post(context.db, service, senders, context.site_url)
    waker = Waker(context.signals, frozenset({CHANGED}))

    async def send() -> None:
        await work_when_woken(waker, post.work)

    context.job("notifications", send)
    if senders:
        context.job("notification receipts", Receiving(context.db, post, senders).job())


MODULE = ModuleSpec(
    name="notifications",
    package="console.modules.notifications",
    requires=(),
    table_prefix="note_",
    setup=setup,
)
