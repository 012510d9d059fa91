"""Receipts that the SMS provider brings by itself (状态报告推送): taken as those that are fetched (docs/integrators/sms.md)."""

import structlog
from aiohttp import web

from console.core.db import Database
from console.core.senders.gateways import SmsSender
from console.core.web import CALLBACKS
from console.modules.notifications.sending import Post

log = structlog.get_logger(__name__)

SMS_REPORTS = f"{CALLBACKS}sms/reports"


def routes(db: Database, post: Post, sender: SmsSender | None) -> list[web.RouteDef]:
    """The address that the provider calls; without one (``sender`` None) nobody is believed."""

    async def reports(request: web.Request) -> web.Response:
        """Answers OK once everything is stored: what it did not hear that of, the provider brings again."""
        body = await request.read()
        if sender is None:
            return web.json_response({"code": "bad_account"})
        refused, found = sender.pushed(request.method, request.path, request.headers, body)
        if refused:
            log.warning("notice.receipts_refused", channel=sender.name, why=refused)
            return web.json_response({"code": refused})
        async with db.write() as uow:
            _ = await post.take_receipts(uow, sender.name, found)
        return web.json_response({"code": "OK"})

    return [web.post(SMS_REPORTS, reports)]
