"""Ratings; implements :class:`console.modules.evaluation.api.EvaluationApi`. Reads only: a rating is made by
a citizen, in a hall, and nowhere else."""

from console.core.uow import ReadUow
from console.modules.evaluation import repository
from console.modules.evaluation.api import RatingFigures, RatingFilter, RatingInfo


class EvaluationService:
    """See :class:`console.modules.evaluation.api.EvaluationApi`."""

    async def figures(self, uow: ReadUow, wanted: RatingFilter) -> RatingFigures:
        return await repository.figures(uow, wanted)

    async def ratings(
        self, uow: ReadUow, wanted: RatingFilter, *, limit: int, offset: int = 0
    ) -> tuple[int, list[RatingInfo]]:
        return await repository.ratings(uow, wanted, limit, offset)
