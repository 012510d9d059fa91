"""The device page in the reader's words."""

from collections.abc import Iterable
from dataclasses import dataclass

from console.core.words import DEVICE_TONES, condition_words
from console.modules.devicepage.domain import Happening, What
from console.modules.devicepage.knowledge import Model
from console.modules.devices.api import DeviceInfo
from qingting.contract.states import Condition, DeviceKind, DeviceState, Language


@dataclass(frozen=True, slots=True)
class Step:
    """What the person in front of the device should do. ``own``: in words for this very model."""

    tone: str
    text: str
    hint: str
    since: int
    own: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the timeline: badges of tone and words, and the key of what else to say."""

    at: int
    what: What
    state_key: str
    state_tone: str
    before_key: str
    began: tuple[tuple[str, str], ...]
    ended: tuple[str, ...]


def here(device: DeviceInfo, model: Model | None, language: Language) -> list[Step]:
    """What to do at the device, worst first. A lost connection without any condition asks for the cable."""
    found = [(one.condition, one.since) for one in device.conditions]
    if not found and device.state is DeviceState.LOST:
        found = [(Condition.OFFLINE, device.since)]
    steps = [_step(condition, since, model, language) for condition, since in found]
    order = ("fault", "caution", "info")
    return sorted(steps, key=lambda step: (order.index(step.tone), step.since))


def _step(condition: Condition, since: int, model: Model | None, language: Language) -> Step:
    words = condition_words(condition, language)
    own = model.hint(condition, language) if model is not None else ""
    return Step(words.tone, words.text, own or words.hint, since, bool(own))


def spoken(lines: Iterable[Happening], language: Language) -> list[Line]:
    """Lines for the page."""
    return [
        Line(
            at=one.at,
            what=one.what,
            state_key=f"device.state.{one.state}" if one.state else "",
            state_tone=DEVICE_TONES[DeviceState(one.state)] if one.state else "",
            before_key=f"device.state.{one.before}" if one.before else "",
            began=tuple(_badge(name, language) for name in one.began),
            ended=tuple(_badge(name, language)[1] for name in one.ended),
        )
        for one in lines
    ]


def _badge(name: str, language: Language) -> tuple[str, str]:
    words = condition_words(Condition(name), language)
    return words.tone, words.text


def drawing_of(kind: DeviceKind) -> str:
    """Name of our own drawing of a family of devices, as an asset."""
    return f"drawings/{kind.value}.svg"


CARRIERS = frozenset({"serial", "tcp", "udp", "usb", "usblp", "hidraw", "evdev", "http", "sound"})
"""Interfaces that have words; another one, of a newer profile, is shown by its own name."""


def carrier_keys(model: Model | None) -> list[tuple[str, str]]:
    """Name of each interface of a model and the key of its words, empty without."""
    names = model.carriers if model is not None else ()
    return [(name, f"carrier.{name}" if name in CARRIERS else "") for name in names]
