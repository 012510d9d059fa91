"""The photo of the card that was shown last, for the kiosk's own screen and nobody else (证件照片).

A reader gives a photo in a closed format (WLT). It stays as it is, in memory, until the screen fetches it, the next
wait begins or two minutes are over; a program of the site's decodes it. Nothing of it is written, logged or sent on.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import structlog
from aiohttp import web

from hallserver.agent.screen import guarded, serve_screen
from hallserver.devices.api import CardOutcome
from hallserver.devices.protocols.samv import CardText
from qingting.contract.errors import Refusal
from qingting.contract.face_check import CardPhoto
from qingting.contract.hub import CardFault, CardRead
from qingting.kernel.aio.clock import Clock
from qingting.kernel.aio.tasks import Supervisor
from qingting.kernel.security.device_keys import new_token

log = structlog.get_logger(__name__)

KEPT_SECONDS = 120.0
"""As long as the hall keeps the card's holder."""
DECODE_SECONDS = 5.0
MAX_PICTURE = 512 * 1024
PICTURES = {b"\xff\xd8\xff": "image/jpeg", b"BM": "image/bmp", b"\x89PNG\r\n": "image/png"}
"""How a picture begins, and what it is."""


class PhotoDesk:
    """Holds at most one photo. Without a ``decoder`` it holds none, and its endpoint is not there."""

    def __init__(
        self, decoder: Sequence[str], port: int, origin: str, clock: Clock, tasks: Supervisor
    ) -> None:
        self._decoder, self._wanted_port, self._origin = tuple(decoder), port, origin
        self._clock, self._tasks = clock, tasks
        self._port = 0
        self._token = ""
        self._until = 0.0
        self._photo = bytearray()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The screen finds the photo inside. Raises ``OSError`` when the port is taken."""
        if not self._decoder:
            yield
            return
        app = guarded(self._origin, self._holds)
        app.router.add_post("/photo", self._fetch)
        async with serve_screen(app, self._wanted_port) as self._port:
            try:
                yield
            finally:
                self.wipe()

    def attached(self, told: CardRead | CardFault, card: CardOutcome) -> CardRead | CardFault:
        """What the hall is told, with where the photo is when the card had one that can be decoded here."""
        self.wipe()
        if not isinstance(told, CardRead) or not isinstance(card, CardText) or not card.photo:
            return told
        if not self._port:
            return told
        self._token, self._photo = new_token(), bytearray(card.photo)
        self._until = self._clock.monotonic() + KEPT_SECONDS
        _ = self._tasks.run("forget the photo", self._forget(self._token))
        photo = CardPhoto(port=self._port, token=self._token)
        return msgspec.structs.replace(told, photo=photo)

    def wipe(self) -> None:
        """Overwrites what is held."""
        self._photo[:] = bytes(len(self._photo))
        self._photo, self._token = bytearray(), ""

    async def _forget(self, token: str) -> None:
        await self._clock.sleep(KEPT_SECONDS)
        if token == self._token:
            self.wipe()

    def _holds(self, token: str) -> bool:
        if not self._token or self._clock.monotonic() >= self._until:
            return False
        return hmac.compare_digest(token.encode(), self._token.encode())

    async def _fetch(self, request: web.Request) -> web.Response:
        """Once: what is fetched is gone here, whatever becomes of it."""
        closed = bytes(self._photo)
        self.wipe()
        picture = await decoded(self._decoder, closed)
        return web.Response(body=picture, content_type=kind_of(picture))


def kind_of(picture: bytes) -> str:
    """Its media type by its first bytes; raises ``card_photo.unreadable``."""
    for begin, kind in PICTURES.items():
        if picture.startswith(begin):
            return kind
    raise Refusal("card_photo.unreadable")


async def decoded(decoder: Sequence[str], closed: bytes) -> bytes:
    """What the program writes for the photo that it reads; raises ``card_photo.unreadable``.

    A program that is missing, fails, takes too long or writes more than a picture has is one that cannot decode.
    """
    try:
        picture = await _run(decoder, closed)
    except (OSError, TimeoutError) as error:
        log.warning("photo.decoder_failed", why=type(error).__name__)
        raise Refusal("card_photo.unreadable") from error
    if len(picture) > MAX_PICTURE:
        log.warning("photo.decoder_failed", why="too much")
        raise Refusal("card_photo.unreadable")
    return picture


async def _run(decoder: Sequence[str], closed: bytes) -> bytes:
    pipe, quiet = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*decoder, stdin=pipe, stdout=pipe, stderr=quiet)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(DECODE_SECONDS):
            process.stdin.write(closed)
            await process.stdin.drain()
            process.stdin.close()
            picture = bytearray()
            while len(picture) <= MAX_PICTURE and (part := await process.stdout.read(65_536)):
                picture += part
            return bytes(picture)
    finally:
        if process.returncode is None:
            process.kill()
        # Read to its end: a pipe that nobody reads would hold up the wait for the program for ever.
        _ = await process.communicate()
