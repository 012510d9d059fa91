"""How long what is kept, and the keys: for the security administrator."""

from collections.abc import Sequence

import sqlalchemy as sa
from aiohttp import web

from console.core.models import pruned
from console.core.permissions import Permission
from console.core.pruning import EVERY_SECONDS
from console.core.retention import Kept
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.jobs.api import JobKind, JobsApi
from console.modules.privacy.keys import Keys, ReSeal
from qingting.kernel.security.seal import Sealer
from qingting.kernel.web import see_other


class KeepingViews:
    """Handlers over the registries of retention and of boxes."""

    def __init__(
        self,
        keys: Keys,
        sealer: Sealer,
        kept: Sequence[Kept],
        jobs: JobsApi,
        sealing: JobKind[ReSeal],
    ) -> None:
        self._keys, self._sealer, self._kept = keys, sealer, kept
        self._jobs, self._sealing = jobs, sealing

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/keeping", self.page), web.post("/keeping/seal", self.seal)]

    async def page(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.KEYS)
        uow = request[UOW]
        behind = await self._keys.behind(uow)
        runs = {row["name"]: row for row in await uow.all(sa.select(pruned))}
        context = {
            "kept": self._kept,
            "runs": runs,
            "every": int(EVERY_SECONDS * 1000),
            "keys": [key.id for key in self._sealer.keys],
            "newest": self._sealer.newest,
            "heads": [(key.id, "num") for key in self._sealer.keys],
            "behind": behind,
            "total": sum(sum(one.values()) for one in behind.values()),
            "last": await self._jobs.latest(uow, self._sealing.name),
        }
        return request.app[PAGES].render(request, "keeping.html", context)

    async def seal(self, request: web.Request) -> web.Response:
        no = await self._jobs.start(request[UOW], request[SUBJECT], self._sealing, ReSeal())
        raise see_other(request, f"/jobs/{no}")
