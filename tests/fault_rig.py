"""A driver and its simulated device, with a null modem between them that a test can pull."""

from collections.abc import Callable
from typing import Any

from hallserver.devices.profiles import AnyProfile
from qingting.contract.states import Condition, DeviceState
from qingting.kernel.aio.pipe import BytePipe, NullModemEnd, PipeClosedError, null_modem
from simulators.device import SimulatedDevice

SEEN_S = 2.0


class Cable:
    """The device's end of a null modem; ``pull`` is a hand at the plug."""

    def __init__(self, device: SimulatedDevice) -> None:
        self.device = device
        self.plugged = True
        self._end: NullModemEnd | None = None

    async def open_line(self, url: str, settings: object) -> BytePipe:
        if not self.plugged:
            raise PipeClosedError(f"nothing at {url}")
        near, far = null_modem()
        self._end = far
        far.on_data(self.device.receive)
        far.on_close(lambda _: self.device.detach(self))
        self.device.attach(self)
        return near

    def send(self, data: bytes) -> None:
        if self._end is not None and self._end._peer is not None:
            self._end._peer._take(data)

    def pull(self) -> None:
        self.plugged = False
        if self._end is not None:
            self._end.unplug(OSError(5, "gone"))
        self.device.detach(self)

    def insert(self, device: SimulatedDevice | None = None) -> None:
        self.device = device or self.device
        self.plugged = True


class Rig:
    """A driver, its simulated device, the cable between them, and what the device is good for (``work``)."""

    def __init__(self, bench: Any, profile: AnyProfile, device: SimulatedDevice) -> None:
        self.bench = bench
        self.profile = profile
        self.device: Any = device
        self.cable = Cable(device)
        self.driver: Any = None
        self.heard: list[Any] = []
        self.jobs = 0

    @property
    def state(self) -> DeviceState:
        state: DeviceState = self.driver.status.state
        return state

    @property
    def conditions(self) -> frozenset[Condition]:
        conditions: frozenset[Condition] = self.driver.status.conditions
        return conditions

    async def until(self, true: Callable[[], bool], at_most: float = SEEN_S) -> None:
        await self.bench.until(true, at_most=at_most)

    async def well(self, at_most: float = SEEN_S) -> None:
        await self.until(lambda: self.state is DeviceState.READY and not self.conditions, at_most)
