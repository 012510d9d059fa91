"""Templates of one kind in the hall's configuration: found, put and taken away as edits of one version."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from aiohttp import web

from hallserver.app.desk import Desk, desk_of, person_of
from qingting.contract.commands import EditConfig
from qingting.contract.config_parts import ConfigPart
from qingting.contract.errors import Refusal
from qingting.contract.templates import KioskTemplate, TicketTemplate
from qingting.kernel.security.device_keys import new_token

T = TypeVar("T", TicketTemplate, KioskTemplate)


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
