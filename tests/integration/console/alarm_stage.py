"""A city under supervision, for tests: halls whose line stands as told, and a look at will."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa
from city_hall import START, Log
from patience import until

from console.app.city import City, open_city
from console.core.channels import Channel
from console.core.db import Database
from console.core.permissions import Duty, Subject, grants_everywhere
from console.halls.api import HALLS
from console.halls.repository import HallRepository
from console.modules.alarms import repository as repo
from console.modules.alarms.api import ALARMS
from console.modules.alarms.looking import Lookout
from console.modules.alarms.naming import Naming
from console.modules.alarms.outbox import Outbox
from console.modules.alarms.service import AlarmService
from console.modules.devices.api import DEVICES
from console.modules.identity.roles import BUILT_IN
from qingting.contract import events as e
from qingting.contract.ids import DeviceId, HallId
from qingting.contract.states import Condition, DeviceKind, DeviceState
from qingting.kernel.aio.clock import ManualClock

HALL = HallId("saertu")
MINUTE = 60_000
KIOSK = "k1"
PARTS = {
    "k1-agent": DeviceKind.AGENT,
    "k1-printer": DeviceKind.PRINTER,
    "k1-reader": DeviceKind.ID_READER,
    "k1-scanner": DeviceKind.SCANNER,
}


def who(duty: Duty) -> Subject:
    """One of the three administrators, as the built-in role says."""
    (role,) = [one for one in BUILT_IN if one.id == duty]
    return Subject(id=f"id-{duty}", name=duty, grants=grants_everywhere(role.functions))


SYSTEM_ADMIN, SECURITY_ADMIN, AUDITOR = (who(one) for one in Duty)


@dataclass
class Stage:
    """One worker of a city, its clock and the log of its hall."""

    city: City
    clock: ManualClock
    log: Log
    told: int = 0
    others: list[City] = field(default_factory=list)

    @property
    def alarms(self) -> AlarmService:
        found = self.city.context.take(ALARMS)
        assert isinstance(found, AlarmService)
        return found

    def lookout(self) -> Lookout:
        context = self.city.context
        return Lookout(
            self.clock,
            context.take(HALLS),
            context.take(DEVICES),
            context.channels,
            480,
            context.retention,
        )

    async def look(self) -> None:
        """Until it was this look's turn: the worker's own job looks as well."""
        await until(self._look_once)

    async def deliver(self) -> None:
        """Sends what is due now, beside the worker's own job."""
        context = self.city.context
        naming = Naming(context.take(HALLS), context.take(DEVICES))
        outbox = Outbox(context.db, self.clock, naming, context.channels, 480)
        _ = await outbox.deliver()

    async def _look_once(self) -> bool:
        async with self.city.db.write() as uow:
            return await self.lookout().look(uow)

    async def open(self) -> list[str]:
        """Open alarms after a look, as ``device:what``, with ``<n`` when n devices stand behind, ``>`` when it
        stands behind another itself."""
        await self.look()
        async with self.city.db.read() as uow:
            rows = await uow.all(
                sa.text("SELECT * FROM alarm_alarm WHERE state <> 'cleared' ORDER BY device, what")
            )
        return [
            f"{row['device'] or 'hall'}:{row['what']}"
            + (f"<{row['behind']}" if row["behind"] else "")
            + (">" if row["root"] else "")
            for row in rows
        ]

    async def count(self, table: str, where: str = "true") -> int:
        async with self.city.db.read() as uow:
            return int(await uow.scalar(sa.text(f"SELECT count(*) FROM {table} WHERE {where}")))

    async def first(self) -> int:
        """Number of the first alarm."""
        async with self.city.db.read() as uow:
            return int(await uow.scalar(sa.text("SELECT min(no) FROM alarm_alarm")))

    async def hears(self, *bodies: e.EventBody) -> None:
        """The hall tells of something now, over a line that stands."""
        for body in bodies:
            self.log.now = self.clock.now_ms()
            self.log.add(body, after_ms=0)
        await self.city.link.intake.greet(self.log.hello(f"key-{HALL}"))
        for first in range(self.told + 1, self.log.head + 1, 400):
            await self.city.link.intake.apply(HALL, self.log.frame(first, first + 399))
        self.told = self.log.head
        await self.connect()
        await self.city.runner.catch_up_all()

    async def connect(self, *, connected: bool = True) -> None:
        now = self.clock.now_ms()
        async with self.city.db.write() as uow:
            halls = HallRepository(uow)
            hello = self.log.hello("")
            await halls.put_link(HALL, "s", connected=True, hello=hello, refused="", now=now)
            if not connected:
                await halls.drop_link(HALL, "s", now)

    async def minutes(self, number: float) -> None:
        """Time passes on a line that stands."""
        async with self.city.db.write() as uow:
            # No look comes between the two: it would see a line that is silent for so long.
            await repo.lock(uow)
            await self.clock.advance(number * 60)
            await self.connect()


def changed(
    device: str, state: DeviceState, *conditions: Condition, kind: DeviceKind | None = None
) -> e.DeviceChanged:
    return e.DeviceChanged(
        device=DeviceId(device),
        kind=kind or PARTS.get(device, DeviceKind.KIOSK),
        state=state,
        conditions=conditions,
    )


def printer(*conditions: Condition) -> e.DeviceChanged:
    state = DeviceState.DEGRADED if conditions else DeviceState.READY
    return changed("k1-printer", state, *conditions)


def kiosk_lost() -> list[e.EventBody]:
    """What a hall tells when a kiosk's computer is switched off."""
    return [changed(one, DeviceState.LOST, Condition.OFFLINE) for one in (*PARTS, KIOSK)]


def kiosk_back() -> list[e.EventBody]:
    return [changed(one, DeviceState.READY) for one in (KIOSK, *PARTS)]


async def line_stood(url: str, log: Log, clock: ManualClock) -> None:
    """Before a console starts again: without it the first look would see a line that was silent for so long."""
    db = Database(url)
    async with db.write() as uow:
        await HallRepository(uow).put_link(
            HALL, "s", connected=True, hello=log.hello(""), refused="", now=clock.now_ms()
        )
    await db.close()


@asynccontextmanager
async def stage(
    url: str,
    *,
    log: Log | None = None,
    clock: ManualClock | None = None,
    channels: tuple[Channel, ...] = (),
) -> AsyncIterator[Stage]:
    """A city with one hall and one kiosk; with ``log`` one that was there before."""
    used = clock or ManualClock(START + MINUTE)
    async with open_city(url, clock=used, channels=channels) as city:
        known = log is not None
        one = Stage(city, used, log or Log(HALL), told=log.head if log else 0)
        if not known:
            await city.enrol_hall(HALL, name="萨尔图区政务服务中心", key=f"key-{HALL}")
            one.log.configure()
            parts = [
                e.DeviceRegistered(
                    device=DeviceId(device), kind=kind, name=device, parent=DeviceId(KIOSK)
                )
                for device, kind in PARTS.items()
            ]
            await one.hears(*parts, *kiosk_back())
            await one.look()
        yield one
