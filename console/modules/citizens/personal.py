"""What this module holds about people, for copies, unmasking and wishes to be erased (:mod:`console.core.personal`)."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from console.core.permissions import SYSTEM, Permission, Subject
from console.core.personal import DataClass, Erased, HeldRecord, PersonalField, PersonSought
from console.core.uow import ReadUow, Uow
from console.modules.appointments.api import AppointmentsApi
from console.modules.citizens import repository as repo
from console.modules.citizens.booking import STILL_OPEN
from console.modules.citizens.service import HOLDER, CitizenService
from qingting.contract.errors import Refusal

NAMES = ("name", "number", "phone", "mail")


class CitizenData:
    """Implements :class:`console.core.personal.PersonalData`; a record is a citizen's id."""

    holder = HOLDER
    fields = tuple(PersonalField(name, DataClass.SENSITIVE) for name in NAMES)

    def __init__(self, service: CitizenService, appointments: AppointmentsApi) -> None:
        self._service = service
        self._appointments = appointments

    async def masked(self, uow: ReadUow, subject: Subject, record: str) -> Mapping[str, str]:
        row = await self._row(uow, subject, record)
        return {name: row[f"masked_{name}"] for name in NAMES}

    async def clear(self, uow: ReadUow, subject: Subject, record: str) -> Mapping[str, str]:
        return self._opened(await self._row(uow, subject, record))

    async def about(self, uow: ReadUow, person: PersonSought) -> Sequence[HeldRecord]:
        return [
            HeldRecord(id=row["id"], at=row["made_at"], fields=self._opened(row))
            for row in await repo.by_index(uow, person.index)
        ]

    async def erase(self, uow: Uow, person: PersonSought) -> Erased:
        """Whoever is still expected somewhere is kept until then: the hall calls by that name."""
        erased = kept = 0
        for row in await repo.by_index(uow, person.index):
            booked = await self._appointments.bookings_of(uow, row["id"])
            if any(one.state in STILL_OPEN for one in booked):
                kept += 1
                continue
            await self._service.forget(uow, SYSTEM, row["id"])
            erased += 1
        return Erased(erased=erased, kept=kept, why="booked" if kept else "")

    async def _row(self, uow: ReadUow, subject: Subject, record: str) -> sa.RowMapping:
        """Citizens belong to no hall or district: only who may see all of the city's sees them by their id."""
        row = await repo.row(uow, record)
        if row is None or not subject.scope(Permission.PERSONAL).everywhere:
            raise Refusal("personal.unknown")
        return row

    def _opened(self, row: sa.RowMapping) -> dict[str, str]:
        return {name: self._service.opened(row[f"{name}_box"], name, row["id"]) for name in NAMES}
