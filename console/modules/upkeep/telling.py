"""Word to those who receive alarms when the city itself is not well: backups, drills, disk, certificate, projections."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert

from console.core.channels import Channel, Message
from console.core.db import Database
from console.core.delivering import DeliveryError
from console.core.uow import Uow
from console.modules.alarms.api import AlarmsApi
from console.modules.upkeep import models as m
from console.modules.upkeep.api import Health, HealthState
from console.modules.upkeep.health import BACKUP_LATE_MS, MINUTE_MS
from console.modules.upkeep.service import UpkeepService
from qingting.contract.conditions import Severity
from qingting.contract.errors import Refusal
from qingting.contract.states import Language
from qingting.kernel.aio.clock import Clock
from qingting.kernel.i18n import Catalogue

log = structlog.get_logger(__name__)
CATALOGUE = Catalogue.load("qingting.web.pages", "console.modules.upkeep")
"""Read at import: what is sent outside has no page around it."""
LOOK_SECONDS = 60.0
LEASE_MS = 300_000
"""A worker that dies while it tells leaves the rest to others after this."""
SETTLED_MS = 5 * MINUTE_MS
"""What is over sooner wakes nobody."""
TOLD = ("database", "projectors", "jobs", "disk", "certificate", "drill", "backup")
"""Parts whose fault is told; lines of halls and channels have alarms and states of their own."""
_LOCK = 0x7175746C


def calls(one: Health, now: int) -> bool:
    """True when somebody should be called about a part. A backup that is late calls before it is a fault; one that was
    never made calls when it is a day old that nobody saw to it."""
    if one.name not in TOLD:
        return False
    held = now - one.since
    if one.name != "backup":
        return one.state is HealthState.FAULT and held >= SETTLED_MS
    if one.says.endswith((".off", ".never")):
        return held >= BACKUP_LATE_MS
    return one.state in (HealthState.CAUTION, HealthState.FAULT)


@dataclass(frozen=True, slots=True)
class Word:
    """``part`` is told to ``channel``: its fault, or that it is over."""

    part: Health
    channel: Channel
    over: bool


def words(
    parts: Sequence[Health],
    told: Mapping[str, Sequence[str]],
    hearers: Mapping[str, Channel],
    now: int,
) -> list[Word]:
    """What is still to be told. ``told``: names of the channels that know of a part's fault. Whoever heard of a fault
    hears that it is over."""
    found = []
    for one in parts:
        knows = told.get(one.name, ())
        if calls(one, now):
            found += [Word(one, hearers[name], False) for name in hearers if name not in knows]
        elif one.state is HealthState.OK or not knows:
            found += [Word(one, hearers[name], True) for name in knows if name in hearers]
    return found


def message(word: Word, now: int) -> Message:
    """In both languages, as whoever gets it outside may read either."""
    part, act = word.part, "cleared" if word.over else "raised"
    lines = []
    for language in (Language.ZH, Language.EN):
        name = CATALOGUE.text(language, f"health.{part.name}")
        said = CATALOGUE.text(language, part.says, **part.params)
        todo = CATALOGUE.text(language, part.todo) if part.todo and not word.over else ""
        line = CATALOGUE.text(language, f"health.told.{act}", name=name, says=said)
        lines.append(f"{line} {todo}".strip())
    name = CATALOGUE.text(Language.ZH, f"health.{part.name}")
    return Message(
        id=f"city-{part.name}-{part.since}-{act}",
        at=now,
        severity=Severity.WARNING,
        act=act,
        title=CATALOGUE.text(Language.ZH, f"health.told.{act}", name=name, says="").strip(" ：:"),
        text="\n".join(lines),
    )


class Caller:
    """Tells each channel and receiver once; one that fails is tried again with the next look. Of several workers one has
    each part, with a lease: nothing of the database is held while the network is asked."""

    def __init__(
        self, db: Database, clock: Clock, service: UpkeepService, alarms: AlarmsApi
    ) -> None:
        self._db = db
        self._clock = clock
        self._service = service
        self._alarms = alarms

    async def look(self) -> None:
        taken = await self._take()
        for word in taken:
            await self._tell(word)
        if taken:
            await self._give_back({one.part.name for one in taken})

    async def _take(self) -> list[Word]:
        """What nobody else is telling now. Two workers that look at once do so one after the other."""
        async with self._db.write() as uow:
            lock = sa.text("SELECT pg_try_advisory_xact_lock(:lock)")
            if not await uow.scalar(lock, {"lock": _LOCK}):
                return []
            parts, now = await self._service.health(uow), self._clock.now_ms()
            rows = await uow.all(sa.select(m.told))
            told = {row["part"]: row["channels"] for row in rows}
            leased = {row["part"] for row in rows if row["lease_until"] > now}
            hearers = await self._alarms.hearers(uow, Severity.WARNING)
            free = [one for one in parts if one.name not in leased]
            found = words(free, told, hearers, now)
            for name in sorted({one.part.name for one in found}):
                await _put(uow, name, told.get(name, []), now + LEASE_MS)
        return found

    async def _tell(self, word: Word) -> None:
        name, now = word.channel.name, self._clock.now_ms()
        try:
            await word.channel.send(message(word, now))
        except DeliveryError as error:
            log.warning("health.not_told", part=word.part.name, channel=name, why=error.reason)
            return
        async with self._db.write() as uow:
            row = await uow.first(
                sa.select(m.told).where(m.told.c.part == word.part.name).with_for_update()
            )
            knows = [one for one in (row["channels"] if row else []) if one != name]
            if not word.over:
                knows.append(name)
            await _put(uow, word.part.name, knows, row["lease_until"] if row else 0)

    async def _give_back(self, parts: set[str]) -> None:
        async with self._db.write() as uow:
            here = m.told.c.part.in_(sorted(parts))
            await uow.run(sa.update(m.told).where(here).values(lease_until=0))


async def _put(uow: Uow, part: str, channels: Sequence[str], lease_until: int) -> None:
    values = {"part": part, "channels": list(channels), "lease_until": lease_until}
    statement = insert(m.told).values(values)
    await uow.run(statement.on_conflict_do_update(index_elements=["part"], set_=values))


def calling(caller: Caller) -> Callable[[], Awaitable[None]]:
    """The job; any number of workers may run it."""

    async def run() -> None:
        while True:
            try:
                await caller.look()
            except Refusal as refusal:
                if refusal.code != "city.unavailable":
                    raise
            await asyncio.sleep(LOOK_SECONDS)

    return run
