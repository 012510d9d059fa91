"""What other modules may know of halls' configurations, and how they suggest changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from console.core.module import ApiKey
from console.core.permissions import Subject
from console.core.uow import ReadUow, Uow
from qingting.contract.config import HallConfig
from qingting.contract.config_parts import ConfigPart
from qingting.contract.ids import HallId


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The configuration of a hall as its log says; ``who`` put it in force at ``at``."""

    hall: HallId
    version: int
    at: int
    who: str
    config: HallConfig


class ConfigurationApi(Protocol):
    """Configurations of halls."""

    async def in_force(self, uow: ReadUow, hall: HallId) -> InForce | None:
        """None for a hall that never told it."""
        ...

    async def push(
        self, uow: Uow, subject: Subject, hall: HallId, parts: Sequence[ConfigPart], note: str
    ) -> int:
        """Takes parts over into the hall's draft, which a person looks at and publishes at
        ``/configurations/<hall>``. Gives the draft's revision. Raises ``config.none``, ``page.forbidden``."""
        ...


CONFIGURATION = ApiKey[ConfigurationApi]("CONFIGURATION")
