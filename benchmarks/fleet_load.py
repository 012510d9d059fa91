"""Every pad and kiosk of the fleet, a process of its own: ``python -m benchmarks.fleet_load``.

A job on stdin; ``ready`` on stdout once all are connected; after the next line on stdin printers run out
of paper and get some again, and the instants of it go to stdout. Ends when stdin is closed.
"""

import asyncio
import sys
import time
from typing import Literal

import aiohttp
import msgspec

from benchmarks.fleet import PERIPHERALS, FleetHall, printer_name
from benchmarks.line import Line, dial
from qingting.contract import hub as h
from qingting.contract.base import Strict
from qingting.contract.ids import DeviceId
from qingting.contract.states import Condition, DeviceKind, DeviceState
from qingting.kernel.open_files import lift_open_files

FAULTS_PER_S = 2.5
TOGETHER = 50
"""Connections that are opened at one time."""


class FleetJob(Strict, frozen=True, kw_only=True):
    """A printer is out of paper for ``fault_seconds``. ``real`` are devices (``hall/device``) that run elsewhere: no connection is
    made for them."""

    halls: tuple[FleetHall, ...]
    seconds: float
    fault_seconds: float
    real: frozenset[str] = frozenset()


class Change(Strict, frozen=True, kw_only=True):
    """When a printer's agent began to report, in monotonic seconds of this machine."""

    printer: str
    faulty: bool
    at: float


class Fleet:
    """All connections."""

    def __init__(self, job: FleetJob, session: aiohttp.ClientSession) -> None:
        self._job = job
        self._session = session
        self._lines: list[Line] = []
        self._agents: list[tuple[FleetHall, int, Line]] = []
        self.changes: list[Change] = []

    async def connect(self) -> None:
        gate = asyncio.Semaphore(TOGETHER)

        async def one(hall: FleetHall, device: str) -> None:
            async with gate:
                await self._connect(hall, device)

        await asyncio.gather(
            *(
                one(hall, device)
                for hall in self._job.halls
                for device in hall.keys
                if f"{hall.id}/{device}" not in self._job.real
            )
        )

    async def _connect(self, hall: FleetHall, device: str) -> None:
        line = await dial(self._session, hall.url, device, hall.keys[device])
        self._lines.append(line)
        if device.endswith("-agent"):
            await self._plug_in(hall, int(device.removesuffix("-agent")[1:]), line)
        else:
            await line.ask(h.Subscribe(topics=_topics(device)))

    async def _plug_in(self, hall: FleetHall, kiosk: int, line: Line) -> None:
        for kind, (suffix, _, _) in PERIPHERALS.items():
            report = h.DeviceReport(
                device=DeviceId(f"k{kiosk}-{suffix}"), kind=kind, state=DeviceState.READY
            )
            await line.ask(report, f"{hall.id}-{kiosk}-{suffix}")
        self._agents.append((hall, kiosk, line))

    async def fail(self) -> None:
        """Printers take turns; each is out of paper for some seconds."""
        began, running = time.monotonic(), []
        for number in range(int(self._job.seconds * FAULTS_PER_S)):
            await asyncio.sleep(max(0.0, began + number / FAULTS_PER_S - time.monotonic()))
            hall, kiosk, line = self._agents[number % len(self._agents)]
            running.append(asyncio.create_task(self._fault(hall, kiosk, line, number)))
        await asyncio.gather(*running)

    async def _fault(self, hall: FleetHall, kiosk: int, line: Line, number: int) -> None:
        await self._report(hall, kiosk, line, number, "out")
        await asyncio.sleep(self._job.fault_seconds)
        await self._report(hall, kiosk, line, number, "back")

    async def _report(
        self,
        hall: FleetHall,
        kiosk: int,
        line: Line,
        number: int,
        what: Literal["out", "back"],
    ) -> None:
        faulty = what == "out"
        report = h.DeviceReport(
            device=DeviceId(f"k{kiosk}-printer"),
            kind=DeviceKind.PRINTER,
            state=DeviceState.DEGRADED if faulty else DeviceState.READY,
            conditions=(Condition.PAPER_OUT,) if faulty else (),
        )
        name = printer_name(hall.id, kiosk)
        self.changes.append(Change(printer=name, faulty=faulty, at=time.monotonic()))
        await line.ask(report, f"{hall.id}-{kiosk}-{number}-{what}")

    async def close(self) -> None:
        await asyncio.gather(*(line.close() for line in self._lines))


def _topics(device: str) -> tuple[str, ...]:
    """What the real screens watch."""
    if device.startswith("pad"):
        return ("hall", "queues", "windows")
    if device.startswith("rate"):
        return ("hall", f"rating:w{device.removeprefix('rate')}")
    return ("hall", f"kiosk:{device}")


def _say(what: str) -> None:
    sys.stdout.write(what + "\n")
    sys.stdout.flush()


async def main(job: FleetJob) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        fleet = Fleet(job, session)
        await fleet.connect()
        _say("ready")
        _ = await asyncio.to_thread(sys.stdin.readline)
        await fleet.fail()
        _say(msgspec.json.encode(fleet.changes).decode())
        _ = await asyncio.to_thread(sys.stdin.read)
        await fleet.close()


if __name__ == "__main__":
    _ = lift_open_files()
    asyncio.run(main(msgspec.json.decode(sys.stdin.readline(), type=FleetJob)))
