"""The halls as a module: projector and public interface. The link itself is started by the app."""

from console.core.module import ModuleContext, ModuleSpec
from console.halls.api import HALLS
from console.halls.boxes import DirectiveBoxes
from console.halls.calls import hall_call, list_call
from console.halls.projector import HallProjector
from console.halls.service import HallService


def setup(context: ModuleContext) -> None:
    service = HallService(context.clock, context.audit)
    context.provide(HALLS, service)
    context.api(list_call(service), hall_call(service))
    context.projector(HallProjector())
    context.keeps_boxes(DirectiveBoxes())


MODULE = ModuleSpec(
    name="halls", package="console.halls", requires=(), table_prefix="hall_", setup=setup
)
