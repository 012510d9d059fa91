"""How the devices of a hall stand together: kiosks with what is in them, windows with their pads, the rest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.halls.api import Entry
from console.modules.devices.api import DeviceInfo
from console.modules.statistics.api import WindowNow
from qingting.contract.states import DeviceKind
from qingting.contract.supervision import PADS
from qingting.kernel.order import natural


@dataclass(frozen=True, slots=True)
class Machine:
    """A kiosk and what to say of what is in it. ``behind`` counts what is out of reach only because the kiosk,
    or the agent in it, is: one fault, told once."""

    kiosk: DeviceInfo
    parts: tuple[DeviceInfo, ...]
    behind: int


@dataclass(frozen=True, slots=True)
class Desk:
    """A window with its pads. ``now`` is None when nobody opened it yet."""

    window: Entry
    now: WindowNow | None
    pads: tuple[DeviceInfo, ...]

    @property
    def worth_a_line(self) -> bool:
        """Somebody works there, or one of its pads needs somebody."""
        serving = self.now is not None and self.now.state != "closed"
        return serving or any(pad.fresh and pad.needs_somebody for pad in self.pads)


@dataclass(frozen=True, slots=True)
class Standing:
    """All devices of a hall, each in one place. ``quiet`` counts windows that nothing is said of."""

    machines: tuple[Machine, ...]
    desks: tuple[Desk, ...]
    quiet: int
    others: tuple[DeviceInfo, ...]


def stand(
    devices: Sequence[DeviceInfo], windows: Sequence[Entry], now: Sequence[WindowNow]
) -> Standing:
    """Puts every device where it belongs; one whose kiosk or window is unknown is among the others."""
    kiosks = {one.id for one in devices if one.kind is DeviceKind.KIOSK}
    desks = {window.id for window in windows}
    machines = [
        _machine(kiosk, [one for one in devices if one.parent == kiosk.id])
        for kiosk in _ordered([one for one in devices if one.id in kiosks])
    ]
    opened = {one.window: one for one in now}
    all_desks = [_desk(window, devices, opened) for window in windows]
    told = tuple(desk for desk in all_desks if desk.worth_a_line)
    others = [
        one
        for one in devices
        if one.id not in kiosks
        and one.parent not in kiosks
        and not (one.kind in PADS and one.window in desks)
    ]
    return Standing(
        machines=tuple(machines),
        desks=told,
        quiet=len(all_desks) - len(told),
        others=tuple(_ordered(others)),
    )


def _machine(kiosk: DeviceInfo, parts: list[DeviceInfo]) -> Machine:
    cut = kiosk.gone or any(one.gone for one in parts if one.kind is DeviceKind.AGENT)
    behind = [
        one
        for one in parts
        if cut and one.gone and (kiosk.gone or one.kind is not DeviceKind.AGENT)
    ]
    return Machine(kiosk, tuple(_ordered([one for one in parts if one not in behind])), len(behind))


def _desk(window: Entry, devices: Sequence[DeviceInfo], now: Mapping[str, WindowNow]) -> Desk:
    pads = [one for one in devices if one.kind in PADS and one.window == window.id]
    return Desk(window, now.get(window.id), tuple(_ordered(pads)))


def _ordered(devices: list[DeviceInfo]) -> list[DeviceInfo]:
    return sorted(devices, key=lambda one: (one.kind.value, natural(one.name), one.id))


def counted(values: Sequence[str]) -> list[tuple[str, int]]:
    """How often each value comes, most first."""
    return sorted(Counter(values).items(), key=lambda one: (-one[1], one[0]))
