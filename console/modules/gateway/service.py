"""Use cases around integrators: who gives other systems access, to what, and how much."""

import ipaddress
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.api import ApiScope
from console.core.audit import Audit
from console.core.permissions import NOWHERE, Permission, Reach, ReachKind, Subject
from console.core.uow import ReadUow, Uow
from console.modules.gateway import models as m
from console.modules.gateway.clients import Access, Client, client_of, reach_text
from console.modules.gateway.subscriptions import Delivery, Subscription, Subscriptions
from console.modules.identity.api import IdentityApi
from console.modules.organisation.api import Chart, OrganisationApi
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import digest

OVERLAP_MS = 7 * 86_400_000
"""The secret before still opens for so long after a new one was made."""
LONGEST_NAME, LONGEST_CONTACT, MOST_NETWORKS = 60, 200, 20
LONGEST_SECRET = 48
_ID = re.compile(r"[a-z][a-z0-9-]{2,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrator:
    """An integrator as its keeper sees it. ``may``: its keeper could give all that it has."""

    client: Client
    contact: str
    version: int
    made_at: int
    secrets: tuple[tuple[int, int], ...]
    may: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How often a call was made on one day."""

    day: str
    call: str
    answered: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A call that was refused."""

    at: int
    call: str
    status: int
    code: str
    field: str
    request: str


class WebhookAct(StrEnum):
    """What a keeper may do with a webhook."""

    PAUSE = "pause"
    RESUME = "resume"
    PING = "ping"
    REPEAT = "repeat"


class IntegratorService:
    """Use cases of the keepers of integrators."""

    def __init__(
        self,
        clock: Clock,
        audit: Audit,
        identity: IdentityApi,
        organisation: OrganisationApi,
        scopes: Mapping[str, ApiScope],
        webhooks: Subscriptions,
    ) -> None:
        self._clock = clock
        self._audit = audit
        self._identity = identity
        self._organisation = organisation
        self.scopes = scopes
        self._webhooks = webhooks

    # -- looking ------------------------------------------------------------------------------

    async def chart(self, uow: ReadUow) -> Chart:
        return await self._organisation.chart(uow)

    async def integrators(self, uow: ReadUow, subject: Subject) -> list[Integrator]:
        """Those whose reach is within the keeper's, by name."""
        scope, chart = subject.scope(Permission.INTEGRATORS), await self.chart(uow)
        rows = await uow.all(sa.select(m.integrator).order_by(m.integrator.c.name))
        opened = await self._secrets(uow)
        found = [self._info(row, opened.get(row["id"], []), subject, chart) for row in rows]
        return [one for one in found if chart.covers(scope, one.client.reach)]

    async def integrator(self, uow: ReadUow, subject: Subject, name: str) -> Integrator:
        """Raises ``integrator.unknown``, also for one of elsewhere."""
        for one in await self.integrators(uow, subject):
            if one.client.id == name:
                return one
        raise Refusal("integrator.unknown")

    async def _secrets(self, uow: ReadUow) -> dict[str, list[tuple[int, int]]]:
        rows = await uow.all(sa.select(m.secret).order_by(m.secret.c.made_at.desc()))
        found: dict[str, list[tuple[int, int]]] = {}
        for row in rows:
            found.setdefault(row["client"], []).append((row["made_at"], row["ends_at"] or 0))
        return found

    def _info(
        self,
        row: sa.RowMapping,
        opened: Sequence[tuple[int, int]],
        subject: Subject,
        chart: Chart,
    ) -> Integrator:
        client = client_of(row)
        return Integrator(
            client=client,
            contact=row["contact"],
            version=row["version"],
            made_at=row["made_at"],
            secrets=tuple(opened),
            may=self._may_give(subject, client.scopes, client.reach, chart),
        )

    async def usage(self, uow: ReadUow, name: str, days: int = 30) -> list[Usage]:
        """Calls of the last days, the newest first."""
        c = m.usage.c
        newest = (
            sa.select(c.day).where(c.client == name).distinct().order_by(c.day.desc()).limit(days)
        )
        rows = await uow.all(
            sa.select(m.usage)
            .where(c.client == name, c.day.in_(newest))
            .order_by(c.day.desc(), c.call)
        )
        return [
            Usage(day=str(row["day"]), call=row["call"], answered=row["answered"], refused=row["refused"])
            for row in rows
        ]  # fmt: skip

    async def totals(self, uow: ReadUow) -> dict[str, tuple[int, int]]:
        """Calls and refusals of each integrator since the city's records begin."""
        c = m.usage.c
        rows = await uow.all(
            sa.select(
                c.client, sa.func.sum(c.answered).label("answered"), sa.func.sum(c.refused).label("refused")
            ).group_by(c.client)
        )  # fmt: skip
        return {row["client"]: (int(row["answered"]), int(row["refused"])) for row in rows}

    async def faults(self, uow: ReadUow, name: str, rows: int = 20) -> list[Fault]:
        """The last refused calls, the newest first."""
        c = m.fault.c
        found = await uow.all(
            sa.select(c.at, c.call, c.status, c.code, c.field, c.request)
            .where(c.client == name)
            .order_by(c.no.desc())
            .limit(rows)
        )
        return [Fault(**row) for row in found]

    async def webhooks(
        self, uow: ReadUow, name: str
    ) -> list[tuple[Subscription, Sequence[Delivery]]]:
        """An integrator's webhooks, each with its last tries. The caller has looked the integrator up."""
        return [
            (one, await self._webhooks.deliveries(uow, one.id, limit=10))
            for one in await self._webhooks.of(uow, name)
        ]

    async def act_on_webhook(
        self, uow: Uow, subject: Subject, name: str, webhook: str, act: WebhookAct, hours: int
    ) -> None:
        """Pauses, resumes or tries a webhook, or repeats the events of the last ``hours``.

        Raises ``integrator.unknown``, ``integrator.above``, ``webhook.unknown``, ``webhook.nothing``.
        """
        await self._kept(uow, subject, name)
        match act:
            case WebhookAct.PAUSE | WebhookAct.RESUME:
                paused = act is WebhookAct.PAUSE
                await self._webhooks.set_paused(uow, name, webhook, paused=paused)
            case WebhookAct.PING:
                await self._webhooks.ping(uow, name, webhook)
            case WebhookAct.REPEAT:
                now = self._clock.now_ms()
                await self._webhooks.again(uow, name, webhook, now - hours * 3_600_000, now)
        await self._note(uow, subject, f"webhook.{act.value}", name, webhook)

    # -- changing -----------------------------------------------------------------------------

    async def make(self, uow: Uow, subject: Subject, name: str, access: Access) -> str:
        """Makes an integrator and gives its first secret, said this once.

        Raises ``integrator.id``, ``integrator.exists`` and what :meth:`put` raises for what is given.
        """
        subject.require(Permission.INTEGRATORS)
        if not _ID.fullmatch(name):
            raise Refusal("integrator.id")
        kept = await self._checked(uow, subject, access)
        values = _values(kept) | {
            "id": name,
            "disabled": False,
            "version": 1,
            "made_at": self._clock.now_ms(),
            "made_by": subject.id,
        }
        if not await uow.run(insert(m.integrator).values(**values).on_conflict_do_nothing()):
            raise Refusal("integrator.exists")
        await self._note(uow, subject, "integrator.made", name, _audited(kept))
        return await self._add_secret(uow, name)

    async def put(
        self, uow: Uow, subject: Subject, name: str, access: Access, version: int
    ) -> None:
        """Changes what an integrator may do; it holds with the next call.

        Raises ``integrator.unknown``, ``integrator.above``, ``integrator.changed``, ``integrator.name``,
        ``integrator.scopes``, ``integrator.networks``, ``integrator.quota``, ``reach.unknown``, ``integrator.not_yours``.
        """
        await self._kept(uow, subject, name)
        kept = await self._checked(uow, subject, access)
        c = m.integrator.c
        statement = (
            sa.update(m.integrator)
            .where(c.id == name, c.version == version)
            .values(version=version + 1, **_values(kept))
        )
        if not await uow.run(statement):
            raise Refusal("integrator.changed")
        await self._note(uow, subject, "integrator.put", name, _audited(kept))

    async def set_disabled(self, uow: Uow, subject: Subject, name: str, *, disabled: bool) -> None:
        """A disabled integrator's tokens end at once. Raises ``integrator.unknown``, ``integrator.above``."""
        await self._kept(uow, subject, name)
        await uow.run(
            sa.update(m.integrator).where(m.integrator.c.id == name).values(disabled=disabled)
        )
        await uow.run(sa.delete(m.token).where(m.token.c.client == name))
        act = "integrator.disabled" if disabled else "integrator.enabled"
        await self._note(uow, subject, act, name, "")

    async def renew_secret(self, uow: Uow, subject: Subject, name: str, *, at_once: bool) -> str:
        """Another secret, said this once. The one before opens for :data:`OVERLAP_MS` more, or ends ``at_once``
        with every token: for a secret that somebody else may know. Raises ``integrator.unknown``, ``integrator.above``."""
        await self._kept(uow, subject, name)
        now, c = self._clock.now_ms(), m.secret.c
        if at_once:
            await uow.run(sa.delete(m.secret).where(c.client == name))
            await uow.run(sa.delete(m.token).where(m.token.c.client == name))
        else:
            await uow.run(sa.delete(m.secret).where(c.client == name, c.ends_at.is_not(None)))
            await uow.run(
                sa.update(m.secret).where(c.client == name).values(ends_at=now + OVERLAP_MS)
            )
        act = "integrator.secret_replaced" if at_once else "integrator.secret_renewed"
        await self._note(uow, subject, act, name, "")
        return await self._add_secret(uow, name)

    async def _add_secret(self, uow: Uow, name: str) -> str:
        secret = secrets.token_urlsafe(32)
        row = {"digest": digest(secret), "client": name, "made_at": self._clock.now_ms()}
        await uow.run(sa.insert(m.secret), row)
        return secret

    async def _kept(self, uow: ReadUow, subject: Subject, name: str) -> Integrator:
        """One that has nothing which the keeper could not give: a new secret would be a way to more."""
        found = await self.integrator(uow, subject, name)
        if not found.may:
            raise Refusal("integrator.above")
        return found

    async def _checked(self, uow: ReadUow, subject: Subject, access: Access) -> Access:
        chart = await self.chart(uow)
        networks = read_networks(access.networks)
        name = access.name.strip()
        if not name or len(name) > LONGEST_NAME or len(access.contact) > LONGEST_CONTACT:
            raise Refusal("integrator.name", most=LONGEST_NAME)
        if not access.scopes or not set(access.scopes) <= set(self.scopes):
            raise Refusal("integrator.scopes")
        if not (1 <= access.per_minute <= 60_000 and 1 <= access.per_day <= 50_000_000):
            raise Refusal("integrator.quota")
        if access.reach.kind is ReachKind.OWN or not chart.knows(access.reach):
            raise Refusal("reach.unknown")
        if not self._may_give(subject, access.scopes, access.reach, chart):
            raise Refusal("integrator.not_yours")
        return Access(
            name=name,
            contact=access.contact.strip(),
            scopes=tuple(sorted(set(access.scopes))),
            reach=access.reach,
            networks=networks,
            per_minute=access.per_minute,
            per_day=access.per_day,
        )

    def _may_give(
        self, subject: Subject, scopes: Sequence[str], reach: Reach, chart: Chart
    ) -> bool:
        """Whoever keeps the roles gives any scope; others give what they may do themselves, where they may."""
        if subject.may(Permission.ROLES):
            return True
        needed = {self.scopes[one].permission for one in scopes if one in self.scopes}
        return all(
            chart.covers(subject.grants.get(one, NOWHERE), reach)
            for one in (Permission.INTEGRATORS, *needed)
        )

    async def _note(self, uow: Uow, subject: Subject, act: str, name: str, detail: str) -> None:
        await self._audit.write(uow, subject, act, object=name, detail=detail)


def read_networks(texts: Sequence[str]) -> tuple[str, ...]:
    """Addresses and networks as they are kept. Raises ``integrator.networks`` naming the line."""
    found = []
    for number, text in enumerate(texts, start=1):
        try:
            found.append(str(ipaddress.ip_network(text.strip(), strict=False)))
        except ValueError as error:
            raise Refusal("integrator.networks", line=number, most=MOST_NETWORKS) from error
    if len(found) > MOST_NETWORKS:
        raise Refusal("integrator.networks", line=MOST_NETWORKS + 1, most=MOST_NETWORKS)
    return tuple(dict.fromkeys(found))


def _values(access: Access) -> dict[str, object]:
    return {
        "name": access.name,
        "contact": access.contact,
        "scopes": list(access.scopes),
        "reach": reach_text(access.reach),
        "networks": list(access.networks),
        "per_minute": access.per_minute,
        "per_day": access.per_day,
    }


def _audited(access: Access) -> str:
    """Rights and quotas; how to reach its people is not for the audit."""
    return (
        f"{' '.join(access.scopes)} {reach_text(access.reach)} {access.per_minute}/min {access.per_day}/day "
        f"networks={len(access.networks)}"
    )
