"""One Chromium for a whole run, one event loop for all journeys; each test has a profile of its own.

Browsers wait as :mod:`patience` says: a guard against hanging, never a guess at the machine's speed.
"""

import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from patience import HANG_MS
from playwright.async_api import Browser, async_playwright, expect

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
_PLAYWRIGHTS_OWN_MS = 5000


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    expect.set_options(timeout=HANG_MS)
    yield
    expect.set_options(timeout=_PLAYWRIGHTS_OWN_MS)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Started as the browser of a board is: it may sound without a touch."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium: Browser) -> AsyncIterator[Browser]:
    """The same, without what the test has opened in it afterwards."""
    before = set(chromium.contexts)
    yield chromium
    for context in chromium.contexts:
        if context not in before:
            await context.close()


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a front end (``kiosk`` or ``tablet``) as it ships. What ``make`` has built is used as long
    as no source is newer; else it is built beside the real place, so that no other test is disturbed."""
    sources = {"kiosk": "kiosk_ui", "tablet": "tablet_app"}
    made: dict[str, Path] = {}

    def found(bundle: str) -> Path:
        if bundle not in made:
            made[bundle] = ROOT / "hallserver/app/static" / bundle
            if not _is_fresh(made[bundle], ROOT / sources[bundle]):
                made[bundle] = tmp_path_factory.mktemp(bundle) / "built"
                command = ("npx", "vite", "build", "--outDir", str(made[bundle]))
                subprocess.run(command, cwd=ROOT / sources[bundle], check=True)
        return made[bundle]

    return found


def _is_fresh(built: Path, source: Path) -> bool:
    page = next(built.glob("*.html"), None)
    if page is None:
        return False
    folders = (source / "src", source / "public", ROOT / "qingting/web/src")
    files = [one for folder in folders for one in folder.rglob("*") if one.is_file()]
    newest = max(one.stat().st_mtime for one in [*files, *source.glob("*.html")])
    return newest <= page.stat().st_mtime
