"""Evaluation (好差评)."""

from console.core.module import ModuleContext, ModuleSpec
from console.modules.evaluation.api import EVALUATION
from console.modules.evaluation.projector import RatingProjector
from console.modules.evaluation.service import EvaluationService


def setup(context: ModuleContext) -> None:
    context.provide(EVALUATION, EvaluationService())
    context.projector(RatingProjector())


MODULE = ModuleSpec(
    name="evaluation",
    package="console.modules.evaluation",
    requires=("halls",),
    table_prefix="eval_",
    setup=setup,
)
