"""Calls that an agent's loudspeakers are told to say: the sound is fetched from the hall and played once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import structlog

from hallserver.devices.api import PlayResult
from hallserver.devices.sound import Sound, sound_of
from hallserver.devices.supervisor import DeviceSupervisor
from qingting.contract.hub_sound import CallTold, SayCall
from qingting.contract.ids import DeviceId
from qingting.contract.states import Condition, PlayOutcome

log = structlog.get_logger(__name__)

FETCH_SECONDS = 10.0
MAX_SOUND = 8 * 1024 * 1024
TEST = "/voice/test.wav"
TEST_PERCENT = 80
"""An agent does not know the hall's hours; a test sound is heard at this volume."""


def hall_address(hub: str, path: str) -> str:
    """Where a file of the hall is whose hub is at ``hub``."""
    parts = urlsplit(hub)
    scheme = "https" if parts.scheme == "wss" else "http"
    return urlunsplit((scheme, parts.netloc, path, "", ""))


class Loudspeakers:
    """``start`` runs work beside the connection, ``tell`` is given the outcome of each call."""

    def __init__(
        self,
        hub: str,
        devices: DeviceSupervisor,
        *,
        start: Callable[[str, Coroutine[Any, Any, None]], object],
        tell: Callable[[CallTold], None],
    ) -> None:
        self._hub = hub
        self._devices = devices
        self._start = start
        self._tell = tell

    def say(self, order: SayCall) -> None:
        """See :class:`SayCall`."""
        _ = self._start(f"say/{order.device}/{order.call_no}", self._say(order))

    async def _say(self, order: SayCall) -> None:
        result = await self.play(order.device, order.path, order.volume)
        told = CallTold(
            device=order.device, call_no=order.call_no, outcome=result.outcome, cause=result.cause
        )
        self._tell(told)

    async def play(self, device: DeviceId, path: str, volume: int) -> PlayResult:
        """Fetches and plays; a sound that cannot be fetched has failed without a cause of the device's."""
        speaker = self._devices.speakers.get(device)
        if speaker is None:
            return PlayResult(PlayOutcome.FAILED, Condition.OFFLINE)
        try:
            sound = await self._fetched(path)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.warning("agent.no_sound", path=path, why=type(error).__name__)
            return PlayResult(PlayOutcome.FAILED)
        return await speaker.play(sound, volume=volume)

    async def _fetched(self, path: str) -> Sound:
        data = bytearray()
        async with (
            asyncio.timeout(FETCH_SECONDS),
            aiohttp.ClientSession() as client,
            client.get(hall_address(self._hub, path)) as answer,
        ):
            answer.raise_for_status()
            async for piece in answer.content.iter_any():
                data += piece
                if len(data) > MAX_SOUND:
                    raise ValueError("longer than any announcement")
        return sound_of(bytes(data))
