"""Other device models on trial: in force when every device comes back with them, else the former ones again."""

import asyncio
from collections.abc import Callable
from pathlib import PurePath

import structlog

from hallserver.agent.act_ledger import Outcome
from hallserver.agent.settings import AgentSettings
from hallserver.devices.profile_checks import faults_of
from hallserver.devices.profiles import ProfileError, ProfileLibrary
from hallserver.devices.supervisor import DeviceSupervisor, device_faults
from qingting.contract.acts import ProfileBundle, bundle_id
from qingting.contract.ids import DeviceId
from qingting.contract.states import ActOutcome, DeviceState
from qingting.kernel.aio.clock import Clock

log = structlog.get_logger(__name__)

LOOK_S = 0.25
_GOOD = {
    DeviceState.READY: frozenset({DeviceState.READY}),
    DeviceState.DEGRADED: frozenset({DeviceState.READY, DeviceState.DEGRADED}),
}
"""States that are no worse than the one before."""


class ModelTrial:
    """``bundle`` is what is in force, None for the models that came with the program and the site's own. ``rewire`` is
    called whenever all drivers are new."""

    def __init__(
        self,
        settings: AgentSettings,
        clock: Clock,
        devices: DeviceSupervisor,
        rewire: Callable[[], None],
    ) -> None:
        self.bundle: ProfileBundle | None = None
        self.running = False
        self._settings = settings
        self._clock = clock
        self._devices = devices
        self._rewire = rewire

    async def use(self, bundle: ProfileBundle | None, seconds: float) -> Outcome:
        """Checks, loads and watches; never leaves a device with models that it did not come back with."""
        self.running = True
        try:
            library = await asyncio.to_thread(self._checked, bundle)
            former = await asyncio.to_thread(self._checked, self.bundle)
        except ProfileError as error:
            self.running = False
            log.warning("agent.models_faulty", why=str(error))
            return Outcome(ActOutcome.REFUSED, "act.profiles_bad", note=str(error))
        try:
            return await self._try(bundle, library, former, seconds)
        finally:
            self.running = False

    async def _try(
        self,
        bundle: ProfileBundle | None,
        library: ProfileLibrary,
        former: ProfileLibrary,
        seconds: float,
    ) -> Outcome:
        before = {one.device: one.state for one in self._devices.statuses()}
        await self._load(library)
        missing = await self._missing(before, seconds)
        if missing:
            await self._load(former)
            log.warning("agent.models_went_back", devices=missing)
            return Outcome(ActOutcome.FAILED, "act.went_back", note=", ".join(missing))
        self.bundle = bundle
        log.info("agent.models", bundle=bundle.id if bundle is not None else "shipped")
        return Outcome(ActOutcome.DONE, figures={"devices": len(before)})

    async def _load(self, library: ProfileLibrary) -> None:
        await self._devices.use(library)
        self._rewire()

    async def take_up(self, bundle: ProfileBundle | None) -> None:
        """Models that have stood their trial already, as the hall says after a connection."""
        if self.running or _id(bundle) == _id(self.bundle):
            return
        outcome = await self.use(bundle, seconds=0)
        if outcome.outcome is ActOutcome.REFUSED:
            log.error("agent.models_not_taken", code=outcome.code)

    async def _missing(self, before: dict[DeviceId, DeviceState], seconds: float) -> list[str]:
        """Devices that were there and are not when the time is over; none as soon as all are back."""
        until = self._clock.monotonic() + seconds
        while True:
            now = {one.device: one.state for one in self._devices.statuses()}
            missing = [
                one
                for one, state in before.items()
                if state in _GOOD and now[one] not in _GOOD[state]
            ]
            if not missing or seconds == 0:
                return []
            if self._clock.monotonic() >= until:
                return sorted(missing)
            await self._clock.sleep(LOOK_S)

    def _checked(self, bundle: ProfileBundle | None) -> ProfileLibrary:
        """Reads files. Raises :class:`ProfileError` for the first fault, with file and line."""
        if bundle is None:
            return self._settings.library()
        if bundle_id(bundle.files) != bundle.id:
            raise ProfileError("the bundle is not what its name says")
        library = self._settings.library().extended(bundle.files)
        for name in sorted(bundle.files):
            profile = library.load(PurePath(name).name.removesuffix(".toml"))
            if faults := faults_of(profile):
                raise ProfileError(f"{name}: {faults[0]}")
        for device in self._settings.peripherals:
            if faults := device_faults(device, library):
                raise ProfileError(faults[0])
        return library


def _id(bundle: ProfileBundle | None) -> str:
    return bundle.id if bundle is not None else ""
