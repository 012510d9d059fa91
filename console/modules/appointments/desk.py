"""What staff do with appointments, each within their reach."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from console.core.audit import Audit
from console.core.codes import plain, plain_number
from console.core.permissions import Permission, Scope, Subject
from console.core.uow import ReadUow, Uow
from console.modules.appointments import repository as repo
from console.modules.appointments import repository_standing as standing_repo
from console.modules.appointments.api import Appointment, Channel, Known, Level, Life, Wanted
from console.modules.appointments.booker import Booker
from console.modules.appointments.domain import WORDS_LENGTH, Asker, check_reason
from console.modules.appointments.planner import Planner
from console.modules.appointments.repository import HistoryLine, Wish
from console.modules.appointments.service import Door
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.contract.people import mask_words
from qingting.contract.states import CertificateKind
from qingting.kernel.aio.clock import Clock

STAFF_REASONS = ("citizen_asked", "hall_closed", "wrong_booking", "other")
"""Reasons that staff choose from; texts ``appointments.reason.<code>``."""


def sees(scope: Scope, hall: str, departments: Collection[str]) -> bool:
    """True for a visit to a hall of which any item is a department's within, or all of the hall is."""
    return any(
        one.has(hall) and not one.staff and (one.whole or not one.codes.isdisjoint(departments))
        for one in scope.areas
    )


def holds(scope: Scope, hall: str, departments: Collection[str]) -> bool:
    """True where all of a visit is within: whoever has a part of it must not change the others' part."""
    return bool(departments) and all(sees(scope, hall, {one}) for one in departments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls or stands at the desk and wants a booking. ``name`` is needed for who is not known yet."""

    kind: CertificateKind
    number: str
    name: str = ""
    phone: str = ""


class StaffDesk:
    """Use cases of staff around single appointments."""

    def __init__(
        self, clock: Clock, audit: Audit, planner: Planner, booker: Booker, door: Door
    ) -> None:
        self._clock = clock
        self._audit = audit
        self._planner = planner
        self._booker = booker
        self._door = door

    def now(self) -> int:
        return self._clock.now_ms()

    async def search(
        self, uow: ReadUow, subject: Subject, wish: Wish, *, limit: int | None, offset: int = 0
    ) -> tuple[int, list[Appointment]]:
        """How many there are within the subject's reach, and a page of them."""
        scope = subject.scope(Permission.APPOINTMENTS)
        return await repo.found(uow, scope, wish, self.now(), limit=limit, offset=offset)

    async def taken_slots(self, uow: ReadUow, subject: Subject, wish: Wish) -> list[repo.TakenSlot]:
        return await repo.taken_slots(uow, subject.scope(Permission.APPOINTMENTS), wish, self.now())

    async def in_slots(
        self, uow: ReadUow, subject: Subject, wish: Wish, slots: Sequence[repo.TakenSlot], *, limit: int, offset: int
    ) -> list[Appointment]:  # fmt: skip
        scope = subject.scope(Permission.APPOINTMENTS)
        return await repo.in_slots(uow, scope, wish, self.now(), slots, limit=limit, offset=offset)

    async def figures(
        self, uow: ReadUow, subject: Subject, wish: Wish, by: str
    ) -> list[dict[str, object]]:
        """Numbers by state for each hall, department, item or day."""
        scope = subject.scope(Permission.APPOINTMENTS)
        return [dict(row) for row in await repo.figures(uow, scope, wish, self.now(), by)]

    async def one(
        self, uow: ReadUow, subject: Subject, appointment: str
    ) -> tuple[Appointment, list[HistoryLine]]:
        """Raises ``appointments.unknown`` for what is not there or not within reach."""
        found = await self._within(uow, subject.scope(Permission.APPOINTMENTS), appointment)
        return found, await repo.history(uow, appointment)

    async def _within(
        self, uow: ReadUow, scope: Scope, appointment: str, *, whole: bool = False
    ) -> Appointment:
        """``whole``: to be changed. Raises ``appointments.unknown``, and ``appointments.shared`` for a visit of which
        a part alone is within."""
        row = await repo.row_of(uow, appointment)
        if row is None or not sees(scope, row["hall"], row["departments"]):
            raise Refusal("appointments.unknown")
        if whole and not holds(scope, row["hall"], row["departments"]):
            raise Refusal("appointments.shared")
        return repo.appointment_of(row, self.now())

    def _asker(self, subject: Subject, citizen: str) -> Asker:
        return Asker(
            citizen=citizen, level=Level.FACE, channel=Channel.STAFF, by=subject.id, staff=True
        )

    async def _check_wish(self, uow: ReadUow, subject: Subject, wanted: Wanted) -> None:
        """Raises ``page.forbidden`` for a hall or department elsewhere, before anything is looked up there."""
        scope = subject.scope(Permission.APPOINTMENTS_HANDLE)
        if scope.has(wanted.hall):
            return
        if not any(one.has(wanted.hall) for one in scope.areas) or not wanted.items:
            raise Refusal("page.forbidden")
        offering = await self._planner.offering(uow, wanted.hall)
        items = [offering.item(one) for one in wanted.items]
        departments = {one.department for one in items if one is not None}
        if None in items or not holds(scope, wanted.hall, departments):
            raise Refusal("page.forbidden")

    async def find(self, uow: ReadUow, subject: Subject, by: str, number: str) -> list[str]:
        """Citizens by certificate (``by`` is its kind), by ``phone``, which several can share, or by the code of a
        ``booking`` within reach. Raises ``appointments.nobody``."""
        subject.require(Permission.APPOINTMENTS)
        number, people = plain(number), self._door.people()
        found: list[str] = []
        if by == "booking":
            scope = subject.scope(Permission.APPOINTMENTS)
            found = await repo.citizens_of(uow, scope, number)
        elif by == "phone":
            found = [one.id for one in await people.find_by_phone(uow, number)]
        elif by in set(CertificateKind):
            known = await people.find(uow, CertificateKind(by), plain_number(number))
            found = [known.id] if known is not None else []
        if not found:
            raise Refusal("appointments.nobody")
        return found

    async def citizen_of(self, uow: Uow, subject: Subject, caller: Caller) -> Known:
        """The citizen with a certificate, registered when the name is told; a name that is told has to be the known one.
        Raises ``appointments.nobody`` and what the module of citizens raises."""
        subject.require(Permission.APPOINTMENTS_HANDLE)
        people = self._door.people()
        known = await people.find(uow, caller.kind, caller.number)
        if known is None and not caller.name:
            raise Refusal("appointments.nobody")
        if known is None or caller.name:
            known = await people.register(
                uow,
                subject,
                kind=caller.kind,
                name=caller.name,
                number=caller.number,
                phone=caller.phone,
            )
        return known

    async def book(
        self, uow: Uow, subject: Subject, caller: Caller, wanted: Wanted, key: str
    ) -> Appointment:
        """Books for somebody who called or came (代约)."""
        await self._check_wish(uow, subject, wanted)
        citizen = await self.citizen_of(uow, subject, caller)
        made = await self._booker.make(
            uow, self._asker(subject, citizen.id), wanted, key=key, held=False
        )
        await self._audit.write(uow, subject, "appointment.booked", object=made.id)
        return made

    async def cancel(
        self, uow: Uow, subject: Subject, appointment: str, *, reason: str, words: str
    ) -> Appointment:
        scope = subject.scope(Permission.APPOINTMENTS_HANDLE)
        found = await self._within(uow, scope, appointment, whole=True)
        check_reason(reason, words.strip(), STAFF_REASONS)
        gone = await self._booker.cancel(
            uow,
            self._asker(subject, found.citizen),
            appointment,
            reason=reason,
            words=words.strip(),
            key=secrets.token_hex(8),
        )
        await self._audit.write(
            uow, subject, "appointment.cancelled", object=appointment, detail=reason
        )
        return gone

    async def move(
        self, uow: Uow, subject: Subject, appointment: str, wanted: Wanted
    ) -> Appointment:
        """Another time or hall; the citizen is told that the hall moved it."""
        scope = subject.scope(Permission.APPOINTMENTS_HANDLE)
        found = await self._within(uow, scope, appointment, whole=True)
        await self._check_wish(uow, subject, wanted)
        moved = await self._booker.change(
            uow,
            self._asker(subject, found.citizen),
            appointment,
            wanted,
            key=secrets.token_hex(8),
            topic="appointment.moved",
        )
        await self._audit.write(
            uow, subject, "appointment.moved", object=appointment,
            detail=f"{found.day} {found.start} → {moved.day} {moved.start} {moved.hall}",
        )  # fmt: skip
        return moved

    async def of_day(
        self, uow: ReadUow, subject: Subject, hall: HallId, day: date, state: str = ""
    ) -> Sequence[Appointment]:
        """What is booked at a hall on a day."""
        wish = Wish(hall=hall, first=day, last=day, state=state)
        return (await self.search(uow, subject, wish, limit=None))[1]

    # -- breaches, punishments, lists ---------------------------------------------------------

    async def forgive(self, uow: Uow, subject: Subject, appointment: str, reason: str) -> None:
        """A missed visit does not count any more. Raises ``appointments.reason``, ``appointments.unknown``."""
        scope, reason = subject.scope(Permission.APPOINTMENTS_HANDLE), _reason(reason)
        await self._within(uow, scope, appointment, whole=True)
        if not await standing_repo.forgive(
            uow, scope, appointment, at=self.now(), by=subject.id, reason=reason
        ):
            raise Refusal("appointments.unknown")
        await repo.note(uow, appointment, "forgiven", at=self.now(), by=subject.id, detail=reason)
        await self._audit.write(
            uow, subject, "appointment.breach_forgiven", object=appointment, detail=reason
        )

    async def lift(self, uow: Uow, subject: Subject, no: int, reason: str) -> None:
        """Ends a punishment before its time. Raises ``appointments.reason``, ``appointments.unknown``."""
        scope, reason = subject.scope(Permission.APPOINTMENTS_HANDLE), _reason(reason)
        if not await standing_repo.lift(
            uow, scope, no, at=self.now(), by=subject.id, reason=reason
        ):
            raise Refusal("appointments.unknown")
        await self._audit.write(
            uow, subject, "appointment.ban_lifted", object=str(no), detail=reason
        )

    async def put_listed(
        self, uow: Uow, subject: Subject, caller: Caller, *, kind: str, reason: str, until: int
    ) -> None:
        """Puts a citizen on the black or the white list, which hold in the whole city. Raises ``page.forbidden`` for
        whose reach is less, ``appointments.list_entry``, ``appointments.listed``."""
        _check_lists(subject)
        reason = reason.strip()
        if not reason or len(reason) > WORDS_LENGTH or kind not in ("black", "white") or (until and until <= self.now()):  # fmt: skip
            raise Refusal("appointments.list_entry", most=WORDS_LENGTH)
        citizen = await self.citizen_of(uow, subject, caller)
        reason = mask_words(reason, caller.name)
        values = {
            "citizen": citizen.id,
            "kind": kind,
            "masked_name": citizen.masked_name,
            "masked_number": citizen.masked_number,
            "reason": reason,
            "until": until,
            "at": self.now(),
            "by": subject.id,
        }
        if not await standing_repo.put_listed(uow, values, self.now()):
            raise Refusal("appointments.listed")
        await self._audit.write(
            uow, subject, f"appointment.listed_{kind}", object=citizen.id, detail=reason
        )

    async def end_listed(self, uow: Uow, subject: Subject, no: int) -> None:
        _check_lists(subject)
        if not await standing_repo.end_listed(uow, no, at=self.now(), by=subject.id):
            raise Refusal("appointments.unknown")
        await self._audit.write(uow, subject, "appointment.unlisted", object=str(no))


def _check_lists(subject: Subject) -> None:
    if not subject.scope(Permission.APPOINTMENTS_HANDLE).everywhere:
        raise Refusal("page.forbidden")


def _reason(text: str) -> str:
    """Why something was done, without numbers of people: it is kept longer than they may be."""
    reason = mask_words(text.strip())
    if not reason or len(reason) > WORDS_LENGTH:
        raise Refusal("appointments.reason", most=WORDS_LENGTH)
    return reason


__all__ = ["STAFF_REASONS", "Caller", "Life", "StaffDesk"]
