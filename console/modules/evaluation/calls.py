"""Sums of ratings for integrators: counts by level, never a rating of somebody."""

from typing import Annotated

import msgspec

from console.core.api import ApiCall, ApiOperation, Both, Day, HallName, check_span, said
from console.core.api_scopes import RATINGS_READ
from console.core.permissions import Permission
from console.halls.api import HallsApi, hall_within
from console.modules.evaluation.api import EvaluationApi, RatingFilter
from qingting.contract.base import Strict
from qingting.contract.states import RatingLevel

MOST_DAYS = 366


class RatingParams(Strict, frozen=True, kw_only=True):
    """One hall from ``first`` to ``last``, both inclusive."""

    hall: HallName
    first: Day
    last: Day


class RatingSums(msgspec.Struct, frozen=True, kw_only=True):
    """How finished cases of a hall were rated."""

    hall: str
    first: Day
    last: Day
    rated: Annotated[int, said("已评价", "Cases that were rated")]
    unrated: Annotated[int, said("未评价", "Cases that were not, and no longer can be")]
    open: Annotated[int, said("还可以评价", "Cases that may still be rated")]
    bad: Annotated[int, said("差评（不满意、非常不满意）", "Both bad levels together")]
    very_satisfied: int
    satisfied: int
    basically_satisfied: int
    dissatisfied: int
    very_dissatisfied: int


def rating_call(
    halls: HallsApi, evaluation: EvaluationApi
) -> ApiOperation[RatingParams, None, RatingSums]:
    async def run(call: ApiCall[RatingParams, None]) -> RatingSums:
        scope, asked = call.subject.scope(Permission.RATINGS), call.params
        status = await hall_within(call.uow, halls, scope, asked.hall)
        check_span(asked.first, asked.last, MOST_DAYS)
        wanted = RatingFilter(first=asked.first, last=asked.last, hall=status.id)
        found = await evaluation.figures(call.uow, scope, wanted)
        levels = {one: found.levels.get(one, 0) for one in RatingLevel}
        return RatingSums(
            hall=status.id,
            first=asked.first,
            last=asked.last,
            rated=sum(levels.values()),
            unrated=found.unrated,
            open=found.open,
            bad=levels[RatingLevel.DISSATISFIED] + levels[RatingLevel.VERY_DISSATISFIED],
            very_satisfied=levels[RatingLevel.VERY_SATISFIED],
            satisfied=levels[RatingLevel.SATISFIED],
            basically_satisfied=levels[RatingLevel.BASICALLY_SATISFIED],
            dissatisfied=levels[RatingLevel.DISSATISFIED],
            very_dissatisfied=levels[RatingLevel.VERY_DISSATISFIED],
        )

    return ApiOperation(
        name="getHallRatings",
        method="GET",
        path="/halls/{hall}/ratings",
        tag="figures",
        scope=RATINGS_READ,
        summary=Both("大厅评价汇总", "Ratings of a hall"),
        purpose=Both(
            "一段时间（最长 366 天）里各档评价的数量。没有单条评价，也没有个人信息。",
            "Counts by level over at most 366 days. No single rating and nothing of a person.",
        ),
        params=RatingParams,
        result=RatingSums,
        run=run,
        errors=("hall.unknown", "api.span"),
    )
