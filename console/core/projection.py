"""What a module must offer to build its read model from the halls' events; see :mod:`console.halls.runner`."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from console.core.uow import Uow
from qingting.contract.events import Event
from qingting.contract.ids import HallId

REBUILD = -1
"""Epoch of a projection cursor whose read model must be forgotten and built again."""


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a hall's log as the city holds it. ``received_at`` is when it was stored here."""

    epoch: int
    seq: int
    received_at: int
    event: Event


class Projector(Protocol):
    """Builds one read model. ``name`` is also the key of its cursors and must never change.

    ``apply`` gets events of one hall in order, inside the transaction that moves the cursor; it
    tells ``uow.changed`` what pages should look at again. An exception parks the event that caused
    it. ``forget`` removes everything known of a hall, so that it can be built again.
    """

    @property
    def name(self) -> str: ...

    async def apply(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None: ...

    async def forget(self, uow: Uow, hall: HallId) -> None: ...
