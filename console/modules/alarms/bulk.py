"""SQL of many alarms at once: a city's whole fleet may be lost, or back, within one look."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.uow import ReadUow, Uow
from console.modules.alarms import models as m
from console.modules.alarms.domain import AlarmState, Clear, Key, Raise
from console.modules.alarms.receivers import Sending

c = m.alarm.c
Row = dict[str, Any]


async def claim(uow: Uow, raises: Sequence[Raise]) -> list[Raise]:
    """Notes that causes become alarms; gives those that did not before."""
    rows = [{**one.key._asdict(), "began": one.began, "alarm": 0} for one in raises]
    if not rows:
        return []
    statement = insert(m.raising).on_conflict_do_nothing().returning(m.raising)
    new = {(_key(row), row["began"]) for row in await uow.all(statement, rows)}
    return [one for one in raises if (one.key, one.began) in new]


async def add_alarms(uow: Uow, raises: Sequence[Raise]) -> dict[Key, int]:
    """Numbers of the new alarms; each key comes once."""
    if not raises:
        return {}
    statement = sa.insert(m.alarm).returning(c.no, c.rule, c.hall, c.device, c.what)
    found = await uow.all(statement, [_new(one) for one in raises])
    return {_key(row): row["no"] for row in found}


def _key(row: sa.RowMapping) -> Key:
    return Key(row["rule"], row["hall"], row["device"], row["what"])


def _new(change: Raise) -> Row:
    kind = change.kind.value if change.kind else ("" if change.key.device else "hall")
    rule = change.held.rule
    return {
        **change.key._asdict(),
        "kind": kind,
        "severity": rule.severity.value,
        "state": AlarmState.RAISED.value,
        "began": change.began,
        "raised_at": change.at,
        "times": 1,
        "acked_by": "",
        "cleared_by": "",
        "behind": 0,
        "maintained": False,
        "notify": rule.notify,
        "told": False,
    }


async def raise_again(uow: Uow, raises: Mapping[int, Raise]) -> None:
    """The same alarms once more, by number; whoever had acknowledged one is asked again, since its condition was
    met, when it had cleared itself."""
    cleared = c.state == AlarmState.CLEARED.value
    at = sa.bindparam("at_", type_=sa.BigInteger)
    statement = (
        sa.update(m.alarm)
        .where(c.no == sa.bindparam("no_"))
        .values(
            state=sa.case((cleared, AlarmState.RAISED.value), else_=c.state),
            acked_at=sa.case((cleared, None), else_=c.acked_at),
            acked_by=sa.case((cleared, ""), else_=c.acked_by),
            asked_at=sa.case((cleared & c.told, at), else_=c.asked_at),
            cleared_at=None,
            cleared_by="",
            began=sa.bindparam("began_"),
            times=c.times + 1,
        )
    )
    rows = [{"no_": no, "began_": one.began, "at_": one.at} for no, one in raises.items()]
    await _each(uow, statement, rows)


async def clear(uow: Uow, clears: Mapping[int, Clear]) -> None:
    """Alarms by number, whose causes are over by themselves."""
    statement = (
        sa.update(m.alarm)
        .where(c.no == sa.bindparam("no_"))
        .values(state=AlarmState.CLEARED.value, cleared_at=sa.bindparam("at_"), cleared_by="")
    )
    await _each(uow, statement, [{"no_": no, "at_": one.at} for no, one in clears.items()])


async def set_places(uow: Uow, places: Mapping[int, tuple[int, int, bool]]) -> None:
    """By number: the root (0 for none), how many stand behind, whether it is maintained."""
    statement = (
        sa.update(m.alarm)
        .where(c.no == sa.bindparam("no_"))
        .values(
            root=sa.bindparam("root_"),
            behind=sa.bindparam("behind_"),
            maintained=sa.bindparam("maintained_"),
        )
    )
    rows = [
        {"no_": no, "root_": root or None, "behind_": behind, "maintained_": maintained}
        for no, (root, behind, maintained) in places.items()
    ]
    await _each(uow, statement, rows)


async def add_steps(uow: Uow, steps: Sequence[tuple[int, int, str]]) -> None:
    """Alarm, instant and act of what happened by itself."""
    rows = [{"alarm": no, "at": at, "act": act, "by": "", "note": ""} for no, at, act in steps]
    await _each(uow, sa.insert(m.step), rows)


async def add_notices(
    uow: Uow, at: int, act: str, notices: Mapping[int, Sequence[Sending]]
) -> None:
    """For each alarm a notice for everybody here and, for each sending, a delivery to make."""
    deliveries: list[Row] = []
    statement = sa.insert(m.notice).returning(m.notice.c.no, m.notice.c.alarm)
    made = await uow.all(statement, [{"alarm": no, "at": at, "act": act} for no in notices])
    for row in made:
        deliveries += [_delivery(row["no"], one) for one in notices[row["alarm"]]]
    await _each(uow, sa.insert(m.delivery), deliveries)


def _delivery(notice: int, sending: Sending) -> Row:
    return {
        "notice": notice,
        "channel": sending.channel,
        "state": "pending",
        "tries": 0,
        "next_at": sending.at,
        "reason": "",
    }


async def mark_told(uow: Uow, alarms: Collection[int], at: int) -> None:
    """The alarms were told; from now on somebody is asked to acknowledge them."""
    told = {"told": True, "told_at": at, "asked_at": at}
    await uow.run(sa.update(m.alarm).where(c.no.in_(sorted(alarms))).values(**told))


async def mark_ends_told(uow: Uow, alarms: Collection[int]) -> None:
    """Nothing remains to be told, or a person ended them and knows."""
    await uow.run(sa.update(m.alarm).where(c.no.in_(sorted(alarms))).values(told=False))


async def told_channels(uow: ReadUow, alarms: Collection[int]) -> dict[int, list[str]]:
    """Channels that each alarm went to since it was last told; those that went nowhere are left out."""
    n, d = m.notice.c, m.delivery.c
    rows = await uow.all(
        sa.select(n.alarm, d.channel)
        .join(m.delivery, n.no == d.notice)
        .join(m.alarm, c.no == n.alarm)
        .where(n.alarm.in_(sorted(alarms)), n.at >= c.told_at, n.act != "cleared")
        .distinct()
        .order_by(d.channel)
    )
    found: dict[int, list[str]] = {}
    for row in rows:
        found.setdefault(row["alarm"], []).append(row["channel"])
    return found


async def _each(uow: Uow, statement: sa.Executable, rows: Sequence[Row]) -> None:
    if rows:
        await uow.run(statement, rows)
