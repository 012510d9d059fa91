"""All messages that the filters find, one row for each way of each, as a file."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta, timezone

import sqlalchemy as sa

from console.core.long_lists import BLOCK_ROWS, LongList
from console.core.permissions import Permission, Subject
from console.core.uow import ReadUow
from console.modules.notifications import reports
from console.modules.notifications.views import Pages, wanted_of
from qingting.contract.states import Language
from qingting.kernel.i18n import Catalogue
from qingting.kernel.web.sheets import Cell, moment

COLUMNS = ("no", "topic", "hall", "made", "channel", "state", "why", "masked", "segments", "cost", "sent", "done")  # fmt: skip
TEXTS = Catalogue.load("console.modules.notifications")


def whole_list(pages: Pages) -> LongList:
    """What the page shows, masked as there."""
    offset = pages.desk.offset
    zone = timezone(timedelta(minutes=offset))

    async def count(uow: ReadUow, subject: Subject, query: Mapping[str, str]) -> int:
        scope = subject.scope(Permission.NOTIFICATIONS)
        return await reports.count_ways(uow, scope, wanted_of(query), offset)

    async def blocks(
        uow: ReadUow, subject: Subject, query: Mapping[str, str], language: Language
    ) -> AsyncIterator[Sequence[Sequence[Cell]]]:
        scope = subject.scope(Permission.NOTIFICATIONS)
        halls = await pages.halls.halls(uow, scope)
        names = {str(one.id): one.title(language) for one in halls}
        names |= {one.id: one.names[language] for one in pages.desk.service.topics.values()}
        chosen = reports.way_rows(scope, wanted_of(query), offset)
        async for block in uow.blocks(chosen, BLOCK_ROWS):
            yield [_row(row, names, language, zone) for row in block]

    return LongList(
        name="notifications.list",
        file="notifications",
        permission=Permission.NOTIFICATIONS,
        title=lambda language: TEXTS.text(language, "notice.title"),
        head=lambda language: [TEXTS.text(language, f"notice.col.{one}") for one in COLUMNS],
        count=count,
        blocks=blocks,
    )


def _row(
    row: sa.RowMapping, names: Mapping[str, str], language: Language, zone: timezone
) -> Sequence[Cell]:
    channel, state = row["channel"], row["state"] or row["message_state"]
    return (
        row["no"],
        names.get(row["topic"], row["topic"]),
        names.get(row["hall"], row["hall"]),
        moment(row["made_at"], zone),
        TEXTS.text(language, f"notice.channel.{channel}") if channel else "",
        TEXTS.text(language, f"notice.state.{state}"),
        row["reason"] or "",
        row["masked"] or "",
        row["segments"],
        (row["cost"] or 0) / 1000,
        moment(row["sent_at"] or 0, zone),
        moment(row["done_at"] or 0, zone),
    )
