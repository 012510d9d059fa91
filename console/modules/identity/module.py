"""Accounts of the city: who may log in, and who may do what where."""

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.halls.api import HALLS
from console.modules.identity import (
    views_accounts,
    views_factor,
    views_networks,
    views_policy,
    views_roles,
    views_sessions,
)
from console.modules.identity.accounts import AccountService
from console.modules.identity.allowlist import AllowList
from console.modules.identity.api import IDENTITY
from console.modules.identity.factor import FactorService
from console.modules.identity.policy import PolicyBook
from console.modules.identity.repository import PgSessionStore
from console.modules.identity.service import IdentityService
from console.modules.identity.views import routes, who_asks
from console.modules.organisation.api import ORGANISATION
from qingting.kernel.security.passwords import Passwords
from qingting.kernel.web import MenuItem, Sessions

COOKIE = "qt_city"


def setup(context: ModuleContext) -> None:
    book = PolicyBook()
    store = PgSessionStore(context.db, book)

    def sessions_in(kept: PgSessionStore) -> Sessions:
        return Sessions(
            kept, context.clock, cookie=COOKIE, secure=context.secure_cookies, limits=book.limits
        )

    organisation, passwords = context.get(ORGANISATION), Passwords()
    service = IdentityService(context.clock, context.audit, passwords, store, organisation)
    accounts = AccountService(
        context.clock, context.audit, passwords, store, organisation, context.get(HALLS)
    )
    factors = FactorService(context.clock, context.audit, context.sealer, store, service)
    context.provide(IDENTITY, service)
    context.routes(routes(service, store, sessions_in))
    context.routes(
        [
            *views_accounts.routes(accounts, service),
            *views_roles.routes(accounts),
            *views_sessions.routes(accounts),
            *views_factor.routes(factors, store, sessions_in, context.clock),
            *views_policy.routes(service),
            *views_networks.routes(AllowList(context.clock, context.audit)),
        ]
    )
    context.menu(
        70,
        MenuItem("/accounts", "menu.accounts", "key", under=("/roles", "/sign-in")),
        Permission.ACCOUNTS,
    )
    context.guard(sessions_in(store), who_asks(service, context.guests, COOKIE))


MODULE = ModuleSpec(
    name="identity",
    package="console.modules.identity",
    requires=("halls", "organisation"),
    table_prefix="ident_",
    setup=setup,
)
