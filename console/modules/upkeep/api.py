"""What the composition root and other modules may know of upkeep: health, backups and drills."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from console.core.module import ApiKey
from console.core.uow import Uow

TryOut = Callable[[str], Awaitable[None]]
"""Serves pages over the database of an address, logs in and looks at one; raises a refusal when that fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a restored database needs of this program: ``migrations`` bring what an older one wrote to its schema, and the
    tables ``passing`` are emptied, so that nobody stays logged in, and the statements ``restored`` are run with the present
    instant (UTC ms)."""

    migrations: tuple[str, ...]
    passing: tuple[str, ...]
    restored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosting:
    """What the server gives to upkeep. ``try_out``: how a restored database is seen to be good to work with."""

    try_out: TryOut
    program: Program


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

    def hosted_by(self, hosting: Hosting) -> None:
        """Given by a server; without it nothing can be tried out or restored."""
        ...

    async def exchange_due(self) -> None:
        """Returns when this worker is to let go of the database: another one is to take its place, or has."""
        ...


UPKEEP = ApiKey[UpkeepApi]("UPKEEP")
