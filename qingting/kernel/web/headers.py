"""Security headers on every answer."""

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; media-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""No inline script, no inline style, nothing from elsewhere: a hall may have no Internet."""


def framing(*, frame_src: str = "'none'", frame_ancestors: str = "'none'") -> str:
    """:data:`POLICY` for a page that frames one of our own, or is framed by one of our own."""
    base = POLICY.replace("frame-ancestors 'none'", f"frame-ancestors {frame_ancestors}")
    return f"{base}; frame-src {frame_src}"


HEADERS = {
    "Server": "Qingting",
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def security_headers(**overrides: str) -> Middleware:
    """A middleware that sets :data:`HEADERS`, changed by ``overrides`` (``_`` stands for ``-``).

    Pages are never stored by a cache unless their handler said otherwise: they hold people's data.
    """
    headers = HEADERS | {name.replace("_", "-"): value for name, value in overrides.items()}

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as error:
            _put(error, headers)
            raise
        if not response.prepared:
            _put(response, headers)
        return response

    return middleware


def _put(response: web.StreamResponse, headers: dict[str, str]) -> None:
    for name, value in headers.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
