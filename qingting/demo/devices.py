"""Simulated peripherals of the demonstration, and the agents that own them."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from qingting.contract.config import Device, HallConfig
from qingting.contract.ids import DeviceId
from qingting.contract.states import DeviceKind

if TYPE_CHECKING:
    from simulators.bench import DeviceSpec
    from simulators.serve import Play

PERIPHERALS = (
    DeviceKind.PRINTER,
    DeviceKind.ID_READER,
    DeviceKind.SCANNER,
    DeviceKind.FACE,
    DeviceKind.LED,
)
Carrier = Literal["pty", "tcp"]


def peripherals(config: HallConfig) -> list[Device]:
    """Devices with a cable: printers, readers, scanners, face terminals and LED controllers."""
    return [device for device in config.devices if device.kind in PERIPHERALS]


def bench_id(config: HallConfig, device: Device) -> str:
    """A peripheral's name on the bench, where all halls stand together."""
    return f"{config.hall.id}.{device.id}"


def plugged(config: HallConfig, urls: dict[str, str]) -> dict[DeviceId, str]:
    """Where each peripheral of the hall is plugged in, by device id."""
    return {device.id: urls[bench_id(config, device)] for device in peripherals(config)}


def device_specs(configs: Iterable[HallConfig], carrier: Carrier) -> list["DeviceSpec"]:
    """What to put on the bench."""
    from simulators.bench import DeviceSpec

    specs = []
    for config in configs:
        names = {device.id: device for device in config.devices}
        for device in peripherals(config):
            kiosk = names[device.parent] if device.parent is not None else device
            specs.append(
                DeviceSpec(
                    id=bench_id(config, device),
                    kind=device.kind,
                    profile=device.profile,
                    carrier=carrier,
                    group=f"{config.hall.name} · {kiosk.name}",
                    group_en=f"{config.hall.name_en} · {kiosk.name_en or kiosk.name}",
                )
            )
    return specs


def read_play(scenario: str, speed: float, told: Callable[[str], None]) -> "Play | None":
    """The scenario that ``--scenario`` names, by path or by the name of a shipped one; None for none.

    Raises ``simulators.scenario.ScenarioError``.
    """
    from simulators.scenario import find_scenario, load_scenario
    from simulators.serve import Play

    if not scenario:
        return None
    return Play(file=load_scenario(find_scenario(scenario)), speed=speed, told=told)


async def run_simulators(*, port: int, carrier: Carrier, play: "Play | None" = None) -> None:
    """One kiosk's worth of simulated devices with a control page, and a provider of single sign-on, until cancelled."""
    import tempfile

    import click

    from qingting.demo.builder import build_hall, hall_ids
    from qingting.demo.sign_on import demo_provider, sign_on_settings
    from simulators.serve import RunningBench, run_bench

    config = build_hall(hall_ids(1)[0])
    kiosk = next(device.id for device in config.devices if device.kind is DeviceKind.KIOSK)
    specs = [
        spec
        for spec, device in zip(device_specs([config], carrier), peripherals(config), strict=True)
        if device.parent == kiosk
    ]

    identity = demo_provider()

    def tell(running: RunningBench) -> None:
        click.echo(f"control page  {running.page}")
        for name, url in running.urls.items():
            click.echo(f"{name:32}{url}")
        for name, value in sign_on_settings(identity).items():
            click.echo(f"{name} = {value!r}")

    with tempfile.TemporaryDirectory(prefix="qingting-devices-") as folder:
        await run_bench(
            specs, folder=Path(folder), port=port, ready=tell, play=play, identity=identity
        )
