"""How the hall calls aloud (语音播报): settings with the sound itself beside them, and what the voice is."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from hallserver.app.desk import Desk, desk_of, person_of
from hallserver.app.manage.speaker_form import fields_of, scopes_of
from hallserver.boards.announce import Announcement
from qingting.contract.base import Strict
from qingting.contract.commands import EditConfig
from qingting.contract.config_parts import AnnouncementsPart
from qingting.contract.errors import Refusal
from qingting.contract.layouts import Announcements, Named
from qingting.contract.states import Language
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.web import see_other

HOME = "/manage/announcements"
Values = dict[str, str]
ORDERS = {
    "zh": (Language.ZH,),
    "zh-en": (Language.ZH, Language.EN),
    "en-zh": (Language.EN, Language.ZH),
    "en": (Language.EN,),
}
"""Languages of every call, in the order in which they are said."""
_PLAIN = ("repeats", "pause_seconds", "named", "volume", "too_old_seconds")
_TICKS = ("ticket_language", "chime", "elder_slow")
MAX_SPANS = {"volumes": 12, "quiet": 6}
SPARE = 2
"""Empty rows offered below the spans that are there."""


@dataclass(slots=True)
class VoiceForm:
    """The fields as typed; ``spans`` holds the rows of ``volumes`` and ``quiet``."""

    base: int
    values: Values
    spans: dict[str, list[Values]] = field(default_factory=dict)

    def settings(self) -> Announcements:
        """Raises ``form.invalid`` naming the field that cannot be read."""
        raw: dict[str, Any] = {name: self.values.get(name, "") for name in _PLAIN}
        raw |= {name: self.values.get(name) == "on" for name in _TICKS}
        raw["languages"] = ORDERS.get(self.values.get("order", ""), ())
        for name in MAX_SPANS:
            raw[name] = [one for one in self.spans.get(name, []) if any(one.values())]
        try:
            return msgspec.convert(raw, Announcements, strict=False)
        except msgspec.ValidationError as error:
            path = str(error).rpartition("`$.")[2].rstrip("`")
            raise Refusal("form.invalid", field=path or "?") from error

    def with_room(self, name: str) -> list[Values]:
        """The rows of a list of spans and some empty ones."""
        rows = self.spans.get(name, [])
        blank = {"start": "", "end": ""} | ({"percent": ""} if name == "volumes" else {})
        return [*rows, *(dict(blank) for _ in range(min(SPARE, MAX_SPANS[name] - len(rows))))]


def form_of(settings: Announcements, base: int) -> VoiceForm:
    raw = msgspec.to_builtins(settings)
    values = {name: f"{raw[name]:g}" if name != "named" else raw[name] for name in _PLAIN}
    values |= {name: "on" for name in _TICKS if raw[name]}
    values["order"] = next(
        (name for name, order in ORDERS.items() if order == settings.languages), "zh"
    )
    spans = {
        name: [{key: str(value) for key, value in one.items()} for one in raw[name]]
        for name in MAX_SPANS
    }
    return VoiceForm(base, values, spans)


async def _read(request: web.Request) -> VoiceForm:
    data = await request.post()
    plain = {name: str(value).strip() for name, value in data.items()}
    spans: dict[str, list[Values]] = {}
    for name, most in MAX_SPANS.items():
        fields = ("start", "end", "percent") if name == "volumes" else ("start", "end")
        rows = ({one: plain.get(f"{name}-{n}-{one}", "") for one in fields} for n in range(most))
        spans[name] = [row for row in rows if any(row.values())]
    base = plain.get("base", "")
    return VoiceForm(int(base) if base.isdecimal() else 0, plain, spans)


# ---- pages --------------------------------------------------------------------------------------


def _settings(desk: Desk) -> tuple[Announcements, int]:
    config = desk.state.config
    if config is None:
        raise Refusal("config.none")
    return config.announcements, config.version


async def page(request: web.Request) -> web.Response:
    return await _show(request, form_of(*_settings(desk_of(request))))


async def preview(request: web.Request) -> web.Response:
    return await _show(request, await _read(request), block="sound")


async def _show(
    request: web.Request, form: VoiceForm, problem: Refusal | None = None, block: str | None = None
) -> web.Response:
    desk = desk_of(request)
    listen: Values = {}
    why: Refusal | None = None
    try:
        listen = _sample_query(form.settings())
    except Refusal as refusal:
        why = refusal
    context = {
        "form": form,
        "orders": list(ORDERS),
        "speakers": fields_of(desk.state, form.values),
        "named": [one.value for one in Named],
        "can_speak": await desk.voice.available(),
        "voice": desk.voice.state,
        "listen": listen,
        "why": why,
        "problem": problem,
    }
    return desk.pages.render(request, "announcements.html", context, block=block)


async def save(request: web.Request) -> web.Response:
    form = await _read(request)
    desk = desk_of(request)
    try:
        loud = scopes_of(desk.state, form.values)
        settings = msgspec.structs.replace(form.settings(), speakers=loud)
        command = EditConfig(base=form.base, part=AnnouncementsPart(announcements=settings))
        actor = f"staff:{person_of(request).id}"
        await desk.hall.submit(command, key=f"manager:{new_token()}", actor=actor)
    except Refusal as refusal:
        form.base = _settings(desk)[1]
        return await _show(request, form, refusal)
    raise see_other(request, HOME, done="announcements.saved")


# ---- listening ----------------------------------------------------------------------------------


class SampleQuery(Strict, frozen=True, kw_only=True):
    """What a sample sounds like, in an address; it calls an invented ticket to window 3."""

    order: str = "zh"
    repeats: int = 1
    pause: float = 0.6
    chime: bool = True
    named: bool = False
    slow: bool = False


def _sample_query(settings: Announcements) -> dict[str, str]:
    order = next((name for name, one in ORDERS.items() if one == settings.languages), "zh")
    return {
        "order": order,
        "repeats": str(settings.repeats),
        "pause": f"{settings.pause_seconds:g}",
        "chime": "true" if settings.chime else "false",
        "named": "true" if settings.named is Named.MASKED_NAME else "false",
    }


async def sample(request: web.Request) -> web.Response:
    """The sound of an invented call with the settings of the address, saved or not."""
    try:
        query = msgspec.convert(dict(request.query), SampleQuery, strict=False)
    except msgspec.ValidationError as error:
        raise Refusal("form.invalid", field="?") from error
    announcement = Announcement(
        number="A023",
        window="3",
        named=("王", "ms") if query.named else ("", ""),
        languages=ORDERS.get(query.order, ORDERS["zh"]),
        repeats=max(1, min(query.repeats, 4)),
        slow=query.slow,
        chime=query.chime,
        pause_seconds=max(0.0, min(query.pause, 10.0)),
    )
    sound = await desk_of(request).voice.sound(announcement)
    return web.Response(body=sound, content_type="audio/wav")


ROUTES = (
    web.get(HOME, page),
    web.post(HOME, save),
    web.post(HOME + "/preview", preview),
    web.get(HOME + "/sample.wav", sample),
)
