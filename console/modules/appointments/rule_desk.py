"""Rules of appointments as staff keep them: who may say what for whom, versions, and what a change would do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from console.core.audit import Audit
from console.core.days import day_of
from console.core.permissions import Permission, Subject
from console.core.uow import ReadUow, Uow
from console.modules.appointments import repository_rules as repo
from console.modules.appointments.api import FreeDay
from console.modules.appointments.planner import PLACES, Planner, Said
from console.modules.appointments.repository_rules import RuleVersion
from console.modules.appointments.rules import (
    Resolved,
    Rule,
    Target,
    Where,
    resolve,
    rule_faults,
)
from console.modules.appointments.visits import Counter
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import Clock

NOTE_LENGTH = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A target with what is said for it and what it inherits, field by field."""

    target: Target
    versions: Sequence[RuleVersion]
    inherited: Resolved

    @property
    def seen(self) -> int:
        return self.versions[0].version if self.versions else 0

    @property
    def rule(self) -> Rule:
        return self.versions[0].rule if self.versions else Rule()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Next week for an item in a hall, as it is and as it would be."""

    before: Sequence[FreeDay]
    after: Sequence[FreeDay]

    @property
    def same(self) -> bool:
        return list(self.before) == list(self.after)


class RuleDesk:
    """Use cases around rules."""

    def __init__(self, clock: Clock, audit: Audit, planner: Planner, counter: Counter) -> None:
        self._clock = clock
        self._audit = audit
        self._planner = planner
        self._counter = counter

    def may(self, subject: Subject, target: Target) -> bool:
        """True when all that the rule is for is within the subject's reach: a hall's for whoever has all of the hall, a
        division's for whoever has the division, anything else for whoever has the city."""
        if not subject.may(Permission.APPOINTMENTS_RULES):
            return False
        scope = subject.scope(Permission.APPOINTMENTS_RULES)
        if target.hall:
            return scope.has(target.hall)
        if target.division:
            return scope.has_division(target.division)
        return scope.everywhere

    def _check(self, subject: Subject, target: Target) -> None:
        if not self.may(subject, target):
            raise Refusal("page.forbidden")

    async def rules(self, uow: ReadUow, subject: Subject) -> list[RuleVersion]:
        """What holds, by target; those of halls elsewhere are left out."""
        scope = subject.scope(Permission.APPOINTMENTS)
        found = await repo.rules(uow)
        touched = scope.touched
        return [
            one
            for one in sorted(found, key=lambda one: (one.target.rank, one.target.key))
            if not one.target.hall or touched is None or one.target.hall in touched
        ]

    async def sheet(self, uow: ReadUow, subject: Subject, target: Target) -> Sheet:
        """Raises ``page.forbidden`` for a hall elsewhere, ``hall.unknown``, ``appointments.no_item``."""
        scope = subject.scope(Permission.APPOINTMENTS)
        if target.hall and not scope.has(target.hall):
            raise Refusal("page.forbidden")
        where = await self._where(uow, target)
        said = [one for one in await self._planner.said(uow) if one[0].rank < target.rank]
        return Sheet(
            target=target,
            versions=await repo.versions(uow, target),
            inherited=resolve(said, where),
        )

    async def _where(self, uow: ReadUow, target: Target) -> Where:
        """Where a target stands, as far as it says."""
        if target.hall and target.item:
            offering = await self._planner.offering(uow, target.hall)
            item = offering.item(target.item)
            if item is None:
                raise Refusal("appointments.no_item")
            return await self._planner.where(uow, target.hall, item)
        divisions = await self._planner.divisions(uow, target.hall) if target.hall else ()
        return Where(
            divisions=divisions or self._planner.chain(target.division),
            department=target.department,
            hall=target.hall,
            code=target.item,
        )

    async def put(
        self, uow: Uow, subject: Subject, target: Target, seen: int, rule: Rule, note: str
    ) -> None:
        """Says something new for a target; an empty rule takes back what was said. Raises
        ``appointments.rule_faulty``, ``appointments.rule_changed``."""
        self._check(subject, target)
        _ = await self.sheet(uow, subject, target)
        if rule_faults(rule) or len(note) > NOTE_LENGTH:
            raise Refusal("appointments.rule_faulty")
        if not await repo.add_version(
            uow, target, seen, rule, at=self._clock.now_ms(), by=subject.id, note=note
        ):
            raise Refusal("appointments.rule_changed")
        await self._audit.write(
            uow, subject, "appointment.rule_put", object=target.key, detail=str(seen + 1)
        )
        uow.changed(PLACES)
        uow.on_commit(self._planner.forget)

    async def look(
        self, uow: ReadUow, subject: Subject, target: Target, rule: Rule, hall: HallId, item: str
    ) -> Look:
        """What the seven days after today look like for an item, now and with ``rule`` for ``target``. Raises
        ``page.forbidden`` for a hall elsewhere."""
        subject.require(Permission.APPOINTMENTS, hall=hall)
        now = await self._planner.said(uow)
        tried: Said = [*(one for one in now if one[0] != target), (target, rule)]
        offering = await self._planner.offering(uow, hall)
        first = day_of(self._clock.now_ms(), offering.offset) + timedelta(days=1)
        last = first + timedelta(days=6)
        return Look(
            before=await self._counter.free(uow, hall, (item,), first, last),
            after=await self._counter.free(uow, hall, (item,), first, last, tried),
        )
