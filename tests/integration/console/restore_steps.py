"""Steps of a restore on screen, for tests."""

import re

from console_browser import Browser
from patience import until

from console.core.databases import besides, maintaining, name_of


async def job(person: Browser, page: str, path: str, **fields: str) -> str:
    """Starts a job by a form; gives its page's path."""
    _, where, text = await person.submit(page, path, **fields)
    assert where.startswith("/jobs/"), text
    return where


async def over(person: Browser, where: str) -> str:
    async def text() -> str:
        found = (await person.get(where))[1]
        return "" if "job-bar" in found else found

    return await until(text)


async def asked(person: Browser, page: str) -> str:
    """The state that a page wants to be typed."""
    _, text = await person.get(page)
    found = re.search(r"照着填这个时间：(\d{4}-\d\d-\d\d \d\d:\d\d)", text)
    assert found is not None, text
    return found[1]


async def names_beside(url: str) -> list[str]:
    async with maintaining(url) as connection:
        return [one.name for one in await besides(connection, name_of(url))]
