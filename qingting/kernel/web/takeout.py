"""What a request takes out of a page (:mod:`qingting.kernel.web.taking`): the page itself on paper, or one of its tables."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler

from qingting.contract.errors import Refusal
from qingting.kernel.web.pages import LaterPage
from qingting.kernel.web.tables import PageTable, table_of
from qingting.kernel.web.taking import TAKING


async def taken_out(
    request: web.Request, handler: Handler, out: str
) -> web.StreamResponse | PageTable:
    """The page's own handler draws it with all rows of its lists; the table that the request names is read out of that.
    A page on paper, and one that is no answer but a refusal, is given as it is. Raises ``page.not_found`` when there is
    no such table."""
    request[TAKING] = out
    page = await handler(request)
    if isinstance(page, LaterPage):
        await page.make()
    if out == "paper" or page.status != 200:
        return page
    if not isinstance(page, web.Response) or page.content_type != "text/html":
        raise Refusal("page.not_found")
    table = await asyncio.to_thread(table_of, page.text or "", request.query.get("table", ""))
    if table is None:
        raise Refusal("page.not_found")
    return table
