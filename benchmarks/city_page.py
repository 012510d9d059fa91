"""A supervisor's open page of the console: logs in, listens for what changed, fetches the part again."""

import asyncio
import re
import time

import aiohttp

PAGE = "/devices?kind=printer&state=problems"
NAMES = frozenset({"devices", "halls", "live"})
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_ROW = re.compile(r'<th scope="row">(?:<[^>]*>)*([^<]+)<')
_PASSWORD = "Bench-2026-supervisor"  # noqa: S105 - of a database that lives as long as the benchmark


class CityPage:
    """``shown`` holds ``(instant, printers in fault)`` of every answer, monotonic seconds."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.shown: list[tuple[float, frozenset[str]]] = []
        self.fetch_ms: list[float] = []

    async def enter(self, user: str, password: str) -> None:
        """The first login, which must replace the one-time password."""
        await self._submit("/login", name=user, password=password)
        await self._submit("/password", present=password, new=_PASSWORD, again=_PASSWORD)

    async def _submit(self, path: str, **fields: str) -> None:
        async with self._session.get(path) as answer:
            token = _CSRF.search(await answer.text())
        if token is None:
            raise RuntimeError(f"no form at {path}")
        async with self._session.post(path, data={"csrf": token[1], **fields}) as answer:
            answer.raise_for_status()

    async def watch(self) -> None:
        """Until cancelled, as the page's script does it: what changes during a fetch is fetched after it."""
        changed = asyncio.Event()

        async def listen() -> None:
            async with self._session.get("/live") as answer:
                answer.raise_for_status()
                async for line in answer.content:
                    kind, _, value = line.decode().strip().partition(": ")
                    if (kind, value) == ("event", "open") or (
                        kind == "data" and not NAMES.isdisjoint(value.split())
                    ):
                        changed.set()
            raise RuntimeError("the console ended the live stream")

        async def fetch() -> None:
            while True:
                await changed.wait()
                changed.clear()
                await self.look()

        async with asyncio.TaskGroup() as both:
            both.create_task(listen())
            both.create_task(fetch())

    async def look(self) -> None:
        """Fetches the list once."""
        began = time.monotonic()
        async with self._session.get(PAGE, headers={"HX-Request": "true"}) as answer:
            answer.raise_for_status()
            text = await answer.text()
        now = time.monotonic()
        self.fetch_ms.append((now - began) * 1000)
        self.shown.append((now, frozenset(_ROW.findall(text))))
