"""LED panels of a running hall: what the log calls is on the lamps, and their faults are on the pages."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fixtures_manager import Site
from patience import until, within

from hallserver.boards.layouts import TEMPLATES
from qingting.contract import commands as c
from qingting.contract import config as cfg
from qingting.contract.config_parts import BoardsPart
from qingting.contract.ids import DeviceId, StaffId, WindowId
from qingting.contract.layouts import Content
from qingting.contract.states import Condition, DeviceKind, DeviceState
from simulators.bench import DeviceSpec, SimulatorBench

LED, OTHER = DeviceId("led-1"), DeviceId("led-2")
W1, W2 = WindowId("w1"), WindowId("w2")


def led(device: DeviceId, window: WindowId, url: str, profile: str = "onbon.bx-5k") -> cfg.Device:
    return cfg.Device(
        id=device,
        kind=DeviceKind.LED,
        name=f"{window}条屏",
        window=window,
        profile=profile,
        url=url,
    )


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[SimulatorBench]:
    made = SimulatorBench(tmp_path / "bench")
    spec = DeviceSpec(id=LED, kind=DeviceKind.LED, profile="onbon.bx-5k", carrier="tcp")
    await made.start([spec])
    yield made
    await made.close()


@pytest.fixture
def config(config: cfg.HallConfig, bench: SimulatorBench) -> cfg.HallConfig:
    leds = (
        led(LED, W1, bench.seat(LED).carrier.url),
        led(OTHER, W2, "udp://127.0.0.1:9", profile="nobody.knows"),
    )
    return msgspec.structs.replace(config, devices=config.devices + leds)


async def call(site: Site, window: WindowId, staff: str) -> str:
    ticket = await site.issue()
    await site.do(c.OpenWindow(window=window, staff=StaffId(staff)))
    await site.do(c.CallNext(window=window))
    return site.desk.state.tickets[ticket].number


def state_of(site: Site, device: DeviceId) -> Any:
    return site.desk.state.devices[device]


async def test_calls_reach_the_lamps_and_faults_reach_the_pages(
    inside: Site, bench: SimulatorBench
) -> None:
    panel = bench.led(LED).panel
    await until(lambda: state_of(inside, LED).state is DeviceState.READY)
    await until(lambda: "欢迎您" in panel.text(1))
    # Its own window's call, and only that.
    other = await call(inside, W2, "s-02")
    number = await call(inside, W1, "s-01")
    await within(1, lambda: number in panel.text(1))
    assert other not in panel.text(1)
    # A panel that nobody can drive says why and holds up nothing.
    await until(lambda: "nobody.knows" in state_of(inside, OTHER).detail)
    assert state_of(inside, OTHER).state is DeviceState.ABSENT
    # Pulled out it is seen, on the page too; back again it shows what holds by then.
    await bench.seat(LED).unplug()
    await until(lambda: state_of(inside, LED).state is DeviceState.LOST)
    assert set(state_of(inside, LED).conditions) == {Condition.OFFLINE}
    _, page = await inside.get("/manage/devices")
    assert "w1条屏" in page
    assert "LED 控制卡" in page
    panel.clear()
    await inside.do(c.BeginService(window=W1))
    await inside.do(c.FinishService(window=W1))
    later = await call(inside, W1, "s-01")
    await bench.seat(LED).replug()
    await until(lambda: later in panel.text(1))
    await until(lambda: inside.desk.hub.board.presence.seen.get(LED, 0) > 0)


async def test_the_manager_chooses_what_a_panel_shows_and_pages_are_refused(
    inside: Site, bench: SimulatorBench
) -> None:
    panel = bench.led(LED).panel
    strip, page = (
        msgspec.structs.replace(one, id=name)
        for one, name in ((TEMPLATES[3], "my-strip"), (TEMPLATES[0], "my-page"))
    )
    slot = strip.slots[-1]
    part = msgspec.structs.replace(slot.parts[0], what=Content.TEXT, text="办证请带原件")
    idle = msgspec.structs.replace(slot, parts=(part,))
    strip = msgspec.structs.replace(strip, slots=(*strip.slots[:2], idle))
    await inside.do(c.EditConfig(base=1, part=BoardsPart(layouts=(strip, page), board_layouts={})))
    _, shown = await inside.get("/manage/boards")
    offered = shown.split('value="led-1"', 1)[1].split("</select>", 1)[0]
    assert "my-strip" in offered
    assert "my-page" not in offered
    bind = {"form_at": "/manage/boards", "board": LED}
    status, _ = await inside.post("/manage/boards/bind", layout="my-page", **bind)
    assert status == 409
    status, _ = await inside.post("/manage/boards/bind", layout="my-strip", **bind)
    assert status == 200
    await within(1, lambda: panel.text(1) == "办证请带原件")


async def test_a_panel_that_leaves_the_configuration_is_let_go(
    inside: Site, bench: SimulatorBench
) -> None:
    await until(lambda: bench.led(LED).connected)
    config = inside.desk.state.config
    assert config is not None
    fewer = tuple(one for one in config.devices if one.kind is not DeviceKind.LED)
    await inside.do(c.ApplyConfig(config=msgspec.structs.replace(config, version=2, devices=fewer)))
    await until(lambda: not bench.led(LED).connected)
