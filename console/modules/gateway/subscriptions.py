"""Subscriptions of integrators (事件推送): where events are posted, what was, and what is to be posted again. All SQL."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from console.core.uow import ReadUow, Uow
from console.modules.gateway import models as m
from console.modules.gateway import outbox
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.security.seal import Sealer

MOST = 20
"""Subscriptions of one integrator."""
OVERLAP_MS = 86_400_000
"""Deliveries carry the signature of the secret before for so long, too."""


def sealed_in(name: str) -> str:
    """What the secrets of a subscription are sealed with."""
    return f"gate_subscription:{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription. ``waiting``: how many events wait behind its place; ``tries``: how often the next one failed."""

    id: str
    client: str
    url: str
    kinds: tuple[str, ...]
    paused: bool
    place: int
    again: bool
    tries: int
    next_at: int
    made_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One try: ``sent``, ``failed`` (it comes again) or ``dead`` (it does not)."""

    no: int
    event: str
    kind: str
    at: int
    outcome: str
    reason: str
    again: bool


class Subscriptions:
    """Changes and reads subscriptions; the caller has checked whose they are."""

    def __init__(self, clock: Clock, sealer: Sealer, events: outbox.Outbox) -> None:
        self._clock = clock
        self._sealer = sealer
        self._events = events

    async def of(self, uow: ReadUow, client: str) -> list[Subscription]:
        """An integrator's, the oldest first."""
        c = m.subscription.c
        rows = await uow.all(
            sa.select(m.subscription).where(c.client == client).order_by(c.made_at, c.id)
        )
        return [_subscription(row) for row in rows]

    async def one(self, uow: ReadUow, client: str, name: str) -> Subscription:
        """Raises ``webhook.unknown``, also for another integrator's."""
        for found in await self.of(uow, client):
            if found.id == name:
                return found
        raise Refusal("webhook.unknown")

    async def make(
        self, uow: Uow, client: str, url: str, kinds: Collection[str], secret: str
    ) -> Subscription:
        """One that hears everything from now on. Raises ``webhook.many``."""
        # The integrator's row is the lock: two at once are counted one after the other.
        await uow.all(
            sa.select(m.integrator.c.id).where(m.integrator.c.id == client).with_for_update()
        )
        if len(await self.of(uow, client)) >= MOST:
            raise Refusal("webhook.many", most=MOST)
        name = new_token()
        values = {
            "id": name,
            "client": client,
            "url": url,
            "kinds": sorted(set(kinds)),
            "secret": self._sealed(name, secret),
            "old_secret": "",
            "paused": False,
            "place": await outbox.head(uow),
            "tries": 0,
            "next_at": 0,
            "lease": "",
            "made_at": self._clock.now_ms(),
        }
        await uow.run(sa.insert(m.subscription), values)
        return await self.one(uow, client, name)

    def _sealed(self, name: str, secret: str) -> str:
        return self._sealer.seal(secret, context=sealed_in(name))

    def secrets(self, row: sa.RowMapping) -> list[str]:
        """What a delivery is signed with: the newest secret, and the one before while it still counts."""
        context, found = sealed_in(row["id"]), [row["secret"]]
        if row["old_secret"] and (row["old_ends_at"] or 0) > self._clock.now_ms():
            found.append(row["old_secret"])
        return [self._sealer.open(one, context=context) for one in found]

    async def drop(self, uow: Uow, client: str, name: str) -> None:
        await self.one(uow, client, name)
        await uow.run(sa.delete(m.subscription).where(m.subscription.c.id == name))

    async def renew(self, uow: Uow, client: str, name: str, secret: str) -> None:
        """Another secret; the one before signs along for :data:`OVERLAP_MS`."""
        await self.one(uow, client, name)
        c = m.subscription.c
        await uow.run(
            sa.update(m.subscription)
            .where(c.id == name)
            .values(
                old_secret=c.secret,
                old_ends_at=self._clock.now_ms() + OVERLAP_MS,
                secret=self._sealed(name, secret),
            )
        )

    async def set_paused(self, uow: Uow, client: str, name: str, *, paused: bool) -> None:
        """While paused events wait, as long as they are kept; afterwards the first comes at once."""
        await self.one(uow, client, name)
        await uow.run(
            sa.update(m.subscription)
            .where(m.subscription.c.id == name)
            .values(paused=paused, next_at=0)
        )
        uow.changed(outbox.CHANGED)

    async def ping(self, uow: Uow, client: str, name: str) -> None:
        """An event for this subscription alone, in its turn."""
        await self.one(uow, client, name)
        await self._events.put(uow, outbox.PING, {}, hall="", key="", only_for=name)

    async def again(self, uow: Uow, client: str, name: str, first: int, last: int) -> int:
        """Posts the events of a span of time once more, before what comes next; gives how many places it spans.
        Raises ``webhook.nothing``."""
        await self.one(uow, client, name)
        found = await outbox.places_between(uow, first, last)
        c = m.subscription.c
        done = found is not None and await uow.run(
            sa.update(m.subscription)
            .where(c.id == name, c.place >= found[0])
            .values(
                again_from=found[0], again_to=sa.func.least(found[1], c.place), next_at=0, tries=0
            )
        )
        if found is None or not done:
            raise Refusal("webhook.nothing", days=outbox.KEEP_DAYS)
        uow.changed(outbox.CHANGED)
        return found[1] - found[0] + 1

    async def deliveries(
        self, uow: ReadUow, name: str, *, before: int | None = None, limit: int
    ) -> Sequence[Delivery]:
        """Tries, the newest first."""
        c = m.delivery.c
        statement = (
            sa.select(c.no, c.event, c.kind, c.at, c.outcome, c.reason, c.again)
            .where(c.subscription == name)
            .order_by(c.no.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(c.no < before)
        return [Delivery(**row) for row in await uow.all(statement)]


def _subscription(row: sa.RowMapping) -> Subscription:
    return Subscription(
        id=row["id"],
        client=row["client"],
        url=row["url"],
        kinds=tuple(row["kinds"]),
        paused=row["paused"],
        place=row["place"],
        again=row["again_from"] is not None,
        tries=row["tries"],
        next_at=row["next_at"],
        made_at=row["made_at"],
    )
