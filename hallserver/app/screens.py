"""The built front ends: kiosk and board, call pad and rating pad."""

import asyncio
from pathlib import Path

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from hallserver.app.desk import desk_of
from qingting.contract.states import App
from qingting.kernel.web import framing
from qingting.kernel.web.headers import POLICY

STATIC = Path(__file__).resolve().parent / "static"
PAGES: dict[str, tuple[str, str]] = {
    "/kiosk/": ("kiosk", "index.html"),
    "/kiosk/look.html": ("kiosk", "look.html"),
    "/board/": ("kiosk", "board.html"),
    "/tablet/call.html": ("tablet", "call.html"),
    "/tablet/rate.html": ("tablet", "rate.html"),
}
"""Address → bundle and file."""
FRAMED = {
    "Content-Security-Policy": framing(frame_ancestors="'self'"),
    "X-Frame-Options": "SAMEORIGIN",
}
LOOPBACK = "http://127.0.0.1:*"
CAMERA_ALLOWED = "camera=(self), microphone=(), geolocation=()"
"""For the kiosk's own page alone."""
BUILD_COMMAND = "npm ci && npm run build"


def add_screens(app: web.Application, static: Path = STATIC) -> None:
    """Routes of the screens; a bundle that is built later is found without a restart."""
    for path, (bundle, name) in PAGES.items():
        app.router.add_get(path, _page(static / bundle / name))
    for program, bundle in BUNDLES.items():
        app.router.add_get(
            f"/{bundle}/r/{{release:[0-9a-f]{{16}}}}/{{file:.+}}", _released(program)
        )
        app.router.add_get(f"/{bundle}/{{file:.+}}", _file(static / bundle))
    app.router.add_get("/faces/{file:.+}", _file(static / "faces"))
    for short, path in (("/kiosk", "/kiosk/"), ("/board", "/board/")):
        app.router.add_get(short, _moved(path))


BUNDLES = {App.PAD: "tablet", App.KIOSK: "kiosk"}


def shipped_builds(static: Path = STATIC) -> dict[App, str]:
    """The programs as they were built (程序版本); one that was not is left out. Reads files."""
    found = {}
    for app, bundle in BUNDLES.items():
        file = static / bundle / "build.json"
        if file.is_file():
            found[app] = msgspec.json.decode(file.read_bytes(), type=dict[str, str])["build"]
    return found


def _moved(path: str) -> Handler:
    async def redirect(request: web.Request) -> web.StreamResponse:
        raise web.HTTPPermanentRedirect(path)

    return redirect


def _page(file: Path) -> Handler:
    # The kiosk reaches the agent on its own machine when this server is gone.
    policy = POLICY.replace("connect-src 'self'", f"connect-src 'self' {LOOPBACK}")
    headers = {"Content-Security-Policy": policy} if file.parent.name == "kiosk" else {}
    if file.parent.name == "kiosk" and file.name == "index.html":
        headers["Permissions-Policy"] = CAMERA_ALLOWED

    async def page(request: web.Request) -> web.StreamResponse:
        if not await asyncio.to_thread(file.is_file):
            return desk_of(request).pages.render(
                request, "not_built.html", {"command": BUILD_COMMAND}, status=503
            )
        # Only a preview may stand in a frame, and only in one of our own pages.
        preview = file.name == "look.html" or (
            file.name == "board.html" and "preview" in request.query
        )
        own = FRAMED if preview else headers
        return web.FileResponse(file, headers={"Cache-Control": "no-cache", **own})

    return page


def _released(app: App) -> Handler:
    """Files of a release. Its name is its content's digest, so no file of it ever changes."""

    async def serve(request: web.Request) -> web.StreamResponse:
        shelf, given = desk_of(request).shelf, request.match_info
        file = await asyncio.to_thread(shelf.find, app, given["release"], given["file"])
        if file is None:
            raise web.HTTPNotFound
        kept = "public, max-age=31536000, immutable"
        return web.FileResponse(file, headers={"Cache-Control": kept})

    return serve


def _file(folder: Path) -> Handler:
    """Files of a bundle; those below ``assets/`` carry their hash in their name."""

    def find(name: str) -> Path | None:
        file = (folder / name).resolve()
        return file if file.is_relative_to(folder.resolve()) and file.is_file() else None

    async def serve(request: web.Request) -> web.StreamResponse:
        name = request.match_info["file"]
        file = await asyncio.to_thread(find, name)
        if file is None:
            raise web.HTTPNotFound
        kept = "public, max-age=31536000, immutable" if name.startswith("assets/") else "no-cache"
        return web.FileResponse(file, headers={"Cache-Control": kept})

    return serve
