"""Server-rendered pages for both servers: Jinja2 + htmx on aiohttp.

How to use it (the hall manager's pages in ``hallserver.app`` are the worked example)::

    # templates/ and locale/{zh-CN,en}.json live in your package; base.html, macros and common
    # texts come from qingting.web.pages.
    pages = Pages(packages=("console.app", "console.modules.identity"), shell=shell_of)
    assets = Assets.collect()                    # pages.css, live.js, htmx, tokens; add your folders
    app = web.Application(middlewares=[
        security_headers(),                      # CSP without inline script, nosniff, no-referrer …
        page_errors(pages),                      # Refusal → page, htmx fragment or JSON; 500 logged
        pages.language_middleware,               # ?lang= or cookie; request[LANGUAGE]
        sessions.middleware,                     # request[SESSION]: WebSession | None; idle logout
        csrf_middleware(),                       # every POST/PUT/PATCH/DELETE; your guards as arguments
    ])
    pages.install(app, assets)                   # GET /assets/…, GET /language, the environment
    # Files are read in the constructors: build them before the loop runs or in asyncio.to_thread.

A handler::

    async def queues(request: web.Request) -> web.Response:
        view = await service.queues(...)
        return pages.render(request, "queues.html", {"queues": view}, block="table")

``block`` is what an htmx request gets; a plain request gets the page. A change is a plain form
``<form method="post">{{ csrf_field() }}…`` whose handler ends with ``raise see_other(request,
"/manage/queues", done="queues.closed")``: 303 or ``HX-Redirect``, and the next page shows the
text ``queues.closed`` of your catalogue as its notice. A :class:`Refusal` that leaves a handler is
rendered with its status; to keep what was typed, catch it and render the form again::

    except Refusal as refusal:
        return pages.render(request, "login.html", {"form": form, "problem": refusal})

(``problem`` sets the status and shows the catalogue's sentence above the form.) Forms are read with
``await read_form(request, LoginForm)`` into a msgspec Struct; a fault is ``form.invalid`` (422).

In templates: ``t("key", name=value)``, ``pick(zh, en)`` (a name in the
reader's language), ``sentence(problem)``, ``when(ms)`` (今天 14:30), ``ago(ms)`` (3 分钟),
``asset("pages.css")``, ``csrf_field()``, ``ui.badge(...)``, ``ui.table(...)``, ``ui.field(...)``,
``ui.empty(...)``, ``ui.icon(...)`` (see ``templates/macros.html``). Do not ``{% import %}`` at the
top of a page: blocks are rendered alone. Every name used must be in the context (StrictUndefined).

``shell_of(request) -> Shell`` gives the frame: product, place, menu groups, account. Live parts:
``<div data-live-part="devices" hx-get="…" hx-trigger="live:devices from:body, every 30s">`` in a
page whose shell names ``live="/manage/live"``; that route answers with ``event_stream(request,
changes)``, where each change is a set of names. Without JavaScript the page is still whole.
"""

from qingting.kernel.web.assets import Assets
from qingting.kernel.web.csrf import csrf_middleware, csrf_token
from qingting.kernel.web.errors import page_errors, reader_gone, wants_json
from qingting.kernel.web.forms import is_htmx, read_form, see_other
from qingting.kernel.web.headers import framing, security_headers
from qingting.kernel.web.keys import LANGUAGE, SESSION, SESSION_DIGEST
from qingting.kernel.web.pages import Account, MenuGroup, MenuItem, Pages, Shell
from qingting.kernel.web.sender import sender_of
from qingting.kernel.web.session import WebSession
from qingting.kernel.web.sessions import Sessions, SessionStore
from qingting.kernel.web.sse import event_stream
from qingting.kernel.web.unsent import Unsent

__all__ = [
    "LANGUAGE",
    "SESSION",
    "SESSION_DIGEST",
    "Account",
    "Assets",
    "MenuGroup",
    "MenuItem",
    "Pages",
    "SessionStore",
    "Sessions",
    "Shell",
    "Unsent",
    "WebSession",
    "csrf_middleware",
    "csrf_token",
    "event_stream",
    "framing",
    "is_htmx",
    "page_errors",
    "read_form",
    "reader_gone",
    "security_headers",
    "see_other",
    "sender_of",
    "wants_json",
]
