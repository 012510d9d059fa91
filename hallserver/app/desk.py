"""What a request handler of the hall server has at hand."""

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

from hallserver.app.settings import HallSettings
from hallserver.boards.voice import Voice
from hallserver.copies.desk import CopyDesk
from hallserver.engine.state import HallState
from hallserver.engine.views import entries
from hallserver.hall import Hall
from hallserver.hub.accounts import Accounts
from hallserver.hub.hub import Hub
from hallserver.hub.release_shelf import ReleaseShelf
from hallserver.link.city_link import CityLink
from qingting.contract.config import Staff
from qingting.contract.errors import Refusal
from qingting.contract.ids import StaffId
from qingting.contract.views import View
from qingting.kernel.aio.clock import Clock
from qingting.kernel.web import SESSION, Pages, Sessions, WebSession


@dataclass(frozen=True, slots=True)
class Desk:
    """One per server; ``link`` is None for a hall without a city."""

    settings: HallSettings
    clock: Clock
    hall: Hall
    accounts: Accounts
    hub: Hub
    pages: Pages
    sessions: Sessions
    link: CityLink | None
    voice: Voice
    shelf: ReleaseShelf
    copies: CopyDesk
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server goes down, so that streams end."""

    @property
    def state(self) -> HallState:
        return self.hall.state

    def topic(self, name: str) -> dict[str, View]:
        """The entries of a topic as screens see them now."""
        return dict(entries(self.hall.state, name, self.hub.board.ambient()))


DESK = web.AppKey("desk", Desk)


def desk_of(request: web.Request) -> Desk:
    return request.app[DESK]


def person_of(request: web.Request) -> Staff:
    """Who is logged in; raises ``session.expired``."""
    session: WebSession | None = request.get(SESSION)
    staff = desk_of(request).state.staff.get(StaffId(session.subject)) if session else None
    if staff is None:
        raise Refusal("session.expired")
    return staff
