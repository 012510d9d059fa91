"""A day of faults is the same each time it is played, ends well, and a wrong file is refused at its line."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingting.contract.states import Condition, DeviceKind
from qingting.kernel.aio.clock import ManualClock
from simulators.bench import DeviceSpec, SimulatorBench
from simulators.device import Fault
from simulators.play import ScenarioPlayer
from simulators.profiles import load_profile, profile_ids
from simulators.scenario import (
    Chance,
    Happening,
    Scenario,
    ScenarioError,
    ScenarioFile,
    find_scenario,
    load_scenario,
    plan,
)

HEAD = """\
schema = 1
name = "试"
name_en = "Try"
begins = "08:30"
seed = 7
"""
HAPPENS = '[[happening]]\nat = "08:40"\ndevice = "*k1-printer"\nwhat = "paper_out"\nseconds = 60\n'
SPECS = [
    DeviceSpec(id="h.k1-printer", kind=DeviceKind.PRINTER, profile="epson.tm-t88", carrier="tcp"),
    DeviceSpec(id="h.k1-reader", kind=DeviceKind.ID_READER, profile="generic.samv", carrier="tcp"),
    DeviceSpec(
        id="h.k1-scanner", kind=DeviceKind.SCANNER, profile="generic.serial-line", carrier="tcp"
    ),
]
for _one in ("printer", "id_reader", "scanner"):
    profile_ids(_one)  # files are read here, not beside the event loop
SHIPPED = load_scenario(find_scenario("day-of-faults"))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def bench(tmp_path: Path, clock: ManualClock) -> AsyncIterator[SimulatorBench]:
    one = SimulatorBench(tmp_path, clock, mm_per_s=0)
    await one.start(SPECS)
    yield one
    await one.close()


def file(*happening: Happening, chance: tuple[Chance, ...] = (), seed: int = 7) -> ScenarioFile:
    scenario = Scenario(
        schema=1,
        name="试",
        name_en="Try",
        begins="08:30",
        seed=seed,
        happening=happening,
        chance=chance,
    )
    return ScenarioFile(scenario, "file.toml", HEAD + HAPPENS)


async def played(clock: ManualClock, player: ScenarioPlayer, seconds: float) -> None:
    task = asyncio.create_task(player.run())
    for _ in range(round(seconds)):
        await clock.advance(1)
        await asyncio.sleep(0.001)  # carriers open and close their sockets in real time
        if task.done():
            break
    assert task.done()
    await task


# ---- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("seconds = 60", "seconds = 0", "day.toml:10: Expected `float` > 0"),
        ("seconds = 60", 'secnds = 60', "day.toml:10: Object contains unknown field `secnds`"),
        ('at = "08:40"', 'at = "8:40"', "day.toml:7: "),
        ('"paper_out"', '"paper_gone"', "day.toml:6: nobody knows 'paper_gone'"),
        ('"paper_out"', '"swap"', "day.toml:6: a swap needs a model"),
        ('at = "08:40"', 'at = "08:00"', "something happens before the scenario begins"),
        (HAPPENS, "", "nothing happens"),
        ("seed = 7", "seed = ", "line 5"),
    ],
)  # fmt: skip
def test_a_wrong_scenario_is_refused_with_file_and_line(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    path = tmp_path / "day.toml"
    path.write_text((HEAD + HAPPENS).replace(old, new), "utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert told in str(caught.value)


def test_a_scenario_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no-such"):
        load_scenario(find_scenario(str(tmp_path / "no-such.toml")))


async def test_what_no_device_of_the_bench_can_have_is_refused_at_its_line(
    tmp_path: Path, bench: SimulatorBench
) -> None:
    path = tmp_path / "day.toml"
    for old, new, told in (
        ('"*k1-printer"', '"*k9-printer"', "day.toml:8: no device is called '\\*k9-printer'"),
        ('"*k1-printer"', '"*k1-reader"', "day.toml:9: id_reader never has paper_out"),
    ):
        wrong = (HEAD + HAPPENS).replace(old, new)
        await asyncio.to_thread(path.write_text, wrong, "utf-8")
        read = await asyncio.to_thread(load_scenario, path)
        with pytest.raises(ScenarioError, match=told):
            ScenarioPlayer(bench, read)


# ---- planning ------------------------------------------------------------------------------------


def devices(clock: ManualClock) -> dict[str, Any]:
    bench = SimulatorBench(Path("/nowhere"), clock)
    return {one.id: bench._make(one, load_profile(one.profile)) for one in SPECS}


@given(st.integers(), st.integers(1, 40))
def test_the_same_seed_gives_the_same_day_and_every_fault_ends(seed: int, count: int) -> None:
    chance = Chance(
        since="09:00",
        until="10:00",
        count=count,
        devices=("*",),
        what=("mute", "unplug", "paper_out", "sam_fault"),
        seconds=(1, 900),
    )
    here = devices(ManualClock())
    steps = plan(file(chance=(chance,), seed=seed), here)
    assert steps == plan(file(chance=(chance,), seed=seed), here)
    assert [one.at_s for one in steps] == sorted(one.at_s for one in steps)
    on: set[tuple[str, str]] = set()
    for step in steps:
        assert ((step.device, step.what) in on) is not step.on
        (on.add if step.on else on.discard)((step.device, step.what))
    assert on == set()


# ---- playing -------------------------------------------------------------------------------------


async def test_each_kind_of_step_does_what_it_says_and_undoes_it(
    bench: SimulatorBench, clock: ManualClock
) -> None:
    def at(minute: int, what: str, device: str = "*k1-printer", **more: Any) -> Happening:
        return Happening(at=f"08:{minute}", device=device, what=what, seconds=60, **more)

    wanted = file(
        at(31, "paper_out"),
        at(33, "mute", "*k1-reader"),
        at(35, "unplug", "*k1-scanner"),
        at(37, "swap", model="epson.tm-l90"),
        at(39, "disconnect_mid_job"),
    )
    told: list[str] = []
    player = ScenarioPlayer(bench, wanted, speed=60, clock=clock, told=told.append)
    seen: list[Any] = []

    def look() -> None:
        printer = bench.printer("h.k1-printer")
        seen.append(
            (
                Condition.PAPER_OUT in printer.conditions,
                Fault.MUTE in bench.reader("h.k1-reader").faults,
                bench.seat("h.k1-scanner").carrier.plugged,
                printer.profile.id,
                printer.state()["disconnect_mid_job"],
            )
        )

    bench.observe(look)
    await played(clock, player, 30)
    well = (False, False, True, "epson.tm-t88", False)
    for place, value in enumerate((True, True, False, "epson.tm-l90", True)):
        assert any(one[place] == value for one in seen), place
    look()
    assert seen[-1] == well
    assert told[0] == "08:31:00  h.k1-printer: paper out begins"
    assert player.state()["done"] == player.state()["total"] == len(told) == 10


async def test_the_day_that_comes_with_the_program_leaves_every_device_well(
    bench: SimulatorBench, clock: ManualClock
) -> None:
    player = ScenarioPlayer(bench, SHIPPED, speed=300, clock=clock)
    kinds = {step.what for step in player.steps}
    assert {"paper_out", "unplug", "swap", "stuck", "disconnect_mid_job", "mute"} <= kinds
    await played(clock, player, 300)
    for seat in bench.seats.values():
        state = seat.state()
        assert (state["faults"], state["plugged"]) == ([], True)
        assert state["profile"] == state["configured"]
        assert state.get("conditions", []) == []
