"""All devices of one place: builds their drivers, keeps them running, one stream of status."""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from hallserver.devices.api import (
    AnyDevice,
    DeviceStatus,
    FaceReader,
    IdReader,
    LedPanel,
    Scanner,
    Speaker,
    TicketPrinter,
    Unsubscribe,
)
from hallserver.devices.drivers.face.driver import FaceTerminal
from hallserver.devices.drivers.id_reader.driver import SamvReader
from hallserver.devices.drivers.led.driver import LedController
from hallserver.devices.drivers.peripheral import OpenLine, open_line
from hallserver.devices.drivers.printer.driver import EscposPrinter
from hallserver.devices.drivers.scanner.driver import LineScanner
from hallserver.devices.drivers.scanner.ssi import SsiScanner
from hallserver.devices.drivers.speaker.driver import ProgramSpeaker
from hallserver.devices.errors import DeviceConfigError
from hallserver.devices.profile_camera import CameraProfile
from hallserver.devices.profile_types import (
    FaceProfile,
    IdReaderProfile,
    LedProfile,
    PrinterProfile,
    ScannerProfile,
    SpeakerProfile,
)
from hallserver.devices.profiles import ProfileError, ProfileLibrary, shipped_profiles
from hallserver.devices.transports.opening import parse_line_url
from qingting.contract.config import Device
from qingting.contract.ids import DeviceId
from qingting.contract.states import DeviceKind
from qingting.kernel.aio.backoff import Backoff
from qingting.kernel.aio.clock import Clock
from qingting.kernel.aio.tasks import Supervisor

PERIPHERALS = frozenset(
    {
        DeviceKind.PRINTER,
        DeviceKind.ID_READER,
        DeviceKind.SCANNER,
        DeviceKind.FACE,
        DeviceKind.SPEAKER,
    }
)
"""Kinds that a kiosk's agent owns."""
DRIVEN = PERIPHERALS | {DeviceKind.LED}
"""Kinds that a driver here serves."""


def device_faults(device: Device, library: ProfileLibrary | None = None) -> list[str]:
    """What is wrong with the configuration of a peripheral, one English line each. Reads files."""
    faults: list[str] = []
    if device.kind not in DRIVEN:
        return [f"devices.{device.id}: a {device.kind} is not a peripheral"]
    carriers: tuple[str, ...] | None = None
    try:
        profile = (library or shipped_profiles()).load(device.profile)
        if not isinstance(profile, CameraProfile):
            carriers = (*profile.transport.carriers, "null")
        if profile.kind is not device.kind:
            faults.append(f"devices.{device.id}: profile {profile.id!r} is a {profile.kind}")
    except ProfileError as error:
        faults.append(f"devices.{device.id}: {error}")
    try:
        scheme = parse_line_url(device.url).scheme
        if carriers is not None and scheme not in carriers:
            faults.append(f"devices.{device.id}: profile {device.profile!r} has no {scheme} line")
    except DeviceConfigError as error:
        faults.append(f"devices.{device.id}: {error}")
    return faults


class DeviceSupervisor:
    """Use as ``async with``: inside, every device is kept connected; leaving closes all lines.

    Construction reads profile files, so it is done beside the event loop. Raises
    :class:`ProfileError` for a profile that does not exist or does not fit its device.
    """

    def __init__(
        self,
        devices: Sequence[Device],
        *,
        clock: Clock,
        library: ProfileLibrary | None = None,
        opener: OpenLine = open_line,
    ) -> None:
        self.printers: dict[DeviceId, TicketPrinter] = {}
        self.readers: dict[DeviceId, IdReader] = {}
        self.scanners: dict[DeviceId, Scanner] = {}
        self.faces: dict[DeviceId, FaceReader] = {}
        self.panels: dict[DeviceId, LedPanel] = {}
        self.speakers: dict[DeviceId, Speaker] = {}
        self._config, self._clock, self._opener = tuple(devices), clock, opener
        self._listeners: list[Callable[[DeviceStatus], None]] = []
        self._build(library or shipped_profiles())
        self._tasks = Supervisor("devices")

    def _build(self, profiles: ProfileLibrary) -> None:
        clock, opener = self._clock, self._opener
        for device in self._config:
            match profiles.load(device.profile):
                case PrinterProfile() as profile if device.kind is DeviceKind.PRINTER:
                    printer = EscposPrinter(device, profile, clock=clock, opener=opener)
                    self.printers[device.id] = printer
                case IdReaderProfile() as profile if device.kind is DeviceKind.ID_READER:
                    reader = SamvReader(device, profile, clock=clock, opener=opener)
                    self.readers[device.id] = reader
                case ScannerProfile() as profile if device.kind is DeviceKind.SCANNER:
                    made = SsiScanner if profile.driver == "ssi" else LineScanner
                    scanner = made(device, profile, clock=clock, opener=opener)
                    self.scanners[device.id] = scanner
                case FaceProfile() as profile if device.kind is DeviceKind.FACE:
                    terminal = FaceTerminal(device, profile, clock=clock, opener=opener)
                    self.faces[device.id] = terminal
                case LedProfile() as profile if device.kind is DeviceKind.LED:
                    panel = LedController(device, profile, clock=clock, opener=opener)
                    self.panels[device.id] = panel
                case SpeakerProfile() as profile if device.kind is DeviceKind.SPEAKER:
                    speaker = ProgramSpeaker(device, profile, clock=clock, opener=opener)
                    self.speakers[device.id] = speaker
                case other:
                    raise ProfileError(f"{device.id}: profile {other.id!r} is a {other.kind}")

    async def use(self, library: ProfileLibrary) -> None:
        """Closes every line and runs the same devices by the models of ``library``.

        Drivers are new: whoever listens to cards or codes listens again; listeners of :meth:`subscribe` stay.
        Raises :class:`ProfileError` and changes nothing.
        """
        fresh = await asyncio.to_thread(
            DeviceSupervisor,
            self._config,
            clock=self._clock,
            library=library,
            opener=self._opener,
        )
        await self._tasks.close()
        self._tasks = Supervisor("devices")
        for mine, other in (
            (self.printers, fresh.printers),
            (self.readers, fresh.readers),
            (self.scanners, fresh.scanners),
            (self.panels, fresh.panels),
            (self.faces, fresh.faces),
            (self.speakers, fresh.speakers),
        ):
            mine.clear()
            mine.update(other)  # type: ignore[arg-type]
        for listener in self._listeners:
            for driver in self.all():
                driver.subscribe(listener)
        await self.__aenter__()

    def all(self) -> tuple[AnyDevice, ...]:
        """Every driver."""
        return (
            *self.printers.values(),
            *self.readers.values(),
            *self.scanners.values(),
            *self.faces.values(),
            *self.panels.values(),
            *self.speakers.values(),
        )

    def statuses(self) -> tuple[DeviceStatus, ...]:
        """What is known now, one entry a device."""
        return tuple(driver.status for driver in self.all())

    def subscribe(self, listener: Callable[[DeviceStatus], None]) -> Unsubscribe:
        """Calls ``listener`` with each new status of any device."""
        stops = [driver.subscribe(listener) for driver in self.all()]
        self._listeners.append(listener)

        def unsubscribe() -> None:
            self._listeners.remove(listener)
            for stop in stops:
                stop()

        return unsubscribe

    async def __aenter__(self) -> Self:
        for driver in self.all():
            _ = self._tasks.keep(driver.status.device, driver.run, Backoff(first=0.5, cap=5.0))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._tasks.close()
