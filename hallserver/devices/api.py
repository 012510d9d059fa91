"""What the rest of a process may know of a device: its status, and what it can do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hallserver.devices.protocols.led.line import LedLine
from hallserver.devices.protocols.samv import CardText
from hallserver.devices.sound import Sound
from qingting.contract.ids import DeviceId
from qingting.contract.printing import PrintJob
from qingting.contract.states import Condition, DeviceKind, DeviceState, PlayOutcome, PrintOutcome

Unsubscribe = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStatus:
    """A snapshot. ``since`` is when state or conditions last changed, UTC milliseconds.

    ``detail`` is for the technician: model, serial number or what is wrong with the configuration.
    """

    device: DeviceId
    kind: DeviceKind
    state: DeviceState
    conditions: frozenset[Condition]
    since: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PrintResult:
    """Outcome of one job; ``cause`` says why it is not ``printed``, as far as it is known."""

    outcome: PrintOutcome
    cause: Condition | None = None
    mm: int = field(default=0, compare=False)
    """Paper that came out, in millimetres; 0 unless it was printed."""


@dataclass(frozen=True, slots=True)
class CardProblem:
    """A card that was there and could not be read; ``code`` is of the ``identity`` family."""

    code: str


CardOutcome = CardText | CardProblem


@dataclass(frozen=True, slots=True)
class FaceCredential:
    """What a terminal handed out for the person whom it recognised: opaque, good once, in no log."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FaceProblem:
    """The terminal looked and there is no credential; ``code`` is of the ``face`` family."""

    code: str


FaceOutcome = FaceCredential | FaceProblem


@dataclass(frozen=True, slots=True)
class PlayResult:
    """What became of a sound; ``cause`` says why it was not played to its end, as far as it is known."""

    outcome: PlayOutcome
    cause: Condition | None = None


class AnyDevice(Protocol):
    """Every driver."""

    @property
    def status(self) -> DeviceStatus: ...

    def subscribe(self, listener: Callable[[DeviceStatus], None]) -> Unsubscribe:
        """Calls ``listener`` with each new status until the result is called."""
        ...

    async def run(self) -> None:
        """Keeps the device connected until cancelled; returns only when a person must help."""
        ...


class TicketPrinter(AnyDevice, Protocol):
    """A printer that says what became of a job. ``senses_low_paper``: a sensor tells that the roll ends soon."""

    @property
    def senses_low_paper(self) -> bool: ...

    async def recover(self) -> Condition | None:
        """The model's own recovery, once; what still keeps the printer from printing, None for nothing.

        Raises ``Refusal``: ``act.no_recover_command``, or ``act.not_ready`` when it does not answer.
        """
        ...

    async def print(self, job: PrintJob, *, deadline_s: float = ...) -> PrintResult:
        """Prints ``job`` once and never again by itself; answers within ``deadline_s`` seconds.

        ``failed`` means the ticket did not come out whole, ``unknown`` that nobody can tell.
        """
        ...


class IdReader(AnyDevice, Protocol):
    """A card reader that is silent until armed."""

    def arm(self) -> None:
        """Looks for a card from now on; one that lies there already counts."""
        ...

    def disarm(self) -> None: ...

    def on_card(self, listener: Callable[[CardOutcome], None]) -> Unsubscribe:
        """Calls ``listener`` once for each card laid on while armed."""
        ...


class FaceReader(AnyDevice, Protocol):
    """A face terminal that is dark until armed."""

    def arm(self) -> None:
        """Looks for one face, for as long as its profile says."""
        ...

    def disarm(self) -> None: ...

    def on_face(self, listener: Callable[[FaceOutcome], None]) -> Unsubscribe:
        """Calls ``listener`` at most once for each time it was armed."""
        ...


class Scanner(AnyDevice, Protocol):
    """A scanner of bar codes and QR codes that is always ready."""

    def on_code(self, listener: Callable[[str], None]) -> Unsubscribe:
        """Calls ``listener`` with the text of each scanned code."""
        ...


class Speaker(AnyDevice, Protocol):
    """A loudspeaker: one sound at a time."""

    async def play(self, sound: Sound, *, volume: int) -> PlayResult:
        """Plays ``sound`` once at ``volume`` percent; one that broke off has failed and is not repeated."""
        ...


class LedPanel(AnyDevice, Protocol):
    """An LED panel that shows lines of text. ``answers``: it says whether it is there."""

    @property
    def answers(self) -> bool: ...

    def show(self, lines: Sequence[LedLine]) -> None:
        """From now on the panel is to show ``lines``, and nothing on its other lines.

        Returns at once. What was wanted before and is not sent yet is never sent; after a
        reconnection the present lines are sent again.
        """
        ...
