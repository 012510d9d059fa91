"""The frame of a citizen's page: one column, the hall's name, elder version and contrast one tap away."""

from aiohttp import web

from hallserver.app.desk import DESK
from hallserver.engine.days import offset_minutes
from qingting.contract.states import Language
from qingting.kernel.i18n import pick_language
from qingting.kernel.web import LANGUAGE, Shell

LOOK_COOKIE = "qt_look"
LOOKS = ("elder", "contrast")
"""Themes of tokens.css that a reader can switch on."""
PRODUCT = {Language.ZH: "庆厅", Language.EN: "Qingting"}


def is_phone_page(request: web.Request) -> bool:
    return request.path == "/t" or request.path.startswith("/t/")


def looks_of(request: web.Request) -> tuple[str, ...]:
    """The themes that this reader has switched on."""
    chosen = request.cookies.get(LOOK_COOKIE, "").split(".")
    return tuple(one for one in LOOKS if one in chosen)


def phone_shell(request: web.Request) -> Shell:
    config = request.app[DESK].state.config
    language = request.get(LANGUAGE) or pick_language(None)
    name = ""
    if config is not None:
        name = config.hall.name if language is Language.ZH else config.hall.name_en
    token = request.match_info.get("token", "")
    return Shell(
        product=PRODUCT[language],
        place=name,
        home=f"/t/{token}",
        offset_minutes=offset_minutes(config),
        styles=("phone.css",),
        scripts=("phone.js",),
        theme=" ".join(looks_of(request)),
    )
