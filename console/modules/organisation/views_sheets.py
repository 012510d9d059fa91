"""Pages of the organisation's spreadsheets, and the lists to keep."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from console.core.permissions import Permission
from console.core.sheet_pages import Importer, Sheet, Words, import_routes
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.jobs.api import JobKind, JobsApi
from console.modules.organisation.sheet_job import TakeSheet
from console.modules.organisation.sheets import SHEETS, OrganisationSheets
from qingting.contract.states import Language
from qingting.kernel.web import LANGUAGE
from qingting.kernel.web.sheets import sheet_response


def sheet_routes(
    sheets: OrganisationSheets, jobs: JobsApi, kind: JobKind[TakeSheet]
) -> list[web.RouteDef]:
    """For each list: its import and its export."""
    found: list[web.RouteDef] = []
    for name in SHEETS:
        found += import_routes(_importer(sheets, name, jobs, kind))
        found.append(web.get(f"/{name}/list.{{kind}}", _export(sheets, name)))
    return found


def _require(request: web.Request) -> None:
    request[SUBJECT].require(Permission.ORGANISATION)


def _importer(
    sheets: OrganisationSheets, name: str, jobs: JobsApi, kind: JobKind[TakeSheet]
) -> Importer:
    return Importer(
        sheet=Sheet(
            address=f"/{name}/import",
            back=f"/{name}",
            title=f"sheet.{name}",
            lead="sheet.lead",
            hint=f"sheet.{name}_hint",
            fields=f"{name.removesuffix('s')}.",
            landing=f"/{name}",
            done="sheet.done",
        ),
        require=_require,
        words=_words,
        preview=lambda request, data: sheets.preview(request[UOW], request[SUBJECT], name, data),
        take_in=lambda request, upload: sheets.take_in(
            request[UOW], request[SUBJECT], name, upload
        ),
        begin=lambda request, upload: jobs.start(
            request[UOW], request[SUBJECT], kind, TakeSheet(sheet=name, upload=upload)
        ),
    )


async def _words(request: web.Request) -> Words:
    """Ids are shown as they are written in a sheet."""
    pages, language = request.app[PAGES], request[LANGUAGE]

    def words(_: str, value: object) -> str:
        if isinstance(value, bool):
            return pages.text(language, "sheet.yes" if value else "sheet.no")
        return str(value or "") or "—"

    return words


def _export(
    sheets: OrganisationSheets, name: str
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def export(request: web.Request) -> web.StreamResponse:
        kind, rows = await sheets.export(request[UOW], request[SUBJECT], name)
        place = 0 if request[LANGUAGE] is Language.ZH else 1
        head = [heads[place] for heads in kind.columns.values()]
        return await sheet_response(
            request.match_info["kind"], file=name, title=name, head=head, rows=rows
        )

    return export
