"""What this module holds about people, for copies, unmasking and wishes to be erased (:mod:`console.core.personal`)."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from console.core.permissions import SYSTEM, Permission, Subject
from console.core.personal import DataClass, Erased, HeldRecord, Left, PersonalField, PersonSought
from console.core.uow import ReadUow, Uow
from console.modules.appointments.api import AppointmentsApi
from console.modules.citizens import repository as repo
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
        found = [
            await self.finish(uow, row["id"]) for row in await repo.by_index(uow, person.index)
        ]
        left = tuple(kept for one in found for kept in one.left)
        return Erased(erased=sum(one.erased for one in found), left=left)

    async def finish(self, uow: Uow, record: str) -> Erased:
        await self._appointments.hold_still(uow, record)
        row = await repo.row(uow, record)
        if row is None:
            return Erased(erased=0)
        visits, until = await self._appointments.expected(uow, record)
        if visits:
            await self._service.keep_for_now(uow, record)
            kept = Left(record=record, why="booked", count=1, until=until)
            return Erased(erased=0, left=(kept,))
        number = self._opened(row)["number"]
        await self._service.forget(uow, SYSTEM, record)
        return Erased(erased=1, number=number)

    async def _row(self, uow: ReadUow, subject: Subject, record: str) -> sa.RowMapping:
        """Citizens belong to no hall or district: only who may see all of the city's sees them by their id."""
        row = await repo.row(uow, record)
        if row is None or not subject.scope(Permission.PERSONAL).everywhere:
            raise Refusal("personal.unknown")
        return row

    def _opened(self, row: sa.RowMapping) -> dict[str, str]:
        return {name: self._service.opened(row[f"{name}_box"], name, row["id"]) for name in NAMES}
