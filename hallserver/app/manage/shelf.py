"""Templates of one kind in the hall's configuration: found, put and taken away as edits of one version, and the pages
on which a manager does so."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from aiohttp import web
from multidict import MultiDictProxy

from hallserver.app.desk import Desk, desk_of, person_of
from qingting.contract.commands import EditConfig
from qingting.contract.config_parts import ConfigPart
from qingting.contract.errors import Refusal
from qingting.contract.templates import KioskTemplate, TicketTemplate
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.web import see_other

T = TypeVar("T", TicketTemplate, KioskTemplate)
T_co = TypeVar("T_co", TicketTemplate, KioskTemplate, covariant=True)
F = TypeVar("F", bound="TemplateForm[Any]")
F_contra = TypeVar("F_contra", contravariant=True)


def version_of(desk: Desk) -> int:
    """The configuration's version; 0 for a hall without one."""
    return desk.state.config.version if desk.state.config is not None else 0


@dataclass(frozen=True, slots=True)
class Shelf(Generic[T]):
    """All templates of a kind. ``default`` is the built-in one, which is never changed."""

    field: str
    default: T
    part: Callable[[tuple[T, ...]], ConfigPart]

    def all(self, desk: Desk) -> tuple[T, ...]:
        config = desk.state.config
        found: tuple[T, ...] = getattr(config, self.field) if config is not None else ()
        return found

    def find(self, desk: Desk, name: str) -> T:
        """Raises ``layout.unknown``."""
        if name == self.default.id:
            return self.default
        for one in self.all(desk):
            if one.id == name:
                return one
        raise Refusal("layout.unknown")

    async def put(self, request: web.Request, base: int, template: T) -> None:
        """Adds or replaces a template on top of version ``base``.

        Raises ``layout.builtin``, ``config.moved_on``, ``config.invalid``.
        """
        kept = list(self.all(desk_of(request)))
        places = [number for number, one in enumerate(kept) if one.id == template.id]
        if places:
            kept[places[0]] = template
        else:
            kept.append(template)
        await self._edit(request, base, template.id, tuple(kept))

    async def drop(self, request: web.Request, name: str) -> None:
        """Takes a template away; whatever was bound to it uses the built-in one."""
        desk = desk_of(request)
        template = self.find(desk, name)
        kept = tuple(one for one in self.all(desk) if one.id != template.id)
        await self._edit(request, version_of(desk), template.id, kept)

    async def _edit(self, request: web.Request, base: int, name: str, kept: tuple[T, ...]) -> None:
        if name == self.default.id:
            raise Refusal("layout.builtin")
        command = EditConfig(base=base, part=self.part(kept))
        actor = f"staff:{person_of(request).id}"
        await desk_of(request).hall.submit(command, key=f"manager:{new_token()}", actor=actor)


def fresh_id(prefix: str) -> str:
    """An id for a new template."""
    return f"{prefix}-{new_token()[:8].lower().replace('_', 'x').replace('-', 'x')}"


# ---- pages of a shelf -----------------------------------------------------------------------------


class Posted:
    """The fields of a posted editor; of a field that stands there several times the last one counts."""

    def __init__(self, data: MultiDictProxy[Any]) -> None:
        self.data = data

    def many(self, name: str) -> list[str]:
        return [one for one in self.data.getall(name, ()) if isinstance(one, str)]

    def one(self, name: str) -> str:
        return (self.many(name) or [""])[-1].strip()

    @property
    def base(self) -> int:
        """The version on which the editor was opened; 0 when it says none."""
        text = self.one("base")
        return int(text) if text.isdecimal() else 0


class TemplateForm(Protocol[T_co]):
    """An editor's fields as typed."""

    def template(self) -> T_co:
        """Raises ``form.invalid`` naming the field that cannot be read."""


class Draw(Protocol[F_contra]):
    """Answers with the editor of a form, or with one block of it; ``problem`` is why it was not saved."""

    def __call__(
        self,
        request: web.Request,
        form: F_contra,
        problem: Refusal | None = None,
        block: str | None = None,
    ) -> Awaitable[web.Response]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop(Generic[T, F]):
    """The pages of a shelf: its list, and an editor that shows what comes of it before it is saved.

    ``listing`` is the list's page with the name it gives the templates; ``opened`` makes a form of a template on
    a version, ``copied`` one of a template under a new id, without name and binding. ``read`` makes it of what was
    posted; ``press`` does what a button other than "save" asks of it.
    """

    home: str
    shelf: Shelf[T]
    listing: tuple[str, str]
    saved: str
    opened: Callable[[T, int], F]
    copied: Callable[[T, int], F]
    read: Callable[[str, Posted], F]
    press: Callable[[F, str], None]
    draw: Draw[F]

    def routes(self) -> tuple[web.RouteDef, ...]:
        one = self.home + "/{template}"
        return (
            web.get(self.home, self.page),
            web.get(one + "/copy", self.copy),
            web.get(one, self.edit),
            web.post(one + "/preview", self.preview),
            web.post(one + "/drop", self.drop),
            web.post(one, self.save),
        )

    async def page(self, request: web.Request) -> web.Response:
        desk = desk_of(request)
        page, listed = self.listing
        context = {
            listed: self.shelf.all(desk),
            "builtin": self.shelf.default,
            "names": {one.id: one for one in desk.state.devices.values()},
        }
        return desk.pages.render(request, page, context)

    async def copy(self, request: web.Request) -> web.Response:
        """A new template begins as a copy, so that nothing is forgotten."""
        return await self.draw(request, self._form(request, self.copied))

    async def edit(self, request: web.Request) -> web.Response:
        return await self.draw(request, self._form(request, self.opened))

    def _form(self, request: web.Request, made: Callable[[T, int], F]) -> F:
        desk = desk_of(request)
        return made(self.shelf.find(desk, request.match_info["template"]), version_of(desk))

    async def preview(self, request: web.Request) -> web.Response:
        form, _ = await self._posted(request)
        return await self.draw(request, form, block="preview")

    async def save(self, request: web.Request) -> web.Response:
        """Buttons of lists change the form only; "save" puts it in force."""
        form, posted = await self._posted(request)
        action = posted.one("do")
        if action != "save":
            self.press(form, action)
            return await self.draw(request, form)
        try:
            await self.shelf.put(request, posted.base, form.template())
        except Refusal as refusal:
            return await self.draw(request, form, refusal)
        raise see_other(request, self.home, done=self.saved)

    async def _posted(self, request: web.Request) -> tuple[F, Posted]:
        posted = Posted(await request.post())
        return self.read(request.match_info["template"], posted), posted

    async def drop(self, request: web.Request) -> web.Response:
        await self.shelf.drop(request, request.match_info["template"])
        raise see_other(request, self.home, done="layouts.dropped")
