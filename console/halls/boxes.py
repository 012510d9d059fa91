"""Persons in directives change keys like everything else that the city has sealed."""

from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa

from console.core.uow import ReadUow, Uow
from console.halls import models as m
from qingting.contract.directives import Directive, ForgetPerson, PutBooking
from qingting.contract.link import read_directive, write_directive
from qingting.contract.people import NOBODY, Person
from qingting.kernel.security.persons import PERSON_CONTEXT, for_hall
from qingting.kernel.security.seal import Sealer

_KEY: sa.ColumnElement[str] = sa.func.substring(
    sa.func.convert_from(m.directive.c.body, "UTF8"), '"sealed":"([^".]+)\\.'
)


def _behind(sealer: Sealer) -> sa.ColumnElement[bool]:
    return _KEY.is_distinct_from(sealer.newest) & _KEY.is_not(None)


def person_in(directive: PutBooking | ForgetPerson) -> Person:
    """The citizen whom a directive is about."""
    return directive.booking.person if isinstance(directive, PutBooking) else directive.person


def with_person(directive: PutBooking | ForgetPerson, person: Person) -> Directive:
    """The same directive about ``person``."""
    if isinstance(directive, ForgetPerson):
        return ForgetPerson(person=person)
    booking = msgspec.structs.replace(directive.booking, person=person)
    return msgspec.structs.replace(directive, booking=booking)


async def empty_people(uow: Uow, directives: Sequence[tuple[str, int]]) -> int:
    """Takes the persons out of directives that their halls have confirmed, and says out of how many."""
    c, o, gone = m.directive.c, m.outcome.c, 0
    if not directives:
        return 0
    answered = sa.exists().where(o.hall == c.hall, o.no == c.no)
    wanted = (sa.tuple_(c.hall, c.no).in_(directives), c.acked_at.is_not(None) | answered)
    for row in await uow.all(sa.select(c.hall, c.no, c.body).where(*wanted)):
        directive = read_directive(msgspec.Raw(row["body"]))
        if not isinstance(directive, PutBooking | ForgetPerson) or person_in(directive) == NOBODY:
            continue
        body = bytes(write_directive(with_person(directive, NOBODY)))
        here = sa.update(m.directive).where(c.hall == row["hall"], c.no == row["no"])
        gone += await uow.run(here.values(body=body))
    return gone


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
            assert isinstance(directive, PutBooking | ForgetPerson)
            own, person = for_hall(sealer, row["hall"]), person_in(directive)
            clear = own.open(person.sealed, context=PERSON_CONTEXT)
            person = msgspec.structs.replace(person, sealed=own.seal(clear, context=PERSON_CONTEXT))
            body = bytes(write_directive(with_person(directive, person)))
            here = sa.update(m.directive).where(c.hall == row["hall"], c.no == row["no"])
            await uow.run(here.values(body=body))
        return len(found)
