"""Citizens' side of the city: pages below ``/c`` with sessions of their own."""

from collections.abc import Callable

from aiohttp.typedefs import Middleware

from console.core.module import ModuleContext, ModuleSpec, Side
from console.core.oidc import OidcClient, OidcDoor
from console.core.pruning import pruning
from console.core.senders.alipay import AlipaySender
from console.core.senders.alipay_client import AlipayClient
from console.halls.api import HALLS
from console.modules.appointments.api import APPOINTMENTS
from console.modules.calendar.api import CALENDAR
from console.modules.catalogue.api import CATALOGUE
from console.modules.citizens import (
    views_book,
    views_bookings,
    views_halls,
    views_login,
    views_me,
    views_public,
    views_reach,
    views_requests,
)
from console.modules.citizens.api import CITIZENS, ME
from console.modules.citizens.board import Board
from console.modules.citizens.boxes import BOXES
from console.modules.citizens.contact import TOPICS, Contact
from console.modules.citizens.door import LOGIN, who_comes
from console.modules.citizens.limits import Limiter, PgMeasures, limited
from console.modules.citizens.personal import CitizenData
from console.modules.citizens.pruning import PRUNE_LOCK, prunes
from console.modules.citizens.reach import Reachable
from console.modules.citizens.service import CitizenService
from console.modules.citizens.sessions import COOKIE, CitizenSessions
from console.modules.citizens.shell import START, CitizenShell
from console.modules.notifications.api import NOTIFICATIONS
from console.modules.organisation.api import ORGANISATION
from console.modules.privacy.api import PRIVACY
from console.modules.statistics.api import STATISTICS
from qingting.kernel.web import Sessions

ATTEMPT_COOKIE = "qt_citizen_attempt"


def setup(context: ModuleContext) -> None:
    store, notifications = CitizenSessions(context.db), context.get(NOTIFICATIONS)
    reachable = Reachable(context.clock, context.sealer, _alipay(context))
    service = CitizenService(context, store, notifications, reachable, context.get(APPOINTMENTS))
    notifications.declare(TOPICS)
    notifications.reached_by(service)
    context.provide(CITIZENS, service)

    def sessions_in(kept: CitizenSessions) -> Sessions:
        return Sessions(
            kept,
            context.clock,
            cookie=COOKIE,
            path=START,
            secure=context.secure_cookies,
            same_site="Lax",
        )

    _add_pages(context, service, store, reachable, sessions_in)
    context.keeps_boxes(*BOXES)
    old = prunes(context.clock)
    context.job("citizen pruning", pruning(context.db, "citizens", PRUNE_LOCK, old))
    context.holds(CitizenData(service, context.get(APPOINTMENTS)))
    context.side(
        Side(
            start=START,
            front=(_front(context),),
            sessions=sessions_in(store),
            guards=(who_comes(service),),
            shell=CitizenShell(context.utc_offset_minutes),
        )
    )


def _add_pages(
    context: ModuleContext,
    service: CitizenService,
    store: CitizenSessions,
    reachable: Reachable,
    sessions_in: Callable[[CitizenSessions], Sessions],
) -> None:
    board, appointments = _board(context), context.get(APPOINTMENTS)
    notifications, privacy = context.get(NOTIFICATIONS), context.get(PRIVACY)
    contact = Contact(context.clock, service, notifications, context.personal, privacy)
    appointments.use_people(service)
    book = views_book.BookDesk(service, appointments, context.get(CATALOGUE), board)
    desk = views_public.PublicDesk(
        context.get(CATALOGUE), appointments, board, context.secure_cookies
    )
    me = views_me.MePages(
        views_me.MeDesk(service, contact, reachable, store, context.slot(ME), appointments)
    )
    context.routes(
        [
            *views_public.routes(desk),
            *views_halls.routes(desk, context.citizens.map_url),
            *views_login.routes(
                views_login.LoginDesk(service, store, sessions_in, _door(context), reachable)
            ),
            *views_requests.routes(views_requests.RequestDesk(service, privacy)),
            *views_reach.routes(
                views_reach.ReachDesk(
                    service,
                    me,
                    reachable,
                    context.sign_on.public_url,
                    context.secure_cookies,
                )
            ),
            # Below the longer addresses: theirs are named by a channel.
            *views_me.routes(me),
            *views_book.routes(book),
            *views_bookings.routes(views_bookings.BookingsDesk(book, context.clock)),
        ]
    )


def _alipay(context: ModuleContext) -> AlipayClient | None:
    """The client by which the city tells citizens at Alipay."""
    senders = (one for one in context.senders if isinstance(one, AlipaySender))
    return next((one.client for one in senders), None)


def _board(context: ModuleContext) -> Board:
    return Board(
        context.clock,
        context.utc_offset_minutes,
        context.get(HALLS),
        context.get(CALENDAR),
        context.get(STATISTICS),
        context.get(ORGANISATION),
    )


def _front(context: ModuleContext) -> Middleware:
    options, clock = context.citizens, context.clock
    measures = PgMeasures(context.db, clock, context.sealer.blind_index)
    return limited(
        Limiter(clock, measures, "address", options.address_per_minute),
        Limiter(clock, measures, "browser", options.browser_per_minute),
        COOKIE,
    )


def _door(context: ModuleContext) -> OidcDoor | None:
    """The way to the sign-on; None where none is set up."""
    provider = context.sign_on.citizens
    if not provider.issuer:
        return None
    return OidcDoor(
        OidcClient(provider, context.clock),
        f"{LOGIN}/back",
        cookie=ATTEMPT_COOKIE,
        public_url=context.sign_on.public_url,
        secure=context.secure_cookies,
    )


MODULE = ModuleSpec(
    name="citizens",
    package="console.modules.citizens",
    requires=(
        "appointments",
        "halls",
        "calendar",
        "catalogue",
        "notifications",
        "organisation",
        "privacy",
        "statistics",
    ),
    table_prefix="cit_",
    setup=setup,
    passing=("cit_session",),
)
