"""The list of acts, the buttons on a device's page, and device models on trial."""

import asyncio
import io
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from aiohttp import web
from markupsafe import Markup

from console.core.lists import Listing
from console.core.module import Fragment
from console.core.permissions import Permission
from console.core.uploads import brings_file
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.acts.api import ActInfo
from console.modules.acts.service import ActService
from console.modules.devicepage.api import device_path
from console.modules.devices.api import DeviceInfo, DevicesApi
from qingting.contract.act_form import ActForm, action_of, words_for
from qingting.contract.acts import MAX_BUNDLE_BYTES, UseProfiles
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, HallId
from qingting.contract.states import ActOutcome, Language
from qingting.kernel.web import LANGUAGE, read_form, see_other
from qingting.kernel.web.acts import ActLine, act_file, act_line

ON_DEVICE_PAGE = 8
MAX_FILES = 200


class RollOutForm(Strict, frozen=True, kw_only=True):
    """``agents`` are ``<hall>/<agent>``; ``bundle`` empty: the models that came with the program."""

    bundle: Annotated[str, msgspec.Meta(max_length=16)] = ""
    agents: tuple[str, ...] = ()


def _line(request: web.Request, one: ActInfo, language: Language) -> ActLine:
    may_see = one.has_file and request[SUBJECT].may(Permission.HANDS, hall=one.hall)
    pages = request.app[PAGES]
    where = pages.text(language, "act.city" if one.by_city else "act.hall")
    return act_line(
        one.action,
        asked_at=one.asked_at,
        who=f"{where} {one.asked_by}".strip(),
        outcome=one.outcome,
        code=one.code,
        note=one.note,
        figures=one.figures,
        file=f"/acts/{one.hall}/{one.id}/file" if may_see else "",
        language=language,
    )


def fragments(service: ActService) -> tuple[Fragment[DeviceInfo], Fragment[DeviceInfo]]:
    """The buttons of a device, and its latest acts."""

    async def buttons(request: web.Request, device: DeviceInfo) -> Markup:
        words = words_for(device.kind)
        if not words or not request[SUBJECT].may(Permission.HANDS, hall=device.hall):
            return Markup()
        context = {"device": device, "words": words, "action": _act_path(device)}
        return _drawn(request, "buttons", context)

    async def latest(request: web.Request, device: DeviceInfo) -> Markup:
        scope = request[SUBJECT].scope(Permission.LOOK)
        found = await service.latest(request[UOW], scope, device.hall, device.id, ON_DEVICE_PAGE)
        if not found:
            return Markup()
        context = {"lines": [_line(request, one, request[LANGUAGE]) for one in found]}
        return _drawn(request, "latest", context)

    return buttons, latest


def _drawn(request: web.Request, block: str, context: Mapping[str, object]) -> Markup:
    # The template escapes what it is given.
    return Markup(request.app[PAGES].render_block(request, "act_parts.html", block, context))  # noqa: S704


def _act_path(device: DeviceInfo) -> str:
    return f"{device_path(device.hall, device.id)}/act"


def routes(service: ActService, devices: DevicesApi) -> list[web.RouteDef]:
    """Handlers over ``service``."""

    async def ask(request: web.Request) -> web.Response:
        hall, name = HallId(request.match_info["hall"]), DeviceId(request.match_info["device"])
        form = await read_form(request, ActForm)
        await service.ask(request[UOW], request[SUBJECT], hall, name, action_of(form))
        raise see_other(request, device_path(hall, name), done="act.asked")

    async def acts(request: web.Request) -> web.Response:
        scope = request[SUBJECT].scope(Permission.LOOK)
        uow, language = request[UOW], request[LANGUAGE]
        known = {(one.hall, one.id): one for one in await devices.devices(uow, scope)}
        listing = Listing.of(request, ("hall", "outcome"), sort="")
        latest = await service.latest(uow, scope)
        found = [one for one in latest if _wanted(one, dict(listing.query))]
        listing, shown = listing.cut(found, {"": lambda one: -one.asked_at})
        context = {
            "rows": [
                (one, known.get((one.hall, one.device)), _line(request, one, language))
                for one in shown
            ],
            "listing": listing,
            "halls": sorted({(one.hall, one.hall_title(language)) for one in known.values()}),
            "outcomes": ["open", *(one.value for one in ActOutcome)],
        }
        return request.app[PAGES].render(request, "acts_list.html", context, block="list")

    async def file(request: web.Request) -> web.Response:
        hall, act = HallId(request.match_info["hall"]), request.match_info["act"]
        found = await service.file(request[UOW], request[SUBJECT], hall, act)
        return act_file(act, found.media, found.data)

    return [
        web.post("/devices/{hall}/{device}/act", ask),
        web.get("/acts", acts),
        web.get("/acts/{hall}/{act}/file", file),
        *_profile_routes(service),
    ]


def _wanted(one: ActInfo, query: dict[str, str]) -> bool:
    outcome = one.outcome.value if one.outcome is not None else "open"
    return query.get("hall", one.hall) == one.hall and query.get("outcome", outcome) == outcome


def _profile_routes(service: ActService) -> list[web.RouteDef]:
    async def profiles(request: web.Request) -> web.Response:
        if not request[SUBJECT].may(Permission.PROFILES):
            request[SUBJECT].require(Permission.HANDS)
        uow = request[UOW]
        context = {
            "bundles": await service.bundles(uow),
            "agents": await service.agents(uow, request[SUBJECT]),
            "may": request[SUBJECT].may(Permission.HANDS),
            "may_put": request[SUBJECT].may(Permission.PROFILES),
        }
        return request.app[PAGES].render(request, "profiles.html", context)

    @brings_file(MAX_BUNDLE_BYTES, _too_large)
    async def put(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.PROFILES)
        name, files = await _upload(request)
        await service.put_bundle(request[UOW], request[SUBJECT], name, files)
        raise see_other(request, "/profiles", done="profiles.kept")

    async def use(request: web.Request) -> web.Response:
        form = await read_form(request, RollOutForm)
        for one in form.agents:
            hall, _, agent = one.partition("/")
            action = UseProfiles(bundle=form.bundle)
            await service.ask(request[UOW], request[SUBJECT], HallId(hall), DeviceId(agent), action)
        raise see_other(request, "/acts", done="act.asked")

    return [
        web.get("/profiles", profiles),
        web.post("/profiles", put),
        web.post("/profiles/use", use),
    ]


def _too_large() -> Refusal:
    return Refusal("act.profiles_large", kilobytes=MAX_BUNDLE_BYTES // 1024, files=MAX_FILES)


async def _upload(request: web.Request) -> tuple[str, dict[str, str]]:
    form = await request.post()
    given = form.get("file")
    if not isinstance(given, web.FileField):
        raise Refusal("act.profiles_bad")
    try:
        data = await asyncio.to_thread(given.file.read, MAX_BUNDLE_BYTES + 1)
    finally:
        given.file.close()
    if len(data) > MAX_BUNDLE_BYTES:
        raise _too_large()
    return given.filename[:80], await asyncio.to_thread(read_bundle, data)


def read_bundle(data: bytes) -> dict[str, str]:
    """Profiles of a ZIP by ``<folder>/<file>.toml``. That they are sound is checked by each agent before it uses them.

    Raises ``act.profiles_faulty`` for what is no ZIP of TOML files, or much larger than it looks.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            return _profiles_in(bundle, [one for one in bundle.infolist() if not one.is_dir()])
    except zipfile.BadZipFile as error:
        raise Refusal("act.profiles_faulty", fault="ZIP") from error


def _profiles_in(bundle: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo]) -> dict[str, str]:
    if len(entries) > MAX_FILES or sum(one.file_size for one in entries) > MAX_BUNDLE_BYTES:
        raise _too_large()
    files = {}
    for entry in entries:
        path = "/".join(entry.filename.split("/")[-2:])
        try:
            text = bundle.read(entry).decode("utf-8")
            tomllib.loads(text)
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, RuntimeError) as error:
            raise Refusal("act.profiles_faulty", fault=f"{path}: {error}"[:120]) from error
        files[path] = text
    return files
