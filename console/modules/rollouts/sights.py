"""What is known of the devices of a rollout: their hall, what they say that they run, their act, their alarms."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from console.core.permissions import EVERYWHERE
from console.core.uow import ReadUow
from console.modules.acts.api import ActInfo, ActsApi
from console.modules.alarms.api import AlarmsApi
from console.modules.devices.api import DeviceInfo, DevicesApi
from console.modules.rollouts import repository as repo
from console.modules.rollouts.domain import At, Rollout, Sight, Target, What
from console.modules.rollouts.waves import Place
from qingting.contract.ids import HallId
from qingting.contract.states import DeviceKind, DeviceState

GONE_MS = 60_000
"""A device that is missed for less may be starting again."""
KINDS: dict[What, frozenset[DeviceKind]] = {
    What.PAD: frozenset({DeviceKind.CALL_PAD, DeviceKind.RATING_PAD}),
    What.KIOSK: frozenset({DeviceKind.KIOSK}),
    What.MODELS: frozenset({DeviceKind.AGENT}),
}
"""Which devices run what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Devices by place, and when open alarms began there."""

    devices: Mapping[Place, DeviceInfo]
    alarms: Mapping[tuple[HallId, str], tuple[int, ...]]
    now: int

    def neighbours(self, device: DeviceInfo) -> list[Place]:
        """What an agent's models may have broken: what hangs on it or stands beside it."""
        return [
            place
            for place, one in self.devices.items()
            if one.hall == device.hall and one.parent and one.parent in (device.id, device.parent)
        ]


class Looker:
    """Gathers :class:`Sight` for rollouts."""

    def __init__(self, devices: DevicesApi, acts: ActsApi, alarms: AlarmsApi) -> None:
        self._devices = devices
        self._acts = acts
        self._alarms = alarms

    async def fleet(self, uow: ReadUow, since: int, now: int) -> Fleet:
        """``since``: alarms that began before are nobody's fault."""
        devices = {
            Place(one.hall, one.id): one for one in await self._devices.devices(uow, EVERYWHERE)
        }
        return Fleet(devices=devices, alarms=await self._alarms.begun(uow, since), now=now)

    async def sights(
        self, uow: ReadUow, rollout: Rollout, fleet: Fleet
    ) -> tuple[dict[Place, Sight], Mapping[str, sa.RowMapping]]:
        """What is known of each device, and which halls were told of the release."""
        targets = rollout.targets.values()
        acts = await self._acts.found(uow, {one.act for one in targets if one.act})
        screens = rollout.what is not What.MODELS
        shelves = await repo.shelves(uow, rollout.release) if screens else {}
        needs = bool(screens and rollout.release)
        return {
            one.place: _sight(rollout, one, fleet, acts, shelves, needs=needs) for one in targets
        }, shelves


def _sight(
    rollout: Rollout,
    target: Target,
    fleet: Fleet,
    acts: Mapping[str, ActInfo],
    shelves: Mapping[str, sa.RowMapping],
    *,
    needs: bool,
) -> Sight:
    device, act = fleet.devices.get(target.place), acts.get(target.act)
    shelf = shelves.get(target.place.hall)
    if device is None:
        return Sight(ready=False, unready="device.unknown")
    hands, program = device.hands, device.program
    models = rollout.what is What.MODELS
    running = (program.bundle if models else program.release) if program is not None else None
    in_force = (hands.bundle if models else hands.release) if hands is not None else ""
    return Sight(
        here=device.fresh and device.state in (DeviceState.READY, DeviceState.DEGRADED),
        ready=not needs or (shelf is not None and shelf["kept"]),
        unready=shelf["code"] if needs and shelf is not None else "",
        runs=running,
        failed=program.failed if program is not None else "",
        in_force=in_force,
        outcome=act.outcome if act is not None else None,
        code=act.code if act is not None else "",
        ended_at=act.ended_at if act is not None else 0,
        worse=_worse(target, device, fleet, models=models) if target.at is At.RUNS else "",
    )


def _worse(target: Target, device: DeviceInfo, fleet: Fleet, *, models: bool) -> str:
    """Nobody can reach the device, or something began to be wrong since it runs the release."""
    gone = device.gone_since if device.fresh and device.gone else 0
    if gone > target.since and fleet.now - gone > GONE_MS:
        return "gone"
    watched = [target.place, *(fleet.neighbours(device) if models else [])]
    return "alarm" if _alarmed(watched, target.since, fleet) else ""


def _alarmed(places: Sequence[Place], since: int, fleet: Fleet) -> bool:
    return any(
        began > since
        for place in places
        for began in fleet.alarms.get((HallId(place.hall), place.device), ())
    )


def candidates(what: What, devices: Collection[DeviceInfo]) -> list[Place]:
    """Devices that run this, those that can be asked now first, hall by hall."""
    mine = [one for one in devices if one.kind in KINDS[what]]
    order = sorted(mine, key=lambda one: (not (one.fresh and not one.gone), one.hall, one.id))
    return [Place(one.hall, one.id) for one in order]
