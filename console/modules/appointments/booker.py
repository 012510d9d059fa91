"""Taking, changing and giving back places: every act is one transaction that is done wholly or not at all."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import msgspec
import sqlalchemy as sa

from console.core.days import day_of
from console.core.uow import Uow
from console.modules.appointments import repository as repo
from console.modules.appointments import repository_places as places
from console.modules.appointments.api import Appointment, Level, Life, People, Wanted
from console.modules.appointments.domain import (
    Asker,
    Record,
    check_change,
    check_citizen,
    check_holds,
    next_reminder,
)
from console.modules.appointments.places import (
    FOREVER,
    MINUTE_MS,
    Slot,
    free_seat,
    instant,
    reoffer_at,
)
from console.modules.appointments.repository_places import Spot
from console.modules.appointments.rules import DEFAULTS, Effective, LateRule, strictest
from console.modules.appointments.telling import Teller
from console.modules.appointments.visits import Counter, Visit
from qingting.contract.bookings import Booking
from qingting.contract.directives import DropBooking, PutBooking
from qingting.contract.errors import Refusal
from qingting.contract.ids import BookingId
from qingting.contract.people import Person
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import new_token

GRACE_MS = MINUTE_MS
"""A lapsed hold's place stays taken for so long at least: workers' clocks differ."""
MOST_HOLDS = 3
"""A place is kept for an undecided citizen at most so many times as long as the rule says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the acts use. ``wake`` has waiting directives sent; ``draw`` is chance from 0 to 1; ``offset`` the city's
    minutes from UTC."""

    clock: Clock
    counter: Counter
    teller: Teller
    people: Callable[[], People]
    wake: Callable[[], None]
    offset: int
    draw: Callable[[], float] = secrets.SystemRandom().random


@dataclass(frozen=True, slots=True)
class Held:
    """What holds for something booked: the rules of its first item, and how surely one must show who one is."""

    rule: Effective
    identity: Level


class Booker:
    """Acts on appointments for a citizen, whoever presses the button."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    @property
    def _now(self) -> int:
        return self._tools.clock.now_ms()

    # -- making -------------------------------------------------------------------------------

    async def make(
        self, uow: Uow, who: Asker, wanted: Wanted, *, key: str, held: bool
    ) -> Appointment:
        """A hold or a booking. The same key again gives what it gave."""
        full_key = _key(who, "hold" if held else "book", key)
        visit = await self._looked_up(uow, who, wanted, full_key)
        if isinstance(visit, Appointment):
            return visit
        await places.lock(uow, who.citizen, [spot for spot, _ in visit.spots])
        items = [one.id for one in visit.items]
        record = await self._record(
            uow, who, visit.day, items, start_at=visit.start_at, key=full_key
        )
        if record.done is not None:
            return await self._found(uow, record.done)
        self._check(who, visit, record, held=held)
        await self._tools.people().check_stays(uow, who.citizen)
        name, now = f"b-{secrets.token_hex(8)}", self._now
        held_until = now + visit.rule.hold_minutes * MINUTE_MS if held else 0
        until = self._after(held_until + GRACE_MS, visit.rule) if held else FOREVER
        await self._take(uow, name, visit.spots, until=until, by_staff=who.staff)
        person = await self._tools.people().person(uow, who.citizen, visit.hall)
        values = {
            **repo.BLANK,
            **self._values(visit, now),
            "id": name,
            "code": new_token(),
            "citizen": who.citizen,
            "state": Life.HELD if held else Life.BOOKED,
            "channel": who.channel,
            "made_at": now,
            "made_by": who.by,
            "held_until": held_until,
            "masked_name": person.masked_name,
            "masked_number": person.masked_number,
        }
        if held:
            values["remind_at"] = None
        await repo.add(uow, values)
        await repo.note(uow, name, "held" if held else "booked", at=now, by=who.by, key=full_key)
        made = repo.appointment_of(values, now)
        if not held:
            await self._announce(uow, made, visit.rule, "appointment.booked", person)
        return made

    async def _looked_up(
        self, uow: Uow, who: Asker, wanted: Wanted, full_key: str
    ) -> Visit | Appointment:
        """What is asked for, if there is a place for it now: whoever comes too late learns it here, without waiting
        for those who come too late as well. A request that was done before has its answer, whatever is so now."""
        try:
            visit = await self._tools.counter.visit(uow, wanted, by_staff=who.staff)
            await self._seats(uow, visit.spots, who.staff)
        except Refusal:
            former = await repo.done_before(uow, full_key)
            if former is None:
                raise
            return await self._found(uow, former)
        return visit

    async def confirm(self, uow: Uow, who: Asker, hold: str, *, key: str) -> Appointment:
        """Makes a booking of a hold."""
        full_key, now = _key(who, "confirm", key), self._now
        await places.lock(uow, who.citizen)
        if (former := await repo.done_before(uow, full_key)) is not None:
            return await self._found(uow, former)
        row = await self._locked(uow, hold, who.citizen)
        if row["state"] != Life.HELD or row["held_until"] < now:
            raise Refusal("appointments.lapsed")
        held = await self._held(uow, row)
        record = await self._record(uow, who, row["day"], row["items"], besides=hold)
        check_citizen(who, record, held.rule, held.identity, now)
        await self._tools.people().check_stays(uow, who.citizen)
        if await places.keep(uow, hold) < 1:
            raise Refusal("appointments.lapsed")
        remind_at = next_reminder(row["start_at"], held.rule.reminders, now)
        changed = {"state": Life.BOOKED, "made_at": now, "remind_at": remind_at}
        await repo.put(uow, hold, **changed)
        await repo.note(uow, hold, "booked", at=now, by=who.by, key=full_key)
        made = repo.appointment_of({**row, **changed}, now)
        await self._announce(uow, made, held.rule, "appointment.booked")
        return made

    async def extend(self, uow: Uow, who: Asker, hold: str) -> Appointment:
        """Keeps a held place longer, the very same one."""
        await places.lock(uow, who.citizen)
        row, now = await self._locked(uow, hold, who.citizen), self._now
        if row["state"] != Life.HELD or row["held_until"] < now:
            raise Refusal("appointments.lapsed")
        rule = (await self._held(uow, row)).rule
        span = rule.hold_minutes * MINUTE_MS
        until = min(now + span, row["made_at"] + MOST_HOLDS * span)
        if until <= row["held_until"]:
            raise Refusal("appointments.held_longest")
        if await places.prolong(uow, hold, until=self._after(until + GRACE_MS, rule)) < 1:
            raise Refusal("appointments.lapsed")
        await repo.put(uow, hold, held_until=until)
        await repo.note(uow, hold, "extended", at=now, by=who.by)
        return await self._found(uow, hold)

    async def release(self, uow: Uow, who: Asker, hold: str) -> None:
        """Gives a hold back; what is none any more is left alone."""
        await places.lock(uow, who.citizen)
        row = await self._locked(uow, hold, who.citizen)
        if row["state"] != Life.HELD or row["held_until"] < self._now:
            return
        held = await self._held(uow, row)
        await places.give_back(uow, hold, until=self._after(self._now, held.rule))
        await repo.put(uow, hold, state=Life.CANCELLED, cancelled_at=self._now, reason="released")
        await repo.note(uow, hold, "released", at=self._now, by=who.by)

    # -- changing -----------------------------------------------------------------------------

    async def change(
        self,
        uow: Uow,
        who: Asker,
        appointment: str,
        wanted: Wanted,
        *,
        key: str,
        topic: str = "appointment.changed",
    ) -> Appointment:
        """Another time, hall or item under the same code; the places are changed at once or not at all."""
        full_key = _key(who, "change", key)
        if (former := await repo.done_before(uow, full_key)) is not None:
            return await self._found(uow, former)
        visit = await self._tools.counter.visit(uow, wanted, by_staff=who.staff)
        own = set(await places.spots_of(uow, appointment))
        await places.lock(uow, who.citizen, {*(one for one, _ in visit.spots), *own})
        if (former := await repo.done_before(uow, full_key)) is not None:
            return await self._found(uow, former)
        row = await self._locked(uow, appointment, who.citizen)
        await self._check_change(uow, who, row)
        items = [one.id for one in visit.items]
        record = await self._record(
            uow, who, visit.day, items, start_at=visit.start_at, besides=appointment
        )
        # A punishment does not keep what is booked from being changed.
        self._check(who, visit, replace(record, banned_until=0, cancelled_today=0))
        own = set(await places.spots_of(uow, appointment))
        wished = {spot for spot, _ in visit.spots}
        now = self._now
        await places.give_back(
            uow, appointment, until=self._after(now, visit.rule), only=own - wished
        )
        new = [(spot, slot) for spot, slot in visit.spots if spot not in own]
        await self._take(uow, appointment, new, until=FOREVER, by_staff=who.staff)
        values = self._values(visit, now) | {"revision": row["revision"] + 1, "refused": ""}
        await repo.put(uow, appointment, **values)
        await repo.note(
            uow, appointment, "moved" if who.staff else "changed", at=now, by=who.by,
            detail=f"{row['day']} {row['hall']}", key=full_key,
        )  # fmt: skip
        if row["hall"] != visit.hall:
            await repo.send(
                uow, row["hall"], appointment, DropBooking(booking=BookingId(appointment))
            )
        changed = await self._found(uow, appointment)
        await self._announce(uow, changed, visit.rule, topic)
        return changed

    async def cancel(
        self, uow: Uow, who: Asker, appointment: str, *, reason: str, words: str, key: str
    ) -> Appointment:
        """Gives the places back, to be offered again after a delay by chance."""
        full_key, now = _key(who, "cancel", key), self._now
        await places.lock(uow, who.citizen)
        if (former := await repo.done_before(uow, full_key)) is not None:
            return await self._found(uow, former)
        row = await self._locked(uow, appointment, who.citizen)
        rule = await self._check_change(uow, who, row)
        await places.give_back(uow, appointment, until=self._after(now, rule))
        await repo.put(
            uow, appointment, state=Life.CANCELLED, reason=reason, words=words, remind_at=None,
            cancelled_at=now, cancelled_by_citizen=not who.staff,
        )  # fmt: skip
        await repo.note(
            uow, appointment, "cancelled", at=now, by=who.by, detail=reason, key=full_key
        )
        gone = await self._found(uow, appointment)
        word = self._tools.teller.word("appointment.cancelled", gone)
        drop = DropBooking(booking=BookingId(appointment))
        await repo.send(uow, row["hall"], appointment, drop, told=word)
        await self._tools.teller.announce(uow, "appointment.cancelled", gone)
        uow.on_commit(self._tools.wake)
        return gone

    # -- shared -------------------------------------------------------------------------------

    async def _found(self, uow: Uow, appointment: str) -> Appointment:
        row = await repo.row_of(uow, appointment)
        assert row is not None
        return repo.appointment_of(row, self._now)

    async def _locked(self, uow: Uow, appointment: str, citizen: str) -> sa.RowMapping:
        """Raises ``appointments.unknown``, also for somebody else's."""
        row = await repo.locked(uow, appointment)
        if row is None or row["citizen"] != citizen:
            raise Refusal("appointments.unknown")
        return row

    async def _held(self, uow: Uow, row: sa.RowMapping) -> Held:
        """What holds now for what was booked. An item that the hall has no more is judged by the program's defaults:
        nobody can be kept from giving it back."""
        try:
            _, lines = await self._tools.counter.lines(uow, row["hall"], row["items"])
        except Refusal:
            return Held(DEFAULTS, DEFAULTS.identity)
        rules = [one.resolved.rule for one in lines]
        return Held(rules[0], strictest(rules))

    async def _check_change(self, uow: Uow, who: Asker, row: sa.RowMapping) -> Effective:
        rule = (await self._held(uow, row)).rule
        if who.staff:
            if row["state"] != Life.BOOKED:
                raise Refusal("appointments.over")
        else:
            check_change(Life(row["state"]), row["start_at"], rule, self._now)
        return rule

    async def _record(
        self,
        uow: Uow,
        who: Asker,
        day: date,
        items: Sequence[str],
        *,
        start_at: int = 0,
        besides: str = "",
        key: str = "",
    ) -> Record:
        today = day_of(self._now, self._tools.offset)
        midnight = instant(today, 0, self._tools.offset)
        return await repo.record(
            uow, who.citizen, day=day, items=items, now=self._now, midnight=midnight,
            start_at=start_at, besides=besides, key=key,
        )  # fmt: skip

    def _check(self, who: Asker, visit: Visit, record: Record, *, held: bool = False) -> None:
        check_citizen(who, record, visit.rule, visit.identity, self._now)
        if held:
            check_holds(record, visit.rule)

    async def _seats(
        self, uow: Uow, spots: Sequence[tuple[Spot, Slot]], by_staff: bool
    ) -> list[tuple[Spot, int]]:
        """A free seat of each spot. Raises ``appointments.full``."""
        now, found = self._now, []
        held = await places.seats(uow, [spot for spot, _ in spots], now)
        for spot, slot in spots:
            mine = held[spot]
            most = slot.total if by_staff else slot.open_to_citizens(mine.by_staff)
            seat = free_seat(mine.until, most, now)
            if seat is None:
                raise Refusal("appointments.full")
            found.append((spot, seat))
        return found

    async def _take(
        self,
        uow: Uow,
        appointment: str,
        spots: Sequence[tuple[Spot, Slot]],
        *,
        until: int,
        by_staff: bool,
    ) -> None:
        """Under the spots' locks. Raises ``appointments.full``."""
        if not spots:
            return
        for spot, seat in await self._seats(uow, spots, by_staff):
            if not await places.take(
                uow, spot, seat, appointment, until=until, by_staff=by_staff, now=self._now
            ):
                raise Refusal("appointments.full")

    def _after(self, at: int, rule: Effective) -> int:
        """When places that are free at ``at`` are offered again."""
        return reoffer_at(at, rule, self._tools.draw())

    def _values(self, visit: Visit, now: int) -> dict[str, Any]:
        """Columns that a visit decides."""
        rule = visit.rule
        return {
            "hall": visit.hall,
            "department": visit.items[0].department,
            "departments": list(dict.fromkeys(one.department for one in visit.items)),
            "items": [one.id for one in visit.items],
            "day": visit.day,
            "start": visit.slot.start,
            "end": visit.slot.end,
            "start_at": visit.start_at,
            "end_at": visit.end_at,
            "party": visit.party,
            "names": msgspec.to_builtins(visit.names),
            "cancel_until": visit.start_at - rule.cancel_minutes * MINUTE_MS,
            "early_minutes": rule.early_minutes,
            "late_minutes": rule.late_minutes,
            "remind_at": next_reminder(visit.start_at, rule.reminders, now),
        }

    async def _announce(
        self,
        uow: Uow,
        one: Appointment,
        rule: Effective,
        topic: str,
        person: Person | None = None,
    ) -> None:
        """Tells hall and citizen of a booking as it is now."""
        booking = Booking(
            id=BookingId(one.id),
            code=one.code,
            day=one.day.isoformat(),
            start=one.start_at,
            end=one.end_at,
            items=one.items,
            person=person or await self._tools.people().person(uow, one.citizen, one.hall),
            party=one.party,
            early_minutes=one.early_minutes,
            late_minutes=one.late_minutes,
            late_refused=rule.late is LateRule.REFUSED,
        )
        word = self._tools.teller.word(topic, one)
        await repo.send(uow, one.hall, one.id, PutBooking(booking=booking), told=word)
        await self._tools.teller.announce(uow, topic, one)
        uow.on_commit(self._tools.wake)


def _key(who: Asker, act: str, key: str) -> str:
    """The keys of one sender never meet those of another, nor those of another act."""
    return f"{act}|{who.by}|{who.citizen}|{key}" if key else ""
