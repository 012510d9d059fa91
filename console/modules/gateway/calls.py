"""The gateway's own calls: the feed of events and an integrator's webhooks."""

from collections.abc import Callable, Collection
from typing import Annotated, Any

import msgspec

from console.core.api import (
    ApiCall,
    ApiEventType,
    ApiOperation,
    Both,
    Cursor,
    Instant,
    Limit,
    NoParams,
    Nothing,
    cursor_of,
    read_cursor,
    said,
)
from console.core.api_scopes import EVENTS_READ, WEBHOOKS
from console.core.outward import LONGEST_URL
from console.core.permissions import Permission
from console.modules.gateway import outbox
from console.modules.gateway.subscriptions import Delivery, Subscription, Subscriptions
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal

ROWS = 100
Name = Annotated[
    str,
    said(
        "订阅的标识", "Id of a webhook", min_length=22, max_length=22, pattern=r"^[A-Za-z0-9_-]+$"
    ),
]
Secret = Annotated[
    str,
    said(
        "签名用的密钥，由您生成并保管，至少 32 个字符；平台加密保存，不再显示",
        "The secret that deliveries are signed with, made and kept by you; stored sealed and never shown",
        min_length=32,
        max_length=128,
        pattern=r"^[!-~]+$",
    ),
]
Url = Annotated[
    str,
    said(
        "推送到的地址，https://",
        "Where events are posted, https://",
        min_length=1,
        max_length=LONGEST_URL,
    ),
]
Kind = Annotated[str, said("事件类型", "Kind of event", max_length=60, pattern=r"^[a-z._]+$")]


class FeedParams(Strict, frozen=True, kw_only=True):
    """A page of events."""

    limit: Limit = ROWS
    cursor: Cursor | None = None


class WebhookParams(Strict, frozen=True, kw_only=True):
    """One webhook."""

    webhook: Name


class DeliveryParams(Strict, frozen=True, kw_only=True):
    """A page of tries."""

    webhook: Name
    limit: Limit = ROWS
    cursor: Cursor | None = None


class NewWebhook(Strict, frozen=True, kw_only=True):
    """A webhook to be made."""

    url: Url
    kinds: Annotated[list[Kind], said("要哪些事件", "Kinds of events", min_length=1, max_length=50)]
    secret: Secret


class NewSecret(Strict, frozen=True, kw_only=True):
    """Another secret; the one before signs along for a day."""

    secret: Secret


class WebhookState(Strict, frozen=True, kw_only=True):
    """Whether deliveries pause."""

    paused: bool


class Again(Strict, frozen=True, kw_only=True):
    """A span of time whose events are posted once more, both ends inclusive."""

    first: Instant
    last: Instant


class ApiEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event; ``data`` is as documented for its kind."""

    id: str
    kind: str
    at: Instant
    hall: Annotated[str, said("发生在哪个大厅，空为全市", "Where it happened, empty: the city")]
    data: dict[str, Any]


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """Events in their order."""

    events: list[ApiEvent]
    cursor: Annotated[
        str,
        said("记住它，下次从这里继续", "Keep it: the next look begins here, also behind the last"),
    ]
    more: Annotated[bool, said("后面还有", "There are more already")]


class ApiWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook."""

    id: str
    url: str
    kinds: list[str]
    paused: bool
    repeating: Annotated[bool, said("正在重发", "Events are being repeated")]
    failures: Annotated[int, said("最近连续失败几次", "Failures in a row")]
    made_at: Instant


class Webhooks(msgspec.Struct, frozen=True, kw_only=True):
    """An integrator's webhooks."""

    webhooks: list[ApiWebhook]


class ApiDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """One try."""

    event: str
    kind: str
    at: Instant
    outcome: Annotated[
        str,
        said(
            "sent 已收到；failed 会重试；dead 不再重试",
            "sent; failed: it comes again; dead: it does not",
        ),
    ]
    reason: str
    repeated: bool


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Tries, the newest first."""

    deliveries: list[ApiDelivery]
    next: str | None


def _webhook(one: Subscription) -> ApiWebhook:
    return ApiWebhook(
        id=one.id,
        url=one.url,
        kinds=list(one.kinds),
        paused=one.paused,
        repeating=one.again,
        failures=one.tries,
        made_at=one.made_at,
    )


def _delivery(one: Delivery) -> ApiDelivery:
    return ApiDelivery(
        event=one.event,
        kind=one.kind,
        at=one.at,
        outcome=one.outcome,
        reason=one.reason,
        repeated=one.again,
    )


def feed_call(
    types: Collection[ApiEventType[Any]],
) -> ApiOperation[FeedParams, None, EventPage]:
    async def run(call: ApiCall[FeedParams, None]) -> EventPage:
        after = read_cursor(call.params.cursor, tuple[int])[0] if call.params.cursor else 0
        kinds = outbox.kinds_of(types, call.scopes)
        scope, limit = call.subject.scope(Permission.LOOK), call.params.limit
        found = await outbox.events(call.uow, scope, kinds, after=after, limit=limit + 1)
        page = found[:limit]
        return EventPage(
            events=[msgspec.convert(one.plain(), ApiEvent) for one in page],
            cursor=cursor_of(page[-1].place if page else after),
            more=len(found) > len(page),
        )

    return ApiOperation(
        name="listEvents",
        method="GET",
        path="/events",
        tag="events",
        scope=EVENTS_READ,
        summary=Both("读取事件", "Read events"),
        purpose=Both(
            "从某处以后的事件，按先后排列，保存 14 天。只有您的权限和数据范围内的事件。",
            "Events behind a cursor in their order, kept for 14 days; those of your scopes and reach alone.",
        ),
        params=FeedParams,
        result=EventPage,
        run=run,
    )


def _make(
    subscriptions: Subscriptions,
    types: Collection[ApiEventType[Any]],
    fits: Callable[[str], bool],
) -> ApiOperation[Any, Any, Any]:
    async def make(call: ApiCall[NoParams, NewWebhook]) -> ApiWebhook:
        asked = call.body
        known = set(outbox.kinds_of(types, call.scopes)) - {outbox.PING}
        for kind in asked.kinds:
            if kind not in known:
                raise Refusal("webhook.kinds", kind=kind)
        if not fits(asked.url):
            raise Refusal("webhook.url")
        made = await subscriptions.make(call.uow, call.client, asked.url, asked.kinds, asked.secret)
        return _webhook(made)

    return ApiOperation(
        name="createWebhook", method="POST", path="/webhooks", tag="webhooks", scope=WEBHOOKS,
        summary=Both("订阅事件推送", "Subscribe a webhook"),
        purpose=Both(
            "从现在起把这些事件推送到您的地址。密钥由您给出，用来核对签名。",
            "Posts these events to your address from now on. You give the secret by which you check signatures.",
        ),
        params=NoParams, body=NewWebhook, result=ApiWebhook, run=make, status=201, once=True,
        errors=("webhook.url", "webhook.kinds", "webhook.many"),
    )  # fmt: skip


def _acts(subscriptions: Subscriptions) -> tuple[ApiOperation[Any, Any, Any], ...]:
    async def state(call: ApiCall[WebhookParams, WebhookState]) -> ApiWebhook:
        name = call.params.webhook
        await subscriptions.set_paused(call.uow, call.client, name, paused=call.body.paused)
        return _webhook(await subscriptions.one(call.uow, call.client, name))

    async def renew(call: ApiCall[WebhookParams, NewSecret]) -> Nothing:
        await subscriptions.renew(call.uow, call.client, call.params.webhook, call.body.secret)
        return Nothing()

    async def again(call: ApiCall[WebhookParams, Again]) -> Nothing:
        await subscriptions.again(
            call.uow, call.client, call.params.webhook, call.body.first, call.body.last
        )
        return Nothing()

    return (
        ApiOperation(
            name="setWebhookState", method="PUT", path="/webhooks/{webhook}/state", tag="webhooks", scope=WEBHOOKS,
            summary=Both("暂停或恢复推送", "Pause or resume"),
            purpose=Both(
                "暂停期间事件留着，恢复后接着推送。", "Events wait while it pauses, and follow afterwards."
            ),
            params=WebhookParams, body=WebhookState, result=ApiWebhook, run=state, errors=("webhook.unknown",),
        ),
        ApiOperation(
            name="renewWebhookSecret", method="PUT", path="/webhooks/{webhook}/secret", tag="webhooks", scope=WEBHOOKS,
            summary=Both("更换签名密钥", "Renew the secret"),
            purpose=Both(
                "换一个签名密钥；旧的再同时签一天。", "Another secret; the one before signs along for a day."
            ),
            params=WebhookParams, body=NewSecret, result=Nothing, run=renew, errors=("webhook.unknown",),
        ),
        ApiOperation(
            name="repeatWebhook", method="POST", path="/webhooks/{webhook}/repeat", tag="webhooks", scope=WEBHOOKS,
            summary=Both("重发一段时间的事件", "Repeat the events of a span"),
            purpose=Both(
                "按原来的顺序重发，先于后面的事件；请求头 X-Qingting-Replay: true。",
                "Posts them in their order once more, before what comes next, with X-Qingting-Replay: true.",
            ),
            params=WebhookParams, body=Again, result=Nothing, run=again, once=True,
            errors=("webhook.unknown", "webhook.nothing"),
        ),
    )  # fmt: skip


def _looks(subscriptions: Subscriptions) -> tuple[ApiOperation[Any, Any, Any], ...]:
    async def listed(call: ApiCall[NoParams, None]) -> Webhooks:
        found = await subscriptions.of(call.uow, call.client)
        return Webhooks(webhooks=[_webhook(one) for one in found])

    async def drop(call: ApiCall[WebhookParams, None]) -> Nothing:
        await subscriptions.drop(call.uow, call.client, call.params.webhook)
        return Nothing()

    async def ping(call: ApiCall[WebhookParams, None]) -> Nothing:
        await subscriptions.ping(call.uow, call.client, call.params.webhook)
        return Nothing()

    async def deliveries(call: ApiCall[DeliveryParams, None]) -> DeliveryPage:
        asked = call.params
        found = await subscriptions.one(call.uow, call.client, asked.webhook)
        before = read_cursor(asked.cursor, tuple[int])[0] if asked.cursor else None
        rows = await subscriptions.deliveries(
            call.uow, found.id, before=before, limit=asked.limit + 1
        )
        page = rows[: asked.limit]
        return DeliveryPage(
            deliveries=[_delivery(one) for one in page],
            next=cursor_of(page[-1].no) if len(rows) > len(page) else None,
        )

    return (
        ApiOperation(
            name="listWebhooks", method="GET", path="/webhooks", tag="webhooks", scope=WEBHOOKS,
            summary=Both("列出自己的订阅", "List webhooks"),
            purpose=Both("自己的推送订阅和状态。", "Your own webhooks and how they stand."),
            params=NoParams, result=Webhooks, run=listed,
        ),
        ApiOperation(
            name="deleteWebhook", method="DELETE", path="/webhooks/{webhook}", tag="webhooks", scope=WEBHOOKS,
            summary=Both("删除订阅", "Delete a webhook"),
            purpose=Both("不再推送，等待中的也不推送。", "Nothing more is posted, nor what waits."),
            params=WebhookParams, result=Nothing, run=drop, errors=("webhook.unknown",),
        ),
        ApiOperation(
            name="pingWebhook", method="POST", path="/webhooks/{webhook}/ping", tag="webhooks", scope=WEBHOOKS,
            summary=Both("试推一条", "Ping a webhook"),
            purpose=Both(
                "推送一条类型为 ping 的事件，用来检查地址和签名。",
                "Posts an event of the kind ping, to try the address and the signature.",
            ),
            params=WebhookParams, result=Nothing, run=ping, once=True, errors=("webhook.unknown",),
        ),
        ApiOperation(
            name="listDeliveries", method="GET", path="/webhooks/{webhook}/deliveries", tag="webhooks", scope=WEBHOOKS,
            summary=Both("推送记录", "Log of deliveries"),
            purpose=Both("每次推送的结果，新的在前，保存 30 天。", "What came of each try, the newest first, kept for 30 days."),
            params=DeliveryParams, result=DeliveryPage, run=deliveries, errors=("webhook.unknown",),
        ),
    )  # fmt: skip


def calls(
    subscriptions: Subscriptions,
    types: Collection[ApiEventType[Any]],
    fits: Callable[[str], bool],
) -> tuple[ApiOperation[Any, Any, Any], ...]:
    """All of them. ``fits``: whether an address may be posted to."""
    return (
        feed_call(types),
        *_looks(subscriptions),
        _make(subscriptions, types, fits),
        *_acts(subscriptions),
    )
