"""What an item names and others keep: departments, divisions, halls, themes; and rows of a spreadsheet that name what
nobody knows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from console.core.permissions import Permission, Subject
from console.core.sheet_import import CellFault, SheetRow
from console.core.sheet_zeros import Codes
from console.core.uow import ReadUow
from console.halls.api import HallsApi
from console.modules.catalogue import repository
from console.modules.catalogue.domain import ItemBody, short_division
from console.modules.organisation.api import OrganisationApi

NOTHING = ItemBody(name="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What somebody can name. ``halls`` are by id and by a name that only one of them has."""

    departments: frozenset[str]
    divisions: frozenset[str]
    halls: Mapping[str, str]
    themes: frozenset[str]


class References:
    """Asks those who keep what items name."""

    def __init__(self, halls: HallsApi, organisation: OrganisationApi) -> None:
        self._halls, self._organisation = halls, organisation

    async def departments(self, uow: ReadUow, subject: Subject) -> set[str]:
        """Names of departments: of the organisation within reach or above it, of the halls, of other items."""
        scope = subject.scope(Permission.CATALOGUE)
        names = {
            one.name
            for one in await self._organisation.departments(uow)
            if scope.has_department(one.id, one.division) or scope.below(one.division)
        }
        directory = await self._halls.directory(uow, subject.scope(Permission.LOOK))
        names |= {one.name for one in directory.names("department").values()}
        return names | set(await repository.departments(uow))

    async def known(self, uow: ReadUow, subject: Subject) -> Known:
        divisions = await self._organisation.divisions(uow)
        halls = await self._halls.halls(uow, subject.scope(Permission.LOOK))
        named = [(name, one.id) for one in halls for name in {one.name, one.name_en} if name]
        names = [name for name, _ in named]
        return Known(
            departments=frozenset(await self.departments(uow, subject)),
            divisions=frozenset(short_division(one.code) for one in divisions),
            halls={name: hall for name, hall in named if names.count(name) == 1}
            | {one.id: one.id for one in halls},
            themes=frozenset(name for name, _ in await repository.themes(uow)),
        )


def checked(row: SheetRow[ItemBody], held: ItemBody | None, known: Known) -> SheetRow[ItemBody]:
    """The row with what is wrong with the names in it; what the item has already is left alone.

    A division and a hall that nobody knows are of no use to anybody: the row is a bad one. An item of a department
    that is written here alone can be used, and a theme becomes known with its item; but both are mistyped more often
    than new, so that each such row says it."""
    body, former = row.value, held or NOTHING
    if body is None:
        return row
    body = msgspec.structs.replace(
        body, halls=tuple(dict.fromkeys(known.halls.get(one, one) for one in body.halls))
    )
    faults = [
        CellFault("halls", "catalogue.bad.hall", {"value": one[:60]})
        for one in body.halls
        if one not in known.halls and one not in former.halls
    ]
    halls = Codes(known.halls)
    faults += [
        CellFault("halls", "sheet.bad.zeros", {"value": lost})
        for one in body.halls
        if one not in former.halls and (lost := halls.lost(one))
    ]
    if body.division and body.division not in {former.division, *known.divisions}:
        value = {"value": body.division}
        faults.append(CellFault("division", "catalogue.bad.no_division", value))
    if faults:
        return row.refused(*faults)
    return replace(row, value=body, warnings=(*row.warnings, *_doubts(body, former, known)))


def _doubts(body: ItemBody, former: ItemBody, known: Known) -> list[CellFault]:
    found = [
        CellFault("themes", "catalogue.warn.theme", {"value": one[:60]})
        for one in body.themes
        if one not in known.themes and one not in former.themes
    ]
    if body.department not in known.departments | {former.department}:
        value = {"value": body.department[:60]}
        found.insert(0, CellFault("department", "catalogue.warn.department", value))
    return found
