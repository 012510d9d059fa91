"""SQL over cases and their ratings."""

from typing import Any

import sqlalchemy as sa

from console.core.permissions import Scope
from console.core.uow import ReadUow
from console.modules.evaluation import models as m
from console.modules.evaluation.api import RatingFigures, RatingFilter, RatingInfo
from qingting.contract.ids import HallId
from qingting.contract.states import BAD_LEVELS, NotRatedReason, RatingChannel, RatingLevel

_c = m.case.c


def _where(statement: sa.Select[Any], scope: Scope, wanted: RatingFilter) -> sa.Select[Any]:
    statement = statement.where(scope.where(_c.hall, _c.department, _c.staff))
    statement = statement.where(_c.day >= wanted.first, _c.day <= wanted.last)
    if wanted.hall:
        statement = statement.where(_c.hall == wanted.hall)
    if wanted.department:
        statement = statement.where(_c.department == wanted.department)
    return statement


async def figures(uow: ReadUow, scope: Scope, wanted: RatingFilter) -> RatingFigures:
    statement = sa.select(_c.level, _c.not_rated, sa.func.count().label("cases"))
    statement = _where(statement, scope, wanted)
    levels = dict.fromkeys(RatingLevel, 0)
    reasons = dict.fromkeys(NotRatedReason, 0)
    still_open = 0
    for row in await uow.all(statement.group_by(_c.level, _c.not_rated)):
        if row["level"] is not None:
            levels[RatingLevel(row["level"])] += row["cases"]
        elif row["not_rated"] is not None:
            reasons[NotRatedReason(row["not_rated"])] += row["cases"]
        else:
            still_open += row["cases"]
    return RatingFigures(levels, reasons, still_open)


async def ratings(
    uow: ReadUow, scope: Scope, wanted: RatingFilter, limit: int, offset: int
) -> tuple[int, list[RatingInfo]]:
    statement = _where(sa.select(m.case), scope, wanted).where(_c.level.is_not(None))
    if wanted.level == "bad":
        statement = statement.where(_c.level.in_(sorted(BAD_LEVELS)))
    elif wanted.level:
        statement = statement.where(_c.level == wanted.level)
    count = await uow.scalar(sa.select(sa.func.count()).select_from(statement.subquery()))
    page = statement.order_by(_c.rated_at.desc(), _c.hall, _c.case_no).limit(limit).offset(offset)
    return int(count), [_rating(row) for row in await uow.all(page)]


def _rating(row: sa.RowMapping) -> RatingInfo:
    return RatingInfo(
        hall=HallId(row["hall"]),
        ticket=row["ticket"],
        case_no=row["case_no"],
        number=row["number"],
        item=row["item"],
        department=row["department"],
        priority=row["priority"],
        booked=row["booked"],
        win=row["win"],
        staff=row["staff"],
        level=RatingLevel(row["level"]),
        tags=tuple(row["tags"]),
        words=row["words"],
        channel=RatingChannel(row["channel"]),
        rated_at=row["rated_at"],
    )
