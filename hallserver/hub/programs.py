"""Which program each screen and agent runs, and which it is to run (程序版本): what they say, in memory, and what the log
holds in force."""

from collections.abc import Callable, Mapping

from hallserver.engine.evolve_acts import hands_of
from hallserver.engine.state import DeviceLife, HallState
from qingting.contract import events as e
from qingting.contract.ids import DeviceId
from qingting.contract.releases import APP_OF, ReleaseInForce, Runs
from qingting.contract.states import App


class Programs:
    """``shipped`` are the builds that came with this server; one that was not built is left out."""

    def __init__(self, shipped: Mapping[App, str]) -> None:
        self._shipped = shipped
        self._runs: dict[DeviceId, Runs] = {}
        self._listeners: list[Callable[[], None]] = []

    @property
    def runs(self) -> Mapping[DeviceId, Runs]:
        """What each connected screen and agent said last."""
        return self._runs

    def joined(self, device: DeviceId, build: str) -> None:
        """All that a program says of itself when it comes; one that knows more reports it."""
        if build:
            self.heard(device, Runs(program=build))

    def heard(self, device: DeviceId, runs: Runs) -> None:
        if self._runs.get(device) != runs:
            self._runs[device] = runs
            self._tell()

    def gone(self, device: DeviceId) -> None:
        if self._runs.pop(device, None) is not None:
            self._tell()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """``listener`` hears of each change; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    def in_force(self, state: HallState, life: DeviceLife) -> ReleaseInForce | None:
        """What a screen is to run; None for what runs no program of ours. A release that was lost here is none."""
        app = APP_OF.get(life.kind)
        if app is None:
            return None
        known = state.releases.get(hands_of(state, life.id).release)
        if known is None or not known.kept:
            return ReleaseInForce(release="", build=self._shipped.get(app, ""))
        return ReleaseInForce(release=known.facts.id, build=known.facts.build)

    def build_for(self, state: HallState, device: DeviceId) -> str:
        """The build that a device should run; empty where nobody can say."""
        life = state.devices.get(device)
        found = self.in_force(state, life) if life is not None else None
        return found.build if found is not None else ""


def moved(state: HallState, events: tuple[e.Event, ...]) -> set[DeviceId]:
    """Screens whose release in force these events may have changed."""
    found: set[DeviceId] = set()
    for event in events:
        match event.b:
            case e.DeviceActEnded(device=device):
                found.add(device)
            case e.ReleaseKept(release=release):
                found |= {one for one, hands in state.hands.items() if hands.release == release}
            case _:
                pass
    return {one for one in found if one in state.devices and state.devices[one].kind in APP_OF}
