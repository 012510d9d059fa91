"""SQL over visits and ratings."""

from typing import Any

import sqlalchemy as sa

from console.core.uow import ReadUow
from console.modules.evaluation import models as m
from console.modules.evaluation.api import RatingFigures, RatingFilter, RatingInfo
from qingting.contract.ids import HallId
from qingting.contract.states import BAD_LEVELS, NotRatedReason, RatingChannel, RatingLevel

_v = m.visit.c


def _where(statement: sa.Select[Any], wanted: RatingFilter) -> sa.Select[Any]:
    statement = statement.where(_v.day >= wanted.first, _v.day <= wanted.last)
    if wanted.hall:
        statement = statement.where(_v.hall == wanted.hall)
    if wanted.department:
        statement = statement.where(_v.department == wanted.department)
    return statement


async def figures(uow: ReadUow, wanted: RatingFilter) -> RatingFigures:
    statement = sa.select(_v.level, _v.not_rated, sa.func.count().label("visits"))
    statement = _where(statement, wanted).where(_v.finished_at.is_not(None))
    levels = dict.fromkeys(RatingLevel, 0)
    reasons = dict.fromkeys(NotRatedReason, 0)
    still_open = 0
    for row in await uow.all(statement.group_by(_v.level, _v.not_rated)):
        if row["level"] is not None:
            levels[RatingLevel(row["level"])] += row["visits"]
        elif row["not_rated"] is not None:
            reasons[NotRatedReason(row["not_rated"])] += row["visits"]
        else:
            still_open += row["visits"]
    return RatingFigures(levels, reasons, still_open)


async def ratings(
    uow: ReadUow, wanted: RatingFilter, limit: int, offset: int
) -> tuple[int, list[RatingInfo]]:
    statement = _where(sa.select(m.visit), wanted).where(_v.level.is_not(None))
    if wanted.level == "bad":
        statement = statement.where(_v.level.in_(sorted(BAD_LEVELS)))
    elif wanted.level:
        statement = statement.where(_v.level == wanted.level)
    count = await uow.scalar(sa.select(sa.func.count()).select_from(statement.subquery()))
    page = statement.order_by(_v.rated_at.desc(), _v.hall, _v.ticket).limit(limit).offset(offset)
    return int(count), [_rating(row) for row in await uow.all(page)]


def _rating(row: sa.RowMapping) -> RatingInfo:
    return RatingInfo(
        hall=HallId(row["hall"]),
        ticket=row["ticket"],
        case_no=row["case_no"] or "",
        number=row["number"],
        item=row["item"],
        department=row["department"],
        win=row["win"] or "",
        staff=row["staff"] or "",
        level=RatingLevel(row["level"]),
        tags=tuple(row["tags"]),
        words=row["words"],
        channel=RatingChannel(row["channel"]),
        rated_at=row["rated_at"],
    )
