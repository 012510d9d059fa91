"""Accounts of the city: who may log in, and who may do what where."""

from aiohttp import web

from console.core.module import ModuleContext, ModuleSpec
from console.core.oidc import OidcClient, OidcDoor
from console.core.permissions import Permission
from console.halls.api import HALLS
from console.modules.identity import (
    views_accounts,
    views_factor,
    views_networks,
    views_policy,
    views_roles,
    views_scan,
    views_sessions,
    views_sign_on,
    views_unused,
)
from console.modules.identity.accounts import AccountService
from console.modules.identity.allowlist import AllowList
from console.modules.identity.api import CONFIRM, IDENTITY, LOGIN, LOGIN_NOTES
from console.modules.identity.factor import BOXES, FactorService
from console.modules.identity.policy import PolicyBook
from console.modules.identity.repository import PgSessionStore
from console.modules.identity.scan import ScanService
from console.modules.identity.service import IdentityService
from console.modules.identity.sign_on import SignOnService
from console.modules.identity.views import SessionsIn, routes, who_asks
from console.modules.identity.whole_list import whole_list
from console.modules.jobs.api import JOBS, list_route
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
    halls = context.get(HALLS)
    service = IdentityService(context.clock, context.audit, passwords, store, organisation)
    accounts = AccountService(context.clock, context.audit, passwords, store, organisation, halls)
    factors = FactorService(context.clock, context.audit, context.sealer, store, service)
    sign_on = SignOnService(context.clock, context.audit, context.sealer, service, accounts)
    doors, secure, notes = _doors(context), context.secure_cookies, context.slot(LOGIN_NOTES)
    scan_pages = views_scan.ScanPages(
        ScanService(context.clock, context.audit, service), store, sessions_in,
        public_url=context.sign_on.public_url, secure=secure,
    )  # fmt: skip
    context.keeps_boxes(*BOXES)
    context.provide(IDENTITY, service)
    context.provide(CONFIRM, factors)
    context.routes(routes(service, store, sessions_in, notes, sso=doors is not None))
    context.routes(
        [
            _list(context, accounts),
            *views_unused.routes(accounts, context.utc_offset_minutes),
            *views_accounts.routes(accounts, service, sign_on),
            *views_roles.routes(accounts),
            *views_sessions.routes(accounts),
            *views_factor.routes(factors, store, sessions_in, context.clock),
            *views_policy.routes(service),
            *_sign_on_pages(context, sign_on, store, sessions_in, doors),
            *views_scan.routes(scan_pages),
            *views_networks.routes(AllowList(context.clock, context.audit)),
        ]
    )
    context.menu(
        70,
        MenuItem("/accounts", "menu.accounts", "key", under=("/roles", "/sign-in")),
        Permission.ACCOUNTS,
    )
    open_pages = frozenset({LOGIN, views_scan.SCAN}) | views_sign_on.OPEN
    context.guard(sessions_in(store), who_asks(service, context.guests, COOKIE, open_pages))


def _list(context: ModuleContext, accounts: AccountService) -> web.RouteDef:
    """Before an account, whose address could be this one."""
    whole = whole_list(accounts, context.utc_offset_minutes)
    return list_route(context, context.get(JOBS), "/accounts/list.{kind}", whole)


def _sign_on_pages(
    context: ModuleContext,
    service: SignOnService,
    store: PgSessionStore,
    sessions_in: SessionsIn,
    doors: tuple[OidcDoor, OidcDoor] | None,
) -> list[web.RouteDef]:
    pages = views_sign_on.SignOnPages(
        context.db, service, store, sessions_in, doors, secure=context.secure_cookies
    )
    return views_sign_on.routes(pages)


def _doors(context: ModuleContext) -> tuple[OidcDoor, OidcDoor] | None:
    """For the login and for binding the own account; None without a provider of staff."""
    if not context.sign_on.staff.issuer:
        return None
    client = OidcClient(context.sign_on.staff, context.clock)
    url, secure = context.sign_on.public_url, context.secure_cookies
    return (
        OidcDoor(client, views_sign_on.BACK, cookie="qt_sso", public_url=url, secure=secure),
        OidcDoor(client, views_sign_on.OWN_BACK, cookie="qt_bind", public_url=url, secure=secure),
    )


MODULE = ModuleSpec(
    name="identity",
    package="console.modules.identity",
    requires=("halls", "jobs", "organisation"),
    table_prefix="ident_",
    setup=setup,
    passing=("ident_session", "ident_scan"),
)
