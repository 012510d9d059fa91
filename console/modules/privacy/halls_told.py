"""Halls are told whom to forget (删除): every hall, as nobody but the hall itself knows who drew a number there with a
card. The word waits while a hall's line is cut, and its answer stands with the request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from console.core.db import Database
from console.core.delivering import Waker, work_when_woken
from console.core.permissions import EVERYWHERE, SYSTEM, Permission
from console.core.signals import Signals
from console.core.uow import ReadUow, Uow
from console.halls.api import HallsApi
from console.modules.privacy import models as m
from qingting.contract.directives import ForgetPerson
from qingting.contract.ids import HallId
from qingting.contract.states import CertificateKind, Language
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.persons import seal_person
from qingting.kernel.security.seal import Sealer

CHANGED = "requests"
AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class HallTold:
    """What became of the word to one hall. ``done_at`` 0: it has not answered; ``code``: why it could not."""

    hall: str
    name: str
    name_en: str
    at: int
    done_at: int
    code: str

    def title(self, language: Language) -> str:
        return self.name if language is Language.ZH else self.name_en or self.name


class HallsTold:
    """``hall_sealer`` gives what a person is sealed with for a hall (:meth:`ModuleContext.hall_sealer`)."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        halls: HallsApi,
        hall_sealer: Callable[[HallId], Sealer],
    ) -> None:
        self._db, self._clock, self._halls, self._hall_sealer = db, clock, halls, hall_sealer

    async def tell(self, uow: Uow, number: str, request: int | None) -> int:
        """Tells every hall to forget whoever has the certificate ``number``; how many halls that are.

        The name is left out: a hall finds people by their number alone."""
        now, told = self._clock.now_ms(), 0
        for hall in sorted(await self._halls.placed(uow)):
            # The index of a number does not depend on the kind of its certificate.
            kind = CertificateKind.RESIDENT_ID
            person = seal_person(self._hall_sealer(hall), kind, "", number)
            word = ForgetPerson(person=person)
            no = await self._halls.send(uow, SYSTEM, hall, word, under=Permission.REQUESTS)
            row = {"hall": hall, "no": no, "request": request, "at": now}
            await uow.run(sa.insert(m.told).values(**row))
            told += 1
        return told

    async def of(self, uow: ReadUow, request: int) -> list[HallTold]:
        """What became of it, those that have not answered first."""
        c = m.told.c
        order = (c.done_at.is_not(None), c.hall)
        rows = await uow.all(sa.select(m.told).where(c.request == request).order_by(*order))
        names = {one.id: one for one in await self._halls.halls(uow, EVERYWHERE)} if rows else {}
        return [
            HallTold(
                hall=row["hall"],
                name=known.name if (known := names.get(row["hall"])) else row["hall"],
                name_en=known.name_en if known else "",
                at=row["at"],
                done_at=row["done_at"] or 0,
                code=row["code"],
            )
            for row in rows
        ]

    async def waiting(self, uow: ReadUow, requests: Sequence[int]) -> dict[int, int]:
        """By request, how many halls have not done it: not answered yet, or not able to."""
        c = m.told.c
        statement = (
            sa.select(c.request, sa.func.count().label("n"))
            .where(c.request.in_(requests), c.done_at.is_(None) | (c.code != ""))
            .group_by(c.request)
        )
        return {row["request"]: row["n"] for row in await uow.all(statement)}

    async def settle(self) -> bool:
        """Notes the answers that have come, and forgets in the city whom those halls were told to forget; False when
        there may be more."""
        c = m.told.c
        waiting = sa.select(c.hall, c.no).where(c.done_at.is_(None)).order_by(c.at)
        async with self._db.read() as reader:
            pairs = [(row["hall"], int(row["no"])) for row in await reader.all(waiting)]
            answers = await self._halls.outcomes(reader, pairs)
        if not answers:
            return True
        some = dict(sorted(answers.items())[:AT_ONCE])
        async with self._db.write() as uow:
            for (hall, no), (code, at) in some.items():
                here = sa.update(m.told).where(c.hall == hall, c.no == no)
                await uow.run(here.values(done_at=at, code=code))
            await self._halls.empty_people(uow, list(some))
            uow.changed(CHANGED)
        return len(some) == len(answers)

    async def run(self, signals: Signals) -> None:
        """Settles whenever a hall has answered something, in any number of workers."""
        await work_when_woken(Waker(signals, frozenset({"halls"})), self.settle)
