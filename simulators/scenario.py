"""A scenario: which device has which fault when, and for how long. Read from a TOML file, planned with a seed.

The same file, seed and bench always give the same plan.
"""

import tomllib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from random import Random
from typing import Annotated, Literal, NamedTuple

import msgspec

from qingting.contract.base import Strict
from qingting.kernel.toml_lines import located
from simulators.device import Fault, SimulatedDevice
from simulators.printer import SETTABLE, PrinterSimulator

UNPLUG, MID_JOB, SWAP = "unplug", "disconnect_mid_job", "swap"
WORDS = frozenset({UNPLUG, MID_JOB, SWAP, *Fault, *SETTABLE})
"""Everything that may happen to a device, by the names that the control page's API has too."""
Time = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$")]
"""A time of the scenario's day, ``08:30`` or ``08:30:15``."""
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]


class ScenarioError(ValueError):
    """The file cannot be played; the text names file, line and what is wrong."""


class Happening(Strict, frozen=True, kw_only=True):
    """``what`` befalls every device whose name on the bench matches ``device`` (``*`` stands for anything), for
    ``seconds``. ``model`` is the profile that takes its place in a ``swap``."""

    at: Time
    device: str
    what: str
    seconds: Seconds
    model: str = ""

    def __post_init__(self) -> None:
        _known(self.what)
        if (self.what == SWAP) != bool(self.model):
            raise ValueError("a swap needs a model, and nothing else does")


class Chance(Strict, frozen=True, kw_only=True):
    """``count`` times between two times of the day: one of the devices, one of the faults that it can have, for a
    time between the two ``seconds``."""

    since: Time
    until: Time
    count: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    devices: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    what: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    seconds: tuple[Seconds, Seconds]

    def __post_init__(self) -> None:
        for word in self.what:
            _known(word)
        if SWAP in self.what:
            raise ValueError("a swap happens at a given time, with a model")
        if clock_s(self.since) >= clock_s(self.until):
            raise ValueError("since must be before until")
        if self.seconds[0] > self.seconds[1]:
            raise ValueError("seconds are given as least and most")


class Scenario(Strict, frozen=True, kw_only=True):
    """A day of faults. It is played from ``begins`` on; ``seed`` decides what is left to chance."""

    schema: Literal[1]
    name: str
    name_en: str
    begins: Time
    seed: int
    happening: tuple[Happening, ...] = ()
    chance: tuple[Chance, ...] = ()

    def __post_init__(self) -> None:
        first = [*(one.at for one in self.happening), *(one.since for one in self.chance)]
        if not first:
            raise ValueError("nothing happens: write [[happening]] or [[chance]]")
        if min(map(clock_s, first)) < clock_s(self.begins):
            raise ValueError("something happens before the scenario begins")


class Step(NamedTuple):
    """After ``at_s`` scenario seconds ``what`` begins (``on``) or ends at a device."""

    at_s: float
    device: str
    what: str
    on: bool
    model: str = ""


def clock_s(time: str) -> int:
    """Seconds since midnight."""
    hours, minutes, *seconds = (int(part) for part in time.split(":"))
    return hours * 3600 + minutes * 60 + (seconds[0] if seconds else 0)


def _known(word: str) -> None:
    if word not in WORDS:
        raise ValueError(f"nobody knows {word!r}; known: {', '.join(sorted(WORDS))}")


class ScenarioFile(NamedTuple):
    """A scenario and the text it was read from, for faults that only show on a bench."""

    scenario: Scenario
    where: str
    text: str

    def wrong(self, message: str, place: str) -> ScenarioError:
        return ScenarioError(located(f"{message} - at `$.{place}`", [(self.where, self.text)]))


def load_scenario(path: Path) -> ScenarioFile:
    """Raises :class:`ScenarioError` with file and line."""
    try:
        text = path.read_text("utf-8")
        raw = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError(f"{path}: {error}") from error
    try:
        scenario = msgspec.convert(raw, Scenario)
    except msgspec.ValidationError as error:
        raise ScenarioError(located(str(error), [(str(path), text)])) from error
    return ScenarioFile(scenario, str(path), text)


def find_scenario(name: str) -> Path:
    """A file by its path, or one that comes with the program by its name."""
    shipped = Path(__file__).parent / "scenarios" / f"{name}.toml"
    return shipped if shipped.is_file() else Path(name)


# ---- planning -----------------------------------------------------------------------------------


def can_be(device: SimulatedDevice, what: str) -> bool:
    """True when this may happen to the device."""
    if what in (UNPLUG, MID_JOB, SWAP):
        return True
    if what in SETTABLE:
        return isinstance(device, PrinterSimulator)
    return what in device.possible_faults


def plan(file: ScenarioFile, devices: Mapping[str, SimulatedDevice]) -> tuple[Step, ...]:
    """Everything that will happen, in order; each beginning has its end. Raises :class:`ScenarioError`."""
    begins = clock_s(file.scenario.begins)
    spans: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for start, length, device, what, model in (*_given(file, devices), *_drawn(file, devices)):
        at = start - begins
        spans.setdefault((device, what, model), []).append((at, at + length))
    steps = []
    for (device, what, model), times in spans.items():
        for start, end in _joined(times):
            steps += [Step(start, device, what, True, model), Step(end, device, what, False, model)]
    return tuple(sorted(steps))


_Span = tuple[float, float, str, str, str]


def _given(file: ScenarioFile, devices: Mapping[str, SimulatedDevice]) -> Iterator[_Span]:
    for number, one in enumerate(file.scenario.happening):
        matching = [name for name in devices if fnmatchcase(name, one.device)]
        if not matching:
            known = ", ".join(sorted(devices))
            raise file.wrong(
                f"no device is called {one.device!r}; known: {known}", f"happening[{number}].device"
            )
        for name in matching:
            if not can_be(devices[name], one.what):
                kind = devices[name].kind.value
                raise file.wrong(f"{kind} never has {one.what}", f"happening[{number}].what")
            yield clock_s(one.at), one.seconds, name, one.what, one.model


def _drawn(file: ScenarioFile, devices: Mapping[str, SimulatedDevice]) -> Iterator[_Span]:
    random = Random(file.scenario.seed)
    for number, one in enumerate(file.scenario.chance):
        choices = [
            (name, what)
            for name in sorted(devices)
            if any(fnmatchcase(name, pattern) for pattern in one.devices)
            for what in one.what
            if can_be(devices[name], what)
        ]
        if not choices:
            raise file.wrong("no device can have any of this", f"chance[{number}].devices")
        for _ in range(one.count):
            name, what = random.choice(choices)
            at = random.uniform(clock_s(one.since), clock_s(one.until))
            yield round(at, 1), round(random.uniform(*one.seconds), 1), name, what, ""


def _joined(times: list[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """The same fault twice at once is one that lasts until the later end."""
    (start, end), *others = sorted(times)
    for following, later in others:
        if following > end:
            yield start, end
            start, end = following, later
        else:
            end = max(end, later)
    yield start, end


def words_of(step: Step) -> str:
    """A line for a log: what begins or ends where."""
    what = step.what.replace("_", " ")
    return f"{step.device}: {what}{f' → {step.model}' if step.model else ''} {'begins' if step.on else 'ends'}"
