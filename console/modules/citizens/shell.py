"""The frame of citizens' pages: name of the city, elder version (长辈版) one tap away; on a phone high contrast, language
and the ways through the pages are in a menu that unfolds."""

from aiohttp import web

from console.core.web import PAGES
from console.modules.citizens.api import Citizen
from qingting.kernel.web import Account, Shell

START = "/c"
LOGIN = f"{START}/login"
ACTING = f"{START}/acting"
CITIZEN = web.RequestKey("citizen", Citizen)
"""Who asks; absent for who is not logged in."""
FRAME = "citizen.html"
LOOK_COOKIE = "qt_look"
LOOKS = ("elder", "contrast")
"""Themes of tokens.css that a reader can switch on."""
A_YEAR = 31_536_000


def looks_of(request: web.Request) -> tuple[str, ...]:
    """The themes that this reader has switched on."""
    chosen = request.cookies.get(LOOK_COOKIE, "").split(".")
    return tuple(one for one in LOOKS if one in chosen)


def remember_looks(response: web.StreamResponse, looks: tuple[str, ...], *, secure: bool) -> None:
    """Keeps the themes in the browser for a year; it says nothing about who looks."""
    response.set_cookie(
        LOOK_COOKIE, ".".join(looks), max_age=A_YEAR, path=START, httponly=True,
        samesite="Lax", secure=secure,
    )  # fmt: skip


class CitizenShell:
    """Makes the frame of a citizen's page."""

    def __init__(self, offset_minutes: int) -> None:
        self._offset = offset_minutes

    def __call__(self, request: web.Request, city: str) -> Shell:
        pages, citizen = request.app[PAGES], request.get(CITIZEN)
        language = pages.language(request)
        account = None
        if citizen is not None:
            firm = citizen.acts_for.name if citizen.acts_for else ""
            account = Account(citizen.masked_name, firm, f"{START}/me", f"{START}/logout")
        return Shell(
            product=pages.text(language, "c.product", city=city),
            place=city,
            home=START,
            login=LOGIN,
            acting=ACTING,
            account=account,
            # Before the consent a part that needs one would lead away from every page.
            bell=f"{START}/messages/count" if citizen is not None and citizen.consented else "",
            offset_minutes=self._offset,
            styles=("citizens.css",),
            scripts=("citizens.js",),
            theme=" ".join(looks_of(request)),
            frame=FRAME,
        )
