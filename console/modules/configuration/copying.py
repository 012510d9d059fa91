"""The job that takes parts of one hall's configuration over into others'."""

from collections.abc import Awaitable, Callable

import msgspec

from console.core.db import Database
from console.core.permissions import Permission
from console.core.uow import Uow
from console.modules.configuration.service import ConfigurationService
from console.modules.jobs.api import JobKind, JobResult, JobRun, Why
from qingting.contract.base import Strict
from qingting.contract.config import HallConfig
from qingting.contract.config_parts import (
    AnnouncementsPart,
    CalendarPart,
    ConfigPart,
    KioskTemplatesPart,
    RulesPart,
    TicketTemplatesPart,
)
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId

COPIED: dict[str, Callable[[HallConfig], ConfigPart]] = {
    "calendar": lambda one: CalendarPart(calendar=one.calendar),
    "rules": lambda one: RulesPart(rules=one.rules),
    "announcements": lambda one: AnnouncementsPart(
        announcements=msgspec.structs.replace(one.announcements, speakers={})
    ),
    "tickets": lambda one: TicketTemplatesPart(ticket_templates=one.ticket_templates),
    "kiosks": lambda one: KioskTemplatesPart(kiosk_templates=one.kiosk_templates),
}
"""Parts that may be alike in several halls; loudspeakers are devices of their own hall."""


class CopyParts(Strict, frozen=True, kw_only=True):
    """From ``source`` as it is in force into the drafts of ``halls``; ``publish``: send them at once."""

    source: str
    parts: tuple[str, ...]
    halls: tuple[str, ...]
    note: str = ""
    publish: bool = False


class _Done(Strict, frozen=True, kw_only=True):
    """How many halls were gone through, and what some of them had against it."""

    count: int = 0
    failed: tuple[Why, ...] = ()


def copying(db: Database, service: ConfigurationService) -> JobKind[CopyParts]:
    """The kind of job."""
    return JobKind(
        name="configuration.copy",
        argument=CopyParts,
        permission=Permission.CONFIGURATION,
        run=_runner(db, service),
        resumable=True,
    )


def _runner(
    db: Database, service: ConfigurationService
) -> Callable[[JobRun, CopyParts], Awaitable[JobResult]]:
    async def run(job: JobRun, given: CopyParts) -> JobResult:
        """Each hall in a transaction of its own, noted in it: begun again, it goes on behind the last one."""
        done = msgspec.json.decode(job.checkpoint or "{}", type=_Done)
        async with db.read() as uow:
            names = await service.names(uow, job.subject)
        for hall in given.halls[done.count :]:
            name = names.get(HallId(hall)) or hall
            await job.say("conf.copying", done.count, len(given.halls), hall=name)
            try:
                async with db.write() as uow:
                    await _copy(uow, service, job, given, HallId(hall))
                    done = await _note(uow, job, done, ())
            except Refusal as refusal:
                if refusal.code == "city.unavailable":
                    raise
                async with db.write() as uow:
                    failed = Why(hall=name, code=refusal.code, params=refusal.told)
                    done = await _note(uow, job, done, (failed,))
        good = len(given.halls) - len(done.failed)
        if not done.failed:
            return JobResult(key="conf.copy_all", params={"n": good})
        return JobResult(
            key="conf.copy_done", params={"n": good, "failed": len(done.failed)}, whys=done.failed
        )

    return run


async def _note(uow: Uow, job: JobRun, done: _Done, failed: tuple[Why, ...]) -> _Done:
    now = _Done(count=done.count + 1, failed=(*done.failed, *failed))
    await job.keep(uow, msgspec.json.encode(now).decode())
    return now


async def _copy(
    uow: Uow, service: ConfigurationService, job: JobRun, given: CopyParts, hall: HallId
) -> None:
    source = await service.in_force(uow, HallId(given.source))
    if source is None:
        raise Refusal("config.none")
    parts = [COPIED[one](source.config) for one in given.parts]
    await service.push(uow, job.subject, hall, parts, given.note)
    if given.publish:
        await service.publish(uow, job.subject, hall, given.note)
