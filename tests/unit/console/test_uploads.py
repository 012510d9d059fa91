"""How large a file a form may bring: what its handler says, of whoever is logged in."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.typedefs import Handler

from console.core.uploads import FORM_BYTES, brings_file, limits_of_files
from console.modules.devicepage.photos import too_large
from qingting.contract.errors import Refusal
from qingting.kernel.web.keys import SESSION
from qingting.kernel.web.session import WebSession

LARGE, SMALL, USUAL = 5_000_000, 1_000, 1024 * 1024


@brings_file(LARGE, too_large)
async def large(request: web.Request) -> web.Response:
    return web.Response(text=str(request.client_max_size))


@brings_file(SMALL, too_large)
async def small(request: web.Request) -> web.Response:
    return web.Response(text=str(request.client_max_size))


@brings_file(LARGE, too_large)
async def full(request: web.Request) -> web.Response:
    raise web.HTTPRequestEntityTooLarge(request.client_max_size)


async def any_other(request: web.Request) -> web.Response:
    return web.Response(text=str(request.client_max_size))


@web.middleware
async def told(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return web.Response(status=refusal.status, text=refusal.code)


@pytest.mark.parametrize(
    ("path", "logged_in", "status", "text"),
    [
        ("/large", True, 200, str(LARGE + FORM_BYTES)),
        ("/large", False, 200, str(USUAL)),
        ("/small", True, 200, str(SMALL + FORM_BYTES)),
        ("/small", False, 200, str(SMALL + FORM_BYTES)),
        ("/other", True, 200, str(USUAL)),
        ("/full", True, 413, "photo.too_large"),
        ("/full", False, 413, "Maximum request body size"),
    ],
)
async def test_a_form_takes_what_its_handler_says_of_those_alone_who_are_logged_in(
    path: str, logged_in: bool, status: int, text: str
) -> None:
    @web.middleware
    async def session(request: web.Request, handler: Handler) -> web.StreamResponse:
        if logged_in:
            request[SESSION] = WebSession(subject="somebody", csrf="x", created_at=1, seen_at=1)
        return await handler(request)

    app = web.Application(middlewares=[told, session, limits_of_files])
    for at, handler in (
        ("/large", large),
        ("/small", small),
        ("/full", full),
        ("/other", any_other),
    ):
        app.router.add_post(at, handler)
    async with TestClient(TestServer(app)) as client, client.post(path) as answer:
        said = await answer.text()
        assert (answer.status, said.startswith(text)) == (status, True), said
