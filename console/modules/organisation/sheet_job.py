"""The job that takes in a large spreadsheet of divisions, departments or staff."""

from collections.abc import Awaitable, Callable

from console.core.db import Database
from console.core.permissions import Permission
from console.core.uow import Uow
from console.modules.jobs.api import JobKind, JobResult, JobRun, all_or_nothing, wait_turn, whys_of
from console.modules.organisation.sheets import OrganisationSheets
from qingting.contract.base import Strict

KIND = "organisation.sheet"


class TakeSheet(Strict, frozen=True, kw_only=True):
    """A previewed ``upload`` of the list ``sheet``."""

    sheet: str
    upload: str


def taking(db: Database, sheets: OrganisationSheets) -> JobKind[TakeSheet]:
    """The kind of job."""
    return JobKind(
        name=KIND,
        argument=TakeSheet,
        permission=Permission.ORGANISATION,
        run=_runner(db, sheets),
        resumable=True,
    )


def _runner(
    db: Database, sheets: OrganisationSheets
) -> Callable[[JobRun, TakeSheet], Awaitable[JobResult]]:
    async def run(job: JobRun, given: TakeSheet) -> JobResult:
        async def progress(done: int, total: int) -> None:
            await job.say("sheet.taking", done, total)

        async def act(uow: Uow) -> JobResult:
            await wait_turn(uow, sheets.turn, job)
            taken = await sheets.take_in(uow, job.subject, given.sheet, given.upload, progress)
            fields = f"{given.sheet.removesuffix('s')}."
            return JobResult(
                key="sheet.taken",
                params={"n": taken.changed, "bad": len(taken.left_out)},
                whys=whys_of(taken.left_out, fields, values=given.sheet != "staff"),
                page=f"/{given.sheet}",
            )

        return await all_or_nothing(db, job, act)

    return run
