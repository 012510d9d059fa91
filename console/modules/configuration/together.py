"""Saves of one draft by two people at once: brought together where they do not touch, shown where they do. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from console.modules.configuration.difference import Conflict, conflicts, merge
from console.modules.configuration.packing import configuration, document
from qingting.contract.config import HallConfig
from qingting.contract.errors import Refusal


@dataclass(frozen=True, slots=True)
class Origin:
    """What a form was made from: a save of the draft, or with ``revision`` 0 the ``version`` in force."""

    revision: int
    version: int

    def __str__(self) -> str:
        return f"{self.revision}.{self.version}"


def origin_of(text: str) -> Origin | None:
    """Inverse of ``str``; None for what is none."""
    revision, _, version = text.partition(".")
    if not (revision.isdecimal() and version.isdecimal() and len(text) < 20):
        return None
    return Origin(int(revision), int(version))


class SavedMeanwhile(Refusal):
    """``config.draft_moved_on``, with the places that both changed: ``base`` is what the form showed, ``mine`` what it
    became."""

    def __init__(self, base: HallConfig, mine: HallConfig, places: Sequence[Conflict]) -> None:
        super().__init__("config.draft_moved_on")
        self.base = base
        self.mine = mine
        self.places = places


def together(base: HallConfig, mine: HallConfig, theirs: HallConfig, *, over: bool) -> HallConfig:
    """``theirs`` with what ``mine`` changed of ``base``. Raises :class:`SavedMeanwhile` where both changed the same,
    each otherwise; with ``over`` mine holds there."""
    before, ours, others = document(base), document(mine), document(theirs)
    places = conflicts(before, ours, others)
    if places and not over:
        raise SavedMeanwhile(base, mine, places)
    merged = merge(before, ours, others, keep_mine=[one.path for one in places])
    return configuration(merged, theirs.version)
