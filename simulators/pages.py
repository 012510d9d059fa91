"""What the simulators' web pages are made of: one frame, words in two languages, templates that escape, JSON.

It is theirs alone: nothing of the product draws here, so that a fault of its pages cannot hide behind the same fault in
the page that shows what it did.
"""

import tomllib
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any, TypeVar

import jinja2
import msgspec
from aiohttp import web
from markupsafe import Markup

Asked = TypeVar("Asked")
_SHARED = "simulators.page"
_KINDS = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".toml": ""}
_FRESH = {"Cache-Control": "no-store"}


class Folder:
    """A package with the templates of a simulator, ``texts.toml`` with their words, scripts and styles.

    All is read when it is made, which is at import: no handler opens a file. Templates may extend ``page.html``, the
    frame that all share, or ``form.html``, and know ``words``, ``lang`` and ``english``.
    """

    def __init__(self, package: str) -> None:
        self._files = _read(_SHARED) | _read(package)
        self._words = tomllib.loads(self._files["texts.toml"])
        self._templates = jinja2.Environment(
            loader=jinja2.DictLoader(self._files),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )

    def words(self, english: bool) -> dict[str, str]:
        """Every word in one language, by its key."""
        return {key: text["en" if english else "zh"] for key, text in self._words.items()}

    def draw(
        self,
        request: web.Request,
        name: str,
        *,
        status: int = 200,
        data: Any = None,
        **context: Any,
    ) -> web.Response:
        """The page of a template; ``data`` is what its script reads, besides its words."""
        english = in_english(request)
        lang, words = "en" if english else "zh-CN", self.words(english)
        given = None if data is None else _for_script({"lang": lang, "texts": words, **data})
        text = self._templates.get_template(name).render(
            lang=lang, words=words, english=english, data=given, **context
        )
        return web.Response(text=text, content_type="text/html", status=status, headers=_FRESH)

    def file(self, name: str) -> web.Response:
        """A script or a style."""
        kind = _KINDS[name[name.rindex(".") :]]
        headers = {"Cache-Control": "no-cache"}
        return web.Response(text=self._files[name], content_type=kind, headers=headers)

    def serve(self, name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """A handler that gives a script or a style."""

        async def handler(_: web.Request) -> web.StreamResponse:
            return self.file(name)

        return handler


def in_english(request: web.Request) -> bool:
    """As ``?lang=`` says, or as OpenID Connect calls it."""
    return request.query.get("ui_locales", request.query.get("lang", "")).startswith("en")


def as_json(value: Any, status: int = 200) -> web.Response:
    """A value as JSON."""
    body = msgspec.json.encode(value)
    return web.Response(body=body, content_type="application/json", status=status, headers=_FRESH)


async def read_body(request: web.Request, kind: type[Asked]) -> Asked:
    """What a page asks for; 422 when it is something else."""
    try:
        return msgspec.json.decode(await request.read() or b"{}", type=kind)
    except msgspec.DecodeError:
        raise web.HTTPUnprocessableEntity from None


def hang_up(request: web.Request) -> None:
    """The line breaks before an answer."""
    if request.transport is not None:
        request.transport.abort()


def _read(package: str) -> dict[str, str]:
    return {
        one.name: one.read_text("utf-8")
        for one in files(package).iterdir()
        if one.name.endswith(tuple(_KINDS))
    }


def _for_script(data: dict[str, Any]) -> Markup:
    """JSON within a ``<script>``, which nothing in it may end."""
    return Markup(msgspec.json.encode(data).decode().replace("<", "\\u003c"))  # noqa: S704
