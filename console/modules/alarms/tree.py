"""Which device stands behind which, and so which alarm is the root of others: pure rules."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from console.modules.alarms.rules import HallTrouble
from console.modules.devices.api import GONE, REFUSALS
from qingting.contract.conditions import Severity
from qingting.contract.states import DeviceKind


@dataclass(frozen=True, slots=True)
class Node:
    """A device: its kind and what it hangs on, empty for nothing."""

    kind: DeviceKind
    parent: str = ""


class Where(Protocol):
    """A hall and a device in it; ``device`` empty: the hall's line."""

    @property
    def hall(self) -> str: ...
    @property
    def device(self) -> str: ...


class Alarming(Protocol):
    """What grouping needs to know of an open alarm."""

    @property
    def no(self) -> int: ...
    @property
    def hall(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def severity(self) -> Severity: ...


_STANDS_ALONE = frozenset({*REFUSALS, *(one.value for one in HallTrouble)})


@dataclass(frozen=True, slots=True)
class Tree:
    """The devices of all halls by (hall, id)."""

    nodes: Mapping[tuple[str, str], Node] = field(default_factory=dict)
    agents: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    roots: frozenset[str] = frozenset({GONE, HallTrouble.OFFLINE.value})

    @classmethod
    def of(cls, nodes: Mapping[tuple[str, str], Node]) -> "Tree":
        agents: dict[tuple[str, str], tuple[str, ...]] = {}
        for (hall, device), node in nodes.items():
            if node.kind is DeviceKind.AGENT and node.parent:
                agents[hall, node.parent] = (*agents.get((hall, node.parent), ()), device)
        return cls(nodes, agents)

    def kind(self, place: Where) -> DeviceKind | None:
        node = self.nodes.get((place.hall, place.device))
        return node.kind if node else None

    def above(self, place: Where, what: str) -> Iterator[tuple[str, str]]:
        """Devices whose loss explains ``what`` at ``place``, nearest first; the hall's line last.

        A lost agent (外设代理) explains everything about its peripherals. A lost kiosk screen explains that
        its agent and peripherals are lost too; an empty printer beside a working agent it does not.
        """
        if what in _STANDS_ALONE:
            return
        hall = place.hall
        node = self.nodes.get((hall, place.device))
        if node is not None:
            if what != GONE:
                yield _at(hall, place.device)
            if node.parent:
                yield from self._beside(hall, place.device, node, what)
        yield _at(hall, "")

    def _beside(self, hall: str, device: str, node: Node, what: str) -> Iterator[tuple[str, str]]:
        if node.kind is not DeviceKind.AGENT:
            for agent in self.agents.get((hall, node.parent), ()):
                if agent != device:
                    yield _at(hall, agent)
        parent = self.nodes.get((hall, node.parent))
        if what == GONE or (parent is not None and parent.kind is DeviceKind.AGENT):
            yield _at(hall, node.parent)


def _at(hall: str, device: str) -> tuple[str, str]:
    return (hall, device)


def group(alarms: Sequence[Alarming], tree: Tree) -> dict[int, int]:
    """For each open alarm that stands behind another: the number of the outermost one."""
    heads = _heads(alarms)
    above = {one.no: _root(one, heads, tree) for one in alarms}
    found = {}
    for one in alarms:
        root = above[one.no]
        while root and above[root]:
            root = above[root]
        if root:
            found[one.no] = root
    return found


def _heads(alarms: Iterable[Alarming]) -> dict[tuple[str, str, str], Alarming]:
    """Of several alarms about one thing at one place, the gravest stands for all."""
    heads: dict[tuple[str, str, str], Alarming] = {}
    for one in sorted(alarms, key=lambda one: (-one.severity.rank, one.no)):
        heads.setdefault((one.hall, one.device, one.what), one)
    return heads


def _root(alarm: Alarming, heads: Mapping[tuple[str, str, str], Alarming], tree: Tree) -> int:
    """The next alarm above, 0 for none. Every step leads to a head or outwards, so that no circle is possible."""
    head = heads[alarm.hall, alarm.device, alarm.what]
    if head.no != alarm.no:
        return head.no
    for hall, device in tree.above(alarm, alarm.what):
        what = GONE if device else HallTrouble.OFFLINE.value
        root = heads.get((hall, device, what))
        if root is not None and root.no != alarm.no:
            return root.no
    return 0
