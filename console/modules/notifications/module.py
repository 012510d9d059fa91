"""Notifications (消息通知): what citizens are told, by which ways, and what became of it."""

from console.core.delivering import Waker, work_when_woken
from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.core.pruning import pruning
from console.core.senders.gateways import SmsSender
from console.halls.api import HALLS
from console.modules.jobs.api import JOBS, list_route
from console.modules.notifications import callback, parking, views, views_edit, views_parked
from console.modules.notifications.ahead import TOPICS, Watcher
from console.modules.notifications.api import NOTIFICATIONS
from console.modules.notifications.desk import NoticeDesk
from console.modules.notifications.pruning import PRUNE_LOCK, prunes
from console.modules.notifications.receiving import Receiving
from console.modules.notifications.sending import Post
from console.modules.notifications.service import CHANGED, NotificationService
from console.modules.notifications.topics import Channel
from console.modules.notifications.whole_list import whole_list
from console.modules.statistics.api import STATISTICS
from qingting.kernel.web import MenuItem


def setup(context: ModuleContext) -> None:
    service = NotificationService(context.clock, context.utc_offset_minutes)
    context.provide(NOTIFICATIONS, service)
    service.declare(TOPICS)
    senders = {one.name: one for one in context.senders}
    post = Post(context.db, service, senders, context.site_url)
    _add_jobs(context, service, post)
    service.ready = frozenset(Channel(name) for name in senders)
    pages = views.Pages(NoticeDesk(service, context.audit, senders), context.get(HALLS))
    # The editing pages first: theirs are the longer addresses.
    context.routes(
        [
            *views_edit.routes(pages),
            *views_edit.channel_routes(pages),
            *views_parked.routes(pages),
            *views.routes(pages),
        ]
    )
    path, jobs = "/notifications.{kind}", context.get(JOBS)
    context.routes([list_route(context, jobs, path, whole_list(pages))])
    sms = senders.get("sms")
    context.routes(callback.routes(context.db, post, sms if isinstance(sms, SmsSender) else None))
    line = MenuItem("/notifications", "menu.notifications", "voice")
    context.menu(55, line, Permission.NOTIFICATIONS)


def _add_jobs(context: ModuleContext, service: NotificationService, post: Post) -> None:
    """Every worker sends and fetches receipts."""
    senders = {one.name: one for one in context.senders}
    waker = Waker(context.signals, frozenset({CHANGED}))

    async def send() -> None:
        await work_when_woken(waker, post.work)

    watcher = Watcher(context.db, service, context.get(HALLS), context.get(STATISTICS))
    tickets = Waker(context.signals, frozenset({"tickets"}))

    async def watch() -> None:
        await work_when_woken(tickets, watcher.look)

    keep = context.retention.keep_messages_days
    old = prunes(context.clock, keep, service.topics)
    forget = pruning(context.db, "messages", PRUNE_LOCK, old)
    context.job("notifications", send)
    context.job("notification pruning", forget)
    context.job("few before you", watch)
    if senders:
        context.job("notification receipts", Receiving(context.db, post, senders).job())


MODULE = ModuleSpec(
    name="notifications",
    package="console.modules.notifications",
    requires=("halls", "jobs", "statistics"),
    table_prefix="note_",
    setup=setup,
    restored=parking.RESTORED,
)
