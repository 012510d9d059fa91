"""The console's HTTP server: pages, live refresh and the halls' link, over one worker of the city."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from console.app.city import City, open_city
from console.app.health import health_json
from console.app.live import health_of, live_of
from console.app.metrics import metrics_of
from console.app.modules import PAGE_PACKAGES
from console.app.serving import Serving
from console.app.settings import ConsoleSettings, load_console_settings
from console.core.api import BASE
from console.core.citizen_options import (
    Serve,
)
from console.core.migrate import create_database
from console.core.module import ModuleContext
from console.core.permissions import SYSTEM, Permission, Subject
from console.core.postgres import EmbeddedPostgres
from console.core.sealing import KeyFile
from console.core.takeout import takes_tables_out
from console.core.uploads import limits_of_files
from console.core.web import CALLBACKS, PAGES, PROXIES, SUBJECT, acts_first, unit_of_work
from console.modules.identity.api import IDENTITY, LOGIN, OneTimePassword
from qingting.contract.errors import Refusal
from qingting.contract.states import Language
from qingting.kernel.aio.clock import Clock, SystemClock
from qingting.kernel.open_files import lift_open_files
from qingting.kernel.web import (
    SESSION,
    Account,
    Assets,
    Pages,
    Shell,
    csrf_middleware,
    page_errors,
    security_headers,
)

log = structlog.get_logger(__name__)

RETRY_SECONDS = "5"
GARBAGE = 10_000, 20, 20
"""How rarely a worker looks for garbage: a page makes some thousand objects, and few of them in circles."""
SHARED_PATHS = ("/assets/", "/language", "/healthz", CALLBACKS)
_STATIC = Path(__file__).parent / "static"
_SCRIPTS = (
    ("/wall", "wall.js"),
    ("/calendar/month/", "calendar.js"),
    ("/notifications/topics/", "notifications.js"),
)
"""Scripts of single pages, by how the address begins."""


@dataclass(frozen=True, slots=True)
class ConsoleReady:
    """Where a running console is, and at the very first start the passwords of the three administrators."""

    serving: Serving

    @property
    def url(self) -> str:
        return f"http://{self.serving.host}:{self.serving.port}"

    @property
    def city(self) -> City:
        """As it is now: another one after its database was exchanged."""
        return self.serving.city

    @property
    def one_time_passwords(self) -> tuple[OneTimePassword, ...]:
        return self.serving.passwords


def create_app(city: City, settings: ConsoleSettings) -> web.Application:
    """The application over an open city. Reads templates and assets: call it off the loop."""
    context = city.context
    assert context.sessions is not None
    assert context.who_asks is not None
    pages = Pages(PAGE_PACKAGES, _shell_of(city, settings), now_ms=context.clock.now_ms)
    work, guarded = unit_of_work(city.db), _guarded(context, context.who_asks)
    app = web.Application(
        middlewares=[
            security_headers(),
            acts_first,
            _come_again,
            page_errors(pages),
            pages.language_middleware,
            _only(context, settings.serve),
            _for_pages(_session_of(context)),
            _for_pages(limits_of_files),
            _for_pages(csrf_middleware(work, guarded)),
            work,
            guarded,
            takes_tables_out(context.audit, settings.utc_offset_minutes),
        ]
    )
    app[PAGES] = pages
    app[PROXIES] = settings.proxy_addresses
    pages.install(app, Assets.collect([_STATIC]))
    app.router.add_get("/link", city.link.handle)
    app.router.add_get("/live", live_of(city))
    app.router.add_get("/healthz", health_of(city))
    app.router.add_get("/metrics", metrics_of(city, settings.metrics_token))
    app.router.add_get("/metrics/health", health_json(city, settings.metrics_token))
    app.add_routes(context.route_table)
    return app


def _session_of(context: ModuleContext) -> Middleware:
    """The session of the side that an address belongs to: staff's is worth nothing at citizens' pages, nor theirs
    here."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        side = context.side_of(request.path)
        if side is None:
            assert context.sessions is not None
            return await context.sessions.middleware(request, handler)
        return await _through((*side.front, side.sessions.middleware), request, handler)

    return middleware


def _guarded(context: ModuleContext, staff: Middleware) -> Middleware:
    """The guard of the side that an address belongs to."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        side = context.side_of(request.path)
        return await _through((staff,) if side is None else side.guards, request, handler)

    return middleware


async def _through(
    guards: tuple[Middleware, ...], request: web.Request, handler: Handler
) -> web.StreamResponse:
    for guard in reversed(guards):
        handler = partial(guard, handler=handler)
    return await handler(request)


def _only(context: ModuleContext, serve: Serve) -> Middleware:
    """Lets through whom the worker is for. Assets, the language and whether it lives are everybody's."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        side = context.side_of(request.path)
        if serve == "all" or request.path.startswith(SHARED_PATHS):
            return await handler(request)
        if (serve == "citizens") is (side is not None):
            return await handler(request)
        if request.path == "/" and request.method == "GET" and context.sides:
            raise web.HTTPSeeOther(context.sides[0].start)
        raise Refusal("page.not_found")

    return middleware


def _for_pages(middleware: Middleware) -> Middleware:
    """Leaves the open API and callbacks alone: no cookie says who calls them, so none can be abused."""

    @web.middleware
    async def kept(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith((f"{BASE}/", CALLBACKS)):
            return await handler(request)
        return await middleware(request, handler)

    return kept


@web.middleware
async def _come_again(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A page that found the database away tries again by itself; parts of a page are fetched again by it. What was sent is
    not: its address may answer forms alone."""
    response = await handler(request)
    if (
        response.status == 503
        and request.method == "GET"
        and isinstance(response, web.Response)
        and response.content_type == "text/html"
        and "HX-Request" not in request.headers
    ):
        response.headers["Refresh"] = RETRY_SECONDS
    return response


def _shell_of(city: City, settings: ConsoleSettings) -> Callable[[web.Request], Shell]:
    def shell(request: web.Request) -> Shell:
        side = city.context.side_of(request.path)
        if side is not None:
            zh = request.app[PAGES].language(request) is Language.ZH
            return side.shell(request, settings.place if zh else settings.place_en.strip())
        subject = request.get(SUBJECT)
        session = request.get(SESSION)
        inside = subject is not None and session is not None and not session.marks
        pages = request.app[PAGES]
        language = pages.language(request)
        city_name = settings.place if language is Language.ZH else settings.place_en
        scripts = tuple(name for start, name in _SCRIPTS if request.path.startswith(start))
        place = f"{city_name}{pages.text(language, 'place')}"
        if subject is None or subject.guest or not inside:
            # A guest watches its page live, without menu and account.
            return Shell(
                product=pages.text(language, "product"),
                place=place,
                live="/live" if subject is not None and subject.guest else "",
                login=LOGIN,
                offset_minutes=settings.utc_offset_minutes,
                styles=("city.css",),
                scripts=scripts,
            )
        return Shell(
            product=pages.text(language, "product"),
            place=place,
            menu=city.context.menu_groups(subject),
            account=Account(subject.name, _titles(subject, language), "/password", "/logout"),
            live="/live",
            login=LOGIN,
            bell=city.context.bell if subject.may(Permission.ALARMS) else "",
            takes_out=True,
            offset_minutes=settings.utc_offset_minutes,
            styles=("city.css",),
            scripts=scripts,
            watermark=pages.watermark(subject.name, subject.address, settings.utc_offset_minutes),
        )

    return shell


def _titles(subject: Subject, language: Language) -> str:
    """The names of somebody's roles."""
    zh = language is Language.ZH
    return ("、" if zh else ", ").join(name if zh else name_en for name, name_en in subject.titles)


@asynccontextmanager
async def open_console(
    settings: ConsoleSettings,
    *,
    clock: Clock | None = None,
    settled: Callable[[], None] = lambda: None,
) -> AsyncIterator[ConsoleReady]:
    """Runs a whole console until the block is left. ``port`` 0 takes a free one; ``settled`` is called whenever a city is
    open: the first time, and after its database was exchanged.

    Raises :class:`console.core.postgres.PostgresError` or
    :class:`console.core.migrate.NewerDatabaseError` when the database cannot be used, ``keys.foreign`` or
    :class:`qingting.kernel.security.seal.SealError` when the key file cannot.
    """
    async with open_database(settings) as url:
        serving = Serving(settings, url, clock or SystemClock(), create_app, settled)
        life = asyncio.create_task(serving.run(), name="console")
        opened = asyncio.create_task(serving.opened.wait(), name="console opens")
        try:
            await asyncio.wait({life, opened}, return_when=asyncio.FIRST_COMPLETED)
            if life.done():
                life.result()
            yield ConsoleReady(serving)
        finally:
            opened.cancel()
            life.cancel()
            await asyncio.gather(opened, return_exceptions=True)
            with suppress(asyncio.CancelledError):
                await life


@asynccontextmanager
async def open_database(settings: ConsoleSettings) -> AsyncIterator[str]:
    """The URL of the configured server, or of an embedded one that lives as long as the block."""
    if settings.database_url:
        yield _async_url(settings.database_url)
        return
    server = await asyncio.to_thread(_start_embedded, settings)
    try:
        await create_database(server.url())
        yield server.url()
    finally:
        await asyncio.to_thread(server.stop)


def _start_embedded(settings: ConsoleSettings) -> EmbeddedPostgres:
    server = EmbeddedPostgres(Path(settings.data).absolute() / "postgres")
    server.start()
    return server


def _async_url(url: str) -> str:
    """``postgres://`` and ``postgresql://`` as this program's driver wants them."""
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+asyncpg://" + url.removeprefix(scheme)
    return url


async def run_console(
    settings: ConsoleSettings, *, on_ready: Callable[[ConsoleReady], None] | None = None
) -> None:
    """Serves until cancelled. ``on_ready`` is called once with the address and, at the very first
    start, the one-time password: whoever calls shows it once and keeps it nowhere."""
    _ = lift_open_files()
    async with open_console(settings, settled=_keep_from_garbage) as ready:
        if on_ready is not None:
            on_ready(ready)
        await asyncio.Event().wait()


def _keep_from_garbage() -> None:
    """What a worker is made of stays as long as its city: looking through it for garbage again and again costs citizens
    time. What a city before it was made of goes."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


async def renew_administrator(settings: ConsoleSettings, name: str) -> OneTimePassword:
    """Another one-time password for an account, for whoever has a shell on the city's machine.

    Raises ``account.unknown``; ``city.unavailable`` when the database cannot be reached.
    """
    keys = await KeyFile.open(settings.key_path, SystemClock())
    async with open_database(settings) as url, open_city(url, keys=keys, quiet=True) as city:
        await city.check_keys()
        async with city.db.write() as uow:
            return await city.context.take(IDENTITY).renew_password(uow, SYSTEM, name)


__all__ = [
    "ConsoleReady",
    "ConsoleSettings",
    "create_app",
    "load_console_settings",
    "open_console",
    "open_database",
    "renew_administrator",
    "run_console",
]
