"""One round of the command loop: what a batch of commands comes to, before anything is stored."""

import asyncio
from dataclasses import dataclass, field

import structlog

from hallserver.engine.decide import decide
from hallserver.engine.evolve import evolve
from hallserver.engine.state import HallState
from hallserver.store.batch import Batch
from hallserver.store.store import Span
from qingting.contract.commands import Command, Envelope
from qingting.contract.errors import Refusal
from qingting.contract.events import Event
from qingting.contract.ids import BusinessDay, CommandKey

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Committed:
    """What a command came to, safely stored. ``repeated``: its key was used before, nothing new was done."""

    events: tuple[Event, ...]
    repeated: bool = False


@dataclass(slots=True, eq=False)
class Pending:
    """A command that waits for its answer."""

    key: CommandKey
    actor: str
    command: Command
    done: asyncio.Future[Committed]
    outcome: Committed | Refusal | None = None
    """Kept apart from ``done``, which its sender may cancel."""

    def answer(self, committed: Committed) -> None:
        self.outcome = committed
        if not self.done.done():
            self.done.set_result(committed)

    def refuse(self, refusal: Refusal) -> None:
        self.outcome = refusal.again()
        if not self.done.done():
            self.done.set_exception(self.outcome)


class EvolveError(RuntimeError):
    """The engine decided something that it cannot apply; the working state is spoilt."""


@dataclass(slots=True)
class Round:
    """Decides commands one after another on ``state``, which runs ahead of what is committed."""

    state: HallState
    batch: Batch
    at: int
    new: list[tuple[Pending, tuple[Event, ...]]] = field(default_factory=list)
    idle: list[Pending] = field(default_factory=list)
    refused: list[tuple[Pending, Refusal]] = field(default_factory=list)
    repeats: list[tuple[Pending, Span]] = field(default_factory=list)
    twins: list[tuple[Pending, Pending]] = field(default_factory=list)
    _seen: dict[CommandKey, Pending] = field(default_factory=dict)

    def take(self, pending: Pending, former: Span | None) -> None:
        """Decides one command, unless its key has changed the hall before. Raises :class:`EvolveError`."""
        if (twin := self._seen.get(pending.key)) is not None:
            self.twins.append((pending, twin))
            return
        self._seen[pending.key] = pending
        if former is not None:
            self.repeats.append((pending, former))
            return
        try:
            events = self._decide(pending)
        except Refusal as refusal:
            self.refused.append((pending, refusal))
            return
        if events:
            self.batch.add(pending.key, events)
            self.new.append((pending, events))
        else:
            self.idle.append(pending)

    def _decide(self, pending: Pending) -> tuple[Event, ...]:
        envelope = Envelope(
            key=pending.key, at=self.at, actor=pending.actor, command=pending.command
        )
        try:
            bodies = decide(self.state, envelope)
        except Refusal:
            raise
        except Exception as error:
            log.exception("hall.decide_failed", command=type(pending.command).__name__)
            raise Refusal("internal") from error
        events: list[Event] = []
        for body in bodies:
            day = getattr(body, "day", None) or self.state.day or BusinessDay("")
            event = Event(
                s=self.state.seq + 1,
                at=self.at,
                bd=day,
                by=pending.actor,
                cmd=pending.key,
                b=body,
            )
            try:
                evolve(self.state, event)
            except Exception as error:
                raise EvolveError(type(body).__name__) from error
            events.append(event)
        return tuple(events)

    @property
    def events(self) -> tuple[Event, ...]:
        """Everything that this round appends, in order."""
        return tuple(event for _, events in self.new for event in events)
