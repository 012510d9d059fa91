"""What held at a device and when, as the events tell it: pure rules."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from console.modules.devices.api import DOWN, GONE, REFUSALS, devices_of
from console.modules.devices.domain import DeviceRow, fold
from qingting.contract import events as e
from qingting.contract.states import Condition, DeviceKind, DeviceState
from qingting.contract.supervision import PADS, is_gone, out_of_order


@dataclass(slots=True)
class OpenSpan:
    """Something that holds. ``no`` is its row, 0 for one that has none yet."""

    no: int
    device: str
    what: str
    began: int
    ended: int | None = None


def what_holds(row: DeviceRow, *, at_work: bool) -> frozenset[str]:
    """Everything that holds at a device now; a lost one says only that, for nobody knows the rest."""
    kind, state = DeviceKind(row["kind"]), DeviceState(row["state"])
    conditions = frozenset(Condition(one) for one in row["conditions"])
    gone = is_gone(kind, state, conditions, at_work=at_work)
    found = {GONE} if gone else set()
    if out_of_order(kind, state, conditions, at_work=at_work):
        found.add(DOWN)
    if state not in (DeviceState.ABSENT, DeviceState.LOST):
        found |= {one.value for one in conditions - {Condition.OFFLINE}}
    return frozenset(found)


def window_turned(event: e.Event) -> tuple[str, bool] | None:
    """The window that ``event`` opens or closes, and whether it is open then."""
    match event.b:
        case e.WindowOpened(window=window) | e.WindowPaused(window=window):
            return window, True
        case e.WindowClosed(window=window):
            return window, False
        case _:
            return None


def refused(event: e.Event) -> tuple[str, str] | None:
    """The device in whose name somebody was turned away, and how; ``what`` empty: its refusals are settled."""
    match event.b:
        case e.DeviceRefused(device=device, why=why):
            return device, f"refused_{why.value}"
        case e.DeviceKeyed(device=device):
            return device, ""
        case _:
            return None


@dataclass(slots=True)
class History:
    """The devices of one hall that a batch touches, its windows, and the spans that are open."""

    rows: dict[str, DeviceRow]
    windows: dict[str, bool]
    spans: dict[tuple[str, str], OpenSpan] = field(default_factory=dict)
    over: list[OpenSpan] = field(default_factory=list)

    def apply(self, event: e.Event) -> bool:
        """True when devices, windows or spans may have changed."""
        turned = window_turned(event)
        if turned is not None:
            self.windows[turned[0]] = turned[1]
            at_window = [key for key, row in self.rows.items() if row["win"] == turned[0]]
            self._follow(at_window, event.at)
            return True
        refusal = refused(event)
        if refusal is not None:
            self._refuse(refusal[0], refusal[1], event.at)
            return True
        if not fold(self.rows, event):
            return False
        self._follow(devices_of(event), event.at)
        return True

    def _refuse(self, device: str, what: str, at: int) -> None:
        """Each refusal begins anew, so that it is counted; with ``what`` empty they are settled."""
        for key in [key for key in self.spans if key[0] == device and key[1] in REFUSALS]:
            if what in ("", key[1]):
                self._close(key, at)
        if what:
            self.spans[device, what] = OpenSpan(0, device, what, at)

    def at_work(self, row: DeviceRow) -> bool:
        return is_at_work(row, self.windows)

    def _follow(self, devices: Iterable[str], at: int) -> None:
        for device in devices:
            row = self.rows[device]
            holds = what_holds(row, at_work=self.at_work(row))
            self._end(device, holds, at)
            for what in holds:
                self.spans.setdefault((device, what), OpenSpan(0, device, what, at))

    def _end(self, device: str, holds: Collection[str], at: int) -> None:
        kept = {*holds, *REFUSALS}
        for key in [key for key in self.spans if key[0] == device and key[1] not in kept]:
            self._close(key, at)

    def _close(self, key: tuple[str, str], at: int) -> None:
        span = self.spans.pop(key)
        # A hall's clock may have been set back between the two events.
        span.ended = max(at, span.began)
        self.over.append(span)


def is_at_work(row: DeviceRow | sa.RowMapping, windows: Mapping[str, bool]) -> bool:
    """False for a pad of a window that is closed: switched off it is where it should be."""
    if DeviceKind(row["kind"]) not in PADS or row["win"] is None:
        return True
    return windows.get(row["win"], False)
