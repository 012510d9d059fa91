"""Citizens' side of the city: pages below ``/c`` with sessions of their own."""

from console.core.module import ModuleContext, ModuleSpec, Side
from console.halls.api import HALLS
from console.modules.calendar.api import CALENDAR
from console.modules.catalogue.api import CATALOGUE
from console.modules.citizens import views_halls, views_public
from console.modules.citizens.board import Board
from console.modules.citizens.limits import Limiter, limited
from console.modules.citizens.sessions import COOKIE, CitizenSessions
from console.modules.citizens.shell import START, CitizenShell
from console.modules.organisation.api import ORGANISATION
from console.modules.statistics.api import STATISTICS
from qingting.kernel.web import Sessions


def setup(context: ModuleContext) -> None:
    options, clock = context.citizens, context.clock
    store = CitizenSessions(context.db)
    sessions = Sessions(
        store,
        clock,
        cookie=COOKIE,
        path=START,
        secure=context.secure_cookies,
        same_site="Lax",
    )
    board = Board(
        clock,
        context.utc_offset_minutes,
        context.get(HALLS),
        context.get(CALENDAR),
        context.get(STATISTICS),
        context.get(ORGANISATION),
    )
    desk = views_public.PublicDesk(context.get(CATALOGUE), board, context.secure_cookies)
    context.routes([*views_public.routes(desk), *views_halls.routes(desk, options.map_url)])
    front = limited(
        Limiter(clock, options.address_per_minute),
        Limiter(clock, options.browser_per_minute),
        COOKIE,
    )
    context.side(
        Side(
            start=START,
            front=(front,),
            sessions=sessions,
            guards=(),
            shell=CitizenShell(context.utc_offset_minutes),
        )
    )


MODULE = ModuleSpec(
    name="citizens",
    package="console.modules.citizens",
    requires=("halls", "calendar", "catalogue", "organisation", "statistics"),
    table_prefix="cit_",
    setup=setup,
)
