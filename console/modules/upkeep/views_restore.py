"""Pages of a restore: what it would put in force and take away, and that somebody means it."""

from collections.abc import Mapping

from aiohttp import web

from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.upkeep.backups import Backups
from console.modules.upkeep.restores import MakeRestore, Restores
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.ids import ShortText
from qingting.kernel.web import read_form, see_other


class SureForm(Strict, frozen=True, kw_only=True):
    """``typed``: the state in question, as the page shows it."""

    file: ShortText = ""
    typed: ShortText = ""
    password: ShortText = ""
    passcode: ShortText = ""


def routes(restores: Restores, backups: Backups) -> list[web.RouteDef]:
    """Handlers over ``restores``."""
    pages = RestorePages(restores, backups)
    kept = "/backups/kept/{name:[A-Za-z0-9_-]{1,63}}"
    return [
        web.get("/backups/restore", pages.restore_page),
        web.post("/backups/restore", pages.restore),
        web.get(f"{kept}/restore", pages.restore_page),
        web.post(f"{kept}/restore", pages.restore),
        web.get(f"{kept}/drop", pages.drop_page),
        web.post(f"{kept}/drop", pages.drop),
    ]


class RestorePages:
    """A page with its form for each act; what was typed stays after a refusal, but for secrets."""

    def __init__(self, restores: Restores, backups: Backups) -> None:
        self._restores, self._backups = restores, backups

    async def restore_page(self, request: web.Request) -> web.Response:
        wish = self._wish(request, request.query.get("file", ""))
        return await self._restore_page(request, wish, SureForm(), None)

    async def restore(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.OPERATIONS)
        form = await read_form(request, SureForm)
        wish = self._wish(request, form.file)
        source = await self._restores.source(request[UOW], wish)
        refusal = await self._sure(request, form, source.moment)
        if refusal is not None:
            return await self._restore_page(request, wish, form, refusal)
        no = await self._restores.start(request[UOW], request[SUBJECT], wish)
        raise see_other(request, f"/jobs/{no}")

    async def drop_page(self, request: web.Request) -> web.Response:
        return await self._drop_page(request, SureForm(), None)

    async def drop(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.OPERATIONS)
        form, name = await read_form(request, SureForm), request.match_info["name"]
        kept = await self._restores.kept(request[UOW], name)
        refusal = await self._sure(request, form, self._restores.moment_of(kept))
        if refusal is not None:
            return await self._drop_page(request, form, refusal)
        no = await self._restores.start_drop(request[UOW], request[SUBJECT], name)
        raise see_other(request, f"/jobs/{no}")

    def _wish(self, request: web.Request, file: str) -> MakeRestore:
        kept = request.match_info.get("name", "")
        return MakeRestore(kept=kept) if kept else MakeRestore(file=file)

    async def _sure(self, request: web.Request, form: SureForm, moment: int) -> Refusal | None:
        return await self._restores.sure(
            request[UOW], request[SUBJECT], moment, form.typed, form.password, form.passcode
        )

    async def _restore_page(
        self, request: web.Request, wish: MakeRestore, form: SureForm, problem: Refusal | None
    ) -> web.Response:
        request[SUBJECT].require(Permission.OPERATIONS)
        uow = request[UOW]
        source = await self._restores.source(uow, wish)
        drills = await self._backups.drills(uow)
        context = {
            "source": source,
            "loss": await self._restores.loss(uow, source),
            "took": drills[0]["took_ms"] // 1000 + 1 if drills else 0,
        }
        return await self._page(request, "restore.html", source.moment, form, problem, context)

    async def _drop_page(
        self, request: web.Request, form: SureForm, problem: Refusal | None
    ) -> web.Response:
        request[SUBJECT].require(Permission.OPERATIONS)
        kept = await self._restores.kept(request[UOW], request.match_info["name"])
        moment = self._restores.moment_of(kept)
        return await self._page(request, "drop_kept.html", moment, form, problem, {"kept": kept})

    async def _page(
        self,
        request: web.Request,
        template: str,
        moment: int,
        form: SureForm,
        problem: Refusal | None,
        context: Mapping[str, object],
    ) -> web.Response:
        factor = await self._restores.confirm.has_factor(request[UOW], request[SUBJECT])
        more = {
            "form": form,
            "problem": problem,
            "factor": factor,
            "moment": moment,
            "state": self._restores.shown(moment),
        }
        return request.app[PAGES].render(request, template, dict(context) | more)
