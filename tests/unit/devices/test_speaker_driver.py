"""Promises of the loudspeaker's driver: what was played is proven, what was not has a cause, and it is never two at once."""

import asyncio
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from hallserver.boards.pcm import write_wav
from hallserver.devices.api import PlayResult
from hallserver.devices.drivers.speaker.driver import PROBE, ProgramSpeaker
from hallserver.devices.errors import DeviceConfigError
from hallserver.devices.profile_types import SpeakerProfile, decode_special
from hallserver.devices.profiles import load_kind
from hallserver.devices.sound import Sound, sound_of
from hallserver.devices.supervisor import device_faults
from hallserver.devices.transports.opening import parse_line_url
from hallserver.devices.transports.player import Ran
from qingting.contract.config import Device
from qingting.contract.ids import DeviceId
from qingting.contract.states import Condition, DeviceKind, DeviceState, PlayOutcome

PROFILE = load_kind(SpeakerProfile, "generic.alsa")
DEVICE = Device(
    id=DeviceId("speaker-1"),
    kind=DeviceKind.SPEAKER,
    name="一楼音箱",
    profile="generic.alsa",
    url="sound://plughw:CARD=Device,DEV=0",
)
CALL = Sound(24_000, array("h", [1000, -1000] * 24_000).tobytes())
PLAYED = PlayResult(PlayOutcome.PLAYED)


class Card:
    """Stands where the machine's programs do; takes as long as a sound lasts, by the test's clock."""

    def __init__(self, bench: Any) -> None:
        self.clock = bench.clock
        self.ends = Ran(0, "")
        self.missing = self.stuck = self.swallows = self.muted = False
        self.heard: list[tuple[Sequence[str], bytes]] = []
        self.at_once = self.most_at_once = 0

    async def run(self, command: Sequence[str], data: bytes) -> Ran:
        if command[0] == "amixer":
            return Ran(0, "Mono: Playback 42 [66%] [off]" if self.muted else "[66%] [on]")
        if self.missing:
            raise FileNotFoundError(2, "No such file or directory", command[0])
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            await self.clock.sleep(
                1e9 if self.stuck else 0 if self.swallows else len(data) / 48_000
            )
        finally:
            self.at_once -= 1
        if self.ends.code == 0 and data != PROBE.pcm:
            self.heard.append((command, data))
        return self.ends


@asynccontextmanager
async def playing(bench: Any) -> AsyncIterator[tuple[ProgramSpeaker, Card]]:
    card = Card(bench)
    speaker = ProgramSpeaker(
        DEVICE, PROFILE, clock=bench.clock, opener=bench.open_line, run=card.run
    )
    async with bench.running(speaker):
        await bench.until(lambda: speaker.status.state is DeviceState.READY)
        yield speaker, card


async def outcome(bench: Any, playing: asyncio.Task[PlayResult], at_most: float = 20) -> PlayResult:
    await bench.until(playing.done, at_most)
    return await playing


async def test_a_sound_goes_whole_to_the_named_device_and_is_played_when_it_ended(
    bench: Any,
) -> None:
    async with playing(bench) as (speaker, card):
        task = asyncio.create_task(speaker.play(CALL, volume=50))
        await bench.pass_time(1.5)
        assert not task.done()  # two seconds of sound are not over yet
        assert await outcome(bench, task) == PLAYED
        command, data = card.heard[0]
        assert command[-2:] == ["-D", "plughw:CARD=Device,DEV=0"]
        assert "24000" in command
        assert data == CALL.at(50).pcm


FAULTS = {
    "absent": (Ran(1, "audio open error: No such file or directory"), Condition.OFFLINE),
    "unplugged": (Ran(1, "write error: No such device"), Condition.OFFLINE),
    "taken": (Ran(1, "audio open error: Device or resource busy"), Condition.SOUND_TAKEN),
    "unknown": (Ran(134, ""), Condition.SOUND_FAULT),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_works_fails_logged_once_works_again(bench: Any, fault: str) -> None:
    with capture_logs() as logs:
        async with playing(bench) as (speaker, card):
            card.ends, condition = FAULTS[fault]
            failed = await outcome(bench, asyncio.create_task(speaker.play(CALL, volume=80)))
            assert failed == PlayResult(PlayOutcome.FAILED, condition)
            assert speaker.status.state is DeviceState.LOST
            assert speaker.status.conditions == {condition}
            await bench.pass_time(20)
            again = await outcome(bench, asyncio.create_task(speaker.play(CALL, volume=80)))
            assert again == PlayResult(PlayOutcome.FAILED, condition)
            card.ends = Ran(0, "")
            took = await bench.until(lambda: speaker.status.state is DeviceState.READY, 10)
            assert took < 6
            assert speaker.status.conditions == frozenset()
            assert (
                await outcome(bench, asyncio.create_task(speaker.play(CALL, volume=80)))
            ) == PLAYED
    assert [one["event"] for one in logs] == ["device.ready", "device.lost", "device.back"]


async def test_it_is_missed_while_nobody_speaks(bench: Any) -> None:
    async with playing(bench) as (speaker, card):
        card.ends, condition = FAULTS["absent"]
        took = await bench.until(lambda: speaker.status.state is DeviceState.LOST, 20)
        assert took <= 15.1
        assert speaker.status.conditions == {condition}


@pytest.mark.parametrize("fault", ["stuck", "swallows", "missing"])
async def test_a_program_that_does_not_do_its_work_is_a_sound_fault(bench: Any, fault: str) -> None:
    async with playing(bench) as (speaker, card):
        setattr(card, fault, True)
        failed = await outcome(bench, asyncio.create_task(speaker.play(CALL, volume=80)))
        assert failed == PlayResult(PlayOutcome.FAILED, Condition.SOUND_FAULT)
        assert card.at_once == 0  # a stuck one was ended
        setattr(card, fault, False)
        await bench.until(lambda: speaker.status.state is DeviceState.READY, 10)


async def test_one_sound_at_a_time_in_the_order_of_asking(bench: Any) -> None:
    async with playing(bench) as (speaker, card):
        sounds = [Sound(24_000, bytes([number, 0]) * 2_400) for number in (1, 2, 3)]
        tasks = [asyncio.create_task(speaker.play(one, volume=100)) for one in sounds]
        assert [await outcome(bench, one) for one in tasks] == [PLAYED] * 3
        assert [data for _, data in card.heard] == [one.pcm for one in sounds]
        assert card.most_at_once == 1


async def test_a_muted_mixer_is_told_and_plays_nothing(bench: Any) -> None:
    async with playing(bench) as (speaker, card):
        card.muted = True
        await bench.until(lambda: speaker.status.conditions == {Condition.MUTED}, 20)
        assert speaker.status.state is DeviceState.READY
        failed = await outcome(bench, asyncio.create_task(speaker.play(CALL, volume=80)))
        assert failed == PlayResult(PlayOutcome.FAILED, Condition.MUTED)
        card.muted = False
        await bench.until(lambda: not speaker.status.conditions, 20)
        assert (await outcome(bench, asyncio.create_task(speaker.play(CALL, volume=80)))) == PLAYED


@given(st.lists(st.integers(-32768, 32767), max_size=50), st.integers(0, 100))
def test_a_quieter_sound_is_as_long_and_never_louder(samples: list[int], percent: int) -> None:
    sound = Sound(24_000, array("h", samples).tobytes())
    quieter = array("h", sound.at(percent).pcm)
    assert len(quieter) == len(samples)
    assert all(abs(a) <= abs(b) for a, b in zip(quieter, samples, strict=True))


def test_the_halls_voice_is_understood_and_noise_is_refused() -> None:
    samples = array("h", [1, -2, 3])
    assert sound_of(write_wav(samples)) == Sound(24_000, samples.tobytes())
    for noise in (b"", b"RIFF", write_wav(samples)[:20], b"\x00" * 100):
        with pytest.raises(ValueError, match="WAV"):
            sound_of(noise)


@pytest.mark.parametrize(
    "url", ["sound://", "sound://-D", "sound://a b", "sound://a%00", "sound://x?y=1"]
)
def test_a_name_that_could_be_an_option_is_no_device(url: str) -> None:
    with pytest.raises(DeviceConfigError):
        parse_line_url(url)


def test_a_speaker_needs_a_speakers_profile_and_a_sound_device() -> None:
    assert device_faults(DEVICE) == []
    wrong = msgspec.structs.replace(DEVICE, url="tcp://127.0.0.1:9100")
    assert "has no tcp line" in device_faults(wrong)[0]
    wrong = msgspec.structs.replace(DEVICE, profile="generic.escpos80")
    assert "is a printer" in device_faults(wrong)[0]


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [("muted", "shows", "("), ("complaints", "says", "[")],
)
def test_a_profile_whose_pattern_is_none_is_refused(part: str, key: str, value: str) -> None:
    raw = msgspec.to_builtins(PROFILE.speaker)
    target = raw[part] if part == "muted" else raw[part][0]
    target[key] = value
    with pytest.raises(msgspec.ValidationError, match="regular expression"):
        msgspec.convert(raw, type(PROFILE.speaker), dec_hook=decode_special)
