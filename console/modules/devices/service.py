"""Use cases around devices; implements :class:`console.modules.devices.api.DevicesApi`."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

import msgspec
import sqlalchemy as sa

from console.core.permissions import EVERYWHERE, Scope
from console.core.uow import ReadUow, Uow
from console.halls.api import HallsApi, HallStatus, LinkState
from console.modules.devices import models as m
from console.modules.devices.api import (
    GONE,
    REFUSALS,
    ConditionSince,
    DeviceInfo,
    FleetPage,
    FleetQuery,
    HallCount,
    HallHours,
    Span,
)
from console.modules.devices.fleet import Fleet
from console.modules.devices.history import is_at_work
from qingting.contract.calendar import HallCalendar
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, HallId
from qingting.contract.link import Live
from qingting.contract.states import Condition, DeviceKind, DeviceState


class DeviceService:
    """See :class:`console.modules.devices.api.DevicesApi`."""

    def __init__(self, halls: HallsApi) -> None:
        self._halls = halls
        self._fleet = Fleet(halls)

    async def search(self, uow: ReadUow, scope: Scope, query: FleetQuery) -> FleetPage:
        return await self._fleet.search(uow, scope, query)

    async def counts(self, uow: ReadUow, scope: Scope) -> dict[HallId, HallCount]:
        return await self._fleet.counts(uow, scope)

    async def devices(
        self, uow: ReadUow, scope: Scope, hall: HallId | None = None
    ) -> list[DeviceInfo]:
        found = await self._halls.halls(uow, scope)
        statuses = {status.id: status for status in found if scope.has(status.id)}
        helps = {
            (row["hall"], row["device"]): row["since"]
            for row in await uow.all(sa.select(m.help_call))
        }
        gone = await uow.all(
            sa.select(m.span).where(m.span.c.ended.is_(None), m.span.c.what == GONE)
        )
        gone_at = {(row["hall"], row["device"]): row["began"] for row in gone}
        statement = sa.select(m.device).order_by(m.device.c.hall, m.device.c.id)
        if hall is not None:
            statement = statement.where(m.device.c.hall == hall)
        rows = [row for row in await uow.all(statement) if row["hall"] in statuses]
        names = {(row["hall"], row["id"]): row for row in rows}
        windows: dict[str, dict[str, bool]] = defaultdict(dict)
        for row in await uow.all(sa.select(m.window)):
            windows[row["hall"]][row["id"]] = row["open"]
        devices = [
            _device(
                row,
                statuses[row["hall"]],
                names.get((row["hall"], row["parent"])),
                helps.get((row["hall"], row["id"]), 0),
                at_work=is_at_work(row, windows[row["hall"]]),
                gone_at=gone_at.get((row["hall"], row["id"]), 0),
            )
            for row in rows
        ]
        return list(_with_present(devices, await self._halls.live(uow)))

    async def device(self, uow: ReadUow, hall: HallId, id: str) -> DeviceInfo:  # noqa: A002
        for one in await self.devices(uow, EVERYWHERE, hall):
            if one.id == id:
                return one
        raise Refusal("device.unknown")

    async def spans(
        self, uow: ReadUow, hall: HallId, device: str, first: int, last: int
    ) -> list[Span]:
        c = m.span.c
        rows = await uow.all(
            sa.select(m.span)
            .where(c.hall == hall, c.device == device, c.began < last)
            .where(c.ended.is_(None) | (c.ended >= first))
            .order_by(c.began, c.no)
        )
        return [_span(row) for row in rows]

    async def begins(
        self, uow: ReadUow, since: int, times: int
    ) -> dict[tuple[HallId, str, str], tuple[int, ...]]:
        c = m.span.c
        rows = await uow.all(
            sa.select(c.hall, c.device, c.what, sa.func.array_agg(c.began).label("at"))
            .where(c.began >= since)
            .group_by(c.hall, c.device, c.what)
            .having(sa.func.count() >= times)
        )
        return {
            (HallId(row["hall"]), row["device"], row["what"]): tuple(sorted(row["at"]))
            for row in rows
        }

    async def refusals(self, uow: ReadUow) -> list[Span]:
        c = m.span.c
        rows = await uow.all(
            sa.select(m.span).where(c.ended.is_(None), c.what.in_(REFUSALS)).order_by(c.no)
        )
        return [_span(row) for row in rows]

    async def take_ended(self, uow: Uow) -> list[Span]:
        c = m.span.c
        rows = await uow.all(
            sa.update(m.span)
            .where(c.ended.is_not(None), ~c.told)
            .values(told=True)
            .returning(c.hall, c.device, c.what, c.began, c.ended)
        )
        return sorted((_span(row) for row in rows), key=lambda one: (one.began, one.device))

    async def hours(self, uow: ReadUow, hall: HallId) -> HallHours | None:
        row = await uow.first(sa.select(m.hours).where(m.hours.c.hall == hall))
        if row is None:
            return None
        calendar = msgspec.convert(row["calendar"], HallCalendar)
        return HallHours(calendar=calendar, utc_offset_minutes=row["utc_offset_minutes"])


def _span(row: sa.RowMapping) -> Span:
    return Span(
        hall=HallId(row["hall"]),
        device=row["device"],
        what=row["what"],
        began=row["began"],
        ended=row["ended"],
    )


def _device(
    row: sa.RowMapping,
    status: HallStatus,
    parent: sa.RowMapping | None,
    help_since: int,
    *,
    at_work: bool,
    gone_at: int,
) -> DeviceInfo:
    return DeviceInfo(
        hall=HallId(row["hall"]),
        hall_name=status.name,
        hall_name_en=status.name_en,
        id=row["id"],
        kind=DeviceKind(row["kind"]),
        name=row["name"],
        name_en=row["name_en"],
        parent=row["parent"] or "",
        parent_name=parent["name"] if parent is not None else "",
        parent_name_en=(parent["name_en"] or parent["name"]) if parent is not None else "",
        window=row["win"] or "",
        state=DeviceState(row["state"]),
        conditions=tuple(
            ConditionSince(condition=Condition(one), since=since)
            for one, since in sorted(row["conditions"].items())
        ),
        detail=row["detail"],
        since=row["since"],
        seen=row["changed_at"],
        fresh=status.state is LinkState.ONLINE,
        help_since=help_since,
        at_work=at_work,
        gone_at=gone_at,
        known_since=row["known_since"],
    )


def _with_present(devices: Iterable[DeviceInfo], lives: dict[HallId, Live]) -> Iterable[DeviceInfo]:
    """Puts what a connected hall says now over what its log had told so far."""
    views = {(hall, one.id): one for hall, live in lives.items() for one in live.devices}
    for device in devices:
        live, view = lives.get(device.hall), views.get((device.hall, DeviceId(device.id)))
        if live is None or view is None:
            yield device
        elif live.at < device.seen:
            # The log is ahead of the last LIVE frame: only "last seen" can be newer there.
            yield replace(
                device,
                seen=max(device.seen, view.seen),
                pad=view.pad,
                runs=view.runs,
                hands=view.hands,
            )
        else:
            yield replace(
                device,
                state=view.state,
                conditions=tuple(
                    ConditionSince(condition=one.condition, since=one.since)
                    for one in view.conditions
                ),
                since=view.since,
                seen=max(view.seen, device.seen),
                detail=view.detail,
                pad=view.pad,
                runs=view.runs,
                hands=view.hands,
            )
