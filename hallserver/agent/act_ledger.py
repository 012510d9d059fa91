"""Which acts this process has seen and what became of them: each is carried out at most once."""

import base64
from collections import OrderedDict
from dataclasses import dataclass, field

from qingting.contract.hub_acts import MAX_PARTS, PART_CHARS, ActPart, ActTold
from qingting.contract.states import ActOutcome

REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an act ended. ``file`` is what it brings back."""

    outcome: ActOutcome
    code: str = ""
    figures: dict[str, int] = field(default_factory=dict)
    note: str = ""
    file: bytes = b""


@dataclass(slots=True)
class _Entry:
    told: ActTold | None = None
    parts: tuple[ActPart, ...] = ()
    acknowledged: bool = False


class ActLedger:
    """Outcomes are owed to the hall until it has them."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def begin(self, act: str) -> bool:
        """True when the act is new."""
        if act in self._entries:
            return False
        self._entries[act] = _Entry()
        done = [one for one, entry in self._entries.items() if entry.acknowledged]
        for one in done[: max(0, len(self._entries) - REMEMBERED)]:
            del self._entries[one]
        return True

    def settle(self, act: str, outcome: Outcome) -> None:
        """What became of an act that :meth:`begin` allowed. A file that is too large is left out, and said to be."""
        entry = self._entries[act]
        text = base64.b64encode(outcome.file).decode()
        chunks = [text[at : at + PART_CHARS] for at in range(0, len(text), PART_CHARS)]
        if len(chunks) > MAX_PARTS:
            outcome, chunks = Outcome(ActOutcome.FAILED, "act.too_large"), []
        entry.parts = tuple(
            ActPart(act=act, no=no, count=len(chunks), data=chunk)
            for no, chunk in enumerate(chunks, 1)
        )
        entry.told = ActTold(
            act=act,
            outcome=outcome.outcome,
            code=outcome.code,
            figures=outcome.figures,
            note=outcome.note[:80],
        )

    def acknowledge(self, act: str) -> None:
        entry = self._entries.get(act)
        if entry is not None:
            entry.acknowledged, entry.parts = True, ()

    def owed(self) -> list[tuple[ActTold, tuple[ActPart, ...]]]:
        """Outcomes that the hall does not have, oldest first, each with its file's parts."""
        return [
            (entry.told, entry.parts)
            for entry in self._entries.values()
            if entry.told is not None and not entry.acknowledged
        ]
