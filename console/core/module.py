"""The module registry: what a module declares, what it is given, and in which order modules start."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from aiohttp import web
from aiohttp.typedefs import Middleware
from markupsafe import Markup

from console.core.api import ApiEvents, ApiEventType, ApiOperation
from console.core.audit import Audit
from console.core.channels import Channel
from console.core.citizen_options import CitizenOptions
from console.core.db import Database
from console.core.oidc import SignOn
from console.core.outside import ItemSystemSettings
from console.core.outward import Outward
from console.core.permissions import Permission, Subject
from console.core.personal import Boxes, PersonalData
from console.core.projection import Projector
from console.core.retention import Kept, RetentionSettings
from console.core.senders.port import Sender
from console.core.signals import Signals
from console.core.uow import Uow
from console.core.upkeep import UpkeepSettings
from qingting.contract.ids import HallId
from qingting.contract.states import Language
from qingting.kernel.aio.clock import Clock
from qingting.kernel.i18n import Catalogue
from qingting.kernel.security.persons import for_hall
from qingting.kernel.security.seal import Sealer
from qingting.kernel.web import MenuGroup, MenuItem, Sessions, Shell

T = TypeVar("T")


class ApiKey(Generic[T]):
    """Names the public interface of a module; the type of what it stands for goes with it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"ApiKey({self.name})"


Fragment = Callable[[web.Request, T], Awaitable[Markup]]
"""Draws a module's part of another module's page; nothing to show is an empty text."""


class SlotKey(Generic[T]):
    """Names a place on a page that other modules fill; ``T`` is what that page is about."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"SlotKey({self.name})"


MENU_TASKS = (
    (0, ""),
    (20, "menu.task.halls"),
    (40, "menu.task.service"),
    (65, "menu.task.people"),
    (80, "menu.task.safety"),
    (90, "menu.task.system"),
)
"""From which order on lines of the menu stand under which task."""


class Slot(Generic[T]):
    """A place on a page with all that modules put there; the page's module draws it.

    ``live`` names what changes the fragments besides what the page itself listens to.
    """

    def __init__(self) -> None:
        self._fragments: list[tuple[int, Fragment[T]]] = []
        self.live: set[str] = set()

    def add(self, order: int, fragment: Fragment[T], live: Sequence[str]) -> None:
        self._fragments.append((order, fragment))
        self.live.update(live)

    async def draw(self, request: web.Request, about: T) -> list[Markup]:
        """What is there to show, in order; one after the other, as they share the request's transaction."""
        drawn = [
            await fragment(request, about)
            for _, fragment in sorted(self._fragments, key=lambda one: one[0])
        ]
        return [one for one in drawn if one]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A way in besides the login: ``find`` says who asks, or None, for the few ``pages`` it is good for.
    ``door`` is open to everybody: there one shows what one comes with."""

    pages: frozenset[str]
    door: str
    find: Callable[[Uow, web.Request], Awaitable[Subject | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A part of the server for other people than the staff: all addresses that are ``start`` or below it.

    It has sessions of its own, a ``front`` that is asked before them, ``guards`` that run in the request's transaction, and
    a frame of its own around its pages, which is given the city's name."""

    start: str
    front: tuple[Middleware, ...]
    sessions: Sessions
    guards: tuple[Middleware, ...]
    shell: Callable[[web.Request, str], Shell]

    def has(self, path: str) -> bool:
        return path == self.start or path.startswith(f"{self.start}/")


class ModuleError(RuntimeError):
    """The modules do not fit together; a fault of the program, found when it starts."""


@dataclass(slots=True)
class ModuleContext:
    """What ``setup`` wires a module to. ``sealer`` is the city's own; what a hall is to open is sealed with
    :meth:`hall_sealer`. ``audit_heads`` is the file that the audit's signed ends are added to. ``utc_offset_minutes`` is the city's time zone; ``channels`` lead
    outside, ``senders`` to citizens, who find the city's pages at ``site_url``; ``retention`` is how long records are kept; ``sign_on`` are the providers of single sign-on; ``citizens`` what is set for
    their side; ``bell`` is the address of what asks for attention on every page. ``texts`` are those of all modules."""

    db: Database
    clock: Clock
    audit: Audit
    signals: Signals
    sealer: Sealer
    utc_offset_minutes: int
    secure_cookies: bool = False
    sessions: Sessions | None = None
    who_asks: Middleware | None = None
    channels: tuple[Channel, ...] = ()
    audit_heads: Path | None = None
    senders: tuple[Sender, ...] = ()
    site_url: str = ""
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    item_system: ItemSystemSettings = field(default_factory=ItemSystemSettings)
    upkeep: UpkeepSettings = field(default_factory=UpkeepSettings)
    sign_on: SignOn = field(default_factory=SignOn)
    citizens: CitizenOptions = field(default_factory=CitizenOptions)
    route_table: list[web.AbstractRouteDef] = field(default_factory=list)
    projectors: list[Projector] = field(default_factory=list)
    guests: list[Guest] = field(default_factory=list)
    sides: list[Side] = field(default_factory=list)
    jobs: list[tuple[str, Callable[[], Awaitable[None]]]] = field(default_factory=list)
    bell: str = ""
    texts: Catalogue = field(default_factory=lambda: Catalogue({one: {} for one in Language}))
    personal: list[PersonalData] = field(default_factory=list)
    boxes: list[Boxes] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    calls: list[ApiOperation[Any, Any, Any]] = field(default_factory=list)
    events: ApiEvents = field(default_factory=ApiEvents)
    outward: Outward = field(default_factory=Outward)
    menu_items: list[tuple[int, MenuItem, Permission]] = field(default_factory=list)
    _slots: dict[SlotKey[Any], Slot[Any]] = field(default_factory=dict)
    _apis: dict[ApiKey[Any], Any] = field(default_factory=dict)
    _spec: "ModuleSpec | None" = None
    _owners: dict[ApiKey[Any], str] = field(default_factory=dict)

    def hall_sealer(self, hall: HallId) -> Sealer:
        """For persons whom the city tells ``hall`` about (:func:`qingting.kernel.security.persons.seal_person`): the
        hall finds them by their card, and no other hall opens them. Ask for it each time: keys change."""
        return for_hall(self.sealer, hall)

    def holds(self, data: PersonalData) -> None:
        """Says what this module holds about people: for unmasking, copies, and requests to be erased."""
        self.personal.append(data)

    def keeps_boxes(self, *boxes: Boxes) -> None:
        """Says which sealed boxes this module keeps: they change to the newest key, and no key is removed that one
        of them needs."""
        self.boxes.extend(boxes)

    def provide(self, key: ApiKey[T], api: T) -> None:
        """Offers this module's public interface to the modules that require it."""
        assert self._spec is not None
        if key in self._apis:
            raise ModuleError(f"{key} is provided twice")
        self._apis[key] = api
        self._owners[key] = self._spec.name

    def get(self, key: ApiKey[T]) -> T:
        """The interface of a module that this one declared in ``requires``."""
        assert self._spec is not None
        owner = self._owners.get(key)
        if owner is None or (owner not in self._spec.requires and owner != self._spec.name):
            raise ModuleError(f"module {self._spec.name} uses {key} without requiring its module")
        return cast("T", self._apis[key])

    def take(self, key: ApiKey[T]) -> T:
        """Any interface, for the composition root."""
        return cast("T", self._apis[key])

    def routes(self, routes: Sequence[web.AbstractRouteDef]) -> None:
        self.route_table.extend(routes)

    def guard(self, sessions: Sessions, who_asks: Middleware) -> None:
        """How the server knows who asks; given by the module of administrators."""
        self.sessions, self.who_asks = sessions, who_asks

    def side(self, side: Side) -> None:
        """Addresses that belong to other people than the staff."""
        self.sides.append(side)

    def side_of(self, path: str) -> Side | None:
        """The side that an address belongs to; None: the staff's."""
        return next((one for one in self.sides if one.has(path)), None)

    def projector(self, projector: Projector) -> None:
        self.projectors.append(projector)

    def api(self, *operations: ApiOperation[Any, Any, Any]) -> None:
        """Calls that this module brings to the open API; see :mod:`console.core.api`."""
        self.calls.extend(operations)

    def api_events(self, *types: ApiEventType[Any]) -> None:
        """Events that this module tells integrators through ``events``."""
        self.events.declare(*types)

    def slot(self, key: SlotKey[T]) -> Slot[T]:
        """The place itself, for the module whose page it is on; modules may fill it before or after."""
        return cast("Slot[T]", self._slots.setdefault(key, Slot()))

    def fill(
        self, key: SlotKey[T], fragment: Fragment[T], *, order: int = 50, live: Sequence[str] = ()
    ) -> None:
        """Puts a fragment into another module's page; lower ``order`` stands higher. ``live``: names of what
        changes it (:meth:`console.core.uow.Uow.changed`)."""
        self.slot(key).add(order, fragment, live)

    def job(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """A service that each worker runs until it stops; it is started again after a crash. What must happen once
        in the city, ``run`` guards with the database."""
        self.jobs.append((name, run))

    def menu(self, order: int, item: MenuItem, permission: Permission) -> None:
        """A line of the left menu for those who have ``permission`` anywhere; lower ``order`` stands higher;
        :data:`MENU_TASKS` says under which task."""
        self.menu_items.append((order, item, permission))

    def home(self, subject: Subject) -> str:
        """The first page that somebody may see; the own password for one who may see none."""
        lines = self.menu_for(subject)
        return lines[0].href if lines else "/password"

    def menu_for(self, subject: Subject) -> tuple[MenuItem, ...]:
        """What somebody can go to, in order."""
        return tuple(item for _, item in self._lines(subject))

    def menu_groups(self, subject: Subject) -> tuple[MenuGroup, ...]:
        """The same by task (:data:`MENU_TASKS`)."""
        lines = self._lines(subject)
        ends = (*(start for start, _ in MENU_TASKS[1:]), None)
        found = [
            MenuGroup(text, tuple(item for at, item in lines if at >= start and (end is None or at < end)))
            for (start, text), end in zip(MENU_TASKS, ends, strict=True)
        ]  # fmt: skip
        return tuple(group for group in found if group.items)

    def _lines(self, subject: Subject) -> list[tuple[int, MenuItem]]:
        """A page that two functions open stands once, under the words of the first."""
        found: dict[str, tuple[int, MenuItem]] = {}
        for at, item, permission in sorted(self.menu_items, key=lambda one: one[0]):
            if subject.may(permission):
                found.setdefault(item.href, (at, item))
        return list(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleSpec:
    """A module: its ``package`` holds ``templates/``, ``locale/`` and ``migrations/`` where it has them.

    ``requires`` names the modules whose ``api.py`` it imports; a test compares it with the imports. ``passing`` are its
    tables of who is logged in: a restored city begins with empty ones. ``restored`` are statements that are run in a
    database before it becomes the city again, with the present instant as ``$1``.
    """

    name: str
    package: str
    requires: tuple[str, ...]
    table_prefix: str
    setup: Callable[[ModuleContext], None]
    passing: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()


def in_order(modules: Sequence[ModuleSpec]) -> list[ModuleSpec]:
    """Modules after what they require; :class:`ModuleError` names an unknown or circular one."""
    known = {module.name: module for module in modules}
    done: dict[str, ModuleSpec] = {}

    def visit(module: ModuleSpec, path: tuple[str, ...]) -> None:
        if module.name in done:
            return
        if module.name in path:
            raise ModuleError(" → ".join((*path, module.name)))
        for name in module.requires:
            if name not in known:
                raise ModuleError(f"module {module.name} requires the unknown {name}")
            visit(known[name], (*path, module.name))
        done[module.name] = module

    for module in modules:
        visit(module, ())
    return list(done.values())


def set_up(modules: Sequence[ModuleSpec], context: ModuleContext) -> None:
    """Runs every ``setup`` in order."""
    for module in in_order(modules):
        context._spec = module
        module.setup(context)
    context._spec = None
