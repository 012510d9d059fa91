"""LED drivers against byte-level simulators over pseudo terminals, TCP and UDP, in real time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
from patience import until

from hallserver.devices.api import LedPanel
from hallserver.devices.protocols.led.line import LedLine, LedRun
from hallserver.devices.supervisor import DeviceSupervisor, device_faults
from qingting.contract.config import Device
from qingting.contract.ids import DeviceId
from qingting.contract.layouts import Colour, Motion
from qingting.contract.printing import Align
from qingting.contract.states import Condition, DeviceKind, DeviceState
from qingting.kernel.aio.clock import SystemClock
from simulators.bench import DeviceSpec, SimulatorBench
from simulators.device import Fault
from simulators.led import LedSimulator

Carrier = Literal["pty", "tcp", "udp"]
LED = DeviceId("led")
MODELS: list[tuple[str, Carrier]] = [
    ("onbon.bx-5k", "tcp"),
    ("onbon.bx-6k", "pty"),
    ("qyled.udp", "udp"),
    ("qyled.rs485", "pty"),
    ("generic.ascii-strip", "tcp"),
    ("generic.modbus-text", "tcp"),
]


def lines(first: str, second: str = "") -> list[LedLine]:
    return [
        LedLine(
            number=number,
            top=16 * (number - 1),
            height=16,
            width=128,
            runs=(LedRun(text, Colour.DONE),) if text else (),
            motion=Motion.SCROLL_LEFT if number == 2 else Motion.STATIC,
            align=Align.CENTRE if number == 1 else Align.LEFT,
        )
        for number, text in enumerate((first, second), 1)
    ]


@asynccontextmanager
async def panel(
    folder: Path, profile: str, carrier: Carrier
) -> AsyncIterator[tuple[LedPanel, LedSimulator, SimulatorBench]]:
    bench = SimulatorBench(folder)
    spec = DeviceSpec(id=LED, kind=DeviceKind.LED, profile=profile, carrier=carrier)
    urls = await bench.start([spec])
    device = Device(id=LED, kind=DeviceKind.LED, name="条屏", profile=profile, url=urls[LED])
    try:
        assert await asyncio.to_thread(device_faults, device) == []
        devices = await asyncio.to_thread(DeviceSupervisor, [device], clock=SystemClock())
        async with devices:
            yield devices.panels[LED], bench.led(LED), bench
    finally:
        await bench.close()


@pytest.mark.parametrize(("profile", "carrier"), MODELS, ids=[name for name, _ in MODELS])
async def test_what_is_wanted_is_on_the_simulated_panel(
    tmp_path: Path, profile: str, carrier: Carrier
) -> None:
    async with panel(tmp_path, profile, carrier) as (led, simulator, bench):
        led.show(lines("请A001号到3号窗口", "欢迎您"))
        await until(lambda: simulator.panel.text(2) == "欢迎您")
        assert simulator.panel.text(1) == "请A001号到3号窗口"
        led.show(lines("B002 办理中"))
        await until(lambda: simulator.panel.text(1) == "B002 办理中")
        await until(lambda: simulator.panel.text(2) == "")
        assert led.status.state is DeviceState.READY
        # A cable comes out, the panel goes dark, the hall goes on: back comes what holds by then.
        await bench.seat(LED).unplug()
        led.show(lines("C003"))
        await until(lambda: led.status.state is DeviceState.LOST)
        simulator.power_cycle()
        await bench.seat(LED).replug()
        await until(lambda: simulator.panel.text(1) == "C003")


async def test_colour_place_and_motion_reach_the_panel(tmp_path: Path) -> None:
    async with panel(tmp_path, "onbon.bx-6k", "tcp") as (led, simulator, _):
        led.show(lines("请A001", "欢迎您"))
        await until(lambda: simulator.panel.text(2) == "欢迎您")
        first, second = simulator.panel.lines[1], simulator.panel.lines[2]
        assert [run.colour for run in first.runs] == ["green"]
        assert (first.left, first.top, first.width, first.height) == (0, 0, 128, 16)
        assert (second.top, first.align, second.align) == (16, "centre", "left")
        assert [line["moves"] for line in simulator.state()["lines"]] == [False, True]


@pytest.mark.parametrize("profile", ["onbon.bx-5k", "generic.modbus-text"])
async def test_a_disturbed_line_is_seen_or_borne_and_gets_well(
    tmp_path: Path, profile: str
) -> None:
    async with panel(tmp_path, profile, "tcp") as (led, simulator, _):
        led.show(lines("A001"))
        await until(lambda: simulator.panel.text(1) == "A001")
        for borne in (Fault.SPLIT_BYTES, Fault.GARBAGE_PREFIX, Fault.SLOW):
            simulator.set_fault(borne, on=True)
            led.show(lines(borne.value[:8]))
            await until(lambda: simulator.panel.text(1) == borne.value[:8])  # noqa: B023
            simulator.set_fault(borne, on=False)
        simulator.set_fault(Fault.BUSY, on=True)
        led.show(lines("B002"))
        await until(lambda: led.status.conditions == {Condition.BUSY})
        assert simulator.panel.text(1) != "B002"
        simulator.set_fault(Fault.BUSY, on=False)
        await until(lambda: simulator.panel.text(1) == "B002" and not led.status.conditions)
        simulator.set_fault(Fault.MUTE, on=True)
        await until(lambda: led.status.state is DeviceState.LOST)
        assert led.status.conditions == {Condition.COMM_ERROR}
        simulator.set_fault(Fault.MUTE, on=False)
        await until(lambda: led.status.state is DeviceState.READY)


async def test_wrong_checks_are_noticed_by_both_ends(tmp_path: Path) -> None:
    async with panel(tmp_path, "onbon.bx-5k", "tcp") as (led, simulator, _):
        await until(lambda: led.status.state is DeviceState.READY)
        simulator.set_fault(Fault.WRONG_CHECKSUM, on=True)
        await until(lambda: led.status.conditions == {Condition.COMM_ERROR})
        simulator.set_fault(Fault.WRONG_CHECKSUM, on=False)
        await until(lambda: led.status.state is DeviceState.READY)
        # The controller itself refuses a frame whose check is wrong.
        simulator.receive(b"\xa5" * 8 + bytes(25) + b"\x5a")
        assert simulator.panel.lines == {}


def test_a_line_that_the_model_does_not_have_is_a_fault() -> None:
    device = Device(
        id=LED, kind=DeviceKind.LED, name="条屏", profile="qyled.rs485", url="udp://h:8800"
    )
    assert device_faults(device) == ["devices.led: profile 'qyled.rs485' has no udp line"]
