"""The composition root: database, signals, modules, projectors and the halls' link of one worker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from console.app.modules import MODULES, TEXTS
from console.core.audit import Audit
from console.core.channels import Channel
from console.core.citizen_options import CitizenOptions
from console.core.db import Database
from console.core.module import ModuleContext, set_up
from console.core.oidc import SignOn
from console.core.outside import ItemSystemSettings
from console.core.outward import Outward
from console.core.permissions import SYSTEM
from console.core.retention import RetentionSettings
from console.core.sealing import KeyFile
from console.core.senders.port import Sender
from console.core.signals import Signals
from console.core.upkeep import UpkeepSettings
from console.halls.api import HALLS
from console.halls.link import LinkServer
from console.halls.runner import Runner
from console.modules.privacy.api import PRIVACY
from qingting.contract.ids import HallId
from qingting.kernel.aio.backoff import Backoff
from qingting.kernel.aio.clock import Clock, SystemClock
from qingting.kernel.aio.tasks import Supervisor
from qingting.kernel.security.seal import Sealer, new_key, parse_keys

CHINA_MINUTES = 480


@dataclass(frozen=True, slots=True)
class City:
    """One worker of the city. Made by :func:`open_city` over a migrated database."""

    db: Database
    signals: Signals
    context: ModuleContext
    runner: Runner
    link: LinkServer

    async def check_keys(self) -> None:
        """Raises ``keys.foreign`` when the database belongs to another key file; to be asked before anything is
        sealed."""
        async with self.db.write() as uow:
            await self.context.take(PRIVACY).check_keys(uow, self.context.sealer)

    async def enrol_hall(
        self, hall: HallId, *, name: str, name_en: str = "", key: str | None = None
    ) -> str:
        """Registers a hall, or gives a known one another key; gives the key that the hall must present.

        For whoever has a shell on the city's machine: it asks for no login, but is audited.
        """
        async with self.db.write() as uow:
            return await self.context.take(HALLS).enrol(
                uow, SYSTEM, hall, name=name, name_en=name_en, key=key
            )


@asynccontextmanager
async def open_city(
    url: str,
    *,
    clock: Clock | None = None,
    utc_offset_minutes: int = CHINA_MINUTES,
    secure_cookies: bool = False,
    channels: tuple[Channel, ...] = (),
    senders: tuple[Sender, ...] = (),
    site_url: str = "",
    retention: RetentionSettings = RetentionSettings(),  # noqa: B008 - frozen
    sign_on: SignOn = SignOn(),  # noqa: B008 - frozen
    keys: KeyFile | None = None,
    audit_heads: Path | None = None,
    citizens: CitizenOptions = CitizenOptions(),  # noqa: B008 - frozen
    outward: Outward = Outward(),  # noqa: B008 - frozen
    item_system: ItemSystemSettings = ItemSystemSettings(),  # noqa: B008 - frozen
    upkeep: UpkeepSettings = UpkeepSettings(),  # noqa: B008 - frozen
    quiet: bool = False,
) -> AsyncIterator[City]:
    """Runs a worker's background services until the block is left. ``channels`` tell people outside,
    ``senders`` citizens. Without a key file what is sealed can be opened by this city alone and while it runs: for what seals nothing that stays. ``quiet``: nothing is
    done by itself, pages alone are answered: for a copy that is only looked at, and for a command, which knows neither the
    channels nor the times of keeping that a worker has.
    """
    used = clock or SystemClock()
    db, signals = Database(url), Signals(url)
    context = ModuleContext(
        db=db,
        clock=used,
        audit=Audit(used),
        signals=signals,
        sealer=keys.sealer if keys is not None else Sealer(parse_keys(new_key("passing"))),
        utc_offset_minutes=utc_offset_minutes,
        secure_cookies=secure_cookies,
        channels=channels,
        senders=senders,
        site_url=site_url,
        retention=retention,
        audit_heads=audit_heads,
        sign_on=sign_on,
        citizens=citizens,
        outward=outward,
        item_system=item_system,
        upkeep=upkeep,
        texts=TEXTS,
    )
    if keys is not None:
        context.job("key file", keys.watching())
    set_up(MODULES, context)
    runner = Runner(db, signals, used, context.projectors)
    link = LinkServer(db, signals, used, context.sealer)
    try:
        async with Supervisor("city") as supervisor:
            if not quiet:
                _ = supervisor.keep("signals", signals.run, Backoff(first=0.2, cap=5))
                runner.start(supervisor)
                for name, run in context.jobs:
                    _ = supervisor.keep(name, run)
            yield City(db, signals, context, runner, link)
            await link.close()
    finally:
        await asyncio.shield(db.close())
