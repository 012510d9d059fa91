"""The built front ends are served, kept by their hash, and missing ones say how to make them."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from hallserver.app import screens

Client = TestClient[web.Request, web.Application]


class Pages:
    """Stands where the desk's pages are; shows what was rendered."""

    def render(self, request: web.Request, name: str, context: Any, status: int) -> web.Response:
        return web.Response(text=f"{name}: {context['command']}", status=status)


@pytest.fixture
async def open_screens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[[], Any]]:
    monkeypatch.setattr(screens, "desk_of", lambda request: type("Desk", (), {"pages": Pages()})())
    app = web.Application()
    screens.add_screens(app, tmp_path / "static")
    async with TestClient(TestServer(app)) as client:
        yield lambda: client


def build(folder: Path) -> None:
    (folder / "kiosk" / "assets").mkdir(parents=True)
    (folder / "kiosk" / "index.html").write_text("<title>kiosk</title>")
    (folder / "kiosk" / "board.html").write_text("<title>board</title>")
    (folder / "kiosk" / "assets" / "app-4f2a.js").write_text("1")
    (folder.parent / "secret.txt").write_text("secret")


@pytest.mark.parametrize("path", list(screens.PAGES))
async def test_a_missing_bundle_names_the_command(open_screens: Any, path: str) -> None:
    response = await open_screens().get(path)
    assert response.status == 503
    assert "npm ci && npm run build" in await response.text()


async def test_a_bundle_built_later_is_served_without_a_restart(
    open_screens: Any, tmp_path: Path
) -> None:
    import asyncio

    assert (await open_screens().get("/kiosk/")).status == 503
    await asyncio.to_thread(build, tmp_path / "static")
    page = await open_screens().get("/kiosk")
    assert "kiosk" in await page.text()
    assert "board" in await (await open_screens().get("/board/")).text()
    assert page.headers["Cache-Control"] == "no-cache"
    script = await open_screens().get("/kiosk/assets/app-4f2a.js")
    assert "immutable" in script.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    [
        "/kiosk/../../secret.txt",
        "/kiosk/%2e%2e/%2e%2e/secret.txt",
        "/kiosk/assets/../../../secret.txt",
        "/kiosk/nothing.js",
    ],
)
async def test_nothing_outside_a_bundle_is_served(
    open_screens: Any, tmp_path: Path, path: str
) -> None:
    import asyncio

    from yarl import URL

    await asyncio.to_thread(build, tmp_path / "static")
    client = open_screens()
    url = URL(f"http://127.0.0.1:{client.port}{path}", encoded=True)
    response = await client.session.get(url)
    assert response.status == 404
    assert "secret" not in await response.text()
