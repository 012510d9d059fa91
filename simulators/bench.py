"""A bench full of simulated devices, each plugged in somewhere, and everything one can do to them.

``start`` gives the address of each device for the agent's configuration. What the control page can
do by name (``simulators.actions``) is a plain method here or of a device.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from qingting.contract.base import Strict
from qingting.contract.states import DeviceKind
from qingting.kernel.aio.clock import Clock
from qingting.kernel.aio.tasks import Supervisor
from simulators.carriers import Carrier, PtyCarrier, TcpCarrier, UdpCarrier
from simulators.citizen_code.platform import CitizenCodePlatform
from simulators.device import SimulatedDevice
from simulators.face_terminal import FaceTerminalSimulator
from simulators.id_reader import IdReaderSimulator
from simulators.led import LedSimulator
from simulators.printer import PrinterSimulator
from simulators.profiles import Profile, load_profile, profile_ids
from simulators.qr_reader import NoCodeError, read_ticket
from simulators.scanner import ScannerSimulator, ScanResult
from simulators.scanner_models import scanner_for


class DeviceSpec(Strict, frozen=True, kw_only=True):
    """One device on the bench. Devices of one ``group`` stand together; ``port`` 0 picks a free one."""

    id: str
    kind: DeviceKind
    profile: str
    carrier: Literal["pty", "tcp", "udp"] = "pty"
    port: int = 0
    group: str = ""
    group_en: str = ""


class UnknownDeviceError(LookupError):
    """There is no such device on the bench, or it is of another kind."""


class Seat:
    """A device and the place where it is plugged in."""

    def __init__(self, spec: DeviceSpec, device: SimulatedDevice, carrier: Carrier) -> None:
        self.spec = spec
        self.device = device
        self.carrier = carrier
        self._cable = asyncio.Lock()

    async def replug(self) -> None:
        async with self._cable:
            await self.carrier.plug()

    async def unplug(self) -> None:
        async with self._cable:
            await self.carrier.unplug()

    async def pull_when_asked(self) -> None:
        """Pulls the cable in the middle of each job that was to be interrupted."""
        pull = self.device.pull_cable
        while True:
            await pull.wait()
            pull.clear()
            await self.unplug()

    async def exchange(self, device: SimulatedDevice) -> None:
        """Another device takes this place; the cable stays in or out as it was."""
        async with self._cable:
            plugged, old = self.carrier.plugged, self.device
            await self.carrier.unplug()
            await old.close()
            device.pull_cable = old.pull_cable
            self.device = self.carrier.device = device
            await device.start()
            if plugged:
                await self.carrier.plug()
        device.changed()

    def state(self) -> dict[str, Any]:
        return self.device.state() | {
            "group": self.spec.group,
            "group_en": self.spec.group_en or self.spec.group,
            "plugged": self.carrier.plugged,
            "configured": self.spec.profile,
            "url": self.carrier.url,
        }


class SimulatorBench:
    """All simulators of a demo or a test. ``folder`` holds the links to the pseudo terminals."""

    def __init__(
        self, folder: Path, clock: Clock | None = None, mm_per_s: float | None = None
    ) -> None:
        self.folder = folder
        self.seats: dict[str, Seat] = {}
        self.codes: CitizenCodePlatform | None = None
        """The platform whose codes people can hold before the scanners."""
        self.messages = False
        """Whether the phones that get the city's messages are to be seen beside the bench."""
        self.playing: Callable[[], dict[str, Any]] | None = None
        """What is known of the scenario that is played here."""
        self._clock = clock
        self._mm_per_s = mm_per_s
        self._observers: list[Callable[[], None]] = []
        self._supervisor = Supervisor("bench")

    async def start(self, devices: Sequence[DeviceSpec]) -> dict[str, str]:
        """Puts devices on the bench, plugs them in and gives their addresses by device id."""
        for spec in devices:
            if spec.id in self.seats:
                raise ValueError(f"device {spec.id!r} is on the bench twice")
            device = self._make(spec, await asyncio.to_thread(load_profile, spec.profile))
            seat = Seat(spec, device, self._carrier(spec, device))
            self.seats[spec.id] = seat
            device.observe(self.changed)
            await device.start()
            await seat.replug()
            _ = self._supervisor.keep(f"cable of {spec.id}", seat.pull_when_asked)
        return {spec.id: self.seats[spec.id].carrier.url for spec in devices}

    async def swap(self, device_id: str, model: str) -> None:
        """Puts a device of another model in the place of this one, at the same cable; ``model`` is a profile of
        the same kind, empty = the one that belongs there.

        Raises :class:`UnknownDeviceError`, and ValueError for a model that does not fit.
        """
        seat = self.seat(device_id)
        wanted = model or seat.spec.profile
        if wanted not in await asyncio.to_thread(profile_ids, seat.spec.kind.value):
            raise ValueError(f"{wanted!r} is no {seat.spec.kind.value}")
        profile = await asyncio.to_thread(load_profile, wanted)
        fresh = self._make(seat.spec, profile)
        fresh.observe(self.changed)
        await seat.exchange(fresh)

    async def close(self) -> None:
        """Unplugs and switches off everything."""
        await self._supervisor.close()
        for seat in self.seats.values():
            await seat.unplug()
            await seat.device.close()

    def _make(self, spec: DeviceSpec, profile: Profile) -> SimulatedDevice:
        match spec.kind:
            case DeviceKind.PRINTER:
                return PrinterSimulator(spec.id, profile, self._clock, self._mm_per_s)
            case DeviceKind.ID_READER:
                return IdReaderSimulator(spec.id, profile, self._clock)
            case DeviceKind.SCANNER:
                return scanner_for(spec.id, profile, self._clock)
            case DeviceKind.FACE:
                terminal = FaceTerminalSimulator(spec.id, profile, self._clock)
                if self.codes is not None:
                    terminal.issue = self.codes.recognise
                return terminal
            case DeviceKind.LED:
                return LedSimulator(spec.id, profile, self._clock)
            case _:
                raise ValueError(f"{spec.id}: nothing simulates a {spec.kind.value}")

    def _carrier(self, spec: DeviceSpec, device: SimulatedDevice) -> Carrier:
        if spec.carrier == "tcp":
            return TcpCarrier(device, spec.port)
        if spec.carrier == "udp":
            return UdpCarrier(device, spec.port)
        serial = device.profile.section("transport").get("serial", {})
        return PtyCarrier(device, self.folder / spec.id, int(serial.get("baud", 115200)))

    # ---- access ----------------------------------------------------------------------------------

    def seat(self, device_id: str) -> Seat:
        """Raises :class:`UnknownDeviceError`."""
        try:
            return self.seats[device_id]
        except KeyError:
            raise UnknownDeviceError(device_id) from None

    def printer(self, device_id: str) -> PrinterSimulator:
        return _of_kind(self.seat(device_id), PrinterSimulator)

    def reader(self, device_id: str) -> IdReaderSimulator:
        return _of_kind(self.seat(device_id), IdReaderSimulator)

    def scanner(self, device_id: str) -> ScannerSimulator:
        return _of_kind(self.seat(device_id), ScannerSimulator)

    def face(self, device_id: str) -> FaceTerminalSimulator:
        return _of_kind(self.seat(device_id), FaceTerminalSimulator)

    def led(self, device_id: str) -> LedSimulator:
        return _of_kind(self.seat(device_id), LedSimulator)

    def scan_last_ticket(self, scanner_id: str, printer_id: str | None = None) -> ScanResult:
        """Holds the last ticket before a scanner: the code is read from the printed dots.

        Without ``printer_id`` the printer of the same group. Raises :class:`UnknownDeviceError` when
        there is no such printer, ``NoCodeError`` when no ticket with a code was printed.
        """
        printer = self.printer(printer_id or self._neighbour(scanner_id))
        if not printer.printed:
            raise NoCodeError(printer.id)
        return self.scanner(scanner_id).scan(read_ticket(printer.printed[-1].ticket))

    def scan_citizen_code(self, scanner_id: str, citizen: str) -> ScanResult:
        """Somebody holds the code on their phone before a scanner.

        Raises KeyError for nobody, ValueError without a platform.
        """
        if self.codes is None:
            raise ValueError("no platform of citizen codes")
        return self.scanner(scanner_id).scan(self.codes.shown(citizen).text)

    def _neighbour(self, scanner_id: str) -> str:
        group = self.seat(scanner_id).spec.group
        for seat in self.seats.values():
            if seat.spec.group == group and isinstance(seat.device, PrinterSimulator):
                return seat.spec.id
        raise UnknownDeviceError(f"printer beside {scanner_id}")

    def state(self) -> dict[str, Any]:
        """Plain JSON values of all devices, in the order of the bench."""
        return {
            "devices": [seat.state() for seat in self.seats.values()],
            "scenario": self.playing() if self.playing is not None else None,
        }

    def observe(self, observer: Callable[[], None]) -> Callable[[], None]:
        """Calls ``observer`` after every change on the bench until the returned function is called."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    def changed(self) -> None:
        """Tells everybody who observes the bench."""
        for observer in tuple(self._observers):
            observer()


_Simulator = TypeVar("_Simulator", bound=SimulatedDevice)


def _of_kind(seat: Seat, kind: type[_Simulator]) -> _Simulator:
    if not isinstance(seat.device, kind):
        raise UnknownDeviceError(seat.spec.id)
    return seat.device
