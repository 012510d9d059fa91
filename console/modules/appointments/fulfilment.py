"""What became of appointments in the halls (履约), folded from their events; breaches and their punishment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.projection import StoredEvent
from console.core.uow import Uow
from console.modules.appointments import models as m
from console.modules.appointments import repository as repo
from console.modules.appointments import repository_rules as rules_repo
from console.modules.appointments.api import Life
from console.modules.appointments.domain import may_follow, punishment
from console.modules.appointments.offering import Offering, offering_of, with_part
from console.modules.appointments.planner import PLACES, Planner
from console.modules.appointments.repository_places import lock_key, lock_keys
from console.modules.appointments.rules import DEFAULTS, Effective
from console.modules.appointments.telling import Teller
from qingting.contract import events as e
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId

_a = m.appointment.c
_FROM_THE_HALL = (Life.ARRIVED, Life.SERVED, Life.LEFT, Life.MISSED)
STALE_MS = 3 * 86_400_000
"""Nobody is told of what happened longer ago: a hall that was cut off for a week, a read model that is built again."""


WAITS_MS = 6 * 3_600_000
"""Nobody waits for longer in a hall."""


@dataclass(frozen=True, slots=True)
class Step:
    """What an event says of an appointment, found by its id or by the ticket that was taken."""

    after: Life
    booking: str = ""
    ticket: str = ""


def step_of(body: e.EventBody) -> Step | None:
    """None for an event that says nothing of appointments."""
    match body:
        case e.TicketIssued(booking=booking, ticket=ticket) if booking is not None:
            return Step(Life.ARRIVED, booking=booking, ticket=ticket)
        case e.ServiceFinished(onward=None, back=None, ticket=ticket):
            return Step(Life.SERVED, ticket=ticket)
        case e.TicketNoShow(ticket=ticket) | e.TicketCancelled(ticket=ticket):
            return Step(Life.LEFT, ticket=ticket)
        case e.BookingMissed(booking=booking):
            return Step(Life.MISSED, booking=booking)
        case _:
            return None


class FulfilmentProjector:
    """Implements :class:`console.core.projection.Projector`."""

    name = "appointments"

    def __init__(self, planner: Planner, teller: Teller, now: Callable[[], int]) -> None:
        self._planner = planner
        self._teller = teller
        self._now = now

    async def apply(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
        offering: Offering | None = None
        touched = False
        await self._count_alone(uow, hall, events)
        for stored in events:
            body = stored.event.b
            if isinstance(body, e.ConfigApplied):
                offering = offering_of(body.config)
            elif isinstance(body, e.ConfigEdited):
                known = offering or await rules_repo.offering(uow, hall)
                offering = with_part(known, body.part) if known is not None else None
            elif isinstance(body, e.DirectiveRefused):
                touched |= await self._refused(uow, hall, stored, body)
            elif (step := step_of(body)) is not None:
                touched |= await self._step(uow, hall, stored, step)
        if offering is not None:
            await rules_repo.put_offering(uow, hall, offering)
            uow.changed(PLACES)
            uow.on_commit(self._planner.forget)
        if touched:
            uow.changed("appointments")

    async def _count_alone(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
        """Whoever missed visits at two halls is punished though both are heard of at once: the second waits here, and
        then sees the first one's. Before any row is locked, so that nobody waits in a circle."""
        bodies = [one.event.b for one in events]
        missed = [one.booking for one in bodies if isinstance(one, e.BookingMissed)]
        if missed:
            rows = await uow.all(sa.select(_a.citizen).where(_a.hall == hall, _a.id.in_(missed)))
            await lock_keys(uow, {lock_key("breaches", row["citizen"]) for row in rows})

    async def forget(self, uow: Uow, hall: HallId) -> None:
        """Bookings are the city's own: only what the hall said of them goes. Breaches and punishments stay."""
        await rules_repo.drop_offering(uow, hall)
        h = m.history.c
        await uow.run(sa.delete(m.history).where(h.by == _by(hall)))
        await uow.run(
            sa.update(m.appointment)
            .where(_a.hall == hall, _a.state.in_([one.value for one in _FROM_THE_HALL]))
            .values(state=Life.BOOKED.value, **_NOT_COME)
        )

    async def _refused(
        self, uow: Uow, hall: HallId, stored: StoredEvent, body: e.DirectiveRefused
    ) -> bool:
        """The hall could not take a change: it stands with the appointment until the next one."""
        s = m.sent.c
        found = await uow.scalar(sa.select(s.appointment).where(s.hall == hall, s.no == body.no))
        if found is None:
            return False
        await repo.put(uow, found, refused=body.code)
        await repo.note(uow, found, "refused", at=stored.event.at, by=_by(hall), detail=body.code)
        return True

    async def _step(self, uow: Uow, hall: HallId, stored: StoredEvent, step: Step) -> bool:
        key = _a.id == step.booking if step.booking else _a.ticket == step.ticket
        row = await uow.first(
            sa.select(m.appointment).where(_a.hall == hall, key).with_for_update()
        )
        if row is None or not may_follow(Life(row["state"]), step.after):
            return False
        at = stored.event.at
        values: dict[str, Any] = {"state": step.after.value, "remind_at": None}
        if isinstance(stored.event.b, e.TicketIssued):
            issued = stored.event.b
            values |= {
                "ticket": step.ticket,
                "number": issued.number,
                "late": issued.late,
                "arrived_at": at,
            }
        else:
            values["ended_at"] = at
        await repo.put(uow, row["id"], **values)
        await repo.note(uow, row["id"], step.after.value, at=at, by=_by(hall))
        if step.after is Life.MISSED:
            await self._missed(uow, row, at)
        elif step.after is Life.ARRIVED and self._now() - at < WAITS_MS:
            one = repo.appointment_of(row, at)
            await self._teller.follow(uow, one, until=at + WAITS_MS)
        return True

    async def _missed(self, uow: Uow, row: sa.RowMapping, at: int) -> None:
        """A breach counts once, however often the read model is built."""
        inserted = await uow.run(
            insert(m.breach)
            .values(
                appointment=row["id"], citizen=row["citizen"], hall=row["hall"], at=at,
                forgiven_at=0, forgiven_by="", reason="",
            )
            .on_conflict_do_nothing()
        )  # fmt: skip
        if not inserted:
            return
        days = await self._punish(uow, row, at)
        now = self._now()
        if now - at > STALE_MS:
            return
        found = await repo.row_of(uow, row["id"])
        assert found is not None
        one = repo.appointment_of(found, now)
        await self._teller.tell(uow, "appointment.missed", one, since=at)
        if days:
            await self._teller.tell(uow, "appointment.punished", one, days=days, since=at)

    async def _punish(self, uow: Uow, row: sa.RowMapping, at: int) -> int:
        """Days of the punishment that this breach brings; 0: none. Who is on the white list gets none."""
        record = await repo.record(
            uow, row["citizen"], day=row["day"], items=row["items"], now=at, midnight=at
        )
        if record.listed is not None and record.listed.kind == "white":
            return 0
        rule = await self._rule(uow, row)
        b, n = m.breach.c, m.ban.c
        breaches = await uow.all(
            sa.select(b.at).where(b.citizen == row["citizen"], b.forgiven_at == 0)
        )
        since = await uow.scalar(
            sa.select(sa.func.coalesce(sa.func.max(n.began), 0)).where(n.citizen == row["citizen"])
        )
        # A hall that was cut off tells late: what it tells of may lie before what was counted already.
        last = max(one["at"] for one in breaches)
        until = punishment([one["at"] for one in breaches], since, rule, last)
        if not until:
            return 0
        await uow.run(
            sa.insert(m.ban).values(
                citizen=row["citizen"], hall=row["hall"], masked_name=row["masked_name"],
                masked_number=row["masked_number"], began=last, until=until, breaches=rule.breaches,
                lifted_at=0, lifted_by="", reason="",
            )
        )  # fmt: skip
        return rule.ban_days

    async def _rule(self, uow: Uow, row: sa.RowMapping) -> Effective:
        try:
            _, line = await self._planner.line(uow, row["hall"], row["items"][0])
        except Refusal:
            return DEFAULTS
        return line.resolved.rule


def _by(hall: HallId) -> str:
    return f"hall:{hall}"


_NOT_COME: dict[str, Any] = {
    "ticket": "",
    "number": "",
    "late": False,
    "arrived_at": 0,
    "ended_at": 0,
    "refused": "",
}
