"""Persons in directives change keys like everything else that the city has sealed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

import msgspec
import sqlalchemy as sa

from console.core.uow import ReadUow, Uow
from console.halls import models as m
from qingting.contract.directives import Directive, ForgetPerson, PutBooking
from qingting.contract.events import DirectiveApplied, Event, PersonForgotten
from qingting.contract.link import read_directive, write_directive
from qingting.contract.people import NOBODY, Person
from qingting.kernel.security.persons import PERSON_CONTEXT, for_hall
from qingting.kernel.security.seal import Sealer

_events = msgspec.json.Decoder(Event)
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
    """Takes the persons out of directives that their halls have confirmed, and says out of how many.

    One to forget somebody keeps the hall's own index of whom the hall forgot by it, which opens nothing and is known to
    the hall alone: a hall that was put back from an older copy of itself is told again, and can do it again."""
    c, o, gone = m.directive.c, m.outcome.c, 0
    if not directives:
        return 0
    answered = sa.exists().where(o.hall == c.hall, o.no == c.no)
    wanted = (sa.tuple_(c.hall, c.no).in_(directives), c.acked_at.is_not(None) | answered)
    for row in await uow.all(sa.select(c.hall, c.no, c.body).where(*wanted)):
        directive = read_directive(msgspec.Raw(row["body"]))
        if not isinstance(directive, PutBooking | ForgetPerson):
            continue
        if not person_in(directive).sealed and not person_in(directive).masked_name:
            continue
        nobody = NOBODY
        if isinstance(directive, ForgetPerson):
            index = await _forgotten(uow, row["hall"], row["no"])
            nobody = msgspec.structs.replace(NOBODY, index=index)
        body = bytes(write_directive(with_person(directive, nobody)))
        here = sa.update(m.directive).where(c.hall == row["hall"], c.no == row["no"])
        gone += await uow.run(here.values(body=body))
    return gone


async def _forgotten(uow: Uow, hall: str, no: int) -> str:
    """The index by which the hall forgot somebody as directive ``no`` said; empty when it did not."""
    c, o = m.event.c, m.outcome.c
    at = await uow.scalar(sa.select(o.at).where(o.hall == hall, o.no == no))
    if at is None:
        return ""
    # A directive and what it did are one step of the hall, and the newest ones of its log are read first.
    statement = (
        sa.select(c.raw)
        .where(c.hall == hall, c.at == datetime.fromtimestamp(at / 1000, UTC), ~c.lost)
        .where(c.kind.in_(("person.forgotten", "directive.applied")))
        .order_by(c.epoch.desc(), c.seq.desc())
    )
    found = [_events.decode(row["raw"]).b for row in await uow.all(statement)]
    for body, before in pairwise(found):
        if isinstance(body, DirectiveApplied) and body.no == no:
            return before.index if isinstance(before, PersonForgotten) else ""
    return ""


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
