"""Takes a table of any staff page out as a file: what the page shows its reader, masked as it is there, no more.

Lists that need more columns than a page has keep files of their own; data that a page masks leaves in clear through
the module ``privacy`` alone, after another person's consent.
"""

import re
from datetime import datetime, timedelta, timezone

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from console.core.audit import Audit
from console.core.web import PAGES, SUBJECT, UOW
from qingting.kernel.web import LANGUAGE
from qingting.kernel.web.sheets import sheet_response
from qingting.kernel.web.tables import PageTable
from qingting.kernel.web.takeout import taken_out
from qingting.kernel.web.taking import TAKING, wanted_out


def takes_tables_out(audit: Audit, utc_offset_minutes: int) -> Middleware:
    """Stands next to the handler: its page is made as for a reader, with all rows of its lists
    (:class:`console.core.lists.Listing`), then the table is read out of it, marked and written down in the audit.

    Raises ``page.not_found`` when the page has no such table, ``export.too_many`` when a list is too long."""
    zone = timezone(timedelta(minutes=utc_offset_minutes))

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        subject, out = request.get(SUBJECT), wanted_out(request)
        if not out or subject is None or subject.guest:
            return await handler(request)
        found = await taken_out(request, handler, out)
        if not isinstance(found, PageTable):
            return found
        return await _file(request, found, audit, datetime.now(zone))

    return middleware


async def _file(
    request: web.Request, table: PageTable, audit: Audit, now: datetime
) -> web.Response:
    subject, out = request[SUBJECT], request[TAKING]
    caption = " ".join(table.caption.split())
    detail = f"{len(table.rows)} {out} {request.path} {caption}"
    await audit.write(request[UOW], subject, "list.export", detail=detail)
    place = "-".join(one for one in request.path.split("/") if one) or "overview"
    answer = await sheet_response(
        out,
        file=f"{re.sub(r'[^A-Za-z0-9-]', '-', place)[:60]}-{now:%Y%m%d-%H%M}",
        title=caption,
        head=table.head,
        rows=table.rows,
        watermark=request.app[PAGES].text(
            request[LANGUAGE],
            "out.mark",
            caption=caption,
            name=subject.name,
            address=subject.address,
            at=f"{now:%Y-%m-%d %H:%M}",
        ),
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
