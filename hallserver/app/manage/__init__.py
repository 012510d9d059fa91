"""The hall manager's pages. Every control is a plain form or link; htmx only refreshes parts."""

from aiohttp import web

from hallserver.app.manage import (
    devices,
    door,
    kiosk_screens,
    live,
    overview,
    pairing,
    queues,
    ratings,
    staff,
    ticket_layouts,
    tickets,
)


def add_manage(app: web.Application) -> None:
    """Routes of all pages under ``/manage``."""
    for module in (
        door,
        overview,
        devices,
        queues,
        tickets,
        ratings,
        pairing,
        staff,
        live,
        ticket_layouts,
        kiosk_screens,
    ):
        app.router.add_routes(module.ROUTES)
