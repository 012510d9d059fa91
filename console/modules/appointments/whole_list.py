"""All appointments that the filters find, as a file."""

from collections.abc import AsyncIterator, Mapping, Sequence

from console.core.long_lists import BLOCK_ROWS, LongList
from console.core.permissions import Permission, Subject
from console.core.uow import ReadUow
from console.modules.appointments import repository as repo
from console.modules.appointments.api import Appointment
from console.modules.appointments.views import department_title, wish_of
from qingting.contract.states import Language
from qingting.kernel.aio.clock import Clock
from qingting.kernel.i18n import Catalogue
from qingting.kernel.web.sheets import Cell

COLUMNS = ("day", "time", "hall", "item", "department", "person", "number", "party", "state", "ticket", "channel", "reason")  # fmt: skip
TEXTS = Catalogue.load("console.modules.appointments")


def whole_list(clock: Clock) -> LongList:
    """As people are masked on the page."""

    async def count(uow: ReadUow, subject: Subject, query: Mapping[str, str]) -> int:
        scope = subject.scope(Permission.APPOINTMENTS)
        return await repo.count(uow, scope, wish_of(query), clock.now_ms())

    async def blocks(
        uow: ReadUow, subject: Subject, query: Mapping[str, str], language: Language
    ) -> AsyncIterator[Sequence[Sequence[Cell]]]:
        scope, now = subject.scope(Permission.APPOINTMENTS), clock.now_ms()
        async for block in repo.blocks(uow, scope, wish_of(query), now, BLOCK_ROWS):
            yield [_row(one, language) for one in block]

    return LongList(
        name="appointments.list",
        file="appointments",
        permission=Permission.APPOINTMENTS,
        title=lambda language: TEXTS.text(language, "appointments.title"),
        head=lambda language: [TEXTS.text(language, f"appointments.col.{one}") for one in COLUMNS],
        count=count,
        blocks=blocks,
    )


def _row(one: Appointment, language: Language) -> Sequence[Cell]:
    def t(key: str) -> str:
        return TEXTS.text(language, f"appointments.{key}")

    return (
        one.day.isoformat(), f"{one.start}–{one.end}", one.hall_title(language), one.item_title(language),
        department_title(one, language), one.masked_name, one.masked_number, one.party, t(f"state.{one.state}"),
        one.ticket, t(f"channel.{one.channel}"), t(f"reason.{one.reason}") if one.reason else "",
    )  # fmt: skip
