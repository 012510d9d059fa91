"""A person whose browser says where forms come from, and what a page that keeps a form would send again."""

import re

import aiohttp
from console_browser import Browser
from form_fields import form_entries

OURS = {"Sec-Fetch-Site": "same-origin"}
IDLE_S = 31 * 60
"""Longer than a login lasts without anybody doing anything."""


def sent_by(page: str, action: str) -> dict[str, str]:
    return dict(form_entries(page, action))


class Person(Browser):
    """Sends forms as a browser does that says where they come from."""

    async def send(
        self,
        path: str,
        fields: dict[str, str] | list[tuple[str, str]] | aiohttp.FormData,
        **headers: str,
    ) -> tuple[int, str, str]:
        told = {name.replace("_", "-"): value for name, value in headers.items()} or OURS
        async with self.http.post(path, data=fields, headers=told) as answer:
            self.answer = answer
            return answer.status, answer.url.path, await answer.text()

    async def token(self, page: str) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', (await self.get(page))[1])
        assert found is not None
        return found[1]
