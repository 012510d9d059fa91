"""The hall manager's pages. Every control is a plain form or link; htmx only refreshes parts."""

from aiohttp import web

from hallserver.app.desk import DESK
from hallserver.app.manage import (
    acts,
    announcements,
    backups,
    boards,
    devices,
    door,
    forecast,
    hours,
    kiosk_screens,
    live,
    offers,
    overview,
    pair_window,
    pairing,
    place,
    queues,
    ratings,
    roster,
    rules,
    staff,
    ticket_layouts,
    tickets,
)
from hallserver.app.manage.drafts import DRAFTS, Drafts
from hallserver.app.manage.trials import TRIALS, Trials, stop_trials


def add_manage(app: web.Application) -> None:
    """Routes of all pages under ``/manage``."""
    app[TRIALS] = Trials(app[DESK].hall.store.path, app[DESK].clock)
    app.on_cleanup.append(stop_trials)
    app[DRAFTS] = Drafts()
    for module in (
        door,
        overview,
        devices,
        acts,
        queues,
        forecast,
        tickets,
        ratings,
        rules,
        place,
        hours,
        roster,
        offers,
        boards,
        announcements,
        pair_window,
        pairing,
        staff,
        live,
        ticket_layouts,
        kiosk_screens,
        backups,
    ):
        app.router.add_routes(module.ROUTES)
