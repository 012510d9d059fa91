"""Gathers how the parts of the city do; implements :class:`console.modules.upkeep.api.UpkeepApi`."""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from cryptography import x509
from sqlalchemy.dialects.postgresql import insert

from console.core.channels import Channel
from console.core.models import projection_cursor
from console.core.permissions import EVERYWHERE
from console.core.projection import REBUILD
from console.core.uow import ReadUow, Uow
from console.core.upkeep import UpkeepSettings
from console.halls.api import HallsApi, HallStatus
from console.modules.alarms.api import AlarmsApi
from console.modules.jobs.api import JobsApi
from console.modules.upkeep import models as m
from console.modules.upkeep.api import Health, Hosting
from console.modules.upkeep.backups import Backups
from console.modules.upkeep.dumping import PROGRAM
from console.modules.upkeep.health import DAY_MS, Figures, judged
from console.modules.upkeep.restores import Restores
from console.modules.upkeep.watch import Watch
from qingting.kernel.aio.clock import Clock

_DATABASE = sa.text("""
    SELECT pg_database_size(current_database()) / 1000000 AS mb,
           (SELECT count(*) FROM pg_stat_activity) AS used,
           CAST(current_setting('max_connections') AS integer) AS most""")


class UpkeepService:
    """See :class:`console.modules.upkeep.api.UpkeepApi`."""

    def __init__(
        self,
        clock: Clock,
        settings: UpkeepSettings,
        backups: Backups,
        restores: Restores,
        watch: Watch,
        halls: HallsApi,
        alarms: AlarmsApi,
        jobs: JobsApi,
        channels: Sequence[Channel],
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._backups = backups
        self._restores = restores
        self._watch = watch
        self._halls = halls
        self._alarms = alarms
        self._jobs = jobs
        self._channels = tuple(sorted({one.name for one in channels}))

    @property
    def hosting(self) -> Hosting:
        """Raises ``backup.no_pages`` in a process that serves none."""
        return self._backups.hosting

    def hosted_by(self, hosting: Hosting) -> None:
        self._backups.given = hosting

    async def exchange_due(self) -> None:
        await self._watch.due.wait()

    async def health(self, uow: Uow) -> Sequence[Health]:
        parts, now = judged(await self._figures(uow)), self._clock.now_ms()
        known = {row["name"]: row for row in await uow.all(sa.select(m.health))}
        shown = []
        for one in parts:
            row = known.get(one.name)
            same = row is not None and row["state"] == one.state.value
            since = row["since"] if row is not None and same else now
            if not same:
                values = {"name": one.name, "state": one.state.value, "since": now}
                statement = insert(m.health).values(values)
                await uow.run(statement.on_conflict_do_update(index_elements=["name"], set_=values))
            shown.append(replace(one, since=since))
        return shown

    async def _figures(self, uow: ReadUow) -> Figures:
        began = time.perf_counter()
        await uow.scalar(sa.text("SELECT 1"))
        ping = int((time.perf_counter() - began) * 1000)
        now = self._clock.now_ms()
        database = await uow.first(_DATABASE)
        assert database is not None
        halls = await self._halls.halls(uow, EVERYWHERE)
        behind, slowest = await self._behind(uow, halls)
        jobs = await self._jobs.standing(uow, now - DAY_MS)
        undelivered = await self._alarms.undelivered(uow)
        made = await uow.scalar(sa.select(sa.func.max(m.backup.c.at)))
        drill = await uow.first(sa.select(m.drill).order_by(m.drill.c.no.desc()).limit(1))
        watched = await asyncio.to_thread(_watched, self._settings, now)
        return Figures(
            now=now,
            ping_ms=ping,
            database_mb=int(database["mb"]),
            connections=database["used"],
            most_connections=database["most"],
            halls=tuple(halls),
            behind=behind,
            slowest=slowest,
            parked=sum(one.parked for one in halls),
            jobs_waiting_ms=now - jobs.oldest_waiting if jobs.oldest_waiting else None,
            jobs_failed=jobs.failed,
            channels=self._channels,
            given_up=sum(n for (_, state), n in undelivered.items() if state == "failed"),
            disks=watched[0],
            certificate_days=watched[1],
            key_age_days=watched[2],
            version=PROGRAM,
            backup_on=self._settings.backup_folder is not None,
            backup_age_ms=now - made if made is not None else None,
            drill_age_ms=now - drill["at"] if drill is not None else None,
            drill_good=drill is not None and drill["good"],
            drill_days=self._settings.drill_days,
            same_disk=watched[3],
            restored=await self._restored(uow),
            besides=tuple((one.name, one.bytes) for one in await self._restores.besides(uow)),
        )

    async def _restored(self, uow: ReadUow) -> str:
        """The state that the city was restored to, while it is news."""
        row = await self._restores.latest(uow)
        return self._restores.shown(row["moment"]) if row is not None else ""

    async def _behind(self, uow: ReadUow, halls: Sequence[HallStatus]) -> tuple[int, str]:
        """Events that the slowest projector has not taken yet, and which one it is."""
        heads = {one.id: one.seq for one in halls}
        late: Counter[str] = Counter()
        for row in await uow.all(sa.select(projection_cursor)):
            seq = 0 if row["epoch"] == REBUILD else row["seq"]
            late[row["projector"]] += max(0, heads.get(row["hall"], 0) - seq)
        slowest = late.most_common(1)
        return (slowest[0][1], slowest[0][0]) if slowest and slowest[0][1] else (0, "")


def _watched(
    settings: UpkeepSettings, now: int
) -> tuple[tuple[tuple[str, int], ...], int | None, int | None, bool]:
    """Percent free by folder, days that the certificate is good for, days since the key file was changed, and whether
    backups lie on the disk of the city's data."""
    folders = [one for one in (settings.data, settings.backup_folder) if one is not None]
    disks = []
    for folder in folders:
        if folder.is_dir():
            usage = shutil.disk_usage(folder)
            disks.append((folder.name or str(folder), usage.free * 100 // usage.total))
    there = [one.stat().st_dev for one in folders if one.is_dir()]
    age = _age(settings.key_file, now)
    same = len(there) == 2 and there[0] == there[1]
    return tuple(disks), _certificate_days(settings.certificate, now), age, same


def _certificate_days(path: Path | None, now: int) -> int | None:
    """Negative when it has ended; None without a certificate that can be read."""
    if path is None or not path.is_file():
        return None
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError:
        return None
    return (found.not_valid_after_utc - datetime.fromtimestamp(now / 1000, UTC)).days


def _age(path: Path | None, now: int) -> int | None:
    if path is None or not path.is_file():
        return None
    return max(0, int(now / 1000 - path.stat().st_mtime) // 86_400)
