"""Use cases of staff (人员): who works where, by the staff number that the halls' lists have too."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from console.core.audit import Audit
from console.core.codes import plain
from console.core.permissions import Permission, Scope, Subject
from console.core.uow import ReadUow, Uow
from console.halls.api import Entry, HallsApi, HallStatus
from console.modules.organisation import models as m
from console.modules.organisation import repository as repo
from console.modules.organisation.api import OrganisationApi, Staff
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import Clock

_NUMBER = re.compile(r"[0-9A-Za-z-]{1,20}")
LONGEST = 40
"""Characters of a name and of a post."""


class StaffService:
    """Looked after by whoever keeps the organisation, each within the own reach."""

    def __init__(
        self, clock: Clock, audit: Audit, halls: HallsApi, organisation: OrganisationApi
    ) -> None:
        self._clock = clock
        self._audit = audit
        self._halls = halls
        self._organisation = organisation

    async def listed(self, uow: ReadUow, subject: Subject) -> tuple[list[Staff], list[Entry]]:
        """Staff within reach by number, and those whom halls name but nobody keeps here yet."""
        scope = subject.scope(Permission.ORGANISATION)
        everybody = await repo.staff(uow)
        known = {one.number for one in everybody}
        named = (await self._halls.directory(uow, scope)).entries
        strangers = {
            one.label: one
            for (_, kind, _), one in named.items()
            if kind == "staff" and one.present and one.label not in known
        }
        own = [one for one in everybody if _within(scope, one)]
        return own, [strangers[number] for number in sorted(strangers)]

    async def one(self, uow: ReadUow, subject: Subject, number: str) -> Staff:
        """Raises ``organisation.staff_unknown``."""
        scope = subject.scope(Permission.ORGANISATION)
        found = await repo.staff(uow, m.staff.c.number == number)
        if not found or not _within(scope, found[0]):
            raise Refusal("organisation.staff_unknown")
        return found[0]

    async def halls(self, uow: ReadUow, subject: Subject) -> Sequence[HallStatus]:
        return await self._halls.halls(uow, subject.scope(Permission.ORGANISATION))

    async def put(self, uow: Uow, subject: Subject, wanted: Staff, *, new: bool) -> None:
        """Adds or changes one.

        Raises ``organisation.staff_number``, ``organisation.staff_exists``, ``organisation.staff_unknown``,
        ``organisation.staff_name``, ``division.unknown``, ``department.unknown`` and ``hall.unknown``.
        """
        wanted = replace(wanted, number=plain(wanted.number))
        if not number_fits(wanted.number):
            raise Refusal("organisation.staff_number")
        if not new:
            await self.one(uow, subject, wanted.number)
        elif await repo.staff(uow, m.staff.c.number == wanted.number):
            raise Refusal("organisation.staff_exists")
        if not wanted.name.strip():
            raise Refusal("organisation.staff_name")
        await self._check_place(uow, subject.scope(Permission.ORGANISATION), wanted)
        await self._keep(uow, subject, wanted, new=new)

    async def _keep(self, uow: Uow, subject: Subject, wanted: Staff, *, new: bool) -> None:
        name, post = (text.strip()[:LONGEST] for text in (wanted.name, wanted.post))
        kept = replace(wanted, name=name, post=post)
        left_at = self._clock.now_ms() if kept.left else None
        if not await repo.put_staff(uow, kept, left_at, new=new):
            raise Refusal("organisation.staff_exists")
        act = "staff.add" if new else "staff.change"
        await self._audit.write(uow, subject, act, object=kept.number, detail=kept.division)

    async def strangers(self, uow: ReadUow, subject: Subject, hall: str) -> list[Entry]:
        """Whom one hall names and nobody keeps here yet, by number. Raises ``hall.unknown``."""
        scope = subject.scope(Permission.ORGANISATION)
        if hall not in {one.id for one in await self.halls(uow, subject)}:
            raise Refusal("hall.unknown")
        known = {one.number for one in await repo.staff(uow)}
        named = (await self._halls.directory(uow, scope, HallId(hall))).of(hall, "staff")
        found = {one.label: one for one in named if one.label not in known}
        return [found[number] for number in sorted(found)]

    async def adopt(
        self, uow: Uow, subject: Subject, place: Staff, numbers: Collection[str]
    ) -> None:
        """Keeps those of a hall with these numbers as it names them, all with the division, department, hall and post
        of ``place``; all or nobody.

        Raises ``organisation.staff_nobody``, ``organisation.staff_exists`` for one whom somebody keeps by now, and
        about the number and the place as :meth:`put`.
        """
        if not numbers:
            raise Refusal("organisation.staff_nobody")
        await self._check_place(uow, subject.scope(Permission.ORGANISATION), place)
        found = {one.label: one for one in await self.strangers(uow, subject, place.hall)}
        # The page that says why it is refused is an answer, with which the transaction is kept.
        async with uow.savepoint():
            for number in sorted(set(numbers)):
                if number not in found:
                    raise Refusal("organisation.staff_exists")
                if not number_fits(number):
                    raise Refusal("organisation.staff_number")
                named = replace(place, number=number, name=found[number].name)
                await self._keep(uow, subject, named, new=True)

    async def _check_place(self, uow: ReadUow, scope: Scope, wanted: Staff) -> None:
        chart = await self._organisation.chart(uow)
        if wanted.department:
            found = chart.departments.get(wanted.department)
            if found is None or not scope.has_department(found.id, found.division):
                raise Refusal("department.unknown")
        if wanted.division not in chart.divisions or not _within(scope, wanted):
            raise Refusal("division.unknown")
        if wanted.hall and (wanted.hall not in chart.halls or not scope.has(wanted.hall)):
            raise Refusal("hall.unknown")


def _within(scope: Scope, one: Staff) -> bool:
    return scope.has_department(one.department, one.division)


def number_fits(number: str) -> bool:
    """Halls take numbers that the city does not."""
    return _NUMBER.fullmatch(number) is not None
