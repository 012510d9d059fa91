"""Promises of the face terminal's driver: it looks only while wanted, one outcome a look, nothing of one look in the next."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import msgspec
import pytest
from fault_rig import Rig
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from hallserver.devices.api import FaceCredential, FaceProblem
from hallserver.devices.drivers.face.driver import NOT_RECOGNISED, TERMINAL_FAULT, FaceTerminal
from hallserver.devices.profile_types import FaceProfile, decode_special
from hallserver.devices.profiles import load_kind
from hallserver.devices.protocols.faceline import credential_of, said
from qingting.contract.config import Device
from qingting.contract.ids import DeviceId
from qingting.contract.states import Condition, DeviceKind, DeviceState
from simulators.device import Fault
from simulators.face_terminal import STRANGER, FaceTerminalSimulator
from simulators.profiles import load_profile

PROFILE = load_kind(FaceProfile, "generic.face-line")
SIMULATED = load_profile("generic.face-line")
DEVICE = Device(id=DeviceId("k1-face"), kind=DeviceKind.FACE, name="人脸终端", url="null://f")


@asynccontextmanager
async def rigged(bench: Any) -> AsyncIterator[Rig]:
    async with FaceTerminalSimulator("k1-face", SIMULATED, bench.clock) as device:
        rig = Rig(bench, PROFILE, device)
        rig.driver = FaceTerminal(DEVICE, PROFILE, clock=bench.clock, opener=rig.cable.open_line)
        rig.driver.on_face(rig.heard.append)
        async with bench.running(rig.driver):
            await rig.well()
            yield rig


def credentials(rig: Rig) -> list[str]:
    return [one.text for one in rig.heard if isinstance(one, FaceCredential)]


async def test_works_fails_logged_once_works_again(bench: Any, events: Any) -> None:
    async with rigged(bench) as rig:
        for cut in (rig.cable.pull, lambda: rig.device.set_fault(Fault.MUTE, on=True)):
            cut()
            await rig.until(lambda: rig.state is DeviceState.LOST)
            assert rig.conditions == {Condition.OFFLINE} or rig.conditions == {Condition.COMM_ERROR}
            await bench.pass_time(5)
            rig.device.set_fault(Fault.MUTE, on=False)
            rig.cable.insert()
            await rig.well()
        rig.driver.arm()
        rig.device.stand("citizen")
        await rig.until(lambda: bool(rig.heard))
        assert len(credentials(rig)) == 1
    told = events()
    assert told == ["device.ready", *["device.lost", "device.back"] * 2]


async def test_nobody_is_looked_at_before_and_after(bench: Any) -> None:
    async with rigged(bench) as rig:
        rig.device.stand("citizen")
        await bench.pass_time(3)
        assert (rig.device.looks, rig.heard) == (0, [])
        rig.driver.arm()
        await rig.until(lambda: bool(rig.heard))
        await rig.until(lambda: not rig.device.looking)
        await bench.pass_time(3)
        assert (rig.device.looks, len(rig.heard)) == (1, 1)


async def test_a_look_ends_when_nobody_comes_nobody_is_known_or_it_is_not_wanted_any_more(
    bench: Any,
) -> None:
    async with rigged(bench) as rig:
        rig.driver.arm()
        await bench.pass_time(PROFILE.face.look_s - 1)
        assert rig.device.looking
        await bench.pass_time(2)
        assert (rig.heard, rig.device.looking) == ([NOT_RECOGNISED], False)
        rig.driver.arm()
        rig.device.stand(STRANGER)
        await rig.until(lambda: len(rig.heard) == 2)
        assert rig.heard[1] == NOT_RECOGNISED
        rig.device.walk_away()
        rig.driver.arm()
        await rig.until(lambda: rig.device.looking)
        rig.driver.disarm()
        await rig.until(lambda: not rig.device.looking, at_most=0.1)
        rig.device.stand("citizen")
        await bench.pass_time(2)
        assert len(rig.heard) == 2


async def test_a_terminal_that_looks_unasked_is_told_to_stop_and_believed_in_nothing(
    bench: Any,
) -> None:
    with capture_logs() as logs:
        async with rigged(bench) as rig:
            rig.device.set_fault(Fault.EAGER, on=True)
            for person in ("citizen", "woman"):
                rig.device.stand(person)
                await bench.pass_time(2)
            assert rig.heard == []
            rig.device.receive(b"LOOK\r\n")
            await rig.until(lambda: not rig.device.looking, at_most=1)
            await rig.well()
    assert [one["event"] for one in logs].count("face.unasked") == 1
    assert "QTRL" not in repr(logs)


async def test_a_credential_of_one_look_never_comes_into_the_next(bench: Any) -> None:
    """The first citizen leaves in the moment in which they are recognised; the second chooses the face at once."""
    async with rigged(bench) as rig:
        rig.device.issue = lambda person: f"credential-of-{person}"
        rig.device.set_fault(Fault.SLOW, on=True)
        rig.driver.arm()
        rig.device.stand("first")
        await rig.until(lambda: bool(rig.device.seen), at_most=3)
        rig.driver.disarm()
        rig.driver.arm()
        rig.device.stand("second")
        await rig.until(lambda: bool(rig.heard), at_most=5)
        assert credentials(rig) == ["credential-of-second"]


async def test_a_fault_while_it_looks_shows_and_ends_the_look(bench: Any) -> None:
    async with rigged(bench) as rig:
        rig.driver.arm()
        await rig.until(lambda: rig.device.looking)
        rig.device.set_fault(Fault.CAMERA_FAULT, on=True)
        await rig.until(lambda: rig.conditions == {Condition.CAMERA_FAULT})
        rig.device.set_fault(Fault.CAMERA_FAULT, on=False)
        rig.device.stand("citizen")
        await rig.well()
        await bench.pass_time(2)
        assert rig.heard == []


async def test_arming_a_terminal_that_is_gone_says_so_and_is_not_remembered(bench: Any) -> None:
    async with rigged(bench) as rig:
        rig.cable.pull()
        await rig.until(lambda: rig.state is DeviceState.LOST)
        rig.driver.arm()
        assert rig.heard == [TERMINAL_FAULT]
        rig.device.stand("citizen")
        rig.cable.insert()
        await rig.well()
        await bench.pass_time(2)
        assert rig.device.looks == 0


async def test_what_can_be_no_credential_is_not_handed_on(bench: Any) -> None:
    async with rigged(bench) as rig:
        for broken in ("short", "has a space in it", "x" * 513):
            rig.device.issue = lambda _person, broken=broken: broken
            rig.heard.clear()
            rig.driver.arm()
            rig.device.stand("citizen")
            await bench.pass_time(2)
            rig.driver.disarm()
            assert credentials(rig) == []


class Hands:
    """Presses, people, cables and faults, and what is wanted of the terminal after each."""

    def __init__(self, rig: Rig, random: Random) -> None:
        self.rig, self.random = rig, random
        self.wanted, self.arms = False, 0
        rig.driver.on_face(self.told)

    def told(self, _outcome: object) -> None:
        assert self.wanted, "an outcome that nobody waits for"
        self.wanted = False

    async def press(self) -> None:
        self.wanted, self.arms = True, self.arms + 1
        self.rig.driver.arm()

    async def leave(self) -> None:
        self.wanted = False
        self.rig.driver.disarm()

    async def stand(self) -> None:
        self.rig.device.stand(self.random.choice(["citizen", "woman", STRANGER]))

    async def fault(self) -> None:
        fault = self.random.choice(sorted(self.rig.device.possible_faults - {Fault.SLOW}))
        self.rig.device.set_fault(fault, on=fault not in self.rig.device.faults)
        if self.rig.device.faults & {Fault.MUTE, Fault.CAMERA_FAULT, Fault.PLATFORM_LOST}:
            await self.rig.bench.pass_time(2.5)
            self.wanted = self.wanted and self.rig.state is DeviceState.READY

    async def cable(self) -> None:
        self.rig.cable.pull()
        self.wanted = False
        await self.rig.bench.pass_time(0.1)
        self.rig.cable.insert()

    async def wait(self) -> None:
        await self.rig.bench.pass_time(self.random.random())

    async def act(self) -> None:
        deeds = (self.press, self.press, self.leave, self.stand, self.fault, self.cable, self.wait)
        await self.random.choice(deeds)()


@pytest.mark.parametrize("seed", range(5))
async def test_it_never_looks_unwanted_for_long_and_never_tells_twice(
    bench: Any, seed: int
) -> None:
    async with rigged(bench) as rig:
        hands = Hands(rig, Random(seed))
        for _ in range(35):
            await hands.act()
            if not hands.wanted:
                await bench.pass_time(1.5)
                assert not rig.device.looking or rig.state is not DeviceState.READY
        assert len(rig.heard) <= hands.arms


# ---- lines and profiles --------------------------------------------------------------------------


@given(st.binary(max_size=40), st.text("ABCdef123.-_", min_size=8, max_size=60))
def test_noise_before_a_line_is_passed_over(noise: bytes, credential: str) -> None:
    assert (
        credential_of(said(noise + b"\xff" + f"FACE {credential}".encode()), "FACE ") == credential
    )


@given(st.binary(max_size=200))
def test_any_line_says_visible_text_or_nothing(line: bytes) -> None:
    text = said(line)
    assert text.isprintable()
    assert credential_of(text, "FACE ") is None or text.startswith("FACE")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"words": {"DARK": "dark"}}, "none means looking"),
        ({"faults": {"DARK": "camera_fault"}}, "both a word and a fault"),
    ],
)
def test_a_profile_that_cannot_work_is_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=why):
        msgspec.convert(dict(SIMULATED.raw) | change, FaceProfile, dec_hook=decode_special)


def test_what_was_handed_out_shows_in_no_message() -> None:
    assert "secret" not in repr(FaceCredential("a-secret-credential"))
    assert FaceProblem("face.not_recognised") == NOT_RECOGNISED
