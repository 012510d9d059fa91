"""Administrators of the city."""

from console.core.module import ModuleContext, ModuleSpec
from console.modules.identity.api import IDENTITY
from console.modules.identity.repository import PgSessionStore
from console.modules.identity.service import IdentityService
from console.modules.identity.views import routes, who_asks
from qingting.kernel.security.passwords import Passwords
from qingting.kernel.web import Sessions

COOKIE = "qt_city"


def setup(context: ModuleContext) -> None:
    store = PgSessionStore(context.db)

    def sessions_in(kept: PgSessionStore) -> Sessions:
        return Sessions(kept, context.clock, cookie=COOKIE, secure=context.secure_cookies)

    service = IdentityService(context.clock, context.audit, Passwords(), store)
    context.provide(IDENTITY, service)
    context.routes(routes(service, store, sessions_in))
    context.guard(sessions_in(store), who_asks(service, context.guests))


MODULE = ModuleSpec(
    name="identity",
    package="console.modules.identity",
    requires=(),
    table_prefix="ident_",
    setup=setup,
)
