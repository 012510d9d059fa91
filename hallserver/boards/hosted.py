"""Devices that the hall server drives itself: their conditions become reports, as an agent's do."""

import asyncio
from collections.abc import Sequence

import structlog

from hallserver.devices.api import DeviceStatus
from hallserver.devices.supervisor import DeviceSupervisor, device_faults
from hallserver.hall import Hall
from qingting.contract.commands import ReportDevice
from qingting.contract.config import Device
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId
from qingting.contract.states import Condition, DeviceState
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import new_token

log = structlog.get_logger(__name__)

AGAIN_S = 1.0
"""Pause before a report that the hall could not take just now."""
MAX_DETAIL = 80


class StatusReporter:
    """Tells the hall of every change of the devices that it :meth:`follow` s; :meth:`run` is its service."""

    def __init__(self, hall: Hall, clock: Clock) -> None:
        self._hall = hall
        self._clock = clock
        self._news = asyncio.Event()
        self._changed: dict[DeviceId, DeviceStatus] = {}

    async def sound(self, devices: Sequence[Device]) -> list[Device]:
        """The devices whose profile and address can work; of the others the hall is told why they cannot."""
        return [one for one in devices if not await self._refused(one)]

    async def _refused(self, device: Device) -> bool:
        faults = await asyncio.to_thread(device_faults, device)
        if not faults:
            return False
        log.error("hosted.misconfigured", device=device.id, faults=faults)
        why = faults[0].partition(": ")[2]
        self._device_changed(
            DeviceStatus(
                device=device.id,
                kind=device.kind,
                state=DeviceState.ABSENT,
                conditions=frozenset({Condition.OFFLINE}),
                since=self._clock.now_ms(),
                detail=why[:MAX_DETAIL],
            )
        )
        return True

    def follow(self, devices: DeviceSupervisor) -> None:
        """From now on, and as they are now."""
        _ = devices.subscribe(self._device_changed)
        for status in devices.statuses():
            self._device_changed(status)

    def _device_changed(self, status: DeviceStatus) -> None:
        self._changed[status.device] = status
        self._news.set()

    async def run(self) -> None:
        """Every change becomes a report; one that the hall cannot take now is sent again."""
        while True:
            while self._changed:
                device = next(iter(self._changed))
                status = self._changed.pop(device)
                if not await self._submitted(status):
                    self._changed.setdefault(device, status)
                    await self._clock.sleep(AGAIN_S)
            self._news.clear()
            await self._news.wait()

    async def _submitted(self, status: DeviceStatus) -> bool:
        command = ReportDevice(
            device=status.device,
            kind=status.kind,
            state=status.state,
            conditions=tuple(sorted(status.conditions)),
            detail=status.detail,
        )
        try:
            await self._hall.submit(
                command, key=f"system:{status.device}:{new_token()}", actor="system"
            )
        except Refusal as refusal:
            log.warning("hosted.report_refused", device=status.device, code=refusal.code)
            return refusal.code == "device.unknown"
        return True
