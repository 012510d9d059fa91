"""Ratings; implements :class:`console.modules.evaluation.api.EvaluationApi`. Reads only: a rating is made by
a citizen, in a hall, and nowhere else."""

from console.core.permissions import Scope
from console.core.uow import ReadUow
from console.modules.evaluation import repository
from console.modules.evaluation.api import RatingFigures, RatingFilter, RatingInfo


class EvaluationService:
    """See :class:`console.modules.evaluation.api.EvaluationApi`."""

    async def figures(self, uow: ReadUow, scope: Scope, wanted: RatingFilter) -> RatingFigures:
        return await repository.figures(uow, scope, wanted)

    async def ratings(
        self, uow: ReadUow, scope: Scope, wanted: RatingFilter, *, limit: int, offset: int = 0
    ) -> tuple[int, list[RatingInfo]]:
        return await repository.ratings(uow, scope, wanted, limit, offset)
