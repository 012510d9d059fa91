"""The city's item system of a demonstration: what the halls offer and several hundred more, trusted in all it says."""

import asyncio
import secrets
from typing import Any

from console.core.db import Database
from console.core.permissions import SYSTEM
from console.core.uow import Uow
from console.modules.catalogue.api import DEFAULT_NAMES, TRUSTABLE, ItemSyncApi, SyncRules
from console.modules.catalogue.repository import put_flags
from console.modules.catalogue.sync.store import runs
from qingting.demo import sources
from qingting.demo.builder import CITY_LEVEL
from simulators.item_system import ItemSystem
from simulators.item_system.stock import OFFICES, city_items
from simulators.serve import RunningBench

KEY = "demo"
NAME_EN = "taskNameEn"
FIRST_SYNC_SECONDS = 120.0
_POLL_SECONDS = 0.25


def demo_item_system() -> ItemSystem:
    """With a secret of its own. Reads the demonstration's data."""
    return ItemSystem(KEY, secrets.token_urlsafe(24), items=[*_of_the_halls(), *city_items()])


def item_settings(bench: RunningBench, system: ItemSystem) -> dict[str, str]:
    """How the console asks it."""
    return {
        "item_system_url": bench.item_api,
        "item_system_key": system.key,
        "item_system_secret": system.secret,
    }


async def trust_items(uow: Uow, sync: ItemSyncApi, now: int) -> None:
    """Everything is published at once, so that nobody must review five hundred items before the first booking; what the
    halls offer can be booked."""
    names = {**DEFAULT_NAMES, "name_en": NAME_EN}
    await sync.put_rules(uow, SYSTEM, SyncRules(trusted=TRUSTABLE, names=names))
    offered = [(str(row["taskCode"]), True, True) for row in _of_the_halls()]
    await put_flags(uow, offered, now, SYSTEM.id)


async def first_sync(database_url: str) -> None:
    """Returns once the items are there, so that nobody begins with an empty catalogue; at the latest after
    :data:`FIRST_SYNC_SECONDS`, when the page of the sync says what is wrong."""
    db = Database(database_url, pool_size=1)
    try:
        for _ in range(round(FIRST_SYNC_SECONDS / _POLL_SECONDS)):
            if await _has_ended(db):
                return
            await asyncio.sleep(_POLL_SECONDS)
    finally:
        await db.close()


async def _has_ended(db: Database) -> bool:
    async with db.read() as uow:
        _, found = await runs(uow, 1)
    return any(one.state != "running" for one in found)


def _of_the_halls() -> list[dict[str, Any]]:
    return [
        _row(source, department)
        for department in sources.departments()
        for source in sources.items()[department.id]
    ]


def _row(source: sources.ItemSource, department: sources.DepartmentSource) -> dict[str, Any]:
    themes = [one.theme for one in OFFICES if department.name.endswith(one.name)]
    return {
        "taskCode": department.uscc + CITY_LEVEL + source.basic_code,
        "taskVersion": 1,
        "modifiedAt": "2026-01-05T09:00:00+08:00",
        "taskState": "1",
        "effectDate": "2025-01-01",
        "taskName": source.name,
        NAME_EN: source.name_en,
        "taskType": source.basic_code[:2],
        "useLevel": CITY_LEVEL,
        "areaCode": "230600",
        "deptName": department.name,
        "serveType": "1,2",
        "projectType": "2" if source.days else "1",
        "handleForm": ["1", "2"],
        "themes": themes or ["其他"],
        "byLaw": source.law,
        "materials": [{"name": one} for one in source.materials],
        "handleFlow": ["申请", "受理", "审查", "决定", "送达"],
        "promiseLimit": source.days or None,
        "promiseLimitUnit": "1",
    }
