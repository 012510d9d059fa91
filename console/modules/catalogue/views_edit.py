"""Pages that change items: drafts, publishing, the spreadsheet that comes in, the dictionary."""

from dataclasses import dataclass

import msgspec
from aiohttp import web

from console.core.lists import Listing
from console.core.permissions import Permission
from console.core.progress import IN_REQUEST, LIGHT_IN_REQUEST
from console.core.sheet_import import CellFault
from console.core.sheet_pages import Importer, Sheet, import_routes
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.catalogue import repository
from console.modules.catalogue.domain import (
    HANDLINGS,
    KINDS,
    LEVELS,
    Audience,
    Channel,
    code_warnings,
)
from console.modules.catalogue.forms import (
    CodeForm,
    FlagsForm,
    ItemForm,
    PublishForm,
)
from console.modules.catalogue.long_work import PublishDrafts, SwitchItems, TakeItems
from console.modules.catalogue.service import CatalogueService, seen_of
from console.modules.catalogue.views import Desk, Words
from console.modules.jobs.api import JobKind, JobsApi
from qingting.contract.errors import Refusal
from qingting.kernel.web import read_form, see_other


@dataclass(frozen=True, slots=True, kw_only=True)
class LongWork:
    """The jobs that pages begin."""

    jobs: JobsApi
    taking: JobKind[TakeItems]
    publishing: JobKind[PublishDrafts]
    switching: JobKind[SwitchItems]


def routes(desk: Desk, work: LongWork) -> list[web.RouteDef]:
    """Handlers over ``desk``."""
    service = desk.service

    async def new(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CATALOGUE)
        form = ItemForm(code="", channels=(Channel.WINDOW,))
        return await _form(request, desk, form, None, [])

    async def edit(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CATALOGUE)
        code = request.match_info["code"]
        versions = await service.versions(request[UOW], request[SUBJECT], code)
        form = ItemForm.of(code, seen_of(versions), versions[0].body)
        return await _form(request, desk, form, None, [])

    async def put(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CATALOGUE)
        form = await read_form(request, ItemForm)
        form = msgspec.structs.replace(form, code=await service.meant(request[UOW], form.code))
        faults: list[CellFault] = []
        try:
            body = form.body()
            faults = await service.faults(request[UOW], form.code, body)
            await service.put_draft(request[UOW], request[SUBJECT], form.code, body, form.seen)
        except Refusal as refusal:
            return await _form(request, desk, form, refusal, faults)
        raise see_other(request, f"/catalogue/items/{form.code}", done="catalogue.done.draft")

    async def drop(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CATALOGUE)
        form = await read_form(request, CodeForm)
        await service.drop_draft(request[UOW], request[SUBJECT], form.code)
        raise see_other(request, "/catalogue/review", done="catalogue.done.dropped")

    async def review(request: web.Request) -> web.Response:
        return await _review(request, desk, None)

    async def publish(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CATALOGUE_PUBLISH)
        form = await read_form(request, PublishForm)
        try:
            async with request[UOW].savepoint():
                no = await _publish(request, service, work, form)
        except Refusal as refusal:
            return await _review(request, desk, refusal)
        if no:
            raise see_other(request, f"/jobs/{no}")
        raise see_other(request, "/catalogue/review", done="catalogue.done.published")

    return [
        web.get("/catalogue/new", new),
        web.get("/catalogue/items/{code}/edit", edit),
        web.post("/catalogue/drafts", put),
        web.post("/catalogue/drafts/drop", drop),
        _flags(service, work),
        web.get("/catalogue/review", review),
        web.post("/catalogue/review", publish),
        *import_routes(_importer(desk, work)),
    ]


async def _publish(
    request: web.Request, service: CatalogueService, work: LongWork, form: PublishForm
) -> int:
    """The number of the job that publishes many, 0 when all is published already."""
    uow, subject = request[UOW], request[SUBJECT]
    chosen = form.drafts() | await service.synced(uow, subject, form.all_synced)
    if len(chosen) > IN_REQUEST:
        wish = PublishDrafts(chosen=chosen, on=form.effective, own_days=form.own_days)
        return await work.jobs.start(uow, subject, work.publishing, wish)
    await service.publish(uow, subject, chosen, form.effective, own_days=form.own_days)
    return 0


def _flags(service: CatalogueService, work: LongWork) -> web.RouteDef:
    async def flags(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CATALOGUE)
        form = await read_form(request, FlagsForm)
        back = form.back if form.back.startswith("/catalogue") else "/catalogue"
        if no := await _switch(request, service, work, form, back):
            raise see_other(request, f"/jobs/{no}")
        raise see_other(request, back, done="catalogue.done.flags")

    return web.post("/catalogue/flags", flags)


async def _switch(
    request: web.Request, service: CatalogueService, work: LongWork, form: FlagsForm, back: str
) -> int:
    """The number of the job that switches many, 0 when all are switched already."""
    uow, subject, flags = request[UOW], request[SUBJECT], form.flags()
    chosen = None if form.all_found else form.codes
    codes = await service.to_switch(uow, subject, form.wanted(), chosen, flags)
    if len(codes) > LIGHT_IN_REQUEST:
        wish = SwitchItems(codes=tuple(codes), flags=flags, back=back)
        return await work.jobs.start(uow, subject, work.switching, wish)
    await service.put_flags(uow, subject, codes, flags)
    return 0


async def _form(
    request: web.Request,
    desk: Desk,
    form: ItemForm,
    problem: Refusal | None,
    faults: list[CellFault],
) -> web.Response:
    materials = [name for name, _, _ in await repository.materials(request[UOW])]
    context = {
        "form": form,
        "problem": problem,
        "faults": faults,
        "warnings": code_warnings(form.code) if form.code else [],
        "kinds": KINDS,
        "levels": LEVELS,
        "handlings": HANDLINGS,
        "audiences": list(Audience),
        "all_channels": list(Channel),
        "materials": materials,
        **await desk.choices(request),
        **await desk.places(request, form.department, form.division),
    }
    return request.app[PAGES].render(request, "catalogue_edit.html", context, block="main")


async def _review(request: web.Request, desk: Desk, problem: Refusal | None) -> web.Response:
    found = await desk.service.reviews(request[UOW], request[SUBJECT])
    listing = Listing.of(request, (), sort="").counted(len(found))
    synced = [one.draft.made_at for one in found if one.draft.origin == "sync"]
    first = listing.offset
    shown = found[first : first + listing.rows]
    context = {
        "reviews": shown,
        "listing": listing,
        "synced": len(synced),
        "synced_upto": max(synced, default=0),
        "problem": problem,
        "today": desk.service.today(),
        "own": request[SUBJECT].id if await desk.service.lists.four_eyes(request[UOW]) else "",
        "any_wanted": any(one.draft.wanted_from for one in found),
        "words": Words(request, await desk.place_names(request)),
        "may": request[SUBJECT].may(Permission.CATALOGUE),
        "may_publish": request[SUBJECT].may(Permission.CATALOGUE_PUBLISH),
    }
    return request.app[PAGES].render(request, "catalogue_review.html", context, block="main")


def _importer(desk: Desk, work: LongWork) -> Importer:
    service = desk.service

    async def words(request: web.Request) -> Words:
        return Words(request, await desk.place_names(request))

    return Importer(
        sheet=Sheet(
            address="/catalogue/import",
            back="/catalogue",
            title="catalogue.import",
            lead="catalogue.import_lead",
            hint="catalogue.file_hint",
            fields="catalogue.field.",
            landing="/catalogue/review",
            done="catalogue.done.import",
            take="catalogue.take_in",
            extra="catalogue.new_materials",
        ),
        require=lambda request: request[SUBJECT].require(Permission.CATALOGUE),
        words=words,
        preview=lambda request, data: service.preview(request[UOW], request[SUBJECT], data),
        take_in=lambda request, upload: service.take_in(request[UOW], request[SUBJECT], upload),
        begin=lambda request, upload: work.jobs.start(
            request[UOW], request[SUBJECT], work.taking, TakeItems(upload=upload)
        ),
    )
