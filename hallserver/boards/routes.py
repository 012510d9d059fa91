"""The announcements of calls as sound. They hold what the board beside them shows."""

from pathlib import Path

from aiohttp import web

from hallserver.boards.announce import announcement_of_call
from hallserver.boards.synthesiser import Synthesiser
from hallserver.boards.voice import Voice
from hallserver.hall import Hall
from qingting.contract.errors import Refusal

HALL = web.AppKey("voice_hall", Hall)
VOICE = web.AppKey("voice", Voice)
AUTO = "auto"


def make_voice(program: str, bank: str, data: Path) -> Voice:
    """``program`` and ``bank`` as in the settings ``speech_program`` and ``voice_bank``."""
    synthesiser = Synthesiser(program)
    if bank == AUTO:
        return Voice(synthesiser, data / "voice", generate=True)
    return Voice(synthesiser, Path(bank) if bank else None)


def add_voice(app: web.Application, hall: Hall, voice: Voice) -> None:
    """Routes of the hall's voice."""
    app[HALL], app[VOICE] = hall, voice
    app.router.add_get("/voice/available", available)
    app.router.add_get("/voice/test.wav", test_sound)
    app.router.add_get(r"/voice/{call_no:\d{1,9}}.wav", sound_of_call)


async def available(request: web.Request) -> web.Response:
    """Whether a board may ask for sound now."""
    return web.json_response({"available": await request.app[VOICE].available()})


async def test_sound(request: web.Request) -> web.Response:
    """What a loudspeaker is tried with."""
    return web.Response(body=await request.app[VOICE].test_sound(), content_type="audio/wav")


async def sound_of_call(request: web.Request) -> web.Response:
    """The announcement of a call that boards still owe or have just said.

    Programs ask here, never people: a refusal is its code, with the status of the catalogue.
    """
    call_no = int(request.match_info["call_no"])
    try:
        announcement = announcement_of_call(request.app[HALL].state, call_no)
        sound = await request.app[VOICE].sound(announcement)
    except Refusal as refusal:
        return web.json_response({"code": refusal.code}, status=refusal.status)
    return web.Response(body=sound, content_type="audio/wav")
