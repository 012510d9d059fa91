"""What a kiosk's screen must know of its camera's model: a file of the program's, about nobody."""

import asyncio

import msgspec
from aiohttp import web

from hallserver.devices.profile_camera import CameraHow, CameraProfile
from hallserver.devices.profiles import ProfileError, load_kind
from qingting.contract.ids import Slug


def add_cameras(app: web.Application) -> None:
    app.router.add_get("/cameras/{profile}", _how)


async def _how(request: web.Request) -> web.Response:
    try:
        wanted = msgspec.convert(request.match_info["profile"], Slug)
        how = await asyncio.to_thread(_read, wanted)
    except (msgspec.ValidationError, ProfileError) as error:
        raise web.HTTPNotFound from error
    return web.Response(body=msgspec.json.encode(how), content_type="application/json")


def _read(profile_id: str) -> CameraHow:
    return load_kind(CameraProfile, profile_id).how
