"""What appointments hold about people, for unmasking, copies and wishes to be erased (:mod:`console.core.personal`).

Rows hold masked texts only; who somebody is, the module of citizens says.
"""

from collections.abc import Callable, Mapping, Sequence

import sqlalchemy as sa

from console.core.permissions import Permission, Subject
from console.core.personal import DataClass, Erased, HeldRecord, Left, PersonalField, PersonSought
from console.core.uow import ReadUow, Uow
from console.halls.api import HallsApi
from console.modules.appointments import models as m
from console.modules.appointments import repository as repo
from console.modules.appointments import repository_standing as standing
from console.modules.appointments.service import Door
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.contract.states import CertificateKind
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.persons import open_person
from qingting.kernel.security.seal import Sealer

_BLANK = {"masked_name": "", "masked_number": ""}


class AppointmentData:
    """Implements :class:`console.core.personal.PersonalData`; a record is an appointment's id."""

    holder = "appointments"
    fields = (
        PersonalField("name", DataClass.SENSITIVE),
        PersonalField("number", DataClass.SENSITIVE),
    )

    def __init__(
        self,
        clock: Clock,
        door: Door,
        halls: HallsApi,
        hall_sealer: Callable[[HallId], Sealer],
    ) -> None:
        self._clock, self._door, self._halls, self._hall_sealer = clock, door, halls, hall_sealer

    async def masked(self, uow: ReadUow, subject: Subject, record: str) -> Mapping[str, str]:
        row = await self._row(uow, subject, record)
        return {"name": row["masked_name"], "number": row["masked_number"]}

    async def clear(self, uow: ReadUow, subject: Subject, record: str) -> Mapping[str, str]:
        row = await self._row(uow, subject, record)
        hall = HallId(row["hall"])
        person = await self._door.people().person(uow, row["citizen"], hall)
        name, number = open_person(self._hall_sealer(hall), person)
        return {"name": name, "number": number}

    async def about(self, uow: ReadUow, person: PersonSought) -> Sequence[HeldRecord]:
        return [
            HeldRecord(id=row["id"], at=row["made_at"], fields=_visit(row))
            for citizen in await self._citizens(uow, person)
            for row in await repo.of_citizen(uow, citizen)
        ]

    async def erase(self, uow: Uow, person: PersonSought) -> Erased:
        """Visits to come and punishments in force stay until they are over; of the others no name remains."""
        found = [await self.finish(uow, one) for one in await self._citizens(uow, person)]
        left = tuple(kept for one in found for kept in one.left)
        return Erased(erased=sum(one.erased for one in found), left=left)

    async def finish(self, uow: Uow, record: str) -> Erased:
        await self._door.hold_still(uow, record)
        now = self._clock.now_ms()
        erased = await self._empty_visits(uow, record, now)
        for table, over in ((m.ban, ~standing.in_force(now)), (m.listed, ~standing.stands(now))):
            c = table.c
            named = (c.masked_name != "") | (c.reason != "") | (c.number_index != "")
            mine = sa.update(table).where(c.citizen == record, over, named)
            erased += await uow.run(mine.values(**_BLANK, reason="", number_index=""))
        return Erased(erased=erased, left=await self._left(uow, record, now))

    async def _empty_visits(self, uow: Uow, citizen: str, now: int) -> int:
        a = m.appointment.c
        mine = (a.citizen == citizen, ~repo.expected(now))
        named = (a.masked_name != "") | (a.words != "")
        emptied = sa.update(m.appointment).where(*mine, named).values(**_BLANK, words="")
        erased = await uow.run(emptied)
        gone = sa.select(a.id).where(*mine)
        sent = sa.select(m.sent).where(m.sent.c.appointment.in_(gone))
        told = [(row["hall"], int(row["no"])) for row in await uow.all(sent)]
        await self._halls.empty_people(uow, told)
        await self._empty_reasons(uow, citizen, gone)
        return erased

    async def _left(self, uow: ReadUow, citizen: str, now: int) -> tuple[Left, ...]:
        visits, until = await repo.expected_of(uow, citizen, now)
        found = [Left(record=citizen, why="booked", count=visits, until=until)] if visits else []
        for table, stays, why in (
            (m.ban, standing.in_force(now), "punished"),
            (m.listed, standing.stands(now), "listed"),
        ):
            until_all = sa.func.coalesce(sa.func.max(table.c.until), 0).label("until")
            endless = sa.func.count().filter(table.c.until == 0).label("endless")
            count = sa.select(sa.func.count().label("n"), until_all, endless)
            row = await uow.first(count.where(table.c.citizen == citizen, stays))
            if row is not None and row["n"]:
                ends = 0 if row["endless"] else int(row["until"])
                found.append(Left(record=citizen, why=why, count=int(row["n"]), until=ends))
        return tuple(found)

    async def _empty_reasons(self, uow: Uow, citizen: str, over: sa.Select[tuple[str]]) -> None:
        """What staff wrote about visits that are ``over``: nobody can tell from words whom they name."""
        b, h = m.breach.c, m.history.c
        await uow.run(
            sa.update(m.breach).where(b.citizen == citizen, b.forgiven_at > 0).values(reason="")
        )
        written = sa.update(m.history).where(h.appointment.in_(over), h.act == "forgiven")
        await uow.run(written.values(detail=""))

    async def _row(self, uow: ReadUow, subject: Subject, record: str) -> sa.RowMapping:
        row = await repo.row_of(uow, record)
        if row is None or not subject.may(Permission.PERSONAL, hall=row["hall"]):
            raise Refusal("personal.unknown")
        return row

    async def _citizens(self, uow: ReadUow, person: PersonSought) -> list[str]:
        people = self._door.people()
        found = [await people.find(uow, kind, person.number) for kind in CertificateKind]
        return list(dict.fromkeys(one.id for one in found if one is not None))


def _visit(row: sa.RowMapping) -> dict[str, str]:
    """What was booked, as the citizen knows it."""
    names = row["names"]
    start = f"{row['start'] // 60:02}:{row['start'] % 60:02}"
    return {
        "visit": f"{row['day']} {start} {names.get('hall', '')} {names.get('item', '')}".strip()
    }
