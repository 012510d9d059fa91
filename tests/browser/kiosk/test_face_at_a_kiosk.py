"""Face against card at a kiosk, with the shipped models: whoever is on the card, somebody else, and no camera at all.

The people are those of the sample pictures that come with the package of the models; the camera is Chromium's, fed from
one of them. Nothing of it is kept in the repository.
"""

import io
import re
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from kiosk_place import AXE, FAULTS, ROOT, Agent, Place, choose_item
from patience import HANG_MS
from pictures import picture
from PIL import Image
from playwright.async_api import Browser, Page, Route, async_playwright, expect

from hallserver.agent.card_photo import PhotoDesk
from hallserver.devices.protocols.samv import CardText
from qingting.contract.config import Device, HallConfig
from qingting.contract.face_check import FaceCheck, FaceGap, FaceVerdict, Liveness
from qingting.contract.hub import CardRead
from qingting.contract.ids import DeviceId
from qingting.contract.states import CertificateKind, Condition, DeviceKind, DeviceState
from qingting.demo.builder import build_hall, hall_ids
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.aio.tasks import Supervisor
from simulators.id_cards import PHOTO_BYTES

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SAMPLES = ROOT / "node_modules/@vladmandic/face-api/demo"
Part = tuple[str, tuple[int, int, int, int]]
BEFORE_THE_CAMERA: Part = ("sample3.jpg", (313, 224, 1054, 780))
SAME: Part = ("sample3.jpg", (470, 238, 897, 766))
OTHER: Part = ("sample6.jpg", (126, 386, 573, 939))
"""Parts of sample pictures: somebody as a camera sees them, their portrait, and somebody else's."""
CAMERA = DeviceId("k1-camera")
NAME, NUMBER = "张小三", "230602199001011238"


def part(of: Part, size: tuple[int, int]) -> bytes:
    name, box = of
    with Image.open(SAMPLES / name) as whole:
        shown = whole.convert("RGB").crop(box).resize(size)
    held = io.BytesIO()
    shown.save(held, "JPEG", quality=85)
    return held.getvalue()


def asking(config: HallConfig) -> HallConfig:
    """Kiosk 1 has a camera, and renewing an ID card asks for a face check."""
    camera = Device(
        id=CAMERA,
        kind=DeviceKind.CAMERA,
        name="摄像头",
        parent=DeviceId("k1"),
        profile="generic.uvc",
    )
    items = tuple(
        msgspec.structs.replace(one, face_check=True) if one.id == "id-renew" else one
        for one in config.items
    )
    return msgspec.structs.replace(config, items=items, devices=(*config.devices, camera))


@dataclass
class Reader:
    """The real desk of an agent for photos, behind a card of which the test says whose portrait it bears."""

    place: Place
    agent: Agent
    portrait: Path
    desk: PhotoDesk

    async def card(self, of: Part) -> None:
        self.portrait.write_bytes(part(of, (102, 126)))
        await self.agent.armed.wait()
        told = CardRead(
            device=DeviceId("k1-reader"),
            kind=CertificateKind.RESIDENT_ID,
            name=NAME,
            number=NUMBER,
            valid_from="20160101",
            valid_to="20360101",
        )
        text = CardText(told.kind, NAME, NUMBER, "", "", "", photo=bytes(PHOTO_BYTES))
        await self.agent.say(self.desk.attached(told, text))


@pytest_asyncio.fixture(loop_scope="session")
async def reader(tmp_path: Path, shipped: Callable[[str], Path]) -> AsyncIterator[Reader]:
    config = asking(build_hall(hall_ids(1)[0]))
    place = Place(folder=tmp_path, pages=shipped("kiosk"), config=config)
    await place.start()
    agent = await place.agent()
    portrait = tmp_path / "portrait.jpg"
    decoder = (sys.executable, "-m", "simulators.wlt_decoder", str(portrait))
    async with Supervisor("photos") as tasks:
        origin = f"http://127.0.0.1:{place.port}"
        desk = PhotoDesk(decoder, 0, origin, SystemClock(), tasks)
        async with desk.running():
            yield Reader(place, agent, portrait, desk)
    await agent.close()
    await place.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def seen(tmp_path: Path) -> AsyncIterator[Browser]:
    """A browser whose camera sees somebody from the sample picture."""
    film = tmp_path / "somebody.mjpeg"
    film.write_bytes(part(BEFORE_THE_CAMERA, (640, 480)) * 4)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=[
                "--no-sandbox",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-video-capture={film}",
            ],
        )
        yield browser
        await browser.close()


async def open_kiosk(place: Place, browser: Browser) -> Page:
    page = await browser.new_page(viewport={"width": 1080, "height": 1920})
    page.set_default_timeout(HANG_MS)
    await page.goto(await place.url("k1", "index.html"))
    return page


async def to_the_check(page: Page, reader: Reader, of: Part) -> None:
    await choose_item(page)
    await page.click("[data-act=proceed]")
    await page.click("[data-act=agree]")
    await reader.card(of)


async def take(page: Page, place: Place) -> None:
    await page.click("[data-act=confirm]")
    await expect(page.locator("[data-number]")).to_be_visible()
    await page.click("[data-act=done]")


async def without_challenge(route: Route) -> None:
    """A site's own profile that asks for no turn and no blink."""
    answer = await route.fetch()
    how = await answer.json()
    how["guidance"]["challenges"] = []
    await route.fulfill(response=answer, json=how)


def newest(place: Place) -> FaceCheck:
    check = list(place.hall.state.tickets.values())[-1].face_check
    assert check is not None
    return check


async def test_the_camera_tells_the_person_of_the_card_from_another_and_doubts_a_still_picture(
    reader: Reader, seen: Browser
) -> None:
    place = reader.place
    page = await open_kiosk(place, seen)
    await to_the_check(page, reader, SAME)
    words = page.get_by_role("status")
    await page.add_script_tag(path=AXE)
    await expect(words).to_have_attribute("data-phase", re.compile("turn|blink"))
    await picture(page, "kiosk-face")
    assert await page.evaluate(FAULTS) == []
    await take(page, place)
    assert newest(place).verdict is FaceVerdict.MATCH
    assert newest(place).liveness is Liveness.DOUBTFUL, "a picture neither turns nor blinks"
    assert place.hall.state.devices[CAMERA].state is DeviceState.READY
    await page.route("**/cameras/*", without_challenge)
    await to_the_check(page, reader, OTHER)
    await take(page, place)
    assert newest(place).verdict is FaceVerdict.NO_MATCH


async def test_without_a_camera_the_number_is_taken_all_the_same_and_the_hall_knows_why(
    reader: Reader, browser: Browser
) -> None:
    place = reader.place
    page = await open_kiosk(place, browser)
    await to_the_check(page, reader, SAME)
    await take(page, place)
    assert newest(place).why is FaceGap.NO_CAMERA
    camera = place.hall.state.devices[CAMERA]
    assert (camera.state, set(camera.conditions)) == (DeviceState.ABSENT, {Condition.OFFLINE})
