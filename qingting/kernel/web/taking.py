"""Tables of a page that are taken out: as a file for a spreadsheet, or as the page on paper.

``?out=xlsx&table=<key>`` asks for one table as a file, ``?out=paper`` for the page without menu and controls, all
rows of its lists. A server that can do so sets :attr:`qingting.kernel.web.pages.Shell.takes_out` and puts
:data:`TAKING` on such a request before the handler sees it.
"""

from typing import Literal
from urllib.parse import urlencode
from zlib import crc32

from aiohttp import web

Out = Literal["xlsx", "csv", "paper"]
TAKING = web.RequestKey("taking", str)
"""What the request asks for (:data:`Out`); absent on a usual page."""
_NOT_KEPT = ("out", "table", "page", "done")


def wanted_out(request: web.Request) -> str:
    """What ``?out=`` asks for; empty for a usual page. A preview of what was brought may be taken out as well: it
    changes nothing."""
    out = request.query.get("out", "")
    shows = request.method == "GET" or request.path.endswith("/preview")
    return out if shows and out in ("xlsx", "csv", "paper") else ""


def table_key(caption: str) -> str:
    """By which a table is found again on its page. The second half changes with figures in the caption, which may
    have changed since the page was shown."""
    plain = "".join(one for one in caption if not one.isdecimal())
    return f"{crc32(plain.encode()):08x}.{crc32(caption.encode()):08x}"


def out_url(request: web.Request, out: str, key: str = "") -> str:
    """The same page, filtered and ordered as it is, taken out; empty ``out`` leads back to it."""
    kept = [(name, value) for name, value in request.query.items() if name not in _NOT_KEPT]
    asked = [("out", out)] if out else []
    query = urlencode([*kept, *asked, *([("table", key)] if key else [])])
    return f"{request.path}?{query}" if query else request.path


def page_number(request: web.Request) -> int:
    """``?page=``, counted from 1; anything else is 1."""
    text = request.query.get("page", "1")
    return max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1
