"""Rendering: one template serves a page and its fragments, in the reader's language."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import cache, partial
from typing import Any

import jinja2
from aiohttp import web
from aiohttp.typedefs import Handler
from markupsafe import Markup

from qingting.contract.errors import Refusal
from qingting.contract.states import Language
from qingting.kernel.i18n import Catalogue, pick_language
from qingting.kernel.web.asked import MISREAD
from qingting.kernel.web.assets import Assets
from qingting.kernel.web.csrf import csrf_token
from qingting.kernel.web.faulty import attributes, faulty_inputs, in_words
from qingting.kernel.web.forms import is_htmx
from qingting.kernel.web.keys import LANGUAGE
from qingting.kernel.web.rows import has_controls, labelled
from qingting.kernel.web.sessions import LIVE_HEADER
from qingting.kernel.web.taking import TAKING, out_url, table_key
from qingting.kernel.web.unsent import CSRF_FIELD

SHARED = "qingting.web.pages"
LANGUAGE_COOKIE = "qt_lang"
_A_YEAR = 31_536_000
_CALLED = re.compile(r"""\((?:at ~ )?'([\w-]+)', t\('([\w.-]+)'\)""")
"""A macro's call with an input's name and its label."""
_LABELLED = re.compile(r"""<label for="(?:f-)?([\w-]+)">\{\{ t\('([\w.-]+)'\)""")
_HAN = re.compile("[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A line of the left menu; ``text`` is a text key, ``count`` a small number that asks for attention. ``under``
    are the beginnings of further pages that stand under it, besides those below ``href``."""

    href: str
    text: str
    icon: str
    count: int = 0
    under: tuple[str, ...] = ()

    def holds(self, path: str, home: str) -> bool:
        """True for a page of this line; everything is below ``home``, which therefore holds itself alone."""
        starts = self.under if self.href == home else (self.href, *self.under)
        return path == self.href or any(f"{path}/".startswith(f"{one}/") for one in starts)


@dataclass(frozen=True, slots=True)
class MenuGroup:
    """A task with its pages; ``text`` is a text key or empty."""

    text: str
    items: tuple[MenuItem, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """Who is logged in, and where its menu leads."""

    name: str
    role: str
    password_href: str
    logout_href: str


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame around a page. ``live`` is the address of its event stream, or empty.

    ``place`` is the hall or city shown beside the product; ``offset_minutes`` the time zone of times;
    ``bell`` is the address of a part that asks for attention, or empty; ``theme`` the token sets of
    tokens.css that the reader chose, parted by spaces; ``frame`` the template that pages of errors stand in;
    ``login`` is where one logs in, ``acting`` where one chooses in whose name one acts; ``takes_out`` says that tables can be taken out (:mod:`qingting.kernel.web.taking`).
    ``watermark`` says who looks and when, on paper and over what a page shows in clear (``marked``).
    """

    product: str
    place: str = ""
    menu: tuple[MenuGroup, ...] = ()
    account: Account | None = None
    live: str = ""
    home: str = "/"
    offset_minutes: int = 480
    styles: tuple[str, ...] = field(default=())
    scripts: tuple[str, ...] = field(default=())
    theme: str = ""
    bell: str = ""
    frame: str = "base.html"
    login: str = ""
    acting: str = ""
    takes_out: bool = False
    watermark: str = ""


ShellOf = Callable[[web.Request], Shell]


class LaterPage(web.Response):
    """A page whose text is not made yet (:data:`qingting.kernel.web.taking.TAKING`)."""

    def __init__(self, render: Callable[[], str], status: int) -> None:
        super().__init__(status=status, content_type="text/html", headers={"Vary": "HX-Request"})
        self._render = render

    async def make(self) -> None:
        """Makes it in a thread."""
        self.text = await asyncio.to_thread(self._render)


class Pages:
    """The Jinja2 environment of a server. Reads every template and text when it is made.

    ``packages`` bring ``templates/`` and ``locale/``; later ones win over earlier ones and over the
    shared ones. ``now_ms`` is the clock of "today".
    """

    def __init__(
        self, packages: tuple[str, ...], shell: ShellOf, *, now_ms: Callable[[], int]
    ) -> None:
        self._shell = shell
        self._now_ms = now_ms
        self._assets = Assets({})
        self._catalogue = Catalogue.load(SHARED, *packages)
        self._env = _environment(packages)
        self._labels = labels_in(packages)

    @property
    def templates(self) -> list[str]:
        """Names of all templates, for tests that render each."""
        return self._env.list_templates()

    def blocks(self, template: str) -> set[str]:
        return set(self._env.get_template(template).blocks)

    def install(self, app: web.Application, assets: Assets) -> None:
        """Adds the routes of assets and of the language switch."""
        self._assets = assets
        app.router.add_get("/assets/{hash}/{name:.+}", assets.serve)
        app.router.add_get("/language", self._switch_language)

    @web.middleware
    async def language_middleware(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        """Puts the reader's language on the request. One asked for by ``?lang=`` is remembered: the pages after
        it, which a form or a redirect leads to, speak it too."""
        request[LANGUAGE] = self.language(request)
        try:
            response = await handler(request)
        except web.HTTPException as answer:
            remember_asked(request, answer)
            raise
        remember_asked(request, response)
        return response

    def language(self, request: web.Request) -> Language:
        """Known already, or ``?lang=``, or the cookie, or Chinese."""
        known: Language | None = request.get(LANGUAGE)
        if known is not None:
            return known
        return pick_language(request.cookies.get(LANGUAGE_COOKIE), request.query.get("lang"))

    async def _switch_language(self, request: web.Request) -> web.StreamResponse:
        chosen = pick_language(None, request.query.get("to"))
        back = request.query.get("back", "/")
        # Only a path of this server: "//elsewhere" and "\\elsewhere" would leave it.
        safe = back.startswith("/") and not back.startswith(("//", "/\\"))
        response = web.HTTPSeeOther(back if safe else "/")
        _remember(response, chosen)
        raise response

    def text(self, language: Language, key: str, /, **params: object) -> str:
        """A text of the catalogue; ``KeyError`` when it has none."""
        return self._catalogue.text(language, key, **params)

    def label(self, language: Language, name: str) -> str:
        """What the pages call an input of this name; empty where they do not agree."""
        called = {
            self.text(language, key)
            for key in self._labels.get(name, ())
            if self._catalogue.has(key)
        }
        return called.pop() if len(called) == 1 else ""

    def has_text(self, key: str) -> bool:
        return self._catalogue.has(key)

    def render(
        self,
        request: web.Request,
        template: str,
        context: Mapping[str, Any] | None = None,
        *,
        block: str | None = None,
        status: int = 200,
    ) -> web.Response:
        """The page, or for an htmx request only its ``block``. A ``problem`` in ``context`` sets the status; its
        inputs are marked, those of ``faulty`` where the page knows them better."""
        given = dict(context or {})
        problem = given.setdefault("problem", None)
        faulty = given.get("faulty", faulty_inputs(problem))
        values = self._globals(request, faulty) | given
        if isinstance(problem, Refusal):
            status = problem.status
        found = self._env.get_template(template)
        if request.get(TAKING) and problem is None:
            # All rows of a list may be on it: made off the loop by who asked for it.
            return LaterPage(partial(found.render, values), status)
        alone = block if block is not None and is_htmx(request) else ""
        text = self._text(found, alone, values)
        if said := in_words(problem, faulty, text):
            text = self._text(found, alone, values | {"problem": said})
        return web.Response(
            text=text, status=status, content_type="text/html", headers={"Vary": "HX-Request"}
        )

    def render_block(
        self, request: web.Request, template: str, block: str, context: Mapping[str, Any]
    ) -> str:
        """One block as text, whoever asks."""
        found = self._env.get_template(template)
        values = self._globals(request) | {"problem": None} | dict(context)
        return self._block(found, block, values)

    def _text(self, template: jinja2.Template, block: str, values: dict[str, Any]) -> str:
        return self._block(template, block, values) if block else template.render(values)

    def _block(self, template: jinja2.Template, block: str, values: dict[str, Any]) -> str:
        """A block of the page, or one that it inherits from the frame."""
        owner = template if block in template.blocks else self._env.get_template("base.html")
        return "".join(owner.blocks[block](owner.new_context(values)))

    def _globals(
        self, request: web.Request, faulty: frozenset[str] = frozenset()
    ) -> dict[str, Any]:
        language = self.language(request)
        shell = self._shell(request)
        taking = request.get(TAKING, "")
        has_text, done = self._catalogue.has, request.query.get("done", "")
        shared: dict[str, Any] = {
            "t": partial(self.text, language),
            "has_text": has_text,
            "lang": language.value,
            "zh": language is Language.ZH,
            "pick": lambda zh, en: zh if language is Language.ZH or not en else en,
            "own": lambda text: in_its_language(text, language),
            "sentence": lambda problem: problem.sentence(language),
            "marks": lambda name, hint="": attributes(name, hint, faulty),
            "when": lambda ms: self.when(
                int(ms), language, shell.offset_minutes, plain=bool(taking)
            ),
            "iso": lambda ms: datetime.fromtimestamp(int(ms) / 1000, UTC).isoformat(),
            "ago": lambda ms: self.ago(int(ms), language),
            "now_ms": self._now_ms(),
            "moment_now": self.when(self._now_ms(), language, shell.offset_minutes, plain=True),
            "asset": self._assets.url,
            "shell": shell,
            "taking": taking,
            "takes_out": shell.takes_out and request.method == "GET" and not taking,
            "table_key": table_key,
            "out_url": lambda out, key="": out_url(request, out, key),
            "path": request.path,
            "path_qs": request.path_qs,
            "csrf": csrf_token(request),
            "csrf_field": lambda: Markup('<input type="hidden" name="{}" value="{}">').format(
                CSRF_FIELD, csrf_token(request)
            ),
            "by_itself": LIVE_HEADER in request.headers,
            "misread": request.get(MISREAD, ()),
            "done": done if has_text(done) else "",
        }
        # Macros need the reader's words, so each request gets its own instance of the module.
        shared["ui"] = self._env.get_template("macros.html").make_module(shared)
        return shared

    def watermark(self, name: str, address: str, offset_minutes: int) -> str:
        """Who looks, from where, and the minute: for :attr:`Shell.watermark`."""
        zone = timezone(timedelta(minutes=offset_minutes))
        now = datetime.fromtimestamp(self._now_ms() / 1000, UTC).astimezone(zone)
        return f"{name} {address} {now:%Y-%m-%d %H:%M}"

    def when(self, ms: int, language: Language, offset_minutes: int, *, plain: bool = False) -> str:
        """今天 14:30, 昨天 09:05, 11月3日 08:00; in English "today 14:30", "3 Nov 08:00". ``plain`` for what is read
        on another day: 2026-11-03 08:00."""
        zone = timezone(timedelta(minutes=offset_minutes))
        then = datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone)
        if plain:
            return f"{then:%Y-%m-%d %H:%M}"
        now = datetime.fromtimestamp(self._now_ms() / 1000, UTC).astimezone(zone)
        days = (now.date() - then.date()).days
        clock = f"{then:%H:%M}"
        if days in (0, 1):
            return f"{self.text(language, 'time.today' if days == 0 else 'time.yesterday')} {clock}"
        year = "" if then.year == now.year else f"{then.year}年"
        if language is Language.ZH:
            return f"{year}{then.month}月{then.day}日 {clock}"
        return f"{then.day} {then:%b}{f' {then.year}' if year else ''} {clock}"

    def ago(self, ms: int, language: Language) -> str:
        """How long ago: 刚刚, 3 分钟, 2 小时, 4 天."""
        seconds = max(0, self._now_ms() - ms) // 1000
        if seconds < 60:
            return self.text(language, "time.now")
        for size, key in ((86_400, "time.days"), (3_600, "time.hours"), (60, "time.minutes")):
            if seconds >= size:
                return self.text(language, key, n=seconds // size)
        raise AssertionError("unreachable")


def in_its_language(text: str, language: Language) -> str:
    """Words of the catalogue that are there in Chinese alone, marked so on a page in another language: a screen reader
    then says them in Chinese (WCAG 3.1.2)."""
    if language is Language.ZH or not _HAN.search(text):
        return text
    return Markup('<span lang="zh-CN">{}</span>').format(text)


@cache
def _environment(packages: tuple[str, ...]) -> jinja2.Environment:
    """Every template, compiled. Kept, as nothing changes it: compiling takes a second, and the halls of one
    process have the same."""
    loaders = [jinja2.PackageLoader(name) for name in (*reversed(packages), SHARED)]
    made = jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        cache_size=-1,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"has_controls": has_controls, "labelled": labelled}
    for name in made.list_templates():
        made.get_template(name)
    return made


@cache
def labels_in(packages: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """Keys of the labels that inputs have in the templates, by the input's name."""
    env, found = _environment(packages), dict[str, set[str]]()
    assert env.loader is not None
    for template in env.list_templates():
        source = env.loader.get_source(env, template)[0]
        for name, key in (*_CALLED.findall(source), *_LABELLED.findall(source)):
            found.setdefault(name, set()).add(key)
    return {name: frozenset(keys) for name, keys in found.items()}


def _remember(response: web.StreamResponse, language: Language) -> None:
    response.set_cookie(
        LANGUAGE_COOKIE, language.value, max_age=_A_YEAR, httponly=True, samesite="Lax"
    )


def remember_asked(request: web.Request, response: web.StreamResponse) -> None:
    """Sets the cookie of a language that ``?lang=`` asked for. A stream has sent its headers already; a page that set the
    cookie itself knows better."""
    asked = "lang" in request.query and not response.prepared
    if asked and LANGUAGE_COOKIE not in response.cookies:
        _remember(response, request[LANGUAGE])
