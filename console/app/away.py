"""The page that everybody gets while the city's database is exchanged: calm, honest about how far it is, and it comes back
by itself."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from console.app.modules import PAGE_PACKAGES
from console.app.settings import ConsoleSettings
from console.core.api import BASE
from console.core.exchange import Phase
from console.core.web import CALLBACKS
from console.modules.citizens.shell import LOGIN as CITIZENS_LOGIN
from console.modules.gateway.problem import answer as refused
from console.modules.gateway.problem import language_of
from console.modules.identity.api import LOGIN
from qingting.contract.errors import Refusal
from qingting.contract.states import Language
from qingting.kernel.aio.clock import Clock
from qingting.kernel.web import (
    Assets,
    Pages,
    Shell,
    Unsent,
    is_htmx,
    security_headers,
    wants_json,
)
from qingting.kernel.web.csrf import HEADER, same_origin
from qingting.kernel.web.unsent import SAFE
from qingting.kernel.web.unsent_page import unsent_answer

AGAIN_SECONDS = "2"
WATCHED = ("/jobs/", "/backups")
"""Here somebody waits for the restore: they are led to :data:`RESTORED`, as the job they watched is one of the city before.
Elsewhere somebody may be in the middle of typing, which a new page would take away."""
RESTORED = "/backups"
CITIZENS = "/c"
"""Below it citizens come, who are told what concerns them: what a database is does not."""
NO_PAGES = ("/healthz", "/metrics", "/link", CALLBACKS)
_STATIC = Path(__file__).parent / "static"


@dataclass
class Waiting:
    """How far the exchange is: ``count`` connections are waited for."""

    phase: Phase = Phase.CLOSING
    count: int = 0

    def say(self, phase: Phase, count: int) -> None:
        self.phase, self.count = phase, count


def create_away(settings: ConsoleSettings, clock: Clock, waiting: Waiting) -> web.Application:
    """Answers everything with 503. Reads templates and assets: call it off the loop."""

    def shell(request: web.Request) -> Shell:
        language = pages.language(request)
        city = settings.place if language is Language.ZH else settings.place_en
        if _for_citizen(request):
            product, place = pages.text(language, "c.product", city=city.strip()), ""
        else:
            product = pages.text(language, "product")
            place = f"{city}{pages.text(language, 'place')}"
        return Shell(
            product=product,
            place=place,
            offset_minutes=settings.utc_offset_minutes,
            styles=("city.css",),
            # No way from here, but pages with a login tell this server where a form comes from.
            login=CITIZENS_LOGIN if _for_citizen(request) else LOGIN,
        )

    pages = Pages(PAGE_PACKAGES, shell, now_ms=clock.now_ms)
    app = web.Application(middlewares=[security_headers(), pages.language_middleware])
    pages.install(app, Assets.collect([_STATIC]))

    async def away(request: web.Request) -> web.Response:
        answer = await _kept(pages, request) or _answer(pages, request, waiting)
        answer.headers["Retry-After"] = AGAIN_SECONDS
        return answer

    app.router.add_route("*", "/{path:.*}", away)
    return app


def _for_citizen(request: web.Request) -> bool:
    return request.path == CITIZENS or request.path.startswith(f"{CITIZENS}/")


def _again(request: web.Request) -> str:
    """Where the page asks again. What was sent is not asked for again: its address may answer forms alone."""
    if request.path.startswith(WATCHED):
        return f"{AGAIN_SECONDS}; url={RESTORED}"
    if request.method not in SAFE:
        return f"{AGAIN_SECONDS}; url={CITIZENS if _for_citizen(request) else '/'}"
    return AGAIN_SECONDS


def _problem(request: web.Request) -> Refusal:
    return Refusal("city.maintained" if _for_citizen(request) else "city.restoring")


def _for_program(request: web.Request) -> bool:
    return wants_json(request) or request.path.startswith(NO_PAGES)


async def _kept(pages: Pages, request: web.Request) -> web.Response | None:
    """What somebody typed goes back to them, to be sent when the city is there again. None for what no page of ours sent,
    for what a page's program sent, which has it still, and for more than a form may be."""
    by_program = _for_program(request) or (HEADER in request.headers and not is_htmx(request))
    if request.method in SAFE or by_program or not same_origin(request):
        return None
    try:
        return await unsent_answer(pages, request, Unsent(_problem(request).code))
    except (ValueError, web.HTTPException):
        return None


def _answer(pages: Pages, request: web.Request, waiting: Waiting) -> web.Response:
    problem = _problem(request)
    if request.path.startswith(f"{BASE}/"):
        return refused(problem, language_of(request), secrets.token_hex(6))
    if _for_program(request):
        body = {"code": problem.code, "params": problem.params}
        return web.json_response(body, status=problem.status)
    citizen = _for_citizen(request)
    context = {
        "phases": [] if citizen else list(Phase),
        "waiting": waiting,
        "now": list(Phase).index(waiting.phase),
        "words": "away.citizens" if citizen else "away",
        "lost": request.method not in SAFE,
    }
    answer = pages.render(request, "away.html", context, status=problem.status)
    watched = request.path.startswith(WATCHED)
    if "HX-Request" not in request.headers:
        answer.headers["Refresh"] = _again(request)
    elif watched:
        answer.headers["HX-Redirect"] = RESTORED
    else:
        answer = pages.render(request, "error.html", {"problem": problem}, block="notice")
        answer.headers.update({"HX-Retarget": "#notice", "HX-Reswap": "innerHTML"})
    return answer
