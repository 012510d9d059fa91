"""Devices, their history and calls for help from the halls' events."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from console.core.projection import StoredEvent
from console.core.rows import load_rows, save_rows
from console.core.uow import Uow
from console.modules.devices import models as m
from console.modules.devices.api import devices_of
from console.modules.devices.history import History, OpenSpan, refused, window_turned
from qingting.contract.config_parts import CalendarPart, HallPart
from qingting.contract.events import ConfigApplied, ConfigEdited, HelpAnswered, HelpRequested
from qingting.contract.ids import HallId


class DeviceProjector:
    """Implements :class:`console.core.projection.Projector`."""

    name = "devices"

    async def apply(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
        await _hours(uow, hall, events)
        ids = set().union(*(devices_of(stored.event) for stored in events))
        ids |= {who[0] for stored in events if (who := refused(stored.event)) is not None}
        turned = {one[0] for stored in events if (one := window_turned(stored.event)) is not None}
        if not ids and not turned:
            return
        history = await _load(uow, hall, ids, turned)
        changed = [stored for stored in events if history.apply(stored.event)]
        if changed:
            await _save(uow, hall, history)
        await self._help(uow, hall, events)
        uow.changed("devices")

    async def _help(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
        for stored in events:
            match stored.event.b:
                case HelpRequested(device=device):
                    row = {"hall": hall, "device": device, "since": stored.event.at}
                    await save_rows(uow, m.help_call, [row])
                case HelpAnswered(device=device):
                    await uow.run(
                        sa.delete(m.help_call).where(
                            m.help_call.c.hall == hall, m.help_call.c.device == device
                        )
                    )
                case _:
                    pass

    async def forget(self, uow: Uow, hall: HallId) -> None:
        for table in (m.device, m.help_call, m.span, m.window, m.hours):
            await uow.run(sa.delete(table).where(table.c.hall == hall))


async def _load(uow: Uow, hall: HallId, ids: set[str], turned: set[str]) -> History:
    at_window = await uow.all(
        sa.select(m.device.c.id).where(m.device.c.hall == hall, m.device.c.win.in_(sorted(turned)))
    )
    wanted = ids | {row["id"] for row in at_window}
    rows = await load_rows(uow, m.device, hall, "id", wanted)
    windows = await uow.all(sa.select(m.window).where(m.window.c.hall == hall))
    spans = await uow.all(
        sa.select(m.span).where(
            m.span.c.hall == hall, m.span.c.ended.is_(None), m.span.c.device.in_(sorted(wanted))
        )
    )
    return History(
        rows,
        {row["id"]: row["open"] for row in windows},
        {
            (row["device"], row["what"]): OpenSpan(
                row["no"], row["device"], row["what"], row["began"]
            )
            for row in spans
        },
    )


async def _save(uow: Uow, hall: HallId, history: History) -> None:
    await save_rows(uow, m.device, [{**row, "hall": hall} for row in history.rows.values()])
    windows = [
        {"hall": hall, "id": one, "open": is_open} for one, is_open in history.windows.items()
    ]
    await save_rows(uow, m.window, windows)
    for span in history.over:
        if span.no:
            await uow.run(sa.update(m.span).where(m.span.c.no == span.no).values(ended=span.ended))
    fresh = [
        {
            "hall": hall,
            "device": one.device,
            "what": one.what,
            "began": one.began,
            "ended": one.ended,
            "told": False,
        }
        for one in (*history.over, *history.spans.values())
        if not one.no
    ]
    if fresh:
        await uow.run(sa.insert(m.span), fresh)


async def _hours(uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
    for stored in events:
        match stored.event.b:
            case ConfigApplied(config=config):
                row = {
                    "hall": hall,
                    "calendar": msgspec.to_builtins(config.calendar),
                    "utc_offset_minutes": config.hall.utc_offset_minutes,
                }
                await save_rows(uow, m.hours, [row])
            case ConfigEdited(part=CalendarPart(calendar=calendar)):
                await _change_hours(uow, hall, calendar=msgspec.to_builtins(calendar))
            case ConfigEdited(part=HallPart(hall=info)):
                await _change_hours(uow, hall, utc_offset_minutes=info.utc_offset_minutes)
            case _:
                pass


async def _change_hours(uow: Uow, hall: HallId, **values: object) -> None:
    await uow.run(sa.update(m.hours).where(m.hours.c.hall == hall).values(**values))
