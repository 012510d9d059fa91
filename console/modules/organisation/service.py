"""Use cases of the organisation; implements :class:`console.modules.organisation.api.OrganisationApi`."""

import asyncio
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from console.core.audit import Audit
from console.core.codes import plain, plain_uscc, uscc_fits, uscc_shaped
from console.core.divisions import full
from console.core.permissions import (
    CITY,
    NOWHERE,
    Area,
    Permission,
    Reach,
    ReachKind,
    Scope,
    Subject,
)
from console.core.uow import ReadUow, Uow
from console.halls.api import Entry, HallsApi, HallStatus
from console.modules.organisation import models as m
from console.modules.organisation import repository as repo
from console.modules.organisation.api import Department, Division, Staff
from console.modules.organisation.domain import (
    Chart,
    division,
    level_of,
    parent_of,
    read_divisions,
    read_spot,
)
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId

LONGEST_NAME = 80
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DivisionPage:
    """A division, the way to it from the city, what is directly in it, and the halls that stand in it itself.
    ``tops`` are the highest within the reader's reach."""

    division: Division
    path: tuple[Division, ...]
    parts: tuple[Division, ...]
    halls: tuple[HallStatus, ...]
    departments: tuple[Department, ...]
    may_drop: bool
    tops: tuple[Division, ...]


class OrganisationService:
    """See :class:`console.modules.organisation.api.OrganisationApi`."""

    def __init__(self, audit: Audit, halls: HallsApi) -> None:
        self._audit = audit
        self._halls = halls

    # -- for other modules --------------------------------------------------------------------

    async def seed(self, uow: Uow) -> None:
        if not await repo.root(uow):
            await repo.put_divisions(uow, await asyncio.to_thread(read_divisions))

    async def divisions(self, uow: ReadUow) -> Sequence[Division]:
        return await repo.divisions(uow)

    async def departments(self, uow: ReadUow) -> Sequence[Department]:
        return await repo.departments(uow)

    async def staff(self, uow: ReadUow, number: str) -> Staff | None:
        found = await repo.staff(uow, m.staff.c.number == number)
        return found[0] if found else None

    async def chart(self, uow: ReadUow) -> Chart:
        return Chart(
            {one.code: one for one in await repo.divisions(uow)},
            {one.id: one for one in await repo.departments(uow)},
            {str(hall): where for hall, where in (await self._halls.placed(uow)).items()},
        )

    async def scopes(
        self, uow: ReadUow, reaches: Collection[Reach], staff: str = ""
    ) -> dict[Reach, Scope]:
        city = Reach(ReachKind.REGION, await repo.root(uow))
        if all(one == city for one in reaches):
            # Most who look after the whole city ask often: the chart is not read for them.
            return dict.fromkeys(reaches, Scope((CITY,)))
        chart = await self.chart(uow)
        own = NOWHERE
        if any(one.kind is ReachKind.OWN for one in reaches):
            own = await self._own(uow, await self.staff(uow, staff))
        return {one: chart.scope(one, own) for one in reaches}

    async def _own(self, uow: ReadUow, staff: Staff | None) -> Scope:
        """What a member of staff did at the hall where the person works."""
        if staff is None or staff.left or not staff.hall:
            return NOWHERE
        at = Area(halls=frozenset({staff.hall}))
        names = await self._halls.directory(uow, Scope((at,)), HallId(staff.hall))
        known = [one.id for one in names.of(staff.hall, "staff") if one.label == staff.number]
        return Scope(tuple(Area(halls=at.halls, staff=one) for one in known))

    # -- divisions ----------------------------------------------------------------------------

    async def divisions_within(self, uow: ReadUow, subject: Subject) -> list[Division]:
        """Those within the subject's reach, each after what it is part of."""
        scope = subject.scope(Permission.ORGANISATION)
        return [one for one in await repo.divisions(uow) if scope.has_division(one.code)]

    async def page(self, uow: ReadUow, subject: Subject, code: str) -> DivisionPage:
        """``code`` empty: the highest that the subject may see. Raises ``division.unknown``."""
        scope = subject.scope(Permission.ORGANISATION)
        known = {one.code: one for one in await repo.divisions(uow)}
        own = [one for one in known.values() if scope.has_division(one.code)]
        if not own:
            raise Refusal("page.forbidden")
        found = known.get(code) if code else own[0]
        if found is None or found not in own:
            raise Refusal("division.unknown")
        halls = await self._halls.halls(uow, scope)
        return DivisionPage(
            division=found,
            path=tuple(_path(found, known, own)),
            parts=tuple(one for one in own if one.parent == found.code),
            halls=tuple(one for one in halls if full(one.division) == found.code),
            departments=tuple(
                one for one in await repo.departments(uow) if one.division == found.code
            ),
            may_drop=bool(found.parent) and scope.has_division(found.parent),
            tops=tuple(one for one in own if not scope.has_division(one.parent or "-")),
        )

    async def put_division(
        self, uow: Uow, subject: Subject, code: str, *, name: str, name_en: str, new: bool
    ) -> Division:
        """Adds or renames one. Raises ``division.code``, ``division.parent``, ``division.exists``,
        ``division.unknown``, ``division.name`` and ``page.forbidden``."""
        scope = subject.scope(Permission.ORGANISATION)
        code = full(plain(code))
        if level_of(code) is None:
            raise Refusal("division.code")
        if not scope.has_division(code) or (new and not scope.has_division(parent_of(code))):
            raise Refusal("page.forbidden")
        known = {one.code for one in await repo.divisions(uow)}
        if new and code in known:
            raise Refusal("division.exists")
        if not new and code not in known:
            raise Refusal("division.unknown")
        if new and parent_of(code) not in known:
            raise Refusal("division.parent")
        made = division(code, _name(name, "division.name"), name_en.strip()[:LONGEST_NAME])
        if not new:
            await repo.put_divisions(uow, [made])
        elif not await repo.add_division(uow, made):
            raise Refusal("division.exists")
        act = "division.add" if new else "division.rename"
        await self._audit.write(uow, subject, act, object=code, detail=made.name)
        return made

    async def drop_division(self, uow: Uow, subject: Subject, code: str) -> Division:
        """Gives what is gone. Raises ``division.unknown``, ``organisation.in_use`` and ``page.forbidden``; a
        district's keeper cannot drop the district."""
        scope = subject.scope(Permission.ORGANISATION)
        known = {one.code: one for one in await repo.divisions(uow)}
        found = known.get(code)
        if found is None or not scope.has_division(code):
            raise Refusal("division.unknown")
        if not found.parent or not scope.has_division(found.parent):
            raise Refusal("page.forbidden")
        stands = [one for one, _ in (await self._halls.placed(uow)).values()]
        if code in {full(one) for one in stands if one}:
            raise Refusal("organisation.in_use")
        await repo.drop_division(uow, code)
        await self._audit.write(uow, subject, "division.drop", object=code, detail=found.name)
        return found

    async def place(
        self,
        uow: Uow,
        subject: Subject,
        hall: HallId,
        *,
        division: str,
        department: str,
        spot: str,
    ) -> None:
        """Says where a hall belongs, from within one's reach to within it, and where it is (``spot`` as it was typed).

        Raises ``division.unknown``, ``department.unknown``, ``hall.spot``, ``hall.unknown`` and ``page.forbidden``.
        """
        scope = subject.scope(Permission.ORGANISATION)
        chart = await self.chart(uow)
        if division not in chart.divisions or not scope.has_division(division):
            raise Refusal("division.unknown")
        if department and not _has(scope, chart.departments.get(department)):
            raise Refusal("department.unknown")
        await self._halls.place(
            uow, subject, hall, division=division, department=department, spot=read_spot(spot)
        )

    # -- departments --------------------------------------------------------------------------

    async def own_departments(
        self, uow: ReadUow, subject: Subject
    ) -> tuple[list[Department], list[Entry]]:
        """Departments within reach, and those that halls name but nobody keeps here yet."""
        scope = subject.scope(Permission.ORGANISATION)
        known = await repo.departments(uow)
        own = [one for one in known if _has(scope, one)]
        names = (await self._halls.directory(uow, scope)).names("department")
        codes = {one.code for one in known}
        return own, [one for key, one in sorted(names.items()) if key not in codes]

    async def put_department(
        self, uow: Uow, subject: Subject, wanted: Department, *, new: bool, uscc_compared: bool
    ) -> None:
        """Adds or changes one; ``uscc_compared``: the credit code was compared with the paper, so that one whose check
        character does not fit is kept. Raises ``department.id``, ``department.exists``, ``department.unknown``,
        ``department.parent``, ``department.name``, ``department.uscc``, ``department.uscc_check``, ``division.unknown`` and
        ``page.forbidden``."""
        scope = subject.scope(Permission.ORGANISATION)
        wanted = replace(
            wanted, id=plain(wanted.id), code=plain(wanted.code), uscc=plain_uscc(wanted.uscc)
        )
        if not _ID.fullmatch(wanted.id):
            raise Refusal("department.id")
        chart = await self.chart(uow)
        before = chart.departments.get(wanted.id)
        if new and before is not None:
            raise Refusal("department.exists")
        if not new and not _has(scope, before):
            raise Refusal("department.unknown")
        if wanted.division not in chart.divisions or not scope.has_division(wanted.division):
            raise Refusal("division.unknown")
        if wanted.parent and not _fits_under(wanted, chart, scope):
            raise Refusal("department.parent")
        _name(wanted.name, "department.name")
        _check_uscc(wanted.uscc, compared=uscc_compared)
        if not await repo.put_department(uow, wanted, new=new):
            raise Refusal("department.exists")
        act = "department.add" if new else "department.change"
        await self._audit.write(uow, subject, act, object=wanted.id, detail=wanted.name)

    async def drop_department(self, uow: Uow, subject: Subject, department: str) -> None:
        """Raises ``department.unknown`` and ``organisation.in_use``."""
        scope = subject.scope(Permission.ORGANISATION)
        chart = await self.chart(uow)
        if not _has(scope, chart.departments.get(department)):
            raise Refusal("department.unknown")
        if department in {by for _, by in chart.halls.values()}:
            raise Refusal("organisation.in_use")
        await repo.drop_department(uow, department)
        await self._audit.write(uow, subject, "department.drop", object=department)


def _name(name: str, code: str) -> str:
    kept = name.strip()[:LONGEST_NAME]
    if not kept:
        raise Refusal(code)
    return kept


def _check_uscc(code: str, *, compared: bool) -> None:
    if code and not uscc_shaped(code):
        raise Refusal("department.uscc")
    if code and not uscc_fits(code) and not compared:
        raise Refusal("department.uscc_check")


def _has(scope: Scope, department: Department | None) -> bool:
    return department is not None and scope.has_department(department.id, department.division)


def _fits_under(wanted: Department, chart: Chart, scope: Scope) -> bool:
    """A parent within reach that is not the department itself or one below it."""
    seen, above = {wanted.id}, wanted.parent
    if not _has(scope, chart.departments.get(above)):
        return False
    while above:
        if above in seen:
            return False
        seen.add(above)
        above = chart.departments[above].parent
    return True


def _path(found: Division, known: dict[str, Division], own: list[Division]) -> list[Division]:
    """From the highest within reach down to what ``found`` is part of."""
    path, above = [], known.get(found.parent)
    while above is not None and above in own:
        path.append(above)
        above = known.get(above.parent)
    return path[::-1]
