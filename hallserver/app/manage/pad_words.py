"""What a pad says of itself, as short words for a manager."""

from dataclasses import dataclass

from qingting.contract.ids import Millis
from qingting.contract.pads import PadFacts


@dataclass(frozen=True, slots=True)
class Fact:
    """A text key with its parameters."""

    key: str
    params: dict[str, str | int]


@dataclass(frozen=True, slots=True)
class PadLine:
    """``facts`` in order of interest; ``touched`` when somebody last touched the pad, None: not since it
    connected."""

    facts: tuple[Fact, ...]
    touched: Millis | None


NETWORKS = frozenset({"wifi", "ethernet", "cellular"})


def pad_line(facts: PadFacts) -> PadLine:
    """Only what its browser tells."""
    found = [*_battery(facts), *_network(facts)]
    if not facts.visible:
        found.append(Fact("pad.hidden", {}))
    if facts.sound is False:
        found.append(Fact("pad.silent", {}))
    found.append(Fact("pad.app" if facts.installed else "pad.tab", {}))
    if facts.build:
        found.append(Fact("pad.build", {"build": facts.build}))
    if facts.screen:
        found.append(Fact("pad.screen", {"screen": facts.screen}))
    return PadLine(tuple(found), facts.touched)


def _battery(facts: PadFacts) -> list[Fact]:
    if facts.battery is None:
        return []
    key = "pad.charging" if facts.charging else "pad.battery"
    return [Fact(key, {"level": facts.battery})]


def _network(facts: PadFacts) -> list[Fact]:
    name = [Fact(f"pad.net.{facts.network}", {})] if facts.network in NETWORKS else []
    return name if facts.rtt is None else [*name, Fact("pad.rtt", {"ms": facts.rtt})]
