"""All items that the filters find, as a file that can come in again."""

from collections.abc import AsyncIterator, Mapping, Sequence

from console.core.long_lists import BLOCK_ROWS, LongList
from console.core.permissions import Permission, Subject
from console.core.uow import ReadUow
from console.modules.catalogue import repository
from console.modules.catalogue.cells import COLUMNS, cells_of
from console.modules.catalogue.service import CatalogueService
from console.modules.catalogue.views import query_of
from qingting.contract.states import Language
from qingting.kernel.web.sheets import Cell


def whole_list(service: CatalogueService) -> LongList:
    """In the columns in which items come in."""

    async def count(uow: ReadUow, subject: Subject, query: Mapping[str, str]) -> int:
        subject.require(Permission.LOOK)
        return await repository.count(uow, service.today(), query_of(query))

    async def blocks(
        uow: ReadUow, subject: Subject, query: Mapping[str, str], _: Language
    ) -> AsyncIterator[Sequence[Sequence[Cell]]]:
        subject.require(Permission.LOOK)
        chosen = repository.found(service.today(), query_of(query))
        async for rows in uow.blocks(chosen, BLOCK_ROWS):
            yield [cells_of(row["code"], repository.body_in(row["body"])) for row in rows]

    return LongList(
        name="catalogue.list",
        file="items",
        permission=Permission.LOOK,
        title=lambda _: "items",
        head=lambda language: [
            heads[0 if language is Language.ZH else 1] for heads in COLUMNS.values()
        ],
        count=count,
        blocks=blocks,
    )
