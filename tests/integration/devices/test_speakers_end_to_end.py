"""Loudspeakers with real programs: the shipped profile plays through an ``aplay`` that pretends to be a sound device."""

import asyncio
import os
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from patience import until
from structlog.testing import capture_logs

from hallserver.devices.api import PlayResult, Speaker
from hallserver.devices.sound import Sound
from hallserver.devices.supervisor import DeviceSupervisor
from qingting.contract.config import Device
from qingting.contract.ids import DeviceId
from qingting.contract.states import Condition, DeviceKind, DeviceState, PlayOutcome
from qingting.kernel.aio.clock import SystemClock
from simulators.sound_card import lay_programs

SPEAKER = DeviceId("speaker")
CARD = "plughw:CARD=Hall"
WORD = Sound(24_000, array("h", [900, -900] * 3_000).tobytes())
"""A quarter of a second."""
LONG = Sound(24_000, WORD.pcm * 120)
"""Nobody takes this as long as half of it, however busy the machine."""


@asynccontextmanager
async def card(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Speaker, Path]]:
    device = folder / "cards" / CARD
    await asyncio.to_thread(lay_programs, folder / "bin", folder / "cards")
    await asyncio.to_thread(device.mkdir, parents=True)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
    config = Device(
        id=SPEAKER,
        kind=DeviceKind.SPEAKER,
        name="音箱",
        profile="generic.alsa",
        url=f"sound://{CARD}",
    )
    devices = await asyncio.to_thread(DeviceSupervisor, [config], clock=SystemClock())
    async with devices:
        speaker = devices.speakers[SPEAKER]
        await until(lambda: speaker.status.state is DeviceState.READY)
        yield speaker, device


async def test_it_plays_fails_is_marked_and_logged_once_and_plays_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [
        ("busy", Condition.SOUND_TAKEN),
        ("dies", Condition.OFFLINE),
        ("eager", Condition.SOUND_FAULT),
    ]
    async with card(tmp_path, monkeypatch) as (speaker, device):
        assert await speaker.play(WORD, volume=100) == PlayResult(PlayOutcome.PLAYED)
        assert await asyncio.to_thread((device / "heard-001.pcm").read_bytes) == WORD.pcm
        for fault, condition in faults:
            with capture_logs() as logs:
                await asyncio.to_thread((device / "fault").write_text, fault)
                failed = await speaker.play(LONG if fault == "eager" else WORD, volume=100)
                assert failed == PlayResult(PlayOutcome.FAILED, condition), fault
                await until(lambda: speaker.status.state is not DeviceState.READY)
                await asyncio.to_thread((device / "fault").unlink)
                await until(lambda: speaker.status.state is DeviceState.READY)
            told = [one["event"] for one in logs if one["event"].startswith("device.")]
            assert told == ["device.lost", "device.back"], fault
        await asyncio.to_thread((device / "fault").write_text, "slow")  # late, and heard to its end
        assert (await speaker.play(WORD, volume=50)).outcome is PlayOutcome.PLAYED
        assert await asyncio.to_thread((device / "heard-002.pcm").read_bytes) == WORD.at(50).pcm
        await asyncio.to_thread(device.rename, device.with_name("unplugged"))
        failed = await speaker.play(WORD, volume=100)
        assert failed == PlayResult(PlayOutcome.FAILED, Condition.OFFLINE)
