"""Appointments with their people in clear, to be taken out with another person's consent."""

from collections.abc import Callable, Mapping
from datetime import date

from console.core.permissions import Permission, Scope, Subject
from console.core.uow import ReadUow
from console.modules.appointments import repository as repo
from console.modules.appointments.repository import Wish
from console.modules.appointments.service import Door
from console.modules.privacy.api import ExportKind, Sheet
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.persons import open_person
from qingting.kernel.security.seal import Sealer

HEAD = (
    *("appointments.col.day", "appointments.col.time", "appointments.col.hall", "appointments.col.item"),
    *("personal.field.name", "personal.field.number", "appointments.col.ticket"),
)  # fmt: skip
FILTERS = ("hall", "department", "item", "first", "last", "state")
"""None of them says anything about a person."""


class TakingOut:
    """``hall_sealer`` opens what a hall is told of a person."""

    def __init__(self, clock: Clock, door: Door, hall_sealer: Callable[[HallId], Sealer]) -> None:
        self._clock, self._door, self._hall_sealer = clock, door, hall_sealer

    def kind(self) -> ExportKind:
        return ExportKind(
            name="appointments", permission=Permission.PERSONAL, count=self.count, make=self.make
        )

    async def count(self, uow: ReadUow, subject: Subject, query: Mapping[str, str]) -> int:
        count, _ = await repo.found(
            uow, _scope(subject), _wish(query), self._clock.now_ms(), limit=0
        )
        return count

    async def make(self, uow: ReadUow, subject: Subject, query: Mapping[str, str]) -> Sheet:
        """Whoever was erased meanwhile stands without a name."""
        now = self._clock.now_ms()
        _, found = await repo.found(uow, _scope(subject), _wish(query), now, limit=None)
        rows = [
            (
                one.day.isoformat(),
                f"{one.start}–{one.end}",
                one.hall_name,
                one.item_name,
                *await self._person(uow, one.citizen, one.hall),
                one.ticket,
            )
            for one in found
        ]
        return Sheet(HEAD, rows)

    async def _person(self, uow: ReadUow, citizen: str, hall: HallId) -> tuple[str, str]:
        try:
            person = await self._door.people().person(uow, citizen, hall)
        except Refusal:
            return "", ""
        return open_person(self._hall_sealer(hall), person)


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
