"""Today's ratings (好差评), as given; nothing here can make or change one."""

from dataclasses import dataclass

import msgspec
from aiohttp import web
from sqlalchemy import Connection, select

from hallserver.app.desk import Desk, desk_of
from hallserver.store import tables as t
from qingting.contract.ids import ItemId, StaffId, WindowId
from qingting.contract.ratings import LEVEL_WORDS, RatingTag, rating_tags
from qingting.contract.states import BAD_LEVELS, RatingLevel
from qingting.kernel.web.taking import TAKING

SHOWN = 200
"""Newest ratings on the page; a window gives a few dozen a day."""


@dataclass(frozen=True, slots=True)
class RatingLine:
    """One citizen's rating. ``bad`` ratings must be followed up."""

    at: int
    number: str
    level: RatingLevel
    words: tuple[str, str]
    bad: bool
    tags: tuple[RatingTag, ...]
    text: str
    item: tuple[str, str]
    window: str
    clerk: str


async def ratings(request: web.Request) -> web.Response:
    desk = desk_of(request)
    bad_only = request.query.get("show") == "bad"
    lines = await _today(desk)
    counts = [
        (LEVEL_WORDS[level], sum(one.level is level for one in lines), level in BAD_LEVELS)
        for level in RatingLevel
    ]
    shown = [one for one in lines if one.bad or not bad_only]
    context = {
        "lines": shown if TAKING in request else shown[:SHOWN],
        "counts": counts,
        "all": len(lines),
        "bad": sum(one.bad for one in lines),
        "most": max(1, *(count for _, count, _ in counts)),
        "not_rated": sum(life.tally.not_rated for life in desk.state.windows.values()),
        "bad_only": bad_only,
    }
    return desk.pages.render(request, "ratings.html", context, block="live")


async def _today(desk: Desk) -> list[RatingLine]:
    """Newest first; raises ``ReadDeadlineError`` when the disk does not answer."""
    day = desk.state.day or ""

    def work(connection: Connection) -> list[tuple[object, ...]]:
        rating = t.rating
        rows = connection.execute(
            select(rating, t.ticket.c.number)
            .join(t.ticket, t.ticket.c.id == rating.c.ticket)
            .where(rating.c.bd == day)
            .order_by(rating.c.seq.desc())
        )
        return [tuple(row) for row in rows]

    names = [*t.rating.columns.keys(), "number"]
    rows = await desk.hall.store.read(work)
    return [_line(desk, dict(zip(names, row, strict=True))) for row in rows]


def _line(desk: Desk, row: dict[str, object]) -> RatingLine:
    state, tags = desk.state, rating_tags()
    level = RatingLevel(str(row["level"]))
    item = state.items.get(ItemId(str(row["item"])))
    window = state.window_config.get(WindowId(str(row["window"])))
    clerk = state.staff.get(StaffId(str(row["staff"])))
    return RatingLine(
        at=int(str(row["at"])),
        number=str(row["number"]),
        level=level,
        words=LEVEL_WORDS[level],
        bad=level in BAD_LEVELS,
        tags=tuple(
            tags[one]
            for one in msgspec.json.decode(str(row["tags"]), type=list[str])
            if one in tags
        ),
        text=str(row["words"]),
        item=(item.name, item.name_en) if item is not None else ("", ""),
        window=window.number if window is not None else "",
        clerk=clerk.name if clerk is not None else "",
    )


ROUTES = (web.get("/manage/ratings", ratings),)
