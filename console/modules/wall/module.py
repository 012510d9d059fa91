"""Wall screens that nobody is logged in at."""

from console.core.module import Guest, ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.modules.identity.api import IDENTITY
from console.modules.wall.service import WallService
from console.modules.wall.views import DOOR, guest_of, routes
from qingting.kernel.web import MenuItem


def setup(context: ModuleContext) -> None:
    service = WallService(context.clock, context.audit, context.get(IDENTITY))
    context.guests.append(Guest(pages=frozenset({"/wall"}), door=DOOR, find=guest_of(service)))
    context.routes(routes(service, secure=context.secure_cookies))
    context.menu(39, MenuItem("/walls", "menu.wall", "chart"), Permission.WALL)


MODULE = ModuleSpec(
    name="wall",
    package="console.modules.wall",
    requires=("identity",),
    table_prefix="wall_",
    setup=setup,
)
