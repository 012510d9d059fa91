"""Styles and scripts as pages fetch them: one file for a sheet that is written in parts, small on the line."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from qingting.kernel.web import Assets

Client = TestClient[web.Request, web.Application]
RULES = "a { color: red; }\n" * 100


def put(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A sheet in parts and a script, the second part written first."""
    put(tmp_path, "city.css/02-tables.css", "td { color: red; }\n")
    put(tmp_path, "city.css/01-page.css", RULES)
    put(tmp_path, "drawings/one.svg", "<svg/>")
    put(tmp_path, "tiny.js", "1;")
    return tmp_path


@pytest.fixture
def assets(written: Path) -> Assets:
    return Assets.collect([written])


@pytest.fixture
async def client(assets: Assets) -> AsyncIterator[Client]:
    app = web.Application()
    app.router.add_get("/assets/{hash}/{name:.+}", assets.serve)
    async with TestClient(TestServer(app), auto_decompress=False) as made:
        yield made


def test_a_sheet_written_in_parts_is_one_file_in_the_order_of_their_names(assets: Assets) -> None:
    text = assets.read("city.css").decode()
    assert text.index("a {") < text.index("td {")
    assert "city.css/01-page.css" not in assets
    assert "drawings/one.svg" in assets


def test_a_change_of_any_part_gives_the_sheet_another_address(written: Path) -> None:
    before = Assets.collect([written]).url("city.css")
    put(written, "city.css/02-tables.css", "td { color: blue; }\n")
    assert Assets.collect([written]).url("city.css") != before


async def test_a_sheet_comes_packed_to_whoever_can_unpack_it(
    client: Client, assets: Assets
) -> None:
    packed = await client.get(assets.url("city.css"), headers={"Accept-Encoding": "br, gzip"})
    body = await packed.read()
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == assets.read("city.css")
    assert len(body) < len(assets.read("city.css")) / 2
    assert "immutable" in packed.headers["Cache-Control"]
    assert packed.content_type == "text/css"


@pytest.mark.parametrize("takes", ["identity", "br", "gzip;q=0", "gzip; q=0.000, br"])
async def test_who_cannot_unpack_gets_the_sheet_as_it_is(
    client: Client, assets: Assets, takes: str
) -> None:
    plain = await client.get(assets.url("city.css"), headers={"Accept-Encoding": takes})
    assert "Content-Encoding" not in plain.headers
    assert await plain.read() == assets.read("city.css")
    assert plain.headers["Vary"] == "Accept-Encoding", "a cache between keeps both"


async def test_what_would_not_get_smaller_is_not_packed(client: Client, assets: Assets) -> None:
    answer = await client.get(assets.url("tiny.js"), headers={"Accept-Encoding": "gzip"})
    assert await answer.read() == b"1;"
