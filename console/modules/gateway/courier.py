"""Posts events to subscriptions: one at a time for each, in order, at least once, whatever the number of workers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog

from console.core.api import ApiEventType
from console.core.channels import signature
from console.core.db import Database
from console.core.delivering import DeliveryError, Waker, all_of, retry_after_ms, work_when_woken
from console.core.outward import Outward
from console.core.signals import Signals
from console.core.uow import Uow
from console.modules.gateway import clients, outbox
from console.modules.gateway import models as m
from console.modules.gateway.outbox import Event
from console.modules.gateway.subscriptions import Subscriptions
from console.modules.identity.api import IdentityApi
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import new_token

log = structlog.get_logger(__name__)

AT_ONCE = 4
BATCH = 50
LEASE_MS = 60_000
"""Longer than any try takes: a worker that dies leaves its subscription to others after this."""
FIRST_RETRY_MS = 10_000
LIFE_MS = 3 * 86_400_000
"""An event that could not be posted for so long is left (死信), and the next one gets its turn."""
MOST_AGAIN_TRIES = 12


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a try: ``sent``, ``failed`` or ``dead``."""

    what: str
    reason: str


class Courier:
    """Delivers what :class:`console.modules.gateway.outbox.Outbox` left."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        identity: IdentityApi,
        subscriptions: Subscriptions,
        types: Mapping[str, ApiEventType[Any]],
        outward: Outward,
    ) -> None:
        self._db = db
        self._clock = clock
        self._identity = identity
        self._subscriptions = subscriptions
        self._types = types
        self._outward = outward

    async def round(self) -> bool:
        """Puts new events in order and posts what is due; False when there may be more."""
        async with self._db.write() as uow:
            placed = await outbox.put_in_order(uow)
        taken = await self._take()
        await all_of(self._serve(one) for one in taken)
        return placed < outbox.AT_ONCE and not taken

    async def _take(self) -> list[tuple[str, str]]:
        """Subscriptions that this worker alone serves now, each with the token that says so."""
        c, now, token = m.subscription.c, self._clock.now_ms(), new_token()
        last = sa.select(sa.func.coalesce(sa.func.max(m.event.c.place), 0)).scalar_subquery()
        due = (
            sa.select(c.id)
            .join_from(m.subscription, m.integrator, m.integrator.c.id == c.client)
            .where(~c.paused, ~m.integrator.c.disabled, c.next_at <= now)
            .where(sa.or_(c.again_from.is_not(None), c.place < last))
            .order_by(c.next_at, c.id)
            .limit(AT_ONCE)
            .with_for_update(of=m.subscription, skip_locked=True)
        )
        async with self._db.write() as uow:
            rows = await uow.all(
                sa.update(m.subscription)
                .where(c.id.in_(due))
                .values(lease=token, next_at=now + LEASE_MS)
                .returning(c.id)
            )
        return [(row["id"], token) for row in rows]

    async def _serve(self, taken: tuple[str, str]) -> None:
        """Posts one event after the other until there is none, one fails, or the lease is somebody else's."""
        name, token = taken
        for _ in range(BATCH):
            async with self._db.write() as uow:
                row = await self._held(uow, name, token)
                event = None if row is None or row["paused"] else await self._next(uow, row)
                if row is None or event is None:
                    return
                secrets = self._subscriptions.secrets(row)
            outcome = await self._try(row, event, secrets)
            async with self._db.write() as uow:
                if not await self._note(uow, row, event, outcome):
                    return
        async with self._db.write() as uow:
            await _settle(uow, name, token, next_at=0)

    async def _held(self, uow: Uow, name: str, token: str) -> sa.RowMapping | None:
        c = m.subscription.c
        return await uow.first(
            sa.select(m.subscription).where(c.id == name, c.lease == token).with_for_update()
        )

    async def _next(self, uow: Uow, row: sa.RowMapping) -> Event | None:
        """The event whose turn it is. With none the subscription is settled up to the last place."""
        client = await clients.client(uow, row["client"])
        if client is None or client.disabled:
            return None
        allowed = outbox.kinds_of(list(self._types.values()), client.scopes)
        kinds = [one for one in row["kinds"] if one in allowed]
        scope = await self._identity.scope(uow, [client.reach])
        again = row["again_from"] is not None
        last = row["again_to"] if again else await outbox.head(uow)
        after = row["again_from"] - 1 if again else row["place"]
        only_for = "" if again else row["id"]
        found = await outbox.events(
            uow, scope, kinds, after=after, upto=last, only_for=only_for, limit=1
        )
        if found:
            return found[0]
        values = {"again_from": None, "again_to": None} if again else {"place": last}
        await _settle(uow, row["id"], row["lease"], next_at=0, **values)
        return None

    async def _try(self, row: sa.RowMapping, event: Event, secrets: list[str]) -> Outcome:
        body, now = event.body(), self._clock.now_ms()
        signed = [signature(one, now, body).split(",", 1) for one in secrets]
        headers = {
            "Content-Type": "application/json",
            "X-Qingting-Signature": ",".join([signed[0][0], *(one for _, one in signed)]),
            "X-Qingting-Event": event.kind,
            "Idempotency-Key": event.id,
        }
        again = row["again_from"] is not None
        if again:
            headers["X-Qingting-Replay"] = "true"
        try:
            status = await self._outward.post(row["url"], body, headers)
        except DeliveryError as error:
            return self._failed(row, event, error.reason, lasting=error.lasting)
        if 200 <= status < 300:
            return Outcome("sent", f"HTTP {status}")
        # 408, 425 and 429 ask to come again; the rest of 4xx will not change by itself.
        lasting = 400 <= status < 500 and status not in (408, 425, 429)
        return self._failed(row, event, f"HTTP {status}", lasting=lasting)

    def _failed(self, row: sa.RowMapping, event: Event, reason: str, *, lasting: bool) -> Outcome:
        again = row["again_from"] is not None
        old = self._clock.now_ms() - event.at > LIFE_MS
        over = row["tries"] + 1 >= MOST_AGAIN_TRIES if again else old
        return Outcome("dead" if lasting or over else "failed", reason)

    async def _note(self, uow: Uow, tried: sa.RowMapping, event: Event, outcome: Outcome) -> bool:
        """Writes down what came of a try of the subscription as it was; True when the next event may be tried
        now. Who lost the lease says nothing and moves nothing."""
        name, token = tried["id"], tried["lease"]
        row = await self._held(uow, name, token)
        if row is None:
            return False
        now, again = self._clock.now_ms(), tried["again_from"] is not None
        await uow.run(
            sa.insert(m.delivery).values(
                subscription=name, event=event.id, place=event.place, kind=event.kind, at=now,
                outcome=outcome.what, reason=outcome.reason, again=again,
            )
        )  # fmt: skip
        if outcome.what == "failed":
            tries = row["tries"] + 1
            log.warning("webhook.not_taken", subscription=name, why=outcome.reason, tries=tries)
            await _settle(
                uow, name, token, next_at=now + retry_after_ms(tries, FIRST_RETRY_MS), tries=tries
            )
            return False
        moved = _moved(tried, row, event.place)
        tries = 0 if outcome.what == "sent" else row["tries"]
        await uow.run(
            sa.update(m.subscription)
            .where(m.subscription.c.id == name)
            .values(next_at=now + LEASE_MS, tries=tries, **moved)
        )
        return True


def _moved(tried: sa.RowMapping, row: sa.RowMapping, place: int) -> dict[str, int | None]:
    """Where a subscription stands after an event was settled. What somebody asked to be repeated meanwhile stays."""
    if tried["again_from"] is None:
        return {"place": place}
    if (row["again_from"], row["again_to"]) != (tried["again_from"], tried["again_to"]):
        return {}
    if place >= row["again_to"]:
        return {"again_from": None, "again_to": None}
    return {"again_from": place + 1}


async def _settle(uow: Uow, name: str, token: str, **values: Any) -> None:
    """Gives the lease back."""
    c = m.subscription.c
    await uow.run(
        sa.update(m.subscription).where(c.id == name, c.lease == token).values(lease="", **values)
    )


def delivering(signals: Signals, courier: Courier) -> Callable[[], Awaitable[None]]:
    """The job; any number of workers may run it."""
    waker = Waker(signals, frozenset({outbox.CHANGED}))

    async def work() -> bool:
        while not await courier.round():
            pass
        return True

    async def run() -> None:
        await work_when_woken(waker, work)

    return run
