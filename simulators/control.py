"""The control page of a bench: put a card down, take the paper out, see the tickets as on paper.

``GET /api/state``, ``POST /api/{device}/{action}`` with a JSON body, ``GET
/api/{printer}/tickets/{n}.svg``, ``GET …/tickets/{n}/code`` (to where the printed code leads) and ``GET
/api/events`` (server-sent states) serve page and tests.
"""

import asyncio
from typing import Any

import msgspec
from aiohttp import web

from simulators.actions import ACTIONS, ActionError, perform
from simulators.bench import SimulatorBench, UnknownDeviceError
from simulators.citizen_code.platform import CITIZENS
from simulators.face_terminal import STRANGER
from simulators.id_cards import DEMO_CARDS
from simulators.pages import Folder, as_json, in_english
from simulators.profiles import load_profile, profile_ids
from simulators.qr_reader import NoCodeError, read_ticket

BENCH: web.AppKey[SimulatorBench] = web.AppKey("BENCH", SimulatorBench)
CLOSING: web.AppKey[asyncio.Event] = web.AppKey("CLOSING", asyncio.Event)
SETTLE_S = 0.05
"""Changes within this time reach the page as one."""
MAX_BODY = 64 * 1024
_STATUS = {"unknown_action": 404, "unknown_device": 404, "unknown_ticket": 404, "unknown_card": 422}
_STATUS |= {"unknown_citizen": 422, "bad_request": 422, "impossible": 422, "no_code": 409}
_FOLDER = Folder("simulators.page")
_STATIC = ("kit.js", "page.js", "style.css")


def create_app(bench: SimulatorBench) -> web.Application:
    """The control page and its API over a bench."""
    app = web.Application(middlewares=[_errors], client_max_size=MAX_BODY)
    app[BENCH] = bench
    app[CLOSING] = asyncio.Event()
    app.on_shutdown.append(_end_streams)
    app.add_routes(
        [
            web.get("/", _page),
            web.get("/static/{name}", _static),
            web.get("/api/state", _state),
            web.get("/api/events", _events),
            web.get("/api/{printer}/tickets/{no:\\d+}.svg", _ticket),
            web.get("/api/{printer}/tickets/{no:\\d+}/code", _code),
            web.post("/api/{device}/{action}", _act),
        ]
    )
    return app


@web.middleware
async def _errors(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except UnknownDeviceError:
        return await _refused(request, "unknown_device")
    except ActionError as error:
        return await _refused(request, error.code)
    return response


async def _refused(request: web.Request, code: str) -> web.Response:
    words = _FOLDER.words(in_english(request))
    return as_json({"error": code, "message": words[f"error_{code}"]}, _STATUS[code])


async def _page(request: web.Request) -> web.Response:
    bench = request.app[BENCH]
    data = await asyncio.to_thread(_offered, in_english(request), bench)
    return _FOLDER.draw(request, "index.html", data=data, messages=bench.messages)


def _models(kind: str) -> list[dict[str, str]]:
    """All models of a kind, by name."""
    profiles = [load_profile(one) for one in profile_ids(kind)]
    names = [{"id": one.id, "name": f"{one.vendor} {one.model}"} for one in profiles]
    return sorted(names, key=lambda one: one["name"])


def _offered(english: bool, bench: SimulatorBench) -> dict[str, Any]:
    """What can be chosen on the page. Reads the profiles of all models: call it off the loop."""
    cards = [
        {
            "id": card.id,
            "title": card.title_en if english else card.title,
            "name": (card.name_en or card.name) if english else card.name,
            "number": card.number,
            "kind": card.kind.name.lower(),
        }
        for card in DEMO_CARDS.values()
    ]
    people = [
        {"id": one.id, "name": one.title_en if english else one.name}
        for one in (CITIZENS.values() if bench.codes is not None else ())
    ]
    faces = [
        {"id": one.id, "name": one.title_en if english else one.name} for one in CITIZENS.values()
    ]
    stranger = _FOLDER.words(english)["stranger"]
    return {
        "cards": cards,
        "citizens": people,
        "faces": [*faces, {"id": STRANGER, "name": stranger}],
        "models": {kind: _models(kind) for kind in sorted(set(map(str, ACTIONS)))},
    }


async def _static(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in _STATIC:
        raise web.HTTPNotFound
    return _FOLDER.file(name)


async def _state(request: web.Request) -> web.Response:
    return as_json(request.app[BENCH].state())


async def _ticket(request: web.Request) -> web.Response:
    printer = request.app[BENCH].printer(request.match_info["printer"])
    svg = printer.ticket_svg(int(request.match_info["no"]))
    if svg is None:
        raise ActionError("unknown_ticket")
    return web.Response(text=svg, content_type="image/svg+xml")


async def _code(request: web.Request) -> web.Response:
    """Goes where a phone goes that reads the ticket's QR code."""
    printer = request.app[BENCH].printer(request.match_info["printer"])
    printed = printer.ticket(int(request.match_info["no"]))
    if printed is None:
        raise ActionError("unknown_ticket")
    try:
        text = await asyncio.to_thread(read_ticket, printed.ticket)
    except NoCodeError as error:
        raise ActionError("no_code") from error
    if not text.startswith(("http://", "https://")):
        raise ActionError("no_code")
    raise web.HTTPSeeOther(text, headers={"Referrer-Policy": "no-referrer"})


async def _act(request: web.Request) -> web.Response:
    bench, where = request.app[BENCH], request.match_info
    await perform(bench, where["device"], where["action"], await request.read())
    return as_json(bench.seat(where["device"]).state())


async def _events(request: web.Request) -> web.StreamResponse:
    """The state now and after every change, until the page or the bench goes away."""
    bench, closing = request.app[BENCH], request.app[CLOSING]
    response = web.StreamResponse(headers={"Cache-Control": "no-store"})
    response.content_type = "text/event-stream"
    await response.prepare(request)
    changed = asyncio.Event()
    forget = bench.observe(changed.set)
    try:
        while not closing.is_set():
            changed.clear()
            await response.write(b"data: " + msgspec.json.encode(bench.state()) + b"\n\n")
            await changed.wait()
            await asyncio.sleep(SETTLE_S)
    except ConnectionResetError:
        pass  # the page was closed: how every stream ends
    finally:
        forget()
    return response


async def _end_streams(app: web.Application) -> None:
    app[CLOSING].set()
    app[BENCH].changed()
