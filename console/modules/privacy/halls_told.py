"""Halls are told whom to forget (删除): every hall, as nobody but the hall itself knows who drew a number there with a
card. The word waits while a hall's line is cut, and its answer stands with the request."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from console.core.db import Database
from console.core.delivering import Waker, work_when_woken
from console.core.permissions import EVERYWHERE, SYSTEM, Permission, Subject
from console.core.personal import SealedColumn
from console.core.signals import Signals
from console.core.uow import ReadUow, Uow
from console.halls.api import HallsApi, LinkState
from console.modules.privacy import models as m
from qingting.contract.directives import ForgetPerson
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.contract.states import CertificateKind, Language
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.persons import seal_person
from qingting.kernel.security.seal import Sealer

CHANGED = "requests"
AT_ONCE = 50
CONTEXT = "forget"
WAITING_BOX = SealedColumn(m.untold.c.box, CONTEXT)
Names = dict[str, tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HallTold:
    """What became of the word to one hall. ``done_at`` 0: it has not answered; ``code``: why it could not. ``gone_at``
    not 0: somebody (``gone_by``) said that it does not come back and ``why``."""

    hall: str
    name: str
    name_en: str
    at: int
    done_at: int
    code: str
    gone_at: int = 0
    gone_by: str = ""
    why: str = ""

    @property
    def waits(self) -> bool:
        """Nobody has answered for it, neither the hall nor a person."""
        return not self.done_at and not self.gone_at

    def title(self, language: Language) -> str:
        return self.name if language is Language.ZH else self.name_en or self.name


@dataclass(frozen=True, slots=True)
class Pending:
    """Halls of a request that have not forgotten: those that it waits for, and those that are said to be gone."""

    waiting: int = 0
    gone: int = 0


class HallsTold:
    """``hall_sealer`` gives what a person is sealed with for a hall (:meth:`ModuleContext.hall_sealer`)."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        halls: HallsApi,
        sealer: Sealer,
        hall_sealer: Callable[[HallId], Sealer],
    ) -> None:
        self._db, self._clock, self._halls = db, clock, halls
        self._sealer, self._hall_sealer = sealer, hall_sealer

    async def tell(self, uow: Uow, number: str, request: int | None) -> int:
        """Has every hall told to forget whoever has the certificate ``number``; how many halls that are.

        The words lie here until :meth:`tell_settled` sends them: an erasure holds locks of its own, and would wait in a
        circle with whoever tells a hall something and writes that into the audit."""
        now = self._clock.now_ms()
        if request is not None:
            await self._supersede(uow, request)
        rows = [
            {
                "hall": hall,
                "request": request,
                "box": self._sealer.seal(number, context=CONTEXT),
                "at": now,
            }
            for hall in sorted(await self._halls.placed(uow))
        ]
        if rows:
            await uow.run(sa.insert(m.untold), rows)
            uow.changed(CHANGED)
        return len(rows)

    async def hold_words(self, uow: Uow, request: int | None) -> None:
        """Waits until no word of the request is just being sent or answered: whoever sends one waits for the audit, so
        that it comes before anything is written there, and all take them in one order."""
        u, t = m.untold.c, m.told.c
        lying = sa.select(u.no).where(u.request == request).order_by(u.no)
        sent = sa.select(t.no).where(t.request == request).order_by(t.hall, t.no)
        for words in (lying, sent):
            await uow.all(words.with_for_update())

    async def _supersede(self, uow: Uow, request: int) -> None:
        """What the halls were told of this request before: the person was at some of them once more since then. Of a
        hall that had answered although it was said to be gone, it is not said any more."""
        t, u, g = m.told.c, m.untold.c, m.gone.c
        answered = sa.select(t.hall).where(t.request == request, t.done_at.is_not(None))
        await uow.run(sa.delete(m.gone).where(g.request == request, g.hall.in_(answered)))
        await uow.run(sa.update(m.told).where(t.request == request).values(request=None))
        await uow.run(sa.delete(m.untold).where(u.request == request))

    async def _send(
        self, uow: Uow, hall: HallId, number: str, request: int | None, at: int
    ) -> None:
        """The name is left out: a hall finds people by their number alone, and the index of a number does not depend on
        the kind of its certificate."""
        person = seal_person(self._hall_sealer(hall), CertificateKind.RESIDENT_ID, "", number)
        word = ForgetPerson(person=person)
        no = await self._halls.send(uow, SYSTEM, hall, word, under=Permission.REQUESTS)
        row = {"hall": hall, "no": no, "request": request, "at": at}
        await uow.run(sa.insert(m.told).values(**row))

    async def of(self, uow: ReadUow, request: int) -> list[HallTold]:
        """What became of it, those that have not answered first."""
        c, u, g = m.told.c, m.untold.c, m.gone.c
        told = await uow.all(sa.select(m.told).where(c.request == request))
        untold = await uow.all(sa.select(u.hall, u.at).where(u.request == request))
        gone = await uow.all(sa.select(m.gone).where(g.request == request))
        halls = await self._halls.halls(uow, EVERYWHERE) if told or untold else []
        names: Names = {one.id: (one.name, one.name_en) for one in halls}
        marks = {row["hall"]: row for row in gone}
        found = [
            *(_told(names, marks, row, row["done_at"] or 0, row["code"]) for row in told),
            *(_told(names, marks, row, 0, "") for row in untold),
        ]
        return sorted(found, key=lambda one: (one.done_at > 0, one.hall))

    async def pending(self, uow: ReadUow, requests: Sequence[int]) -> dict[int, Pending]:
        """By request, how many halls have not done it: not answered yet, or not able to."""
        c, u, g = m.told.c, m.untold.c, m.gone.c
        open_ones = sa.union_all(
            sa.select(c.request, c.hall).where(
                c.request.in_(requests), c.done_at.is_(None) | (c.code != "")
            ),
            sa.select(u.request, u.hall).where(u.request.in_(requests)),
        ).subquery()
        o = open_ones.c
        here = sa.and_(g.request == o.request, g.hall == o.hall)
        statement = (
            sa.select(
                o.request,
                sa.func.count().filter(g.hall.is_(None)).label("waiting"),
                sa.func.count().filter(g.hall.is_not(None)).label("gone"),
            )
            .select_from(open_ones.outerjoin(m.gone, here))
            .group_by(o.request)
        )
        rows = await uow.all(statement)
        return {row["request"]: Pending(row["waiting"], row["gone"]) for row in rows}

    async def mark_gone(
        self, uow: Uow, request: int, hall: str, subject: Subject, why: str
    ) -> None:
        """The request waits for this hall no more. The word stays on its way: a hall that does come back gets it.

        Raises ``request.hall_not_waiting``, and ``request.hall_alive`` for one whose line is up."""
        known = {one.hall: one for one in await self.of(uow, request) if one.waits}
        if hall not in known:
            raise Refusal("request.hall_not_waiting")
        states = {one.id: one.state for one in await self._halls.halls(uow, EVERYWHERE)}
        if states.get(HallId(hall)) is LinkState.ONLINE:
            raise Refusal("request.hall_alive")
        row = {"request": request, "hall": hall, "at": self._clock.now_ms(), "why": why}
        row |= {"by": subject.id, "by_name": subject.name}
        await uow.run(sa.insert(m.gone).values(**row))

    async def tell_settled(self) -> None:
        """Sends the words that lie here; those for halls that have not said how far they are lie on."""
        u = m.untold.c
        async with self._db.read() as reader:
            waiting = {row["hall"] for row in await reader.all(sa.select(u.hall).distinct())}
            ready = waiting - await self._halls.unsettled(reader) if waiting else set()
        for hall in sorted(ready):
            found = AT_ONCE
            while found == AT_ONCE:
                found = await self._tell_one(HallId(hall))

    async def _tell_one(self, hall: HallId) -> int:
        """Sends some words to one hall; how many. Each hall in a transaction of its own, so that nobody who tells
        another one waits in a circle."""
        u = m.untold.c
        async with self._db.write() as uow:
            if hall in await self._halls.unsettled(uow):
                return 0
            mine = sa.select(m.untold).where(u.hall == hall).order_by(u.no).limit(AT_ONCE)
            rows = await uow.all(mine.with_for_update(skip_locked=True))
            for row in rows:
                number = self._sealer.open(row["box"], context=CONTEXT)
                await self._send(uow, hall, number, row["request"], row["at"])
                await uow.run(sa.delete(m.untold).where(u.no == row["no"]))
                uow.changed(CHANGED)
        return len(rows)

    async def settle(self) -> bool:
        """Notes the answers that have come, and forgets in the city whom those halls were told to forget; False when
        there may be more."""
        await self.tell_settled()
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
        await work_when_woken(Waker(signals, frozenset({"halls", CHANGED})), self.settle)


def _told(
    names: Names, marks: Mapping[str, sa.RowMapping], row: sa.RowMapping, done_at: int, code: str
) -> HallTold:
    hall, mark = row["hall"], marks.get(row["hall"])
    name, name_en = names.get(hall, (hall, ""))
    return HallTold(
        hall=hall,
        name=name,
        name_en=name_en,
        at=row["at"],
        done_at=done_at,
        code=code,
        gone_at=mark["at"] if mark else 0,
        gone_by=mark["by_name"] if mark else "",
        why=mark["why"] if mark else "",
    )
