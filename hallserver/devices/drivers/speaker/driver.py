"""Loudspeakers (音箱): a program of the machine plays each sound to a named sound device.

That the device is there is proven by playing it a moment of silence, at the start and while nothing is to be said.
A sound was played when the program took all of it, took as long as the sound lasts and ended well; whatever else
happens is a failure with its cause, the device is marked and tried again, and nothing is repeated by itself.
"""

import asyncio
import re
from dataclasses import dataclass

import structlog

from hallserver.devices.api import PlayResult
from hallserver.devices.drivers.peripheral import OpenLine, Peripheral, open_line
from hallserver.devices.errors import TransientDeviceError
from hallserver.devices.profile_types import SpeakerProfile
from hallserver.devices.sound import Sound, silence
from hallserver.devices.transports.opening import parse_line_url
from hallserver.devices.transports.player import Ran, RunProgram, run_program
from hallserver.devices.waiting import within
from qingting.contract.config import Device
from qingting.contract.states import Condition, PlayOutcome
from qingting.kernel.aio.clock import Clock

log = structlog.get_logger(__name__)

PROBE = silence(0.05)
"""What proves that the device is there, unheard."""
SWALLOWED = 0.5
"""A program that takes less of the sound's length than this share has not played it."""


@dataclass(slots=True)
class _Job:
    sound: Sound
    volume: int
    result: "asyncio.Future[PlayResult]"


class ProgramSpeaker(Peripheral):
    """Implements ``api.Speaker`` for every profile with ``driver = "player"``."""

    def __init__(
        self,
        device: Device,
        profile: SpeakerProfile,
        *,
        clock: Clock,
        opener: OpenLine = open_line,
        run: RunProgram = run_program,
    ) -> None:
        super().__init__(device, profile.transport, clock=clock, opener=opener)
        self._profile = profile
        self._run = run
        self._turn = asyncio.Lock()
        self._job: _Job | None = None
        self._wake = asyncio.Event()
        self._mixer_muted = False

    # ---- for the outside -------------------------------------------------------------------------

    async def play(self, sound: Sound, *, volume: int) -> PlayResult:
        """See ``api.Speaker``. A sound that finds the device away or muted has failed at once."""
        async with self._turn:
            if not self._identified:
                return self._failed(next(iter(self._status.conditions), Condition.OFFLINE))
            if Condition.MUTED in self._conditions():
                return self._failed(Condition.MUTED)
            job = _Job(sound, volume, asyncio.get_running_loop().create_future())
            self._job = job
            self._wake.set()
            try:
                return await job.result
            finally:
                if self._job is job:
                    self._job = None

    def _failed(self, cause: Condition) -> PlayResult:
        return PlayResult(PlayOutcome.FAILED, cause)

    # ---- life ------------------------------------------------------------------------------------

    async def _identify(self) -> None:
        await self._look()

    async def _attend(self) -> None:
        while True:
            self._wake.clear()
            if self._job is not None:
                await self._say(self._job)
                continue
            try:
                await within(self._clock, self._transport.poll_ms / 1000, self._wake.wait())
            except TimeoutError:
                await self._look()
                self._refresh()

    async def _look(self) -> None:
        """Raises when a moment of silence does not get through."""
        await self._put_out(PROBE)
        question = self._profile.speaker.muted
        self._mixer_muted = False
        if question is not None:
            try:
                told = await self._ran(question.ask, b"", self._timeout_s, PROBE.rate)
            except (OSError, TimeoutError):
                return  # a machine without a mixer is not muted
            self._mixer_muted = told.code == 0 and bool(re.search(question.shows, told.words))

    async def _say(self, job: _Job) -> None:
        try:
            sound = await asyncio.to_thread(job.sound.at, job.volume)
            await self._put_out(sound, paced=self._profile.speaker.paces)
        except TransientDeviceError as error:
            self._settle(job, self._failed(error.condition))
            raise
        self._settle(job, PlayResult(PlayOutcome.PLAYED))

    def _settle(self, job: _Job, result: PlayResult) -> None:
        if self._job is job:
            self._job = None
        if not job.result.done():
            job.result.set_result(result)

    async def _put_out(self, sound: Sound, *, paced: bool = False) -> None:
        """Raises :class:`TransientDeviceError` with what the program's end means; ``paced``: also when it came too
        early for the sound to have been heard."""
        behaviour = self._profile.speaker
        began = self._clock.monotonic()
        deadline_s = sound.seconds + behaviour.slack_s
        try:
            ran = await self._ran(behaviour.play, sound.pcm, deadline_s, sound.rate)
        except TimeoutError:
            raise TransientDeviceError("it does not end", Condition.SOUND_FAULT) from None
        except OSError as error:
            raise TransientDeviceError(f"not started: {error}", Condition.SOUND_FAULT) from error
        if ran.code != 0:
            words = ran.words.splitlines()[-1] if ran.words else f"ended with {ran.code}"
            raise TransientDeviceError(words[:200], behaviour.meaning_of(ran.words))
        if paced and self._clock.monotonic() - began < sound.seconds * SWALLOWED:
            raise TransientDeviceError("the sound was swallowed", Condition.SOUND_FAULT)

    async def _ran(self, words: tuple[str, ...], data: bytes, deadline_s: float, rate: int) -> Ran:
        name = parse_line_url(self.device.url).place
        command = [one.replace("{device}", name).replace("{rate}", str(rate)) for one in words]
        return await within(self._clock, deadline_s, self._run(command, data))

    def _received(self, data: bytes) -> None:
        """A sound device says nothing by itself."""

    def _conditions(self) -> frozenset[Condition]:
        return frozenset({Condition.MUTED}) if self._mixer_muted else frozenset()

    def _detail(self) -> str:
        return f"{self._profile.vendor} {self._profile.model}"

    def _detached(self) -> None:
        """Whoever waits for the end of a sound learns that there will be none."""
        self._mixer_muted = False
        if self._job is not None:
            self._settle(self._job, self._failed(Condition.OFFLINE))
