"""Use cases of the organisation's spreadsheets: preview, take-in, export, each within the reach of who does it."""

import asyncio
from collections.abc import Sequence
from typing import Any

from console.core.audit import Audit
from console.core.permissions import Permission, Subject
from console.core.progress import Progress, unseen
from console.core.sheet_import import SheetPreview, SheetRow, Taken, Uploads, agreed
from console.core.sheet_reading import read_sheet
from console.core.turns import Turn
from console.core.uow import ReadUow, Uow
from console.halls.api import HallsApi
from console.modules.organisation import models as m
from console.modules.organisation import repository as repo
from console.modules.organisation.api import OrganisationApi
from console.modules.organisation.cells import (
    DepartmentKind,
    DivisionKind,
    Kind,
    Places,
    StaffKind,
    changes_of,
    parents_first,
)
from console.modules.organisation.domain import Chart
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import new_token

UPLOADS = Uploads(m.upload)
SHEETS = ("divisions", "departments", "staff")
LOCK = 0x71746F72
"""Take-ins come one after the other."""


class OrganisationSheets:
    """Divisions, departments and staff as spreadsheets (``divisions``, ``departments``, ``staff``)."""

    def __init__(
        self,
        clock: Clock,
        audit: Audit,
        halls: HallsApi,
        organisation: OrganisationApi,
        turn: Turn,
    ) -> None:
        self.turn = turn
        self._clock = clock
        self._audit = audit
        self._halls = halls
        self._organisation = organisation

    async def export(
        self, uow: ReadUow, subject: Subject, sheet: str
    ) -> tuple[Kind[Any], list[list[str]]]:
        """What the sheet has within the subject's reach, in the columns in which it comes in."""
        kind, places = await self._kind(uow, sheet), await self._places(uow, subject)
        return kind, [kind.cells(one, places) for one in kind.own(places).values()]

    async def preview(
        self, uow: Uow, subject: Subject, sheet: str, data: bytes
    ) -> SheetPreview[Any]:
        """Keeps a spreadsheet for an hour and says what it would do. Raises ``sheet.unreadable``,
        ``sheet.too_large``, ``sheet.column``."""
        subject.require(Permission.ORGANISATION)
        shown = await self._preview(uow, subject, sheet, data, new_token())
        at = self._clock.now_ms()
        await UPLOADS.keep(uow, shown, data, kind=sheet, by=subject.id, at=at)
        return shown

    async def take_in(
        self, uow: Uow, subject: Subject, sheet: str, upload: str, progress: Progress = unseen
    ) -> Taken:
        """Takes in exactly what the preview showed.

        Raises ``sheet.upload_gone``, ``sheet.moved``.
        """
        subject.require(Permission.ORGANISATION)
        await self.turn.take(uow, subject)
        now = self._clock.now_ms()
        data, shown = await UPLOADS.take(uow, upload, kind=sheet, by=subject.id, at=now)
        found = await self._preview(uow, subject, sheet, data, upload)
        good = agreed(found, shown)
        await self._store(uow, sheet, good, now, progress)
        for act in ("add", "change"):
            told = [
                (one.key, "sheet " + ",".join(change.field for change in found.changes[one.key]))
                for one in good
                if (one.key in found.new) == (act == "add")
            ]
            await self._audit.write_all(uow, subject, f"{sheet.removesuffix('s')}.{act}", told)
        return Taken(changed=len(good), left_out=found.bad)

    async def _kind(self, uow: ReadUow, sheet: str) -> Kind[Any]:
        if sheet == "staff":
            return StaffKind(everybody={one.number: one for one in await repo.staff(uow)})
        return DivisionKind() if sheet == "divisions" else DepartmentKind()

    async def _places(self, uow: ReadUow, subject: Subject) -> Places:
        scope = subject.scope(Permission.ORGANISATION)
        chart = await self._organisation.chart(uow)
        return Places(
            chart=Chart(chart.divisions, chart.departments, chart.halls),
            scope=scope,
            halls={
                one.id: (one.name, one.name_en)
                for one in await self._halls.halls(uow, scope)
                if scope.has(one.id)
            },
        )

    async def _preview(
        self, uow: ReadUow, subject: Subject, sheet: str, data: bytes, token: str
    ) -> SheetPreview[Any]:
        kind, places = await self._kind(uow, sheet), await self._places(uow, subject)
        rows = await asyncio.to_thread(read_sheet, data)
        found = await asyncio.to_thread(kind.read, rows, places)
        held = kind.own(places)
        good = {one.key: one.value for one in found if one.value is not None}
        return SheetPreview(
            upload=token,
            rows=found,
            changes={key: changes_of(kind, held.get(key), one) for key, one in good.items()},
            new=set(good) - set(held),
        )

    async def _store(
        self, uow: Uow, sheet: str, good: Sequence[SheetRow[Any]], now: int, progress: Progress
    ) -> None:
        values: dict[str, Any] = {one.key: one.value for one in good}
        if sheet == "divisions":
            await repo.put_divisions(uow, [values[code] for code in sorted(values)])
        elif sheet == "departments":
            for done, department in enumerate(parents_first(values), start=1):
                await repo.put_department(uow, department)
                await progress(done, len(values))
        elif sheet == "staff":
            for done, one in enumerate(values.values(), start=1):
                await repo.put_staff(uow, one, now if one.left else None)
                await progress(done, len(values))
        else:
            raise Refusal("page.not_found")
