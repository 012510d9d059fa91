"""Pages of roles: which functions each has."""

from typing import Annotated

import msgspec
from aiohttp import web

from console.core.permissions import CITY_WIDE, DUTIES, Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.identity.accounts import AccountService
from console.modules.identity.roles import BUILT_IN, Role
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web import LANGUAGE, read_form, see_other

Text = Annotated[str, msgspec.Meta(max_length=40)]


class RoleForm(Strict, frozen=True, kw_only=True):
    """``version`` None: a new role."""

    id: Text = ""
    name: Text = ""
    name_en: Text = ""
    functions: tuple[Permission, ...] = ()
    version: int | None = None

    @classmethod
    def of(cls, role: Role) -> "RoleForm":
        return cls(
            id=role.id,
            name=role.name,
            name_en=role.name_en,
            functions=tuple(role.functions),
            version=role.version,
        )

    def role(self) -> Role:
        return Role(
            id=self.id,
            name=self.name,
            name_en=self.name_en,
            functions=frozenset(self.functions),
            version=self.version or 0,
        )


def routes(accounts: AccountService) -> list[web.RouteDef]:
    """Handlers over ``accounts``."""

    async def roles(request: web.Request) -> web.Response:
        found = await accounts.roles(request[UOW], request[SUBJECT])
        used = await accounts.holders(request[UOW], request[SUBJECT])
        built_in = {one.id for one in BUILT_IN}
        context = {
            "rows": [(one, one.title(request[LANGUAGE]), used.get(one.id, 0)) for one in found],
            "functions": list(Permission),
            "duties": DUTIES,
            "built_in": built_in,
            "may": request[SUBJECT].may(Permission.ROLES),
            "may_sign_in": request[SUBJECT].may(Permission.SIGN_IN),
        }
        return request.app[PAGES].render(request, "roles.html", context)

    def page(request: web.Request, form: RoleForm, problem: Refusal | None) -> web.Response:
        groups: dict[str, list[Permission]] = {"": [], "system": [], "security": [], "audit": []}
        for one in Permission:
            groups[DUTIES.get(one, "")].append(one)
        context = {"form": form, "groups": groups, "city_wide": CITY_WIDE, "problem": problem}
        context["fixed"] = form.version is not None and form.role().fixed
        return request.app[PAGES].render(request, "role.html", context)

    async def new(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.ROLES)
        return page(request, RoleForm(), None)

    async def edit(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.ROLES)
        role = await accounts.role(request[UOW], request[SUBJECT], request.match_info["role"])
        return page(request, RoleForm.of(role), None)

    async def put(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.ROLES)
        form = await read_form(request, RoleForm)
        try:
            await accounts.put_role(
                request[UOW], request[SUBJECT], form.role(), new=form.version is None
            )
        except Refusal as refusal:
            return page(request, form, refusal)
        raise see_other(request, "/roles", done="role.done.kept")

    async def drop(request: web.Request) -> web.Response:
        await accounts.drop_role(request[UOW], request[SUBJECT], request.match_info["role"])
        raise see_other(request, "/roles", done="role.done.dropped")

    return [
        web.get("/roles", roles),
        web.get("/roles/new", new),
        web.get("/roles/edit/{role}", edit),
        web.post("/roles", put),
        web.post("/roles/edit/{role}/drop", drop),
    ]
