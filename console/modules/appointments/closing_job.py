"""The job that moves or cancels what is booked at a hall on a day (停办改约): a day may have hundreds of bookings."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from urllib.parse import urlencode

from console.core.db import Database
from console.core.permissions import Permission
from console.modules.appointments.api import Life
from console.modules.appointments.closing import Closing, Outcome
from console.modules.appointments.desk import StaffDesk
from console.modules.jobs.api import JobKind, JobResult, JobRun, Why
from qingting.contract.base import Strict
from qingting.contract.errors import error_texts
from qingting.contract.ids import HallId


class CloseDay(Strict, frozen=True, kw_only=True):
    """``to_day`` None: what is booked is cancelled, with ``words`` to the citizens; else it moves to ``to`` on that day."""

    hall: HallId
    day: date
    to: HallId = HallId("")
    to_day: date | None = None
    words: str = ""


def closing_days(db: Database, desk: StaffDesk, closing: Closing) -> JobKind[CloseDay]:
    """The kind of job. Begun again it goes on with what is still booked: who was moved or cancelled is not there any
    more."""
    return JobKind(
        name="appointments.close",
        argument=CloseDay,
        permission=Permission.APPOINTMENTS_HANDLE,
        run=_runner(db, desk, closing),
        resumable=True,
    )


def _runner(
    db: Database, desk: StaffDesk, closing: Closing
) -> Callable[[JobRun, CloseDay], Awaitable[JobResult]]:
    async def run(job: JobRun, given: CloseDay) -> JobResult:
        if given.to_day is not None:
            async with db.read() as uow:
                plan = await closing.proposals(
                    uow, job.subject, given.hall, given.day, given.to, given.to_day
                )

            async def moving(done: int, total: int) -> None:
                await job.say("appointments.moving", done, total)

            return _told(
                given, await closing.move(job.subject, plan, given.to, given.to_day, moving)
            )
        async with db.read() as uow:
            booked = await desk.of_day(uow, job.subject, given.hall, given.day, Life.BOOKED)

        async def cancelling(done: int, total: int) -> None:
            await job.say("appointments.cancelling", done, total)

        return _told(given, await closing.cancel_all(job.subject, booked, given.words, cancelling))

    return run


def _told(given: CloseDay, outcomes: Sequence[Outcome]) -> JobResult:
    """How many, and which were not possible and why; the page lists what is still booked."""
    failed = [one for one in outcomes if one.code]
    whys = [
        Why(
            code=one.code if one.code in error_texts() else "appointments.full",
            hall=f"{one.appointment.day} {one.appointment.start} {one.appointment.item_name}",
        )
        for one in failed
    ]
    state = Life.BOOKED.value if failed or given.to_day is None else ""
    day, hall = given.day, given.hall
    if given.to_day is not None and not failed:
        day, hall = given.to_day, given.to
    query = {"hall": hall, "first": str(day), "last": str(day)} | (
        {"state": state} if state else {}
    )
    return JobResult(
        key="appointments.closing_done",
        params={"done": len(outcomes) - len(failed), "failed": len(failed)},
        whys=whys,
        page=f"/appointments?{urlencode(query)}",
    )
