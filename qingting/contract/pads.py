"""What a pad (平板) says about itself: battery, network, screen, program, last touch.

Fine values are for the present alone and never in the log; what needs somebody becomes a condition.
"""

from typing import Annotated, NamedTuple

import msgspec

from qingting.contract.base import Record, Strict
from qingting.contract.ids import Millis, ShortText


class PadFacts(Record, frozen=True, kw_only=True):
    """The present of one pad. None: its browser does not tell, which is no fault.

    ``battery`` in percent; ``network`` is the browser's word (``wifi``, ``ethernet``, ``cellular``);
    ``rtt`` in milliseconds is what the hall's answer to the last pings took; ``visible`` the page is on the
    screen, ``focused`` it is what touches go to; ``touched`` when somebody last touched it (UTC ms); ``build``
    is the program that runs, ``installed`` says that it was started as an app; ``awake`` that the screen is
    kept on, ``sound`` that it may make sounds; ``screen`` is ``1280x800@1.5``.
    """

    battery: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    charging: bool | None = None
    network: ShortText = ""
    rtt: Annotated[int, msgspec.Meta(ge=0, le=600_000)] | None = None
    visible: bool = True
    focused: bool = True
    touched: Millis | None = None
    build: ShortText = ""
    installed: bool = False
    awake: bool | None = None
    sound: bool | None = None
    screen: ShortText = ""


class PadReport(Strict, frozen=True, kw_only=True, tag="pad.report", tag_field="type"):
    """Pads: how it is, after connecting, at every change that matters, and once a minute."""

    facts: PadFacts


class PadWord(NamedTuple):
    """A text key, ``pad.…``, with its parameters: one thing that a pad says, in a reader's words."""

    key: str
    params: dict[str, str | int]


_NETWORKS = frozenset({"wifi", "ethernet", "cellular"})


def pad_words(facts: PadFacts) -> tuple[PadWord, ...]:
    """What to show of ``facts``, what matters most first; only what its browser tells."""
    found = [*_battery(facts), *_network(facts)]
    if not facts.visible:
        found.append(PadWord("pad.hidden", {}))
    if facts.sound is False:
        found.append(PadWord("pad.silent", {}))
    found.append(PadWord("pad.app" if facts.installed else "pad.tab", {}))
    if facts.build:
        found.append(PadWord("pad.build", {"build": facts.build}))
    if facts.screen:
        found.append(PadWord("pad.screen", {"screen": facts.screen}))
    return tuple(found)


def _battery(facts: PadFacts) -> list[PadWord]:
    if facts.battery is None:
        return []
    key = "pad.charging" if facts.charging else "pad.battery"
    return [PadWord(key, {"level": facts.battery})]


def _network(facts: PadFacts) -> list[PadWord]:
    known = facts.network in _NETWORKS
    name = [PadWord(f"pad.net.{facts.network}", {})] if known else []
    return name if facts.rtt is None else [*name, PadWord("pad.rtt", {"ms": facts.rtt})]
