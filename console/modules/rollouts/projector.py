"""Which halls have which releases, from their events."""

from collections.abc import Sequence

from console.core.projection import StoredEvent
from console.core.uow import Uow
from console.modules.rollouts import repository as repo
from qingting.contract import events as e
from qingting.contract.ids import HallId


class ShelfProjector:
    """Implements :class:`console.core.projection.Projector`."""

    name = "rollouts"

    async def apply(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
        changed = 0
        for stored in events:
            match stored.event.b:
                case e.ReleaseKept(release=release, code=code):
                    changed += await repo.told_of(uow, hall, release, code)
                case e.DirectiveRefused(no=no, code=code):
                    changed += await repo.refused(uow, hall, no, code)
                case _:
                    continue
        if changed:
            uow.changed("rollouts")

    async def forget(self, uow: Uow, hall: HallId) -> None:
        """What halls were told stays told; what they said of it is read again."""
