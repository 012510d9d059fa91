"""The page on which a spreadsheet comes in: upload, preview, take-in; one template for all modules."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from console.core.progress import IN_REQUEST
from console.core.sheet_import import SheetPreview, Taken
from console.core.sheet_reading import MAX_BYTES, MAX_ROWS, too_large
from console.core.uploads import brings_file, read_upload
from console.core.web import PAGES
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web import read_form, see_other

Words = Callable[[str, object], str]
"""A field's value in the reader's language."""


class UploadForm(Strict, frozen=True, kw_only=True):
    """``rows``: how many the preview said would change."""

    upload: str
    rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a page says. ``address`` is its own, ``back`` that of the list; ``title``, ``lead``, ``hint``, ``extra``
    and ``take`` are text keys, ``fields`` is what the text keys of the columns begin with. ``landing`` is shown
    after the take-in with ``done``."""

    address: str
    back: str
    title: str
    lead: str
    hint: str
    fields: str
    landing: str
    done: str
    take: str = "sheet.take_in"
    extra: str = ""
    rows: int = MAX_ROWS
    kilobytes: int = MAX_BYTES // 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """What a page does. ``require`` raises ``page.forbidden``; ``preview`` and ``take_in`` check the reach.
    ``begin`` starts the job that takes in more than :data:`IN_REQUEST` rows and gives its number."""

    sheet: Sheet
    require: Callable[[web.Request], None]
    words: Callable[[web.Request], Awaitable[Words]]
    preview: Callable[[web.Request, bytes], Awaitable[SheetPreview[Any]]]
    take_in: Callable[[web.Request, str], Awaitable[Taken]]
    begin: Callable[[web.Request, str], Awaitable[int]]


def import_routes(importer: Importer) -> list[web.RouteDef]:
    """``GET`` the page, ``POST`` its ``/preview``, ``POST`` the take-in."""
    address = importer.sheet.address

    async def bring(request: web.Request) -> web.Response:
        importer.require(request)
        return await _page(request, importer, None, None)

    @brings_file(MAX_BYTES, too_large)
    async def preview(request: web.Request) -> web.Response:
        importer.require(request)
        data, _ = await read_upload(request, "file")
        try:
            shown = await importer.preview(request, data)
        except Refusal as refusal:
            return await _page(request, importer, None, refusal)
        return await _page(request, importer, shown, None)

    async def take_in(request: web.Request) -> web.Response:
        importer.require(request)
        form = await read_form(request, UploadForm)
        if form.rows > IN_REQUEST:
            raise see_other(request, f"/jobs/{await importer.begin(request, form.upload)}")
        await importer.take_in(request, form.upload)
        raise see_other(request, importer.sheet.landing, done=importer.sheet.done)

    return [
        web.get(address, bring),
        web.post(f"{address}/preview", preview),
        web.post(address, take_in),
    ]


async def _page(
    request: web.Request,
    importer: Importer,
    shown: SheetPreview[Any] | None,
    problem: Refusal | None,
) -> web.Response:
    context = {
        "sheet": importer.sheet,
        "preview": shown,
        "problem": problem,
        "words": await importer.words(request),
    }
    return request.app[PAGES].render(request, "sheet_import.html", context, block="main")
