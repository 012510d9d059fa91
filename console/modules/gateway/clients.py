"""Integrators as the gate sees them: tokens, what they open, quotas and what is counted. All its SQL."""

import hmac
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.permissions import Reach, ReachKind
from console.core.uow import ReadUow, Uow
from console.modules.gateway import models as m
from qingting.contract.base import Strict
from qingting.kernel.security.device_keys import digest

TOKEN_SECONDS = 900
MINUTE_MS, DAY_MS = 60_000, 86_400_000
KEPT_FAULTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An integrator (接入系统) as it stands now."""

    id: str
    name: str
    scopes: tuple[str, ...]
    reach: Reach
    networks: tuple[str, ...]
    per_minute: int
    per_day: int
    disabled: bool

    def allows(self, address: str) -> bool:
        """True for an address that it may call from."""
        if not self.networks:
            return True
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in ipaddress.ip_network(one) for one in self.networks)


class Access(Strict, frozen=True, kw_only=True):
    """What an integrator is given. ``networks`` empty: from any address."""

    name: str
    contact: str
    scopes: tuple[str, ...]
    reach: Reach
    networks: tuple[str, ...]
    per_minute: int
    per_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left after a call of the quota that is nearer to its end. ``reset`` and ``wait`` in seconds; ``wait`` 0: the
    call may be made. ``daily``: it is the day's."""

    limit: int
    remaining: int
    reset: int
    wait: int = 0
    daily: bool = False


def reach_text(reach: Reach) -> str:
    return f"{reach.kind.value}:{reach.target}"


def reach_of(text: str) -> Reach:
    """Inverse of :func:`reach_text`; ``ValueError`` for what is none."""
    kind, _, target = text.partition(":")
    return Reach(ReachKind(kind), target)


def client_of(row: sa.RowMapping) -> Client:
    return Client(
        id=row["id"],
        name=row["name"],
        scopes=tuple(row["scopes"]),
        reach=reach_of(row["reach"]),
        networks=tuple(row["networks"]),
        per_minute=row["per_minute"],
        per_day=row["per_day"],
        disabled=row["disabled"],
    )


async def client(uow: ReadUow, name: str) -> Client | None:
    row = await uow.first(sa.select(m.integrator).where(m.integrator.c.id == name))
    return None if row is None else client_of(row)


async def by_secret(uow: ReadUow, name: str, given: str, now: int) -> Client | None:
    """The integrator whose secret this is, and who is not disabled."""
    rows = await uow.all(
        sa.select(m.secret.c.digest).where(
            m.secret.c.client == name,
            sa.or_(m.secret.c.ends_at.is_(None), m.secret.c.ends_at > now),
        )
    )
    asked = digest(given)
    fits = [hmac.compare_digest(row["digest"], asked) for row in rows]
    if not any(fits):
        return None
    found = await client(uow, name)
    return None if found is None or found.disabled else found


async def make_token(uow: Uow, name: str, scopes: Sequence[str], now: int) -> str:
    """A token of 256 bits for :data:`TOKEN_SECONDS`."""
    token = secrets.token_urlsafe(32)
    row = {
        "digest": digest(token),
        "client": name,
        "scopes": list(scopes),
        "ends_at": now + TOKEN_SECONDS * 1000,
    }
    await uow.run(sa.insert(m.token), row)
    return token


async def by_token(uow: ReadUow, token: str, now: int) -> tuple[Client, frozenset[str]] | None:
    """Whose token this is and what it opens: what it was given for, as far as the integrator still has it."""
    row = await uow.first(
        sa.select(m.integrator, m.token.c.scopes.label("given"))
        .select_from(m.token.join(m.integrator, m.integrator.c.id == m.token.c.client))
        .where(m.token.c.digest == digest(token), m.token.c.ends_at > now)
    )
    if row is None or row["disabled"]:
        return None
    found = client_of(row)
    return found, frozenset(row["given"]) & frozenset(found.scopes)


async def count(uow: Uow, one: Client, now: int, offset_ms: int) -> Left:
    """Takes one call from both quotas, or says how long to wait. Workers count in one row: none is given twice.
    Days are the city's, which is ``offset_ms`` ahead of UTC."""
    minute, day = now - now % MINUTE_MS, now - (now + offset_ms) % DAY_MS
    reset = -(-(minute + MINUTE_MS - now) // 1000)
    calls = await _take(uow, one.id, "minute", minute, one.per_minute)
    if calls is None:
        return Left(limit=one.per_minute, remaining=0, reset=reset, wait=reset)
    today, rest = await _take(uow, one.id, "day", day, one.per_day), one.per_minute - calls
    over = -(-(day + DAY_MS - now) // 1000)
    if today is None:
        return Left(limit=one.per_day, remaining=0, reset=over, wait=over, daily=True)
    if one.per_day - today < rest:
        return Left(limit=one.per_day, remaining=one.per_day - today, reset=over, daily=True)
    return Left(limit=one.per_minute, remaining=rest, reset=reset)


async def _take(uow: Uow, name: str, span: str, began: int, most: int) -> int | None:
    statement = insert(m.quota).values(client=name, span=span, began=began, calls=1)
    c = m.quota.c
    taken = statement.on_conflict_do_update(
        index_elements=["client", "span", "began"],
        set_={"calls": c.calls + 1},
        where=c.calls < most,
    ).returning(c.calls)
    found = await uow.scalar(taken)
    return None if found is None else int(found)


async def note(
    uow: Uow, name: str, day: date, call: str, *, refused: bool, answered: bool = False
) -> None:
    """Counts a call among the figures of its day."""
    statement = insert(m.usage).values(
        client=name, day=day, call=call, answered=int(answered), refused=int(refused)
    )
    c = m.usage.c
    added = {"answered": c.answered + int(answered), "refused": c.refused + int(refused)}
    await uow.run(
        statement.on_conflict_do_update(index_elements=["client", "day", "call"], set_=added)
    )


async def note_fault(
    uow: Uow, name: str, at: int, call: str, status: int, code: str, field: str, request: str
) -> None:
    """Keeps a refused call for the integrator's page."""
    values = {
        "client": name,
        "at": at,
        "call": call,
        "status": status,
        "code": code,
        "field": field,
        "request": request,
    }
    no = await uow.scalar(sa.insert(m.fault).values(values).returning(m.fault.c.no))
    if no % 50 == 0:
        kept = (
            sa.select(m.fault.c.no)
            .where(m.fault.c.client == name)
            .order_by(m.fault.c.no.desc())
            .limit(KEPT_FAULTS)
        )
        await uow.run(sa.delete(m.fault).where(m.fault.c.client == name, m.fault.c.no.not_in(kept)))


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer that a key got."""

    digest: str
    status: int
    body: bytes


async def claim(uow: Uow, name: str, key: str, asked: str, now: int) -> Kept | None:
    """None: the key is this request's, to be done now. Whoever has the same key waits here until the first has
    committed, and gets its answer; if that failed, it is the next one's turn."""
    statement = insert(m.key).values(client=name, key=key, digest=asked, at=now)
    if await uow.run(statement.on_conflict_do_nothing()):
        return None
    c = m.key.c
    row = await uow.first(sa.select(m.key).where(c.client == name, c.key == key))
    assert row is not None
    return Kept(row["digest"], row["status"], bytes(row["body"]))


async def keep(uow: Uow, name: str, key: str, status: int, body: bytes) -> None:
    c = m.key.c
    await uow.run(
        sa.update(m.key).where(c.client == name, c.key == key).values(status=status, body=body)
    )
