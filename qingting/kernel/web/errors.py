"""One edge where errors become pages, fragments or JSON (exemplars §4.3)."""

import secrets

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from qingting.contract.errors import Refusal
from qingting.kernel.web.forms import is_htmx
from qingting.kernel.web.pages import Pages
from qingting.kernel.web.unsent import Unsent
from qingting.kernel.web.unsent_page import later_answer, refused_answer, unsent_answer

log = structlog.get_logger(__name__)

_CODES = {
    403: "page.forbidden",
    404: "page.not_found",
    405: "page.not_found",
    413: "form.too_large",
}


def wants_json(request: web.Request) -> bool:
    """True for programs: an ``/api/`` path or ``Accept: application/json``."""
    accept = request.headers.get("Accept", "")
    return request.path.startswith("/api/") or accept.startswith("application/json")


def page_errors(pages: Pages) -> Middleware:
    """Renders refusals with their status; logs what was not expected, with a number to ask about.

    An HTTPException below 400 is an answer, not an error, and passes. 4xx is logged at info.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            log.info("page.refused", code=refusal.code, route=route_of(request))
            if isinstance(refusal, Unsent) and not wants_json(request):
                return await unsent_answer(pages, request, refusal)
            kept = await _with_what_was_typed(pages, request, refusal)
            return kept or _answer(pages, request, refusal)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            code = _CODES.get(error.status, "internal" if error.status >= 500 else "form.invalid")
            most = {"kilobytes": request.client_max_size // 1024} if error.status == 413 else {}
            answer = _answer(pages, request, Refusal(code, **most))
            answer.set_status(error.status)
            return answer
        except Exception as error:
            if reader_gone(request, error):
                log.info("page.reader_gone", route=route_of(request))
                return web.Response(status=408)
            number = secrets.token_hex(4)
            log.exception("page.failed", request_id=number, route=route_of(request))
            return _answer(pages, request, Refusal("internal", request_id=number))

    return middleware


async def _with_what_was_typed(
    pages: Pages, request: web.Request, refusal: Refusal
) -> web.Response | None:
    if wants_json(request):
        return None
    later = await later_answer(pages, request, refusal)
    return later or await refused_answer(pages, request, refusal)


def reader_gone(request: web.Request, error: Exception) -> bool:
    """True when reading a request ended because whoever sends it hung up: no fault of ours, and nobody is there to be
    answered."""
    closed = request.transport is None or request.transport.is_closing()
    return closed and isinstance(error, ConnectionResetError)


def route_of(request: web.Request) -> str:
    """The pattern of the address, for logs: the address itself may hold a token or what somebody typed."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "-"


def _answer(pages: Pages, request: web.Request, refusal: Refusal) -> web.Response:
    if wants_json(request):
        return web.json_response(
            {"code": refusal.code, "params": refusal.params}, status=refusal.status
        )
    response = pages.render(request, "error.html", {"problem": refusal}, block="notice")
    if is_htmx(request):
        response.headers["HX-Retarget"] = "#notice"
        response.headers["HX-Reswap"] = "innerHTML"
    return response
