"""A ticket that nobody takes is cleared away once after the model's delay, and the status tells that it is gone."""

from typing import Any

import msgspec
import pytest
from fault_rig import Cable
from hypothesis import given
from hypothesis import strategies as st

from hallserver.devices.drivers.printer.driver import EscposPrinter
from hallserver.devices.drivers.printer.presenter import Exit
from hallserver.devices.profile_checks import faults_of
from hallserver.devices.profile_types import HexBytes, Presenter, PrinterProfile
from hallserver.devices.profiles import load_kind, shipped_profiles
from qingting.contract.config import Device
from qingting.contract.ids import DeviceId
from qingting.contract.states import Condition, DeviceKind, DeviceState
from simulators.printer import PrinterSimulator
from simulators.profiles import load_profile

MODELS = [
    one
    for one in shipped_profiles().ids(DeviceKind.PRINTER)
    if load_kind(PrinterProfile, one).presenter is not None
]
PROFILES = {one: load_kind(PrinterProfile, one) for one in MODELS}
SIMULATED = {one: load_profile(one) for one in MODELS}
LEFT = Condition.TICKET_NOT_TAKEN
CLEAR = Presenter(clear=HexBytes(b"\x1d\x65\x05"), after_s=60)


def test_there_are_models_that_clear_their_exit() -> None:
    assert "custom.kpm300" in MODELS


@pytest.mark.parametrize("model", MODELS)
async def test_a_ticket_left_is_told_cleared_once_and_told_gone(
    bench: Any, events: Any, model: str
) -> None:
    profile = PROFILES[model]
    assert profile.presenter is not None
    device = Device(id=DeviceId("p"), kind=DeviceKind.PRINTER, name="打印机", url="null://p")
    async with PrinterSimulator("p", SIMULATED[model], bench.clock) as printer:
        cable = Cable(printer)
        driver = EscposPrinter(device, profile, clock=bench.clock, opener=cable.open_line)
        async with bench.running(driver):
            await bench.until(lambda: driver.status.state is DeviceState.READY)
            printer.set_condition(LEFT, True)
            await bench.until(lambda: LEFT in driver.status.conditions)
            await bench.pass_time(profile.presenter.after_s - 5)
            assert printer.cleared == 0
            await bench.until(lambda: printer.cleared == 1, 15)
            await bench.until(lambda: LEFT not in driver.status.conditions)
            printer.set_condition(LEFT, True)
            await bench.pass_time(5)
            printer.set_condition(LEFT, False)  # somebody took it
            await bench.pass_time(profile.presenter.after_s)
            assert printer.cleared == 1
    told = [one for one in events() if one.startswith("printer.")]
    assert told == ["printer.ticket_left", "printer.exit_cleared"]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=40))
def test_it_is_never_cleared_early_and_once_a_ticket(looks: list[tuple[bool, int]]) -> None:
    way_out = Exit(DeviceId("p"), CLEAR)
    now, since, sent = 0, None, 0
    for left, seconds in looks:
        now += seconds
        if not left:
            since, sent = None, 0
        elif since is None:
            since = now
        command = way_out.looked(now, left=left)
        assert (command is not None) == (
            since is not None and sent == 0 and now - since >= CLEAR.after_s
        )
        sent += command is not None


def test_without_a_command_or_after_a_loss_nothing_is_sent() -> None:
    assert Exit(DeviceId("p"), None).looked(1e9, left=True) is None
    way_out = Exit(DeviceId("p"), CLEAR)
    assert way_out.looked(0, left=True) is None
    way_out.forget()
    assert way_out.looked(100, left=True) is None


def test_a_model_without_a_presenter_cannot_clear_one() -> None:
    plain = load_kind(PrinterProfile, "generic.escpos80")
    wrong = msgspec.structs.replace(plain, presenter=CLEAR)
    assert any(one.startswith("presenter:") for one in faults_of(wrong))
