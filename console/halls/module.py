"""The halls as a module: projector and public interface. The link itself is started by the app."""

from console.core.module import ModuleContext, ModuleSpec
from console.halls.api import HALLS
from console.halls.projector import HallProjector
from console.halls.service import HallService


def setup(context: ModuleContext) -> None:
    context.provide(HALLS, HallService(context.clock, context.audit))
    context.projector(HallProjector())


MODULE = ModuleSpec(
    name="halls", package="console.halls", requires=(), table_prefix="hall_", setup=setup
)
