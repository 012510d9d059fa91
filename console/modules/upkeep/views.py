"""The health page, and backups with their restore drills."""

from aiohttp import web

from console.core.databases import Step
from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.jobs.api import JobsApi
from console.modules.upkeep.api import HealthState
from console.modules.upkeep.backups import Backups, MakeBackup, MakeDrill, report_of
from console.modules.upkeep.health import worst
from console.modules.upkeep.restores import Restores
from console.modules.upkeep.service import UpkeepService
from qingting.contract.base import Strict
from qingting.contract.ids import ShortText
from qingting.kernel.web import read_form, see_other

TONES = {
    HealthState.OK: "done",
    HealthState.CAUTION: "caution",
    HealthState.FAULT: "fault",
    HealthState.UNKNOWN: "off",
}


class DrillForm(Strict, frozen=True, kw_only=True):
    """``file`` empty: the newest archive."""

    file: ShortText = ""


STEPS = {
    Step.PREPARING: "info",
    Step.DUE: "info",
    Step.GIVEN_UP: "fault",
    Step.KEPT: "off",
}


def routes(
    service: UpkeepService, backups: Backups, restores: Restores, jobs: JobsApi
) -> list[web.RouteDef]:
    """Handlers over ``service``, ``backups`` and ``restores``."""

    async def health(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.OPERATIONS)
        parts = list(await service.health(request[UOW]))
        context = {"parts": parts, "worst": worst(parts), "tones": TONES}
        return request.app[PAGES].render(request, "health.html", context, block="now")

    async def shown(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.OPERATIONS)
        uow, files = request[UOW], await backups.files()
        known, made = await service.health(uow), await backups.made(uow)
        context = {
            "made": [(row, row["file"] in files) for row in made],
            "strays": [one for one in files if one not in {row["file"] for row in made}],
            "restored": await restores.latest(uow),
            "besides": await restores.besides(uow),
            "shown": restores.shown,
            "moment_of": restores.moment_of,
            "STEPS": STEPS,
            "drills": [(row, report_of(row)) for row in await backups.drills(uow)],
            "states": [one for one in known if one.name in ("backup", "drill")],
            "settings": backups.settings,
            "any": bool(files),
            "tones": TONES,
        }
        return request.app[PAGES].render(request, "backups.html", context, block="now")

    async def make(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.OPERATIONS)
        _ = backups.folder
        no = await jobs.start(request[UOW], request[SUBJECT], backups.making, MakeBackup())
        raise see_other(request, f"/jobs/{no}")

    async def try_one(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.OPERATIONS)
        form = await read_form(request, DrillForm)
        _ = backups.folder
        wish = MakeDrill(file=form.file)
        no = await jobs.start(request[UOW], request[SUBJECT], backups.drilling, wish)
        raise see_other(request, f"/jobs/{no}")

    return [
        web.get("/health", health),
        web.get("/backups", shown),
        web.post("/backups", make),
        web.post("/backups/drills", try_one),
    ]
