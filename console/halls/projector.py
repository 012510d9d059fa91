"""The halls' own read model: who they are, the names of all they have, and what became of directives."""

from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.projection import StoredEvent
from console.core.uow import Uow
from console.halls import models as m
from qingting.contract.config import HallConfig
from qingting.contract.config_parts import OfferPart, RosterPart, RulesPart
from qingting.contract.events import (
    ConfigApplied,
    ConfigEdited,
    DirectiveApplied,
    DirectiveRefused,
    NoticePut,
)
from qingting.contract.ids import HallId
from qingting.contract.rules import CallingRules


class HallProjector:
    """Implements :class:`console.core.projection.Projector`."""

    name = "halls"

    async def apply(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
        for stored in events:
            body, at = stored.event.b, stored.event.at
            if isinstance(body, ConfigApplied):
                await self._configure(uow, hall, body.config)
            elif isinstance(body, ConfigEdited):
                await self._edit(uow, hall, body)
            elif isinstance(body, NoticePut):
                await _put(uow, m.notice, hall=hall, text=body.text, text_en=body.text_en, at=at)
            elif isinstance(body, DirectiveApplied):
                await self._answered(uow, hall, body.no, "", at)
            elif isinstance(body, DirectiveRefused):
                await self._answered(uow, hall, body.no, body.code, at)
            else:
                continue
            uow.changed("halls")

    async def _answered(self, uow: Uow, hall: HallId, no: int, code: str, at: int) -> None:
        """A hall may answer a number that a city restored from a backup has not given: that one is taken."""
        await _put(uow, m.outcome, hall=hall, no=no, code=code, at=at)
        behind = sa.and_(m.hall.c.id == hall, m.hall.c.next_directive <= no)
        await uow.run(sa.update(m.hall).where(behind).values(next_directive=no + 1))

    async def forget(self, uow: Uow, hall: HallId) -> None:
        for table in (m.profile, m.notice, m.directory, m.outcome):
            await uow.run(sa.delete(table).where(table.c.hall == hall))

    async def _configure(self, uow: Uow, hall: HallId, config: HallConfig) -> None:
        info = config.hall
        await _put(
            uow,
            m.profile,
            hall=hall,
            name=info.name,
            name_en=info.name_en,
            division=info.division,
            address=info.address,
            phone=info.phone,
            utc_offset_minutes=info.utc_offset_minutes,
            config_version=config.version,
        )
        await self._name(uow, hall, _entries(config), KINDS)

    async def _edit(self, uow: Uow, hall: HallId, body: ConfigEdited) -> None:
        """A part that the hall itself changed: the version moves on, and so do the names in that part."""
        await uow.run(
            sa.update(m.profile).where(m.profile.c.hall == hall).values(config_version=body.version)
        )
        part = body.part
        if isinstance(part, RosterPart):
            await self._name(uow, hall, _roster(part), ("window", "staff"))
        elif isinstance(part, OfferPart):
            await self._name(uow, hall, _offer(part), ("queue", "item"))
        elif isinstance(part, RulesPart):
            await self._name(uow, hall, _classes(part.rules), ("class",))

    async def _name(
        self, uow: Uow, hall: HallId, entries: Iterable[dict[str, object]], kinds: tuple[str, ...]
    ) -> None:
        """These are all that the hall has of ``kinds`` now; what is gone keeps its name."""
        column = m.directory.c
        await uow.run(
            sa.update(m.directory)
            .where(column.hall == hall, column.kind.in_(kinds))
            .values(present=False)
        )
        statement = insert(m.directory)
        keys = ("hall", "kind", "id")
        await uow.run(
            statement.on_conflict_do_update(
                index_elements=keys,
                set_={
                    column.name: statement.excluded[column.name]
                    for column in m.directory.c
                    if column.name not in keys
                },
            ),
            [{"hall": hall, **row} for row in entries],
        )


KINDS = ("department", "queue", "item", "window", "staff", "class")
"""What has a name in a hall."""


def _entries(config: HallConfig) -> Iterator[dict[str, object]]:
    for place, one in enumerate(config.departments):
        place = one.order or place  # noqa: PLW2901 - the hall's own order, where it has one
        yield _entry("department", place, one.id, one.name, one.name_en, one.short_name)
    yield from _offer(config)
    yield from _roster(config)
    yield from _classes(config.rules)


def _offer(part: HallConfig | OfferPart) -> Iterator[dict[str, object]]:
    for place, queue in enumerate(part.queues):
        yield _entry("queue", place, queue.id, queue.name, queue.name_en, queue.prefix)
    for place, item in enumerate(part.items):
        yield _entry("item", place, item.id, item.name, item.name_en, item.code)


def _roster(part: HallConfig | RosterPart) -> Iterator[dict[str, object]]:
    for place, window in enumerate(part.windows):
        yield _entry("window", place, window.id, window.name, window.name_en, window.number)
    for place, staff in enumerate(part.staff):
        yield _entry("staff", place, staff.id, staff.name, staff.name, staff.number)


def _classes(rules: CallingRules) -> Iterator[dict[str, object]]:
    for place, one in enumerate(rules.classes):
        yield _entry("class", place, one.id, one.name, one.name_en)


def _entry(
    kind: str, place: int, key: str, name: str, name_en: str, label: str = ""
) -> dict[str, object]:
    return {
        "kind": kind,
        "id": key,
        "name": name,
        "name_en": name_en or name,
        "label": label,
        "present": True,
        "place": place,
    }


async def _put(uow: Uow, table: sa.Table, **values: object) -> None:
    """Inserts or replaces the row with the table's key."""
    keys = [column.name for column in table.primary_key]
    statement = insert(table).values(**values)
    rest = {name: value for name, value in values.items() if name not in keys}
    await uow.run(statement.on_conflict_do_update(index_elements=keys, set_=rest))
