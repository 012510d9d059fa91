"""The photo of a card: once, to the screen of its own machine, and then it is nowhere."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from hallserver.agent import card_photo
from hallserver.agent.card_photo import KEPT_SECONDS, PhotoDesk, decoded, kind_of
from hallserver.agent.screen import SECRET_HEADER
from hallserver.devices.protocols.samv import CardText
from qingting.contract.errors import Refusal
from qingting.contract.face_check import CardPhoto
from qingting.contract.hub import CardFault, CardRead
from qingting.contract.ids import DeviceId
from qingting.contract.states import CertificateKind
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.aio.tasks import Supervisor

ORIGIN = "http://10.1.2.3:8080"
DECODER = (sys.executable, "-m", "simulators.wlt_decoder")
WLT = bytes(range(256)) * 4
READER = DeviceId("k1-reader")


def card(photo: bytes = WLT) -> CardText:
    return CardText(
        CertificateKind.RESIDENT_ID, "测试甲", "1", "19900101", "20160101", "长期", photo=photo
    )


def told() -> CardRead:
    return CardRead(device=READER, kind=CertificateKind.RESIDENT_ID, name="测试甲", number="1")


class Desk:
    """A desk with its clock; ``fetch`` asks as a screen would."""

    def __init__(self, desk: PhotoDesk, clock: ManualClock) -> None:
        self.desk, self.clock = desk, clock

    def show(self, photo: bytes = WLT) -> CardPhoto | None:
        read = self.desk.attached(told(), card(photo))
        assert isinstance(read, CardRead)
        return read.photo

    async def fetch(self, photo: CardPhoto, token: str | None = None) -> tuple[int, str, bytes]:
        headers = {SECRET_HEADER: token or photo.token, "Origin": ORIGIN}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://127.0.0.1:{photo.port}/photo", headers=headers) as answer,
        ):
            assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
            assert answer.headers["Cache-Control"] == "no-store"
            return answer.status, answer.content_type, await answer.read()


@pytest.fixture
async def here() -> AsyncIterator[Desk]:
    clock = ManualClock()
    async with Supervisor("test") as tasks:
        desk = PhotoDesk(DECODER, 0, ORIGIN, clock, tasks)
        async with desk.running():
            yield Desk(desk, clock)
        for _ in range(2):
            await clock.advance(KEPT_SECONDS)


async def test_the_screen_gets_the_picture_once_with_the_token_of_this_card_alone(
    here: Desk,
) -> None:
    photo = here.show()
    assert photo is not None
    assert (await here.fetch(photo, "x" * 32))[0] == 403
    status, kind, picture = await here.fetch(photo)
    assert (status, kind, picture[:2]) == (200, "image/bmp", b"BM")
    assert (await here.fetch(photo))[0] == 403, "what was fetched is gone"


async def test_a_next_card_a_next_wait_and_two_minutes_each_wipe_it(here: Desk) -> None:
    first = here.show()
    second = here.show()
    assert first is not None
    assert second is not None
    assert (await here.fetch(first))[0] == 403
    here.desk.wipe()
    assert (await here.fetch(second))[0] == 403
    third = here.show()
    assert third is not None
    await here.clock.advance(KEPT_SECONDS)
    assert (await here.fetch(third))[0] == 403


async def test_without_photo_or_decoder_the_hall_is_told_of_none(here: Desk) -> None:
    assert here.show(b"") is None
    fault = CardFault(device=READER, code="identity.unreadable")
    assert here.desk.attached(fault, card()) is fault
    async with Supervisor("test") as tasks:
        bare = PhotoDesk((), 0, ORIGIN, here.clock, tasks)
        async with bare.running():
            assert bare.attached(told(), card()) == told()


@pytest.mark.parametrize(
    "decoder",
    [
        ("/no/such/program",),
        (sys.executable, "-c", "import sys; sys.exit(1)"),
        (sys.executable, "-c", "print('no picture')"),
        (sys.executable, "-c", "import sys; sys.stdout.buffer.write(b'BM' * 999_999)"),
        (sys.executable, "-c", "import time; time.sleep(600)"),
    ],
)
async def test_a_decoder_that_is_missing_fails_babbles_floods_or_hangs_gives_no_picture(
    decoder: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card_photo, "DECODE_SECONDS", 1.0)
    with pytest.raises(Refusal, match=r"card_photo\.unreadable"):
        _ = kind_of(await decoded(decoder, WLT))


async def test_the_simulated_decoder_answers_with_the_picture_that_it_is_given(
    tmp_path: Path,
) -> None:
    file = tmp_path / "face.jpg"
    await asyncio.to_thread(file.write_bytes, b"\xff\xd8\xff picture")
    assert await decoded((*DECODER, str(file)), WLT) == b"\xff\xd8\xff picture"
    with pytest.raises(Refusal):
        _ = kind_of(await decoded(DECODER, b"too short"))
