"""Composition root of a hall server: opens everything, serves, closes everything in turn."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from ssl import SSLContext

import structlog
from aiohttp import web

from hallserver.agent.diagnostics import PROGRAM_VERSION
from hallserver.app.cameras import add_cameras
from hallserver.app.code_platform import open_code_service
from hallserver.app.desk import DESK, Desk
from hallserver.app.manage import add_manage
from hallserver.app.manage.door import guard
from hallserver.app.manage.shell import shell_of
from hallserver.app.manage.taking_out import takes_tables_out
from hallserver.app.metrics import add_metrics
from hallserver.app.phone import add_phone, open_phone
from hallserver.app.phone.access import Phone
from hallserver.app.phone.frame import is_phone_page, phone_shell
from hallserver.app.public import add_public
from hallserver.app.scan import add_scan
from hallserver.app.screens import add_screens, shipped_builds
from hallserver.app.settings import HallSettings
from hallserver.app.tls import server_context
from hallserver.boards.leds import LedWall
from hallserver.boards.routes import add_voice, make_voice
from hallserver.boards.speakers import SpeakerDesk
from hallserver.boards.voice import Voice
from hallserver.copies.desk import CopyDesk, Plan
from hallserver.hall import Hall, open_hall
from hallserver.hub.accounts import Accounts, open_accounts
from hallserver.hub.citizen_codes import CodeService
from hallserver.hub.hub import Hub
from hallserver.hub.release_shelf import ReleaseShelf
from hallserver.link.city_link import CityLink
from hallserver.store.exchange import latest
from qingting.contract.config import HallConfig
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import Clock, SystemClock
from qingting.kernel.aio.tasks import Supervisor
from qingting.kernel.config_file import load_config
from qingting.kernel.open_files import BACKLOG, lift_open_files
from qingting.kernel.security.passwords import Passwords
from qingting.kernel.security.seal import Sealer, load_or_create_sealer
from qingting.kernel.web import (
    Assets,
    Pages,
    Sessions,
    Shell,
    csrf_middleware,
    page_errors,
    security_headers,
)

__all__ = ["HallSettings", "open_hall_app", "run_hall"]

log = structlog.get_logger(__name__)

STOP_SECONDS = 5.0
KEEPALIVE_SECONDS = 75.0
"""A phone that went away without a word gives its connection back after this time."""
MOST_FORM_BYTES, MOST_FORM_FIELDS = 2 * 1024 * 1024, 12_000
"""The form of as many items as an editor takes (400) has some 24 fields each and about 1 MB."""


def _frame_of(request: web.Request) -> Shell:
    return phone_shell(request) if is_phone_page(request) else shell_of(request)


class _Files:
    """What is read from the disk before the hall opens, all in one worker thread."""

    def __init__(self, settings: HallSettings, clock: Clock, passwords: Passwords | None) -> None:
        self.config: HallConfig | None = (
            load_config(Path(settings.config)) if settings.config else None
        )
        settings.database.parent.mkdir(parents=True, exist_ok=True)
        self.sealer: Sealer = load_or_create_sealer(settings.key_path)
        self.pages = Pages(
            ("hallserver.app", "hallserver.app.phone"), _frame_of, now_ms=clock.now_ms
        )
        here = Path(__file__).parent
        self.assets = Assets.collect((here / "static" / "pages", here / "phone" / "static"))
        self.passwords = passwords or Passwords()
        self.builds = shipped_builds()


@asynccontextmanager
async def open_hall_app(
    settings: HallSettings,
    *,
    clock: Clock | None = None,
    passwords: Passwords | None = None,
    reopen: asyncio.Event | None = None,
) -> AsyncIterator[web.Application]:
    """The running hall with its web application; leaving it stops everything in order. ``reopen`` is set when it is to be left and opened again, for a restore from the manager's page.

    Raises :class:`hallserver.store.errors.StoreOpenError` or ``ConfigFileError``.
    """
    clock = clock or SystemClock()
    files = await asyncio.to_thread(_Files, settings, clock, passwords)
    async with (
        open_hall(settings.database, clock=clock, config=files.config) as hall,
        open_code_service(settings, clock) as code_service,
        Supervisor("app") as tasks,
    ):
        accounts = open_accounts(hall.store, clock, files.passwords)
        if settings.first_password:
            await _greet_first_manager(hall, accounts)
        link = _link(settings, hall, clock, files.sealer)
        hub = _hub(settings, hall, accounts, files, clock, link, code_service)
        async with hub.running():
            shelf = ReleaseShelf(hall, Path(settings.data) / "releases")
            await shelf.open()
            plan = Plan(settings.backups, settings.backup_hour, settings.backup_keep)
            restored = await asyncio.to_thread(latest, settings.database)
            copies = CopyDesk(hall, clock, plan, tasks, reopen=reopen, restored=restored)
            if link is not None:
                _run_link(link, hub, shelf, copies, tasks)
            _ = tasks.keep("backups", copies.keep)
            sessions = Sessions(accounts.sessions, clock, secure=settings.secure_cookies)
            voice = make_voice(settings.speech_program, settings.voice_bank, Path(settings.data))
            _ = tasks.keep("voice", voice.run)
            _ = tasks.keep("leds", LedWall(hall, clock, heard=hub.board.presence.heard).run)
            _ = tasks.keep("speakers", _speakers(hall, clock, voice, hub).run)
            desk = Desk(
                settings,
                clock,
                hall,
                accounts,
                hub,
                files.pages,
                sessions,
                link,
                voice,
                shelf,
                copies,
            )
            yield _application(desk, files.assets, open_phone(hall, clock, tasks))


def _hub(
    settings: HallSettings,
    hall: Hall,
    accounts: Accounts,
    files: _Files,
    clock: Clock,
    link: CityLink | None,
    code_service: CodeService | None,
) -> Hub:
    return Hub(
        hall,
        accounts,
        files.sealer,
        clock,
        base_url=settings.public_url,
        city_link=lambda: link is not None and link.connected,
        code_service=code_service,
        proxies=settings.proxy_addresses,
        builds=files.builds,
    )


def _speakers(hall: Hall, clock: Clock, voice: Voice, hub: Hub) -> SpeakerDesk:
    board = hub.board
    speakers = SpeakerDesk(
        hall,
        clock,
        voice,
        heard=board.presence.heard,
        tell_agent=board.tell_speaker,
        end_act=board.acts.told,
    )
    board.performers = speakers.performers
    return speakers


def _link(settings: HallSettings, hall: Hall, clock: Clock, sealer: Sealer) -> CityLink | None:
    config = hall.state.config
    if not settings.city_url or config is None:
        return None
    hall_id = HallId(config.hall.id)
    return CityLink(
        hall,
        hall.store,
        settings.city_url,
        hall_id,
        settings.hall_key,
        clock,
        build=settings.build or PROGRAM_VERSION,
        sealer=sealer,
    )


def _run_link(
    link: CityLink, hub: Hub, shelf: ReleaseShelf, copies: CopyDesk, tasks: Supervisor
) -> None:
    link.backup_bad, copies.changed = lambda: copies.bad_since, link.present_changed
    link.ambient, link.fetcher = hub.board.ambient, shelf
    _ = hub.board.programs.subscribe(link.present_changed)
    _ = shelf.subscribe(link.fetch)
    _ = link.subscribe(lambda: hub.board.topics.touch(("hall",)))
    _ = hub.board.acts.files.subscribe(
        lambda file: link.bring(file.act, file.media, file.data) if file.city else None
    )
    _ = tasks.keep("link", link.run)


def _application(desk: Desk, assets: Assets, phone: Phone) -> web.Application:
    app = web.Application(
        middlewares=[
            security_headers(),
            page_errors(desk.pages),
            desk.pages.language_middleware,
            desk.sessions.middleware,
            csrf_middleware(guard),
            guard,
            takes_tables_out,
        ],
        client_max_size=MOST_FORM_BYTES,
        client_max_fields=MOST_FORM_FIELDS,
    )
    app[DESK] = desk
    app.router.add_get("/hub", desk.hub.socket)
    desk.pages.install(app, assets)
    add_public(app)
    add_metrics(app)
    add_phone(app, phone, assets)
    add_screens(app)
    add_cameras(app)
    add_scan(app)
    add_manage(app)
    add_voice(app, desk.hall, desk.voice)
    app.on_shutdown.append(_hang_up)
    return app


async def _hang_up(app: web.Application) -> None:
    app[DESK].stopping.set()
    await app[DESK].hub.close()


async def _greet_first_manager(hall: Hall, accounts: Accounts) -> None:
    """Until a manager has a password of their own, each start prints another one-time password; it is stored
    nowhere in clear."""
    config = hall.state.config
    if config is None:
        log.warning("hall.no_config", hint="give a configuration file in the setting 'config'")
        return
    found = await accounts.staff.first_manager(config)
    if found is not None:
        staff, password = found
        sys.stdout.write(
            f"\n{config.hall.name} · 大厅主管首次登录 / first login of the hall manager\n"
            f"  工号 / staff number: {staff.number}\n"
            f"  一次性密码 / one-time password: {password}\n"
            "  以前显示的一次性密码不再有效 / any shown before is void\n\n"
        )
        sys.stdout.flush()


def _calm_collector() -> None:
    """The day's state is large and lives on; looking through it after every few hundred objects made the
    server a tenth slower (docs/performance.md)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def run_hall(settings: HallSettings) -> None:
    """Serves until cancelled; raises as :func:`open_hall_app`, or ``SettingsError`` for its certificate."""
    _ = lift_open_files()
    tls = await asyncio.to_thread(server_context, settings)
    while True:
        await _serve(settings, tls)
        log.warning("hall.reopens", reason="restore")


async def _serve(settings: HallSettings, tls: SSLContext | None) -> None:
    """One hall from opening to closing; returns when it is to be opened anew."""
    reopen = asyncio.Event()
    async with open_hall_app(settings, reopen=reopen) as app:
        runner = web.AppRunner(
            app,
            access_log=None,  # addresses hold the tokens of tickets
            shutdown_timeout=STOP_SECONDS,
            keepalive_timeout=KEEPALIVE_SECONDS,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.host, settings.port, backlog=BACKLOG).start()
            if tls is not None:
                await web.TCPSite(runner, settings.host, settings.tls_port, ssl_context=tls).start()
            log.info("hall.serving", url=settings.public_url, screens=settings.screens_url)
            if not settings.phones_reach_it:
                log.warning("hall.qr_leads_nowhere", url=settings.public_url, hint="set base_url")
            _calm_collector()
            await reopen.wait()
        finally:
            await runner.cleanup()
            gc.unfreeze()
