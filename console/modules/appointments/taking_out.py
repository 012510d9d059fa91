"""Appointments with their people in clear, to be taken out with another person's consent."""

from collections.abc import Mapping, Sequence
from datetime import date

from console.core.long_lists import BLOCK_ROWS
from console.core.permissions import Permission, Scope, Subject
from console.core.uow import ReadUow
from console.modules.appointments import repository as repo
from console.modules.appointments.repository import Wish
from console.modules.appointments.service import Door
from console.modules.privacy.api import ExportKind, Sheet
from qingting.kernel.aio.clock import Clock
from qingting.kernel.web.sheets import Cell

HEAD = (
    *("appointments.col.day", "appointments.col.time", "appointments.col.hall", "appointments.col.item"),
    *("personal.field.name", "personal.field.number", "appointments.col.ticket"),
)  # fmt: skip
FILTERS = ("hall", "department", "item", "first", "last", "state")
"""None of them says anything about a person."""


class TakingOut:
    """Its list, declared to the care for personal data."""

    def __init__(self, clock: Clock, door: Door) -> None:
        self._clock, self._door = clock, door

    def kind(self) -> ExportKind:
        return ExportKind(
            name="appointments", permission=Permission.PERSONAL, count=self.count, make=self.make
        )

    async def count(self, uow: ReadUow, subject: Subject, query: Mapping[str, str]) -> int:
        return await repo.count(uow, _scope(subject), _wish(query), self._clock.now_ms())

    async def make(self, uow: ReadUow, subject: Subject, query: Mapping[str, str]) -> Sheet:
        """Whoever was erased meanwhile stands without a name."""
        rows: list[Sequence[Cell]] = []
        now, people = self._clock.now_ms(), self._door.people()
        async for block in repo.blocks(uow, _scope(subject), _wish(query), now, BLOCK_ROWS):
            clear = await people.in_clear(uow, {one.citizen for one in block})
            rows += [
                (
                    one.day.isoformat(),
                    f"{one.start}–{one.end}",
                    one.hall_name,
                    one.item_name,
                    *clear.get(one.citizen, ("", "")),
                    one.ticket,
                )
                for one in block
            ]
        return Sheet(HEAD, rows)


def _scope(subject: Subject) -> Scope:
    """Where the subject may see people in clear: all of a hall, as one record is shown there."""
    subject.require(Permission.APPOINTMENTS)
    areas = subject.scope(Permission.PERSONAL).areas
    return Scope(tuple(one for one in areas if one.whole))


def _wish(query: Mapping[str, str]) -> Wish:
    given = {name: query.get(name, "") for name in FILTERS}
    return Wish(
        hall=given["hall"],
        department=given["department"],
        item=given["item"],
        state=given["state"],
        first=_day(given["first"]),
        last=_day(given["last"]),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
