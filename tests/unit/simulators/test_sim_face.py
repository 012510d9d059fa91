"""The simulated face terminal keeps what its page asks of real ones, and its credentials are the platform's."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qingting.contract.states import DeviceKind
from qingting.kernel.aio.clock import ManualClock
from simulators.actions import ActionError, perform
from simulators.bench import DeviceSpec, SimulatorBench
from simulators.citizen_code import CitizenCodePlatform
from simulators.device import Fault
from simulators.face_terminal import LOOK_S, FaceTerminalSimulator


class Listener:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def send(self, data: bytes) -> None:
        self.lines += data.decode("ascii").splitlines()


class Stand:
    """A bench with one terminal, and whoever listens to it."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.bench = SimulatorBench(folder, self.clock)
        self.bench.codes = CitizenCodePlatform("hall", "secret", self.clock)
        self.listener = Listener()

    @property
    def terminal(self) -> FaceTerminalSimulator:
        return self.bench.face("f")

    async def start(self) -> None:
        spec = DeviceSpec(id="f", kind=DeviceKind.FACE, profile="generic.face-line", carrier="tcp")
        await self.bench.start([spec])
        self.terminal.attach(self.listener)

    async def person(self, name: str) -> None:
        await perform(self.bench, "f", "stand", f'{{"person": "{name}"}}'.encode())

    async def told(self, *commands: str, seconds: float = 1.0) -> list[str]:
        """What it says to these commands and in the time after them."""
        self.listener.lines.clear()
        for command in commands:
            self.terminal.receive(f"{command}\r\n".encode())
        for _ in range(round(seconds * 10)):
            await self.clock.advance(0.1)
            await asyncio.sleep(0)
        return list(self.listener.lines)


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    made = Stand(tmp_path)
    await made.start()
    yield made
    await made.bench.close()


async def test_a_credential_is_the_platforms_and_comes_only_from_a_look(stand: Stand) -> None:
    await stand.person("woman")
    assert await stand.told("STATE", seconds=2) == ["DARK"]
    looking, face = await stand.told("LOOK")
    assert looking == "LOOKING"
    credential = face.removeprefix("FACE ")
    assert stand.bench.codes is not None
    assert stand.bench.codes.resolve("r", credential)["result"] == "unknown", "it is no code"
    assert stand.bench.codes.resolve("r", credential, "face")["person"]["name"] == "李样本"
    assert stand.bench.codes.resolve("r", credential, "face")["result"] == "used"
    assert await stand.told("STATE") == ["DARK"]


async def test_somebody_unknown_is_nobody_and_only_people_of_the_city_can_be_named(
    stand: Stand,
) -> None:
    await stand.person("stranger")
    assert await stand.told("LOOK") == ["LOOKING", "NOBODY"]
    with pytest.raises(ActionError) as refused:
        await stand.person("napoleon")
    assert refused.value.code == "unknown_citizen"


async def test_it_looks_no_longer_than_it_may_and_not_without_a_listener(stand: Stand) -> None:
    assert await stand.told("LOOK", "STOP") == ["LOOKING", "DARK"]
    await stand.told("LOOK", seconds=LOOK_S + 1)
    assert await stand.told("STATE") == ["DARK"]
    await stand.told("LOOK")
    stand.terminal.detach(stand.listener)
    assert not stand.terminal.looking


async def test_faults_are_said_and_blind(stand: Stand) -> None:
    await stand.person("woman")
    for fault, word in ((Fault.CAMERA_FAULT, "CAMERA"), (Fault.PLATFORM_LOST, "PLATFORM")):
        stand.terminal.set_fault(fault, on=True)
        assert await stand.told("LOOK", "STATE") == [word, word]
        stand.terminal.set_fault(fault, on=False)
