"""Lists that are taken out whole, however long: a short one is answered at once, a long one is made by a job."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from console.core.audit import Audit
from console.core.permissions import Permission, Subject
from console.core.progress import Progress, unseen
from console.core.uow import ReadUow, Uow
from console.core.web import SUBJECT, UOW
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.states import Language
from qingting.kernel.web import LANGUAGE, see_other
from qingting.kernel.web.sheets import Cell, made_sheet, sheet_file, sheet_response

AT_ONCE = 2_000
"""Rows that are made while the page waits: some 0.2 s of work."""
MOST_ROWS = 100_000
"""More nobody reads in a spreadsheet, and making it would take minutes of a worker."""
BLOCK_ROWS = 1_000
"""So many are read at a time; pages are served in between."""
FRUGAL_ROWS = 10_000
"""More are kept on disk while their file is made."""
Query = Mapping[str, str]


class TakeOut(Strict, frozen=True, kw_only=True):
    """What to take out: the filters as they stand in the address of the list, the kind of file, the words in it, and
    the line above the list that says who took it out (empty: none)."""

    query: dict[str, str]
    kind: Literal["csv", "xlsx"]
    language: Language
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongList:
    """``name`` has the text ``job.kind.<name>``; ``file`` is what its file is called. ``count`` says how many rows there are,
    ``title`` and ``head`` stand above them, ``blocks`` gives them some at a time; both check the reach. ``act`` is what the audit calls it."""

    name: str
    file: str
    permission: Permission
    title: Callable[[Language], str]
    head: Callable[[Language], Sequence[str]]
    count: Callable[[ReadUow, Subject, Query], Awaitable[int]]
    blocks: Callable[[ReadUow, Subject, Query, Language], AsyncIterator[Sequence[Sequence[Cell]]]]
    act: str = "list.export"


Begin = Callable[[Uow, Subject, TakeOut], Awaitable[int]]
"""Starts the job that makes the list, and gives its number."""


async def take_out(
    request: web.Request, which: LongList, audit: Audit, begin: Begin, *, mark: str = ""
) -> web.Response:
    """The file, or for a long list the way to the job that makes it (raised). Written down in the audit.

    Raises ``page.not_found`` for a kind other than csv and xlsx, ``export.too_many``."""
    uow, subject, language = request[UOW], request[SUBJECT], request[LANGUAGE]
    kind = request.match_info["kind"]
    if kind not in ("csv", "xlsx"):
        raise Refusal("page.not_found")
    subject.require(which.permission)
    query = dict(request.query)
    rows = await which.count(uow, subject, query)
    if rows > MOST_ROWS:
        raise Refusal("export.too_many", most=MOST_ROWS, rows=rows)
    await audit.write(uow, subject, which.act, detail=f"{rows} {kind} {which.file}")
    if rows > AT_ONCE:
        wish = TakeOut(query=query, kind=kind, language=language, mark=mark)  # type: ignore[arg-type]
        raise see_other(request, f"/jobs/{await begin(uow, subject, wish)}")
    return await sheet_response(
        kind,
        file=which.file,
        title=which.title(language),
        head=which.head(language),
        rows=await gathered(uow, subject, which, query, language),
        watermark=mark,
    )


async def gathered(
    uow: ReadUow,
    subject: Subject,
    which: LongList,
    query: Query,
    language: Language,
    progress: Progress = unseen,
) -> list[Sequence[Cell]]:
    """All rows; others get their turn between the blocks."""
    total = await which.count(uow, subject, query)
    rows: list[Sequence[Cell]] = []
    async for block in which.blocks(uow, subject, query, language):
        rows += block
        await progress(min(len(rows), total), total)
        await asyncio.sleep(0)
    return rows


async def made(which: LongList, wish: TakeOut, rows: Sequence[Sequence[Cell]]) -> bytes:
    """The file, made in a thread."""
    title, head = which.title(wish.language), which.head(wish.language)
    return await asyncio.to_thread(
        made_sheet,
        wish.kind,
        title=title,
        head=head,
        rows=rows,
        watermark=wish.mark,
        frugal=len(rows) > FRUGAL_ROWS,
    )


def file_of(which: LongList, wish: TakeOut) -> tuple[str, str]:
    """Name and media type of the file."""
    return sheet_file(wish.kind, which.file)
