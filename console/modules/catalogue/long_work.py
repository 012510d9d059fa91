"""Jobs of the catalogue: taking in a large spreadsheet, publishing many drafts, switching many items."""

from collections.abc import Awaitable, Callable
from datetime import date

from console.core.db import Database
from console.core.permissions import Permission
from console.core.uow import Uow
from console.modules.catalogue.service import CatalogueService, Flags
from console.modules.jobs.api import JobKind, JobResult, JobRun, all_or_nothing, wait_turn, whys_of
from qingting.contract.base import Strict

TURN_KINDS = ("catalogue.sheet", "catalogue.publish")
"""Jobs that change versions."""


class TakeItems(Strict, frozen=True, kw_only=True):
    """A previewed ``upload``."""

    upload: str


class PublishDrafts(Strict, frozen=True, kw_only=True):
    """Version by code of each draft; see :meth:`CatalogueService.publish`."""

    chosen: dict[str, int]
    on: date
    own_days: bool = False


class SwitchItems(Strict, frozen=True, kw_only=True):
    """``codes`` as they were chosen or found; ``back`` is the page that they were chosen on."""

    codes: tuple[str, ...]
    flags: Flags
    back: str


def taking(db: Database, service: CatalogueService) -> JobKind[TakeItems]:
    """The kind of job that takes in items."""

    async def run(job: JobRun, given: TakeItems) -> JobResult:
        async def act(uow: Uow) -> JobResult:
            await wait_turn(uow, service.turn, job)
            progress = _saying(job, "sheet.taking")
            taken = await service.take_in(uow, job.subject, given.upload, progress)
            return JobResult(
                key="sheet.taken",
                params={"n": taken.changed, "bad": len(taken.left_out)},
                whys=whys_of(taken.left_out, "catalogue.field.", values=True),
                page="/catalogue/review",
            )

        return await all_or_nothing(db, job, act)

    return JobKind(
        name="catalogue.sheet",
        argument=TakeItems,
        permission=Permission.CATALOGUE,
        run=run,
        resumable=True,
    )


def publishing(db: Database, service: CatalogueService) -> JobKind[PublishDrafts]:
    """The kind of job that publishes drafts."""

    async def run(job: JobRun, given: PublishDrafts) -> JobResult:
        async def act(uow: Uow) -> JobResult:
            await wait_turn(uow, service.turn, job)
            count = await service.publish(
                uow,
                job.subject,
                given.chosen,
                given.on,
                own_days=given.own_days,
                progress=_saying(job, "catalogue.publishing"),
            )
            return JobResult(key="catalogue.published_n", params={"n": count}, page="/catalogue")

        return await all_or_nothing(db, job, act)

    return JobKind(
        name="catalogue.publish",
        argument=PublishDrafts,
        permission=Permission.CATALOGUE_PUBLISH,
        run=run,
        resumable=True,
    )


def switching(db: Database, service: CatalogueService) -> JobKind[SwitchItems]:
    """The kind of job that switches many items."""

    async def run(job: JobRun, given: SwitchItems) -> JobResult:
        async def act(uow: Uow) -> JobResult:
            progress = _saying(job, "catalogue.switching")
            count = await service.put_flags(uow, job.subject, given.codes, given.flags, progress)
            return JobResult(key="catalogue.switched_n", params={"n": count}, page=given.back)

        return await all_or_nothing(db, job, act)

    return JobKind(
        name="catalogue.flags",
        argument=SwitchItems,
        permission=Permission.CATALOGUE,
        run=run,
        resumable=True,
    )


def _saying(job: JobRun, key: str) -> Callable[[int, int], Awaitable[None]]:
    async def progress(done: int, total: int) -> None:
        await job.say(key, done, total)

    return progress
