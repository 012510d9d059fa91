"""Persons in directives change keys like everything else that the city has sealed."""

from collections.abc import Mapping

import msgspec
import sqlalchemy as sa

from console.core.uow import ReadUow, Uow
from console.halls import models as m
from qingting.contract.directives import PutBooking
from qingting.contract.link import read_directive, write_directive
from qingting.kernel.security.persons import PERSON_CONTEXT, for_hall
from qingting.kernel.security.seal import Sealer

_KEY: sa.ColumnElement[str] = sa.func.substring(
    sa.func.convert_from(m.directive.c.body, "UTF8"), '"sealed":"([^".]+)\\.'
)


def _behind(sealer: Sealer) -> sa.ColumnElement[bool]:
    return _KEY.is_distinct_from(sealer.newest) & _KEY.is_not(None)


class DirectiveBoxes:
    """:class:`console.core.personal.Boxes` of what the city told halls about people, sealed for each hall."""

    name = "hall_directive.body"

    async def behind(self, uow: ReadUow, sealer: Sealer) -> Mapping[str, int]:
        key = _KEY.label("key")
        statement = sa.select(key, sa.func.count().label("n")).where(_behind(sealer))
        return {row["key"]: row["n"] for row in await uow.all(statement.group_by(key))}

    async def renew(self, uow: Uow, sealer: Sealer, rows: int) -> int:
        c = m.directive.c
        statement = sa.select(c.hall, c.no, c.body).where(_behind(sealer)).limit(rows)
        found = await uow.all(statement.with_for_update(skip_locked=True))
        for row in found:
            directive = read_directive(msgspec.Raw(row["body"]))
            assert isinstance(directive, PutBooking)
            own, person = for_hall(sealer, row["hall"]), directive.booking.person
            clear = own.open(person.sealed, context=PERSON_CONTEXT)
            person = msgspec.structs.replace(person, sealed=own.seal(clear, context=PERSON_CONTEXT))
            booking = msgspec.structs.replace(directive.booking, person=person)
            body = bytes(write_directive(msgspec.structs.replace(directive, booking=booking)))
            here = sa.update(m.directive).where(c.hall == row["hall"], c.no == row["no"])
            await uow.run(here.values(body=body))
        return len(found)
