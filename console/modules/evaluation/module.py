"""Evaluation (好差评)."""

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.halls.api import HALLS
from console.modules.evaluation.api import EVALUATION
from console.modules.evaluation.calls import rating_call
from console.modules.evaluation.projector import RatingProjector
from console.modules.evaluation.service import EvaluationService
from console.modules.evaluation.views import routes
from console.modules.statistics.api import STATISTICS
from qingting.kernel.web import MenuItem


def setup(context: ModuleContext) -> None:
    service = EvaluationService()
    context.provide(EVALUATION, service)
    context.api(rating_call(context.get(HALLS), service))
    context.projector(RatingProjector())
    context.routes(routes(service, context.get(HALLS), context.get(STATISTICS)))
    context.menu(50, MenuItem("/ratings", "menu.ratings", "rating"), Permission.RATINGS)


MODULE = ModuleSpec(
    name="evaluation",
    package="console.modules.evaluation",
    requires=("halls", "statistics"),
    table_prefix="eval_",
    setup=setup,
)
