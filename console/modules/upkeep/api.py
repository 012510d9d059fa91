"""What the composition root and other modules may know of upkeep: health, backups and drills."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from console.core.module import ApiKey
from console.core.uow import Uow

TryOut = Callable[[str], Awaitable[None]]
"""Serves pages over the database of an address, logs in and looks at one; raises a refusal when that fails."""


class HealthState(StrEnum):
    """``unknown``: it cannot be told, or was not set up."""

    OK = "ok"
    CAUTION = "caution"
    FAULT = "fault"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One part of the system. ``says`` and ``todo`` are text keys, ``todo`` empty where nothing is to be done."""

    name: str
    state: HealthState
    says: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    todo: str = ""
    since: int = 0


class UpkeepApi(Protocol):
    """How the city does."""

    async def health(self, uow: Uow) -> Sequence[Health]:
        """Every part, looked at now; notes since when each is as it is."""
        ...

    def try_out_with(self, try_out: TryOut) -> None:
        """How a restore drill sees that people could work with what was restored; given by the server."""
        ...


UPKEEP = ApiKey[UpkeepApi]("UPKEEP")
