"""A hall and a phone's browser without scripts."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from phone_hall import Browser, PhoneHall, open_phone_hall


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[PhoneHall]:
    async with open_phone_hall(tmp_path) as made:
        yield made


@pytest.fixture
async def browser(hall: PhoneHall) -> AsyncIterator[Browser]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        yield Browser(http, hall.base)
