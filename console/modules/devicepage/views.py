"""The page of one device, its timeline and the photographs of models."""

from aiohttp import web

from console.core.lists import Listing
from console.core.module import Slot
from console.core.permissions import Permission
from console.core.uploads import brings_file, read_upload
from console.core.web import PAGES, SUBJECT, UOW
from console.core.words import condition_words
from console.halls.api import HallsApi
from console.modules.devicepage.photos import MAX_UPLOAD_BYTES, too_large
from console.modules.devicepage.service import DevicePageService, DevicePicture, Timeline
from console.modules.devicepage.words import carrier_keys, drawing_of, here, spoken
from console.modules.devices.api import DeviceInfo, device_line
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.contract.states import Condition
from qingting.kernel.web import LANGUAGE, see_other
from qingting.kernel.web.asked import day_asked

PAGE, LINES = "now", "lines"


def routes(
    service: DevicePageService, halls: HallsApi, live: Slot[DeviceInfo], acts: Slot[DeviceInfo]
) -> list[web.RouteDef]:
    """Handlers over ``service``; ``live`` and ``acts`` hold what other modules put into the page."""

    async def device(request: web.Request) -> web.Response:
        hall, name = HallId(request.match_info["hall"]), request.match_info["device"]
        uow, subject, language = request[UOW], request[SUBJECT], request[LANGUAGE]
        picture = await service.picture(uow, subject, hall, name)
        listing, timeline = await _timeline(request, service, hall, name)
        names = await halls.directory(uow, subject.scope(Permission.LOOK), hall)
        context = {
            "picture": picture,
            "line": device_line(picture.device, language),
            "here": here(picture.device, picture.facts, language),
            "around": [device_line(one, language) for one in picture.around],
            "window": names.find(hall, "window", picture.device.window),
            "tells": [condition_words(one, language).text for one in _tells(picture)],
            "carriers": carrier_keys(picture.facts),
            "drawing": drawing_of(picture.device.kind),
            "may_photo": subject.may(Permission.PHOTOS),
            "acts": await acts.draw(request, picture.device),
            "parts": await live.draw(request, picture.device),
            "listens": sorted({"devices", "halls", "live", *live.live}),
            "lines": spoken(timeline.lines, language),
            "count": timeline.count,
            "listing": listing,
        }
        block = LINES if request.headers.get("HX-Target") == LINES else PAGE
        return request.app[PAGES].render(request, "device.html", context, block=block)

    async def photo(request: web.Request) -> web.Response:
        model = request.match_info["model"]
        body = await service.photo(request[UOW], request[SUBJECT], model)
        fresh = {"Cache-Control": "private, max-age=31536000, immutable"}
        return web.Response(body=body, content_type="image/webp", headers=fresh)

    @brings_file(MAX_UPLOAD_BYTES, too_large)
    async def put_photo(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.PHOTOS)
        data, back = await _upload(request)
        await service.put_photo(request[UOW], request[SUBJECT], request.match_info["model"], data)
        raise see_other(request, back, done="photo.kept")

    async def drop_photo(request: web.Request) -> web.Response:
        await service.drop_photo(request[UOW], request[SUBJECT], request.match_info["model"])
        back = _inside((await request.post()).get("back"))
        raise see_other(request, back, done="photo.dropped")

    return [
        web.get("/devices/{hall}/{device}", device),
        web.get("/models/{model}/photo", photo),
        web.post("/models/{model}/photo", put_photo),
        web.post("/models/{model}/photo/drop", drop_photo),
    ]


def _tells(picture: DevicePicture) -> tuple[Condition, ...]:
    return picture.facts.tells if picture.facts is not None else ()


async def _timeline(
    request: web.Request, service: DevicePageService, hall: HallId, device: str
) -> tuple[Listing, Timeline]:
    listing = Listing.of(request, ("day",), sort="")
    timeline = await service.timeline(
        request[UOW], request[SUBJECT], hall, device, day_asked(request, "day"), listing.page
    )
    return listing.counted(timeline.count), timeline


async def _upload(request: web.Request) -> tuple[bytes, str]:
    """The photograph and where to go back to. Raises ``photo.unreadable`` when no file came along."""
    data, fields = await read_upload(request, "photo")
    if not data:
        raise Refusal("photo.unreadable")
    return data, _inside(fields.get("back"))


def _inside(path: object) -> str:
    """A device's page of this server, or the list."""
    safe = isinstance(path, str) and path.startswith("/devices/") and "\\" not in path
    return str(path) if safe else "/devices"
