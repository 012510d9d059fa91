"""The announcements of the board's calls as sound. They hold a number and a window, as the board does."""

import msgspec
from aiohttp import web

from hallserver.boards.sentence import call_sentence
from hallserver.boards.voice import Voice
from hallserver.engine.state import HallState
from hallserver.hall import Hall
from qingting.contract.errors import Refusal
from qingting.contract.states import Language

HALL = web.AppKey("voice_hall", Hall)
VOICE = web.AppKey("voice", Voice)


def add_voice(app: web.Application, hall: Hall, program: str) -> None:
    """Routes of the hall's voice, spoken by ``program``; an empty one means that it has none."""
    app[HALL], app[VOICE] = hall, Voice(program)
    app.router.add_get("/voice/available", available)
    app.router.add_get(r"/voice/{call_no:\d{1,9}}.wav", sound_of_call)


async def available(request: web.Request) -> web.Response:
    """Whether a board may ask for sound now; proven by speaking, not by looking for a file."""
    return web.json_response({"available": await request.app[VOICE].available()})


async def sound_of_call(request: web.Request) -> web.Response:
    """The announcement of a call that is on the board, ``?lang=en`` in English.

    Programs ask here, never people: a refusal is its code, with the status of the catalogue.
    """
    try:
        language = _language(request.query.get("lang", Language.ZH.value))
        text = sentence_of(request.app[HALL].state, int(request.match_info["call_no"]), language)
        sound = await request.app[VOICE].say(text, language)
    except Refusal as refusal:
        return web.json_response({"code": refusal.code}, status=refusal.status)
    return web.Response(body=sound, content_type="audio/wav")


def sentence_of(state: HallState, call_no: int, language: Language) -> str:
    """The words of a call on the board; raises ``voice.unknown_call`` for any other."""
    line = next((one for one in state.board if one.call_no == call_no), None)
    window = state.window_config.get(line.window) if line is not None else None
    if line is None or window is None:
        raise Refusal("voice.unknown_call")
    return call_sentence(state.tickets[line.ticket].number, window.number, language)


def _language(text: str) -> Language:
    try:
        return msgspec.convert(text, Language)
    except msgspec.ValidationError as error:
        raise Refusal("form.invalid", field="lang") from error
