"""Accounts of the city: who may log in, and who may do what where."""

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.halls.api import HALLS
from console.modules.identity import views_accounts, views_roles, views_sessions
from console.modules.identity.accounts import AccountService
from console.modules.identity.api import IDENTITY
from console.modules.identity.repository import PgSessionStore
from console.modules.identity.service import IdentityService
from console.modules.identity.views import routes, who_asks
from console.modules.organisation.api import ORGANISATION
from qingting.kernel.security.passwords import Passwords
from qingting.kernel.web import MenuItem, Sessions

COOKIE = "qt_city"


def setup(context: ModuleContext) -> None:
    store = PgSessionStore(context.db)

    def sessions_in(kept: PgSessionStore) -> Sessions:
        return Sessions(kept, context.clock, cookie=COOKIE, secure=context.secure_cookies)

    organisation, passwords = context.get(ORGANISATION), Passwords()
    service = IdentityService(context.clock, context.audit, passwords, store, organisation)
    accounts = AccountService(
        context.clock, context.audit, passwords, store, organisation, context.get(HALLS)
    )
    context.provide(IDENTITY, service)
    context.routes(routes(service, store, sessions_in))
    context.routes(
        [
            *views_accounts.routes(accounts, service),
            *views_roles.routes(accounts),
            *views_sessions.routes(accounts),
        ]
    )
    context.menu(
        70, MenuItem("/accounts", "menu.accounts", "key", under=("/roles",)), Permission.ACCOUNTS
    )
    context.guard(sessions_in(store), who_asks(service, context.guests, COOKIE))


MODULE = ModuleSpec(
    name="identity",
    package="console.modules.identity",
    requires=("halls", "organisation"),
    table_prefix="ident_",
    setup=setup,
)
