"""Simulated people in the demonstration halls: one kiosk and the windows with the highest numbers."""

from collections.abc import Mapping

from qingting.contract.config import HallConfig
from qingting.contract.ids import DeviceId, WindowId
from qingting.contract.states import DeviceKind
from qingting.demo.cast import Cast
from simulators.bench import SimulatorBench
from simulators.citizens import Citizens, Crew, Kiosk
from simulators.hub_client import Credentials
from simulators.id_reader import IdReaderSimulator

CREWS = 4
"""Windows worked by simulated clerks; the first windows stay free for whoever tries the demonstration."""


def simulated_devices(config: HallConfig) -> frozenset[DeviceId]:
    """Kiosk and pads that simulated people use; the last kiosk and the pads of the last windows."""
    kiosks = [one.id for one in config.devices if one.kind is DeviceKind.KIOSK]
    windows = _windows(config)
    pads = {
        one.id
        for one in config.devices
        if one.kind in (DeviceKind.CALL_PAD, DeviceKind.RATING_PAD) and one.window in windows
    }
    return frozenset({kiosks[-1], *pads})


def _windows(config: HallConfig) -> list[WindowId]:
    return [one.id for one in config.windows[-CREWS:]]


def people(
    config: HallConfig, cast: Cast, bench: SimulatorBench, base_url: str, rate: float
) -> Citizens:
    """Citizens and clerks of one hall; ``rate`` numbers a minute. Start it once the hall serves."""
    pads = {(one.kind, one.window): one.id for one in config.devices}
    kiosk = [one.id for one in config.devices if one.kind is DeviceKind.KIOSK][-1]
    reader = next(
        one.id for one in config.devices if one.kind is DeviceKind.ID_READER and one.parent == kiosk
    )

    def credentials(device: DeviceId) -> Credentials:
        return Credentials(device=device, key=cast.pad_keys[device])

    crews = [
        Crew(
            window=window,
            call_pad=credentials(pads[DeviceKind.CALL_PAD, window]),
            rating_pad=credentials(pads[DeviceKind.RATING_PAD, window]),
            staff_number=clerk.number,
            password=clerk.password,
        )
        for window, clerk in zip(_windows(config), cast.simulated_clerks, strict=True)
    ]
    return Citizens(
        base_url.replace("http", "ws", 1) + "/hub",
        [Kiosk(credentials=credentials(kiosk), reader=reader)],
        crews,
        rate_per_minute=rate,
        hands=_hands(config, reader, bench),
    )


def _hands(
    config: HallConfig, reader: DeviceId, bench: SimulatorBench
) -> Mapping[str, IdReaderSimulator]:
    device = bench.seats[f"{config.hall.id}.{reader}"].device
    assert isinstance(device, IdReaderSimulator)
    return {reader: device}
