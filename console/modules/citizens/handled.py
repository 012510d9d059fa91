"""What is handled in a hall, by department: how many items the list behind a number has, and how many can be booked there."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from console.core.uow import ReadUow
from console.modules.appointments.api import AppointmentsApi, Offer
from console.modules.catalogue.api import CatalogueApi, ItemQuery
from console.modules.citizens.board import Board
from console.modules.citizens.shell import START
from qingting.contract.ids import HallId, ItemId
from qingting.contract.states import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """``items`` are behind the address ``listed``, ``bookable`` of this hall behind ``book``."""

    title: str
    items: int
    listed: str
    bookable: int
    book: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """``given``: the catalogue says which items the hall handles; else they are those of its departments in the whole
    city."""

    given: bool
    departments: Sequence[Department]


async def departments_of(
    uow: ReadUow, catalogue: CatalogueApi, offers: Sequence[Offer]
) -> Mapping[ItemId, str]:
    """Whose each item of a hall is by the catalogue; what it does not know is whose the hall says."""
    codes = tuple({one.code for one in offers if one.code})
    _, known = await catalogue.items(uow, ItemQuery(codes=codes), limit=len(codes) or 1)
    named = {one.code: one.body.department for one in known}
    return {one.item: named.get(one.code, one.department_name) for one in offers}


@dataclass(frozen=True, slots=True)
class Handling:
    """Reads what is handled in halls."""

    catalogue: CatalogueApi
    appointments: AppointmentsApi
    board: Board

    async def read(self, uow: ReadUow, key: tuple[HallId, Language]) -> Handled:
        hall, language = key
        offers = await self.appointments.offers(uow, hall=hall)
        whose = await departments_of(uow, self.catalogue, offers)
        bookable = Counter(whose.values())
        given = dict(await self.catalogue.departments(uow, ItemQuery(hall=hall)))
        own = await self._own(uow, hall, language)
        titles = {name: own.get(name, name) for name in given} or dict(own)
        counts = given or dict(await self.catalogue.departments(uow, ItemQuery()))
        for name in bookable:
            titles.setdefault(name, own.get(name, name))
        filters = {"hall": hall} if given else {}
        found = [
            Department(
                title=title,
                items=counts.get(name, 0),
                listed=f"{START}/items?{urlencode({**filters, 'department': name})}",
                bookable=bookable[name],
                book=f"{START}/book/{hall}?{urlencode({'of': name})}#look",
            )
            for name, title in titles.items()
        ]
        return Handled(
            given=bool(given), departments=[one for one in found if one.items or one.bookable]
        )

    async def _own(self, uow: ReadUow, hall: HallId, language: Language) -> dict[str, str]:
        """Departments that the hall has, with what they are called."""
        own = (await self.board.directory(uow, hall)).of(hall, "department")
        return {one.name: one.title(language) for one in own}
