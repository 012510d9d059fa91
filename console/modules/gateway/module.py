"""The gateway (开放接口): what other systems may call, and what they are told. It stands last in the list of modules,
so that it finds what all of them declared."""

import sqlalchemy as sa
from aiohttp import web

from console.core.api import BASE, ApiEventType, Both, Nothing
from console.core.api_scopes import WEBHOOKS
from console.core.module import ModuleContext, ModuleSpec
from console.core.outward import url_fits
from console.core.permissions import Permission
from console.core.personal import SealedColumn
from console.core.pruning import pruning
from console.halls.api import HALLS
from console.modules.appointments.api import APPOINTMENTS
from console.modules.citizens.api import CITIZENS
from console.modules.gateway import calls, docs, models, oauth, outbox, views
from console.modules.gateway.api import GATEWAY
from console.modules.gateway.bookings import booking_calls
from console.modules.gateway.courier import Courier, delivering
from console.modules.gateway.document import Source, source_of, written
from console.modules.gateway.gate import Gate, unknown_call
from console.modules.gateway.halls import HALL_CLOSED, HALL_OPENED, HallDayProjector
from console.modules.gateway.pruning import PRUNE_LOCK, prunes
from console.modules.gateway.service import IntegratorService
from console.modules.gateway.subscriptions import Subscriptions, sealed_in
from console.modules.identity.api import IDENTITY
from console.modules.organisation.api import ORGANISATION
from qingting.kernel.web import MenuItem

DOCUMENT = f"{BASE}/openapi.json"
PING = ApiEventType(
    kind=outbox.PING,
    payload=Nothing,
    scope=WEBHOOKS,
    summary=Both("试推", "Ping"),
    purpose=Both(
        "您要求试推时来一条，只到那一个订阅。",
        "Comes when you ask for it, to that one webhook alone.",
    ),
)


def setup(context: ModuleContext) -> None:
    subscriptions = _events(context)
    identity = context.get(IDENTITY)
    source = source_of(context.calls, context.events.types)
    gate = Gate(context.db, context.clock, identity, source.scopes, context.utc_offset_minutes)
    service = IntegratorService(
        context.clock,
        context.audit,
        identity,
        context.get(ORGANISATION),
        source.scopes,
        subscriptions,
    )
    context.provide(GATEWAY, service)
    context.routes(_calls(context, gate, source))
    context.routes(views.routes(service, context.get(HALLS)))
    context.menu(71, MenuItem("/integrators", "menu.integrators", "link"), Permission.INTEGRATORS)
    courier = Courier(
        context.db,
        context.clock,
        identity,
        subscriptions,
        context.events.types,
        context.outward,
    )
    context.job("webhooks", delivering(context.signals, courier))
    context.job(
        "gateway pruning", pruning(context.db, "gateway", PRUNE_LOCK, prunes(context.clock))
    )


def _events(context: ModuleContext) -> Subscriptions:
    """The outbox under what modules tell, and the calls about it."""
    events = outbox.Outbox(context.clock)
    context.events.sink = events
    context.api_events(HALL_OPENED, HALL_CLOSED, PING)
    context.projector(HallDayProjector(context.clock, context.events))
    subscriptions = Subscriptions(context.clock, context.sealer, events)
    columns: tuple[sa.Column[str], ...] = (
        models.subscription.c.secret,
        models.subscription.c.old_secret,
    )
    context.keeps_boxes(*(SealedColumn(one, lambda row: sealed_in(row["id"])) for one in columns))
    networks = context.outward.networks
    context.api(
        *calls.calls(
            subscriptions, context.events.types.values(), lambda url: url_fits(url, networks)
        )
    )
    context.api(
        *booking_calls(context.get(HALLS), context.get(APPOINTMENTS), context.get(CITIZENS))
    )
    return subscriptions


def _calls(context: ModuleContext, gate: Gate, source: Source) -> list[web.AbstractRouteDef]:
    """Routes of all calls, the document, and the answer to whatever is none."""
    tokens = oauth.TokenDesk(context.db, context.clock)
    text = written(source)

    async def document(request: web.Request) -> web.Response:
        return web.Response(
            body=text, content_type="application/json", headers={"Cache-Control": "no-cache"}
        )

    found: list[web.AbstractRouteDef] = [
        web.get(DOCUMENT, document),
        web.post(BASE + oauth.PATH, tokens.handle),
        docs.docs_route(source),
    ]
    taken: dict[str, set[str]] = {
        DOCUMENT: {"GET"},
        BASE + oauth.PATH: {"POST"},
        docs.PATH: {"GET"},
    }
    for one in source.operations:
        found.append(web.route(one.method, BASE + one.path, gate.handler(one)))
        taken.setdefault(BASE + one.path, set()).add(one.method)
    return [*found, web.route("*", BASE + "/{call:.*}", unknown_call(taken))]


MODULE = ModuleSpec(
    name="gateway",
    package="console.modules.gateway",
    requires=("halls", "identity", "organisation", "appointments", "citizens"),
    table_prefix="gate_",
    setup=setup,
    passing=("gate_token",),
)
