"""The gateway (开放接口): what other systems may call, and what they are told. It stands last in the list of modules,
so that it finds what all of them declared."""

from aiohttp import web

from console.core.api import BASE
from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.halls.api import HALLS
from console.modules.gateway import docs, oauth
from console.modules.gateway.api import GATEWAY
from console.modules.gateway.docs import docs_route
from console.modules.gateway.document import Source, source_of, written
from console.modules.gateway.gate import Gate, unknown_call
from console.modules.gateway.service import IntegratorService
from console.modules.gateway.views import routes
from console.modules.identity.api import IDENTITY
from console.modules.organisation.api import ORGANISATION
from qingting.kernel.web import MenuItem

DOCUMENT = f"{BASE}/openapi.json"


def setup(context: ModuleContext) -> None:
    identity = context.get(IDENTITY)
    source = source_of(context.calls, context.events.types)
    gate = Gate(context.db, context.clock, identity, source.scopes, context.utc_offset_minutes)
    service = IntegratorService(
        context.clock, context.audit, identity, context.get(ORGANISATION), source.scopes
    )
    context.provide(GATEWAY, service)
    context.routes(_calls(context, gate, source))
    context.routes(routes(service, context.get(HALLS)))
    context.menu(71, MenuItem("/integrators", "menu.integrators", "link"), Permission.INTEGRATORS)


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
        docs_route(source),
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
    requires=("halls", "identity", "organisation"),
    table_prefix="gate_",
    setup=setup,
)
