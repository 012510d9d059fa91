"""Opening hours from the halls' events: a hall's own configuration says when it is open."""

from collections.abc import Sequence

from console.core.projection import StoredEvent
from console.core.uow import Uow
from console.modules.calendar import repository
from qingting.contract.config_parts import CalendarPart
from qingting.contract.events import ConfigApplied, ConfigEdited
from qingting.contract.ids import HallId


class HoursProjector:
    """Implements :class:`console.core.projection.Projector`."""

    name = "hall_hours"

    async def apply(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
        latest = None
        for stored in events:
            body = stored.event.b
            if isinstance(body, ConfigApplied):
                latest = body.config.calendar
            elif isinstance(body, ConfigEdited) and isinstance(body.part, CalendarPart):
                latest = body.part.calendar
        if latest is not None:
            await repository.put_hall_calendar(uow, hall, latest)
            uow.changed("calendar")

    async def forget(self, uow: Uow, hall: HallId) -> None:
        await repository.drop_hall_calendar(uow, hall)
