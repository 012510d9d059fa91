"""Pictures of screens: journeys take them into ``test-results/screens``, ``make pictures`` puts them into the docs.

A picture of ``docs/images`` is renewed when a journey has taken one of its name; names given on the command line
are added: ``python tests/pictures.py kiosk-parties``.
"""

import asyncio
import sys
from pathlib import Path

from PIL import Image
from playwright.async_api import Page

ROOT = Path(__file__).resolve().parents[1]
SHOTS = ROOT / "test-results" / "screens"
DOCS = ROOT / "docs" / "images"
LARGEST = 200_000
"""Bytes of a picture in the docs at most."""
WIDTHS = {"kiosk": 540, "board": 1280, "call-pad-scan-phone": 390, "phone": 390}
"""Pixels, by how a name begins; others keep theirs up to :data:`WIDEST`."""
TALLEST = {"citizen": 1100}
"""Pixels that are kept of long pages, from their beginning."""
WIDEST = 1280


async def picture(page: Page, name: str, *, whole: bool = False) -> None:
    """Keeps a picture of a screen for people to look at."""
    await asyncio.to_thread(SHOTS.mkdir, parents=True, exist_ok=True)
    await page.screenshot(path=SHOTS / f"{name}.png", full_page=whole)


def renew(name: str) -> None:
    """Writes a picture of the docs from the newest one of its name: small enough to read a page quickly."""
    with Image.open(SHOTS / f"{name}.png") as found:
        image = found.convert("RGB")
    for begin, tallest in TALLEST.items():
        if name.startswith(begin):
            image = image.crop((0, 0, image.width, min(image.height, tallest)))
    start = max((one for one in WIDTHS if name.startswith(one)), key=len, default="")
    width = min(image.width, WIDTHS.get(start, WIDEST) if not name.startswith("boards") else WIDEST)
    image = image.resize(
        (width, round(image.height * width / image.width)), Image.Resampling.LANCZOS
    )
    for colours in (256, 128, 64, 32):
        small = image.quantize(colours, dither=Image.Dither.NONE)
        small.save(DOCS / f"{name}.png", optimize=True)
        if (DOCS / f"{name}.png").stat().st_size <= LARGEST:
            return


def main(added: list[str]) -> None:
    known = {one.stem for one in DOCS.glob("*.png")} | set(added)
    taken = {one.stem for one in SHOTS.glob("*.png")}
    for name in sorted(known & taken):
        renew(name)
    print("renewed:", *sorted(known & taken))
    print("kept, no journey takes them:", *sorted(known - taken))


if __name__ == "__main__":
    main(sys.argv[1:])
