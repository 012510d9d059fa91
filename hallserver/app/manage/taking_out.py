"""Takes a table of any of the manager's pages out as a file, or the page on paper: what the page shows, no more.

The page's own handler draws it with all rows of its lists; the table is read out of that. See
:mod:`qingting.kernel.web.taking`.
"""

from datetime import datetime, timedelta, timezone

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from hallserver.app.desk import desk_of, person_of
from hallserver.engine.days import offset_minutes
from qingting.kernel.web import LANGUAGE
from qingting.kernel.web.errors import route_of
from qingting.kernel.web.sheets import sheet_response
from qingting.kernel.web.tables import PageTable
from qingting.kernel.web.takeout import taken_out
from qingting.kernel.web.taking import TAKING, wanted_out

log = structlog.get_logger(__name__)


@web.middleware
async def takes_tables_out(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Stands behind the guard: who is here may see the page. Raises ``page.not_found`` when the page has no such table."""
    out = wanted_out(request)
    if not out or not request.path.startswith("/manage"):
        return await handler(request)
    found = await taken_out(request, handler, out)
    return await _file(request, found) if isinstance(found, PageTable) else found


async def _file(request: web.Request, table: PageTable) -> web.Response:
    desk, staff, out = desk_of(request), person_of(request), request[TAKING]
    caption = " ".join(table.caption.split())
    zone = timezone(timedelta(minutes=offset_minutes(desk.state.config)))
    now = datetime.fromtimestamp(desk.clock.now_ms() / 1000, zone)
    place = "-".join(one for one in request.path.split("/") if one)
    answer = await sheet_response(
        out,
        file=f"{place}-{now:%Y%m%d-%H%M}",
        title=caption,
        head=table.head,
        rows=table.rows,
        watermark=desk.pages.text(
            request[LANGUAGE],
            "out.mark",
            caption=caption,
            name=staff.name,
            address=request.remote or "",
            at=f"{now:%Y-%m-%d %H:%M}",
        ),
    )
    log.info(
        "manage.taken_out", staff=staff.id, route=route_of(request), rows=len(table.rows), out=out
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
