"""Whose request it is, also behind a reverse proxy."""

from aiohttp import web


def sender_of(request: web.Request, proxies: frozenset[str]) -> str:
    """The address that a request comes from.

    ``X-Forwarded-For`` is believed only from ``proxies``, and read from its end: what stands before the
    last proxy's own entry may be anybody's invention.
    """
    address = request.remote or ""
    if address not in proxies:
        return address
    hops = [one.strip() for one in request.headers.get("X-Forwarded-For", "").split(",")]
    for hop in reversed(hops):
        if hop and hop not in proxies:
            return hop
    return address
