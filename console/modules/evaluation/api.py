"""What other modules may know of ratings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from console.core.module import ApiKey
from console.core.permissions import Scope
from console.core.uow import ReadUow
from qingting.contract.ids import HallId
from qingting.contract.states import BAD_LEVELS, NotRatedReason, RatingChannel, RatingLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingInfo:
    """One citizen's rating of one case (办件). ``priority`` is the visitor's class. Names are the hall's own,
    found by id through the halls module."""

    hall: HallId
    ticket: str
    case_no: str
    number: str
    item: str
    department: str
    priority: str
    booked: bool
    win: str
    staff: str
    level: RatingLevel
    tags: tuple[str, ...]
    words: str
    channel: RatingChannel
    rated_at: int

    @property
    def bad(self) -> bool:
        return self.level in BAD_LEVELS


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingFilter:
    """``level``: a level, ``bad`` for both bad ones, or empty. Days are business days, both inclusive."""

    first: date
    last: date
    level: str = ""
    hall: str = ""
    department: str = ""


@dataclass(frozen=True, slots=True)
class RatingFigures:
    """How finished cases were rated. ``open`` may still be rated."""

    levels: Mapping[RatingLevel, int]
    not_rated: Mapping[NotRatedReason, int]
    open: int

    @property
    def rated(self) -> int:
        return sum(self.levels.values())

    @property
    def bad(self) -> int:
        return sum(self.levels[level] for level in BAD_LEVELS)

    @property
    def unrated(self) -> int:
        return sum(self.not_rated.values())


class EvaluationApi(Protocol):
    """Ratings of all halls."""

    async def figures(self, uow: ReadUow, scope: Scope, wanted: RatingFilter) -> RatingFigures:
        """Counts within ``scope``; the level of ``wanted`` is ignored."""
        ...

    async def ratings(
        self, uow: ReadUow, scope: Scope, wanted: RatingFilter, *, limit: int, offset: int = 0
    ) -> tuple[int, list[RatingInfo]]:
        """How many there are, and one page of them, newest first."""
        ...


EVALUATION = ApiKey[EvaluationApi]("EVALUATION")
