"""Who took something out, and when: on every sheet."""

from datetime import datetime, timezone

from aiohttp import web

from console.core.web import PAGES, SUBJECT
from qingting.kernel.web import LANGUAGE


def watermark(request: web.Request, zone: timezone) -> str:
    """The line above a list that leaves the system: account, address and minute."""
    subject = request[SUBJECT]
    return request.app[PAGES].text(
        request[LANGUAGE],
        "mark.line",
        name=subject.name,
        address=subject.address,
        at=f"{datetime.now(zone):%Y-%m-%d %H:%M}",
    )
