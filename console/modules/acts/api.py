"""What other modules may do with remote hands."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from console.core.module import ApiKey
from console.core.permissions import Scope, Subject
from console.core.uow import ReadUow, Uow
from qingting.contract.acts import Action
from qingting.contract.ids import DeviceId, HallId
from qingting.contract.states import ActOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ActInfo:
    """An act: who asked what of which device, and what became of it. ``has_file`` while that is kept here."""

    hall: HallId
    id: str
    device: str
    action: Action
    asked_at: int
    asked_by: str
    by_city: bool
    reached: bool
    outcome: ActOutcome | None
    code: str
    figures: dict[str, str | int]
    note: str
    ended_at: int
    has_file: bool


class ActsApi(Protocol):
    """Remote hands at the devices of all halls."""

    async def ask(
        self, uow: Uow, subject: Subject, hall: HallId, device: DeviceId, action: Action
    ) -> str:
        """Sends the act to the hall and gives its id. Audited with the directive.

        Raises ``page.forbidden``, ``device.unknown``, ``act.not_for_kind``.
        """
        ...

    async def latest(
        self,
        uow: ReadUow,
        scope: Scope,
        hall: HallId | None = None,
        device: str | None = None,
        limit: int = 200,
    ) -> Sequence[ActInfo]:
        """Newest first."""
        ...

    async def found(self, uow: ReadUow, acts: Collection[str]) -> dict[str, ActInfo]:
        """By id; unknown ones are left out."""
        ...

    async def bundles(self, uow: ReadUow) -> Sequence[sa.RowMapping]:
        """Device models kept here, newest first: ``id``, ``name``, ``files``, ``put_at``, ``put_by``."""
        ...


ACTS = ApiKey[ActsApi]("ACTS")
"""See :class:`ActsApi`."""
