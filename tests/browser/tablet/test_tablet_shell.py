"""The pads' shell stays on the device: a pad starts while its hall server is away."""

from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def serve(folder: Path) -> tuple[web.AppRunner, str]:
    app = web.Application()
    app.router.add_static("/tablet", folder)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    return runner, f"http://{host}:{port}/tablet"


@pytest.mark.parametrize("entry", ["call", "rate"])
async def test_a_pad_that_was_loaded_once_starts_without_its_server(
    built: Path, page: Page, entry: str
) -> None:
    runner, address = await serve(built)
    await page.goto(f"{address}/{entry}.html")
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await page.wait_for_function("navigator.serviceWorker.controller !== null")
    await runner.cleanup()
    await page.reload()
    await page.wait_for_selector(".pairing__pad")


async def test_a_pad_takes_a_new_page_from_the_server_as_soon_as_it_answers(
    built: Path, page: Page
) -> None:
    runner, address = await serve(built)
    await page.goto(f"{address}/call.html")
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await page.wait_for_function("navigator.serviceWorker.controller !== null")
    shell = built / "call.html"
    shell.write_text(shell.read_text("utf-8").replace("呼叫平板 ·", "新版呼叫平板 ·"), "utf-8")
    await page.reload()
    assert await page.title() == "新版呼叫平板 · 庆厅"
    await runner.cleanup()
