"""All SQL of alarms."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.permissions import EVERYWHERE, Scope
from console.core.uow import ReadUow, Uow
from console.modules.alarms import models as m
from console.modules.alarms.api import AlarmInfo, Maintenance
from console.modules.alarms.domain import AlarmState, Key, Standing
from console.modules.alarms.rules import BUILT_IN, AlarmRule, HeldRule
from qingting.contract.conditions import Severity
from qingting.contract.ids import HallId

c = m.alarm.c
_KEY = (c.rule, c.hall, c.device, c.what)
LOOK_LOCK = 0x71746C6D
"""Advisory lock of the look: one worker decides at a time."""


async def try_lock(uow: Uow) -> bool:
    """False while another worker decides."""
    return bool(
        await uow.scalar(sa.text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": LOOK_LOCK})
    )


async def lock(uow: Uow) -> None:
    """Waits for a look that is under way, so that a person's act and a look never cross."""
    await uow.scalar(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOOK_LOCK})


async def watched_since(uow: Uow, now: int) -> int:
    """The instant of the first look; notes this one."""
    statement = insert(m.watch).values(no=1, since=now, looked_at=now)
    statement = statement.on_conflict_do_update(index_elements=["no"], set_={"looked_at": now})
    return int(await uow.scalar(statement.returning(m.watch.c.since)))


# -- rules ------------------------------------------------------------------------------------


async def rules(uow: ReadUow, since: int = 0) -> list[HeldRule]:
    """The built-in rules, each as edited, then those made here. ``since`` counts for those never edited."""
    rows = await uow.all(sa.select(m.rule).order_by(m.rule.c.id))
    edited = {row["id"]: _held(row) for row in rows}
    built_in = [edited.pop(one.id, HeldRule(rule=one, since=since)) for one in BUILT_IN]
    return [*built_in, *edited.values()]


def _held(row: sa.RowMapping) -> HeldRule:
    return HeldRule(
        rule=msgspec.convert(row["body"], AlarmRule),
        version=row["version"],
        since=row["since"],
        changed_by=row["changed_by"],
        built_in=any(one.id == row["id"] for one in BUILT_IN),
    )


async def put_rule(uow: Uow, held: HeldRule) -> bool:
    """Stores the next version; False when somebody else stored it first."""
    values = {
        "body": msgspec.to_builtins(held.rule),
        "version": held.version,
        "since": held.since,
        "changed_by": held.changed_by,
    }
    statement = insert(m.rule).values(id=held.rule.id, **values)
    statement = statement.on_conflict_do_update(
        index_elements=["id"], set_=values, where=m.rule.c.version == held.version - 1
    )
    return bool(await uow.run(statement))


# -- alarms -----------------------------------------------------------------------------------


def info(row: sa.RowMapping) -> AlarmInfo:
    return AlarmInfo(
        no=row["no"],
        rule=row["rule"],
        hall=HallId(row["hall"]),
        device=row["device"],
        kind=row["kind"],
        what=row["what"],
        severity=Severity(row["severity"]),
        state=AlarmState(row["state"]),
        began=row["began"],
        raised_at=row["raised_at"],
        times=row["times"],
        acked_at=row["acked_at"] or 0,
        acked_by=row["acked_by"],
        cleared_at=row["cleared_at"] or 0,
        cleared_by=row["cleared_by"],
        root=row["root"] or 0,
        behind=row["behind"],
        maintained=row["maintained"],
        notify=row["notify"],
        told=row["told"],
        told_at=row["told_at"] or 0,
        asked_at=row["asked_at"] or 0,
    )


async def open_alarms(uow: ReadUow, scope: Scope = EVERYWHERE) -> list[AlarmInfo]:
    statement = sa.select(m.alarm).where(c.state != AlarmState.CLEARED.value).order_by(c.no)
    statement = statement.where(scope.where(c.hall))
    return [info(row) for row in await uow.all(statement)]


async def standing(uow: ReadUow, cleared_after: int) -> dict[Key, Standing]:
    """The newest alarm of each key that is open or was cleared after an instant."""
    rows = await uow.all(
        sa.select(c.no, c.state, c.began, c.cleared_at, c.cleared_by, *_KEY)
        .where((c.state != AlarmState.CLEARED.value) | (c.cleared_at > cleared_after))
        .order_by(c.no)
    )
    found = {}
    for row in rows:
        key = Key(row["rule"], row["hall"], row["device"], row["what"])
        found[key] = Standing(
            no=row["no"],
            key=key,
            state=AlarmState(row["state"]),
            began=row["began"],
            cleared_at=row["cleared_at"] or 0,
            by_hand=bool(row["cleared_by"]),
        )
    return found


async def handled(
    uow: ReadUow, places: Collection[tuple[str, str]], since: int
) -> set[tuple[Key, int]]:
    """Raisings at ``places`` of causes that began at ``since`` or later."""
    if not places:
        return set()
    r = m.raising.c
    halls, devices = zip(*sorted(places), strict=True)
    wanted = (
        sa.func.unnest(
            sa.bindparam("halls", halls, sa.ARRAY(sa.Text)),
            sa.bindparam("devices", devices, sa.ARRAY(sa.Text)),
        )
        .table_valued("hall", "device", name="wanted")
        .render_derived()
    )
    rows = await uow.all(
        sa.select(m.raising)
        .join(wanted, (r.hall == wanted.c.hall) & (r.device == wanted.c.device))
        .where(r.began >= since)
    )
    return {
        (Key(row["rule"], row["hall"], row["device"], row["what"]), row["began"]) for row in rows
    }


async def set_state(uow: Uow, no: int, state: AlarmState, by: str, at: int) -> None:
    values: dict[str, Any] = {"state": state.value}
    if state is AlarmState.ACKNOWLEDGED:
        values |= {"acked_at": at, "acked_by": by}
    else:
        values |= {"cleared_at": at, "cleared_by": by}
    await uow.run(sa.update(m.alarm).where(c.no == no).values(**values))


async def one_alarm(uow: ReadUow, no: int) -> AlarmInfo | None:
    row = await uow.first(sa.select(m.alarm).where(c.no == no))
    return None if row is None else info(row)


async def alarms(uow: ReadUow, *where: sa.ColumnElement[bool], limit: int) -> list[AlarmInfo]:
    """The newest first."""
    statement = sa.select(m.alarm).where(*where).order_by(c.raised_at.desc(), c.no.desc())
    return [info(row) for row in await uow.all(statement.limit(limit))]


async def add_step(uow: Uow, alarm: int, at: int, act: str, by: str = "", note: str = "") -> None:
    await uow.run(sa.insert(m.step).values(alarm=alarm, at=at, act=act, by=by, note=note))


async def behind(uow: ReadUow, root: int) -> list[AlarmInfo]:
    """Alarms that stand, or stood at their end, behind another."""
    rows = await uow.all(sa.select(m.alarm).where(c.root == root).order_by(c.no))
    return [info(row) for row in rows]


async def notices_of(uow: ReadUow, alarm: int) -> Sequence[sa.RowMapping]:
    return await uow.all(
        sa.select(m.notice).where(m.notice.c.alarm == alarm).order_by(m.notice.c.no)
    )


async def alarms_by_no(uow: ReadUow, nos: Collection[int]) -> dict[int, AlarmInfo]:
    rows = await uow.all(sa.select(m.alarm).where(c.no.in_(sorted(nos))))
    return {row["no"]: info(row) for row in rows}


async def steps(uow: ReadUow, alarm: int) -> Sequence[sa.RowMapping]:
    return await uow.all(sa.select(m.step).where(m.step.c.alarm == alarm).order_by(m.step.c.no))


# -- maintenance ------------------------------------------------------------------------------


async def maintenance(uow: ReadUow, after: int, hall: str | None = None) -> list[Maintenance]:
    """What ends after an instant, the earliest first."""
    t = m.maintenance.c
    statement = sa.select(m.maintenance).where(t.until > after).order_by(t.start, t.no)
    if hall is not None:
        statement = statement.where(t.hall == hall)
    return [Maintenance(**row) for row in await uow.all(statement)]


async def add_maintenance(uow: Uow, values: dict[str, Any]) -> int:
    statement = sa.insert(m.maintenance).values(ended_by="", **values)
    return int(await uow.scalar(statement.returning(m.maintenance.c.no)))


async def end_maintenance(
    uow: Uow, scope: Scope, no: int, at: int, by: str
) -> sa.RowMapping | None:
    """Ends it at ``at``, or before it began; None when there is no such within ``scope`` or it is over."""
    t = m.maintenance.c
    rows = await uow.all(
        sa.update(m.maintenance)
        .where(t.no == no, t.until > at, scope.where(t.hall))
        .values(until=sa.func.greatest(t.start, at), ended_by=by)
        .returning(t.hall, t.device)
    )
    return rows[0] if rows else None


# -- notices ----------------------------------------------------------------------------------


async def ended_untold(uow: ReadUow, after: int) -> list[AlarmInfo]:
    """Alarms that somebody was told of, that cleared themselves after an instant, and whose end nobody knows."""
    rows = await uow.all(
        sa.select(m.alarm)
        .where(c.cleared_at > after, c.told, c.cleared_by == "")
        .order_by(c.cleared_at)
    )
    return [info(row) for row in rows]


async def notices(uow: ReadUow, scope: Scope, limit: int) -> Sequence[sa.RowMapping]:
    """The newest first."""
    statement = sa.select(m.notice).join(m.alarm, c.no == m.notice.c.alarm)
    statement = statement.where(scope.where(c.hall)).order_by(m.notice.c.no.desc())
    return await uow.all(statement.limit(limit))


async def unread(uow: ReadUow, scope: Scope, account: str, since: int) -> int:
    """How many notices after ``since`` the account has not read."""
    upto = sa.select(m.reader.c.upto).where(m.reader.c.account == account).scalar_subquery()
    return int(
        await uow.scalar(
            sa.select(sa.func.count())
            .select_from(m.notice.join(m.alarm, c.no == m.notice.c.alarm))
            .where(
                scope.where(c.hall),
                m.notice.c.no > sa.func.coalesce(upto, 0),
                m.notice.c.at > since,
            )
        )
    )


async def read_upto(uow: Uow, account: str, upto: int) -> None:
    statement = insert(m.reader).values(account=account, upto=upto)
    await uow.run(
        statement.on_conflict_do_update(
            index_elements=["account"], set_={"upto": sa.func.greatest(m.reader.c.upto, upto)}
        )
    )


async def deliveries(uow: ReadUow, notice_nos: Collection[int]) -> Sequence[sa.RowMapping]:
    d = m.delivery.c
    return await uow.all(
        sa.select(m.delivery).where(d.notice.in_(sorted(notice_nos))).order_by(d.notice, d.channel)
    )
