"""A city in which there is everything that pages are rarely for: it was restored to a backup of a moment at which messages
waited to be told, a hall was in alarm, the item system said otherwise than the city, and pads were being renewed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import citizen_stage
from aiohttp import web
from alarm_stage import Stage as Alarming
from alarm_stage import printer
from api_client import access, integrator
from citizen_stage import HALLS, set_up, told
from city_hall import START
from console_browser import HALL, NEW_PASSWORD, browser, console
from patience import until
from sso_provider import served
from test_citizens_book import link, take
from test_item_sync import ITEMS, KEY, SECRET, Stage
from test_item_sync import A as CLASHING
from test_personal_data import asked, sealed_anew
from test_rollout_from_the_city import PADS, archive
from test_second_factor import first_password
from test_second_factor import set_up as set_up_factor

from console.app.modules import PROGRAM
from console.app.server import ConsoleReady
from console.core.outside import ItemSystemSettings
from console.core.permissions import SYSTEM
from console.modules.catalogue.api import CATALOGUE
from console.modules.catalogue.service import CatalogueService
from console.modules.catalogue.sync.rules import Kind
from console.modules.catalogue.sync.service import SyncService
from console.modules.catalogue.sync.wire import HttpSource
from console.modules.notifications.ahead import FEW_AHEAD
from console.modules.notifications.api import NOTIFICATIONS
from console.modules.rollouts.domain import What
from console.modules.rollouts.service import ROLLOUTS, Wish
from console.modules.upkeep.dumping import dump_city
from console.modules.upkeep.restoring import restore_city
from qingting.contract import events as e
from qingting.contract.ids import DeviceId
from qingting.contract.states import Condition, DeviceKind
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.release_archive import read_release
from simulators.identity_provider import Audience as ClientOf
from simulators.item_system import ItemSystem, create_item_system_app

PAUSED = {
    "sms_url": "http://127.0.0.1:9", "sms_account": "daqing", "sms_sign": "大庆政务",
    "sms_secret": "a secret of sixteen or more",
}  # fmt: skip
"""A provider that is stopped: what waits for it is not told before the restore."""
HOUR_MS = 3_600_000
CITIZEN = "person-citizen"


@dataclass
class RareCity:
    """``former`` is the database of before the restore, ``booking`` the address of a citizen's booking, ``times`` of the
    times that may be booked too."""

    ready: ConsoleReady
    archive: str
    former: str
    booking: str
    times: str

    def url(self, path: str) -> str:
        """The address of a page; what stands in braces is what it is about."""
        known = {
            "appointment": self.booking.rpartition("/")[2],
            "clashing": CLASHING,
            "archive": self.archive,
            "former": self.former,
            "booking": self.booking,
            "times": self.times,
            "other_times": f"/c/book/{HALL}/times?item={citizen_stage.OTHER}&day=2026-11-25",
        }
        return path if path.startswith("http") else self.ready.url + path.format(**known)


@asynccontextmanager
async def rare_city(url: str, folder: Path) -> AsyncIterator[RareCity]:
    clock = ManualClock(START + HOUR_MS)
    async with served(clock) as provider:
        client = provider.register(ClientOf.CITIZENS, "http://127.0.0.1/c/login/back")
        settings = {
            "citizen_oidc_issuer": provider.issuer,
            "citizen_oidc_client_id": client.id,
            "citizen_oidc_client_secret": client.secret,
            "backup_folder": str(folder),
            **PAUSED,
        }
        async with console(url, clock, **settings) as ready:
            await set_up(ready.city)
            await _by_staff(ready, clock)
            await _by_a_hall(ready, clock)
            await _by_the_item_system(ready, clock)
            booking, times = await _by_a_citizen(ready)
            made = await dump_city(url, folder, clock.now_ms())
        former = (await restore_city(url, made, clock.now_ms(), PROGRAM)).former
        async with console(url, clock, **settings) as ready:
            yield RareCity(ready, made.name, former, booking, times)


async def _by_staff(ready: ConsoleReady, clock: ManualClock) -> None:
    """What administrators add by forms; a job, a request, an integrator; a second factor of whoever keeps the accounts."""
    async with browser(ready) as person:
        await person.enter(ready)
        for page, path, fields in (
            ("/departments/new", "/departments", {"id": "renshe", "name": "人社局", "code": "C-9", "division": "230602000000"}),
            ("/staff/new", "/staff", {"number": "0901", "name": "李某", "post": "综合窗口", "division": "230602000000"}),
            ("/alarms/receivers/new", "/alarms/receivers", {"id": "duty", "name": "萨尔图值班", "name_en": "Saertu duty", "mails": "a@b.example", "after_minutes": "20", "enabled": "true"}),
            ("/notifications/channels", "/notifications/channels/sms", {"paused": "true", "reason": "维护"}),
        ):  # fmt: skip
            status, where, text = await person.submit(page, path, **fields)
            assert (status, where) == (200, path.removesuffix("/sms")), (path, text)
    async with browser(ready) as keeper:
        first = first_password(ready, "security")
        await keeper.login(first, "security")
        await keeper.submit("/password", "/password", present=first, new=NEW_PASSWORD, again=NEW_PASSWORD)  # fmt: skip
        await set_up_factor(keeper, clock, present=NEW_PASSWORD)
    await integrator(ready, "bureau", access("halls.read", name="人社局窗口系统"))
    await sealed_anew(ready.city, clock)
    await asked(ready.city)


async def _by_a_hall(ready: ConsoleReady, clock: ManualClock) -> None:
    """A printer whose cover is open, so that an alarm is raised; two pads that are to be renewed."""
    log = told(HALL)
    hall = Alarming(ready.city, clock, log, told=log.head)
    pads = [
        e.DeviceRegistered(device=DeviceId(one), kind=DeviceKind.CALL_PAD, name=one) for one in PADS
    ]
    await hall.hears(*pads, printer(Condition.COVER_OPEN))

    await hall.minutes(2)

    async def raised() -> int:
        await clock.advance(1)
        return await hall.count("alarm_alarm")

    await until(raised, every=0.05)
    rollouts, data = ready.city.context.take(ROLLOUTS), archive()
    async with ready.city.db.write() as uow:
        found = read_release(data)
        await rollouts.put_release(uow, SYSTEM, "pads-0.2.1.zip", "修复叫号声音", data, found)
        wish = Wish(what=What.PAD, release=found.facts.id, waves="1, 100%", soak_minutes=9, within_minutes=60)  # fmt: skip
        await rollouts.start(uow, SYSTEM, wish)


async def _by_the_item_system(ready: ConsoleReady, clock: ManualClock) -> None:
    """Both sides change the name of the same item."""
    system = ItemSystem(KEY, SECRET, items=ITEMS, clock=clock)
    outer = web.Application()
    outer.add_subapp("/item-system/", create_item_system_app(system))
    runner = web.AppRunner(outer, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        url, city = f"http://127.0.0.1:{site.port}/item-system/api", ready.city
        catalogue = city.context.take(CATALOGUE)
        assert isinstance(catalogue, CatalogueService)
        source = HttpSource(ItemSystemSettings(url=url, key=KEY, secret=SECRET), clock)
        sync = SyncService(city.db, clock, city.context.audit, catalogue, source, 480)
        stage = Stage(city, system, clock, sync, url)
        await stage.rules()
        await stage.run(Kind.FULL)
        await stage.draft(CLASHING, name="我们的名称", basis="我们的依据")
        system.change(CLASHING, taskName="他们的名称", promiseLimit=1)
        await stage.run(Kind.FULL)
    finally:
        await runner.cleanup()


async def _by_a_citizen(ready: ConsoleReady) -> tuple[str, str]:
    """A booking, and a message of another kind that waits too."""
    async with browser(ready) as person:
        await citizen_stage.enter(person, CITIZEN)
        page = link((await person.get(f"/c/items/{citizen_stage.CARD}"))[1], "/c/book?code=")
        times = link((await person.get(page))[1], "/c/book/saertu/times")
        start = f"{times}&day=2026-11-24"
        status, hold, text = await take(person, start, "09:00")
        assert status == 200, text
        status, booking, text = await person.submit(hold, f"{hold}/confirm", key="once")
        assert status == 200, text
    notices, city = ready.city.context.take(NOTIFICATIONS), ready.city
    name, name_en, *_ = HALLS[HALL]
    params = {"hall": name, "hall_en": name_en, "ticket": "A001", "ahead": 3}
    async with city.db.write() as uow:
        late = city.context.clock.now_ms() + HOUR_MS
        await notices.tell(uow, FEW_AHEAD, "citizen-1", params, key="one", until=late, hall=HALL)

    async def waits() -> bool:
        async with browser(ready) as staff:
            await staff.login(NEW_PASSWORD)
            return "待发" in (await staff.get("/notifications"))[1]

    await until(waits)
    return booking, start
