"""Search over a large catalogue: ``python -m benchmarks.catalogue [items]`` prints milliseconds at the database by kind of search.

It starts a PostgreSQL of its own, takes the simulated item system's big mode in by a full sync, and asks each search many times.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from aiohttp import web

from console.app.city import City, open_city
from console.app.modules import MIGRATIONS
from console.core.migrate import create_database, migrate
from console.core.outside import ItemSystemSettings
from console.core.permissions import SYSTEM
from console.core.postgres import EmbeddedPostgres
from console.modules.catalogue.api import CATALOGUE, TRUSTABLE, ItemQuery, SyncRules
from console.modules.catalogue.service import CatalogueService
from console.modules.catalogue.sync.rules import Kind
from console.modules.catalogue.sync.service import SyncService
from console.modules.catalogue.sync.wire import HttpSource
from qingting.kernel.aio.clock import SystemClock
from simulators.item_system import ItemSystem, create_item_system_app
from simulators.item_system.stock import many_items

ITEMS = 5_000
TIMES = 40
SEARCHES = {
    "none": ItemQuery(),
    "word": ItemQuery(text="食品经营许可证"),
    "two words": ItemQuery(text="营业执照 变更"),
    "pinyin": ItemQuery(text="yingyezhizhao"),
    "initials": ItemQuery(text="shbzk"),
    "shortened": ItemQuery(text="社保卡"),
    "shortened pinyin": ItemQuery(text="shebaoka"),
    "in two ways": ItemQuery(text="xianfanganshi"),
    "code": ItemQuery(text="11230602MB9"),
    "theme": ItemQuery(theme="社会保障"),
    "theme and word": ItemQuery(theme="规划建设", text="许可证"),
    "department": ItemQuery(department="大庆市公安局"),
    "district": ItemQuery(division="230602"),
    "nothing found": ItemQuery(text="没有这样的事项"),
}


async def main(count: int) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        await asyncio.to_thread(Path(folder).chmod, 0o755)
        with EmbeddedPostgres(Path(folder) / "pg") as server:
            await create_database(server.url())
            await migrate(server.url(), MIGRATIONS)
            async with open_city(server.url()) as city:
                await _take_in(city, count)
                await _ask(city)


async def _take_in(city: City, count: int) -> None:
    """A full sync of ``count`` items, timed."""
    system = ItemSystem("bench", "bench-secret-of-the-city", items=many_items(count))
    app = web.Application()
    app.add_subapp("/item-system/", create_item_system_app(system))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/item-system/api"
    clock, catalogue = SystemClock(), city.context.take(CATALOGUE)
    assert isinstance(catalogue, CatalogueService)
    source = HttpSource(ItemSystemSettings(url=url, key=system.key, secret=system.secret), clock)
    sync = SyncService(city.db, clock, city.context.audit, catalogue, source, 480)
    async with city.db.write() as uow:
        await sync.put_rules(uow, SYSTEM, SyncRules(trusted=TRUSTABLE, scheduled=False))
    for turn in ("first", "again"):
        async with city.db.write() as uow:
            await sync.start(uow, SYSTEM, Kind.FULL)
        began, more = time.perf_counter(), True
        while more:
            more = await sync.turn("bench")
        print(f"full sync of {count} items, {turn}: {time.perf_counter() - began:.1f} s")
    await runner.cleanup()


async def _ask(city: City) -> None:
    catalogue = city.context.take(CATALOGUE)
    for name, wanted in SEARCHES.items():
        took, found = [], 0
        async with city.db.read() as uow:
            for _ in range(TIMES):
                began = time.perf_counter()
                found, _ = await catalogue.items(uow, wanted, limit=50)
                took.append((time.perf_counter() - began) * 1000)
        print(
            f"{name:16} {statistics.median(took):6.1f} ms median, {max(took):6.1f} ms worst, {found} found"
        )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ITEMS))
