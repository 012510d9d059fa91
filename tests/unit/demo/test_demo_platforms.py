"""The systems outside that the demonstration's city is told of are all served by its bench."""

import asyncio
from pathlib import Path

import aiohttp

from qingting.demo import run
from qingting.demo.platforms import demo_platforms


async def test_a_citizen_of_the_demonstration_finds_the_page_at_which_alipay_is_bound(
    tmp_path: Path,
) -> None:
    platforms = await asyncio.to_thread(demo_platforms)
    options = run.DemoOptions(base_port=-run.CONTROL_OFFSET)
    async with (
        run._bench(options, [], tmp_path, platforms) as bench,
        aiohttp.ClientSession() as http,
    ):
        settings = platforms.city_settings(bench)
        asked = {
            "app_id": settings["alipay_app_id"],
            "redirect_uri": "http://127.0.0.1/c/me/alipay/back",
        }
        async with http.get(settings["alipay_authorize"], params=asked) as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
        async with http.post(settings["alipay_gateway"]) as answer:
            assert answer.status == 200
