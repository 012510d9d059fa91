"""What appointments hold about people, for unmasking, copies and wishes to be erased (:mod:`console.core.personal`).

Rows hold masked texts only; who somebody is, the module of citizens says.
"""

from collections.abc import Callable, Mapping, Sequence

import sqlalchemy as sa

from console.core.permissions import Permission, Subject
from console.core.personal import DataClass, Erased, HeldRecord, PersonalField, PersonSought
from console.core.uow import ReadUow, Uow
from console.halls.api import HallsApi
from console.modules.appointments import models as m
from console.modules.appointments import repository as repo
from console.modules.appointments.api import Life
from console.modules.appointments.service import Door
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.contract.states import CertificateKind
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.persons import open_person
from qingting.kernel.security.seal import Sealer

OPEN = (Life.HELD, Life.BOOKED, Life.ARRIVED)
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
        now, erased, kept = self._clock.now_ms(), 0, 0
        for citizen in await self._citizens(uow, person):
            a, ban, listed = m.appointment.c, m.ban.c, m.listed.c
            still = a.state.in_([one.value for one in OPEN])
            erased += await uow.run(
                sa.update(m.appointment)
                .where(a.citizen == citizen, ~still)
                .values(**_BLANK, words="")
            )
            gone = sa.select(a.id).where(a.citizen == citizen, ~still)
            sent = sa.select(m.sent).where(m.sent.c.appointment.in_(gone))
            told = [(row["hall"], int(row["no"])) for row in await uow.all(sent)]
            await self._halls.empty_people(uow, told)
            for table, over in ((m.ban, ban.until <= now), (m.listed, listed.ended_at > 0)):
                mine = sa.update(table).where(table.c.citizen == citizen, over)
                erased += await uow.run(mine.values(**_BLANK, reason=""))
            await self._empty_reasons(uow, citizen, gone)
            for table, stays in (
                (m.appointment, still),
                (m.ban, ban.until > now),
                (m.listed, listed.ended_at == 0),
            ):
                count = sa.select(sa.func.count()).select_from(table)
                kept += int(await uow.scalar(count.where(table.c.citizen == citizen, stays)))
        return Erased(erased=erased, kept=kept, why="booked" if kept else "")

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
