"""Lists of jobs and the page of one."""

from aiohttp import web

from console.core.lists import Listing
from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.jobs.api import JobInfo, JobState, Why
from console.modules.jobs.service import JobService
from qingting.contract.errors import sentence
from qingting.kernel.web import LANGUAGE, see_other

TONES = {
    JobState.WAITING: "off",
    JobState.RUNNING: "info",
    JobState.DONE: "done",
    JobState.FAILED: "fault",
    JobState.CANCELLED: "off",
}


def routes(service: JobService) -> list[web.RouteDef]:
    """Handlers over ``service``."""

    async def jobs(request: web.Request) -> web.Response:
        subject = request[SUBJECT]
        listing = Listing.of(request, ("whose", "state"), sort="")
        whose = listing.query.get("whose", "mine")
        count, found = await service.jobs(
            request[UOW],
            subject,
            whose=whose,
            state=listing.query.get("state", ""),
            limit=listing.rows,
            offset=listing.offset,
        )
        context = {
            "rows": found,
            "count": count,
            "whose": whose,
            "state": listing.query.get("state", ""),
            "listing": listing.counted(count),
            **_words(request),
        }
        return request.app[PAGES].render(request, "jobs.html", context, block="now")

    async def job(request: web.Request) -> web.Response:
        subject = request[SUBJECT]
        one = await service.job(request[UOW], subject, int(request.match_info["no"]))
        mine = one.asked_by == subject.id
        context = {
            "one": one,
            "mine": mine,
            "may_cancel": mine or subject.may(Permission.OPERATIONS),
            **_words(request),
        }
        return request.app[PAGES].render(request, "job.html", context, block="now")

    async def cancel(request: web.Request) -> web.Response:
        no = int(request.match_info["no"])
        await service.cancel(request[UOW], request[SUBJECT], no)
        raise see_other(request, f"/jobs/{no}", done="job.cancel_asked")

    async def file(request: web.Request) -> web.Response:
        no = int(request.match_info["no"])
        found = await service.file(request[UOW], request[SUBJECT], no)
        return web.Response(
            body=found.data,
            content_type=found.media,
            headers={
                "Content-Disposition": f'attachment; filename="{found.name}"',
                "Cache-Control": "no-store",
            },
        )

    return [
        web.get("/jobs", jobs),
        web.get("/jobs/{no:\\d{1,15}}", job),
        web.post("/jobs/{no:\\d{1,15}}/cancel", cancel),
        web.get("/jobs/{no:\\d{1,15}}/file", file),
    ]


def _words(request: web.Request) -> dict[str, object]:
    """What a template needs to say a job in the reader's language."""

    def says(one: JobInfo) -> str:
        if one.code:
            return sentence(one.code, dict(one.params), request[LANGUAGE])
        if not one.saying.key:
            return ""
        return request.app[PAGES].text(request[LANGUAGE], one.saying.key, **one.saying.params)

    def called(one: JobInfo) -> str:
        """A kind of an older release has no text any more."""
        try:
            return request.app[PAGES].text(request[LANGUAGE], f"job.kind.{one.kind}")
        except KeyError:
            return one.kind

    def text(key: str, **params: object) -> str:
        return request.app[PAGES].text(request[LANGUAGE], key, **params)

    def why_of(why: Why) -> tuple[str, str]:
        if why.code:
            return why.hall, sentence(why.code, why.params, request[LANGUAGE])
        where = text("sheet.row", n=why.row) if why.row else ""
        field = f"{text(why.field)}: " if why.field else ""
        return where, field + text(why.text, **why.params)

    def whys(one: JobInfo) -> list[tuple[str, str]]:
        """Hall (or row) and sentence of each part that was refused."""
        return [why_of(why) for why in one.saying.whys]

    return {"says": says, "called": called, "whys": whys, "tones": TONES}
