"""Requests of those whom data is about (个人信息保护法 44-48): taken in, due by working days, answered, and proved
without keeping what they were about."""

from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa

from console.core.audit import Audit
from console.core.days import day_of
from console.core.permissions import Permission, Subject
from console.core.personal import (
    DataClass,
    Erased,
    HeldRecord,
    PersonalData,
    PersonalField,
    PersonSought,
    SealedColumn,
)
from console.core.uow import ReadUow, Uow
from console.modules.calendar.api import CalendarApi
from console.modules.privacy import models as m
from console.modules.privacy.api import Requester, Sheet, StillKept, SubjectRequest
from console.modules.privacy.domain import RequestKind, RequestState
from console.modules.privacy.erasures import Erasures
from console.modules.privacy.halls_told import HallsTold, HallTold, Pending
from console.modules.privacy.policy import read_policy
from qingting.contract.errors import Refusal
from qingting.contract.people import mask_name, mask_number, mask_phone, mask_words
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.seal import Sealer

CONTEXT = "request"
SHOWN = 200
BOXES = tuple(
    SealedColumn(column, CONTEXT)
    for column in (
        m.request.c.name_box,
        m.request.c.number_box,
        m.request.c.phone_box,
        m.request.c.words_box,
    )
)
FIELD_HEADS = ("personal.field.name", "personal.field.number", "personal.field.phone")
_EMPTIED = {
    **dict.fromkeys(("name_box", "number_box", "phone_box", "words_box")),
    "masked_name": "",
    "masked_number": "",
}


class Requests:
    """``holders`` are asked what they have; this module holds the requests themselves and is one of them."""

    holder = "requests"
    fields = (
        PersonalField("name", DataClass.SENSITIVE),
        PersonalField("number", DataClass.SENSITIVE),
        PersonalField("phone", DataClass.SENSITIVE),
    )

    def __init__(
        self,
        clock: Clock,
        audit: Audit,
        sealer: Sealer,
        calendar: CalendarApi,
        holders: Sequence[PersonalData],
        halls: HallsTold,
        erasures: Erasures,
        utc_offset_minutes: int,
    ) -> None:
        self._halls, self._erasures = halls, erasures
        self._clock, self._audit, self._sealer = clock, audit, sealer
        self._calendar, self._holders = calendar, holders
        self._offset = utc_offset_minutes

    # ---- taking in and reading ------------------------------------------------------------------

    async def ask(
        self, uow: Uow, kind: RequestKind, requester: Requester, words: str, *, by: Subject
    ) -> SubjectRequest:
        proof = self._proof(requester.number)
        await uow.scalar(
            sa.text("SELECT pg_advisory_xact_lock(hashtext(:proof))"), {"proof": proof}
        )
        open_one = sa.select(m.request.c.no).where(
            m.request.c.proof == proof,
            m.request.c.kind == kind.value,
            m.request.c.state == RequestState.OPEN.value,
        )
        if await uow.scalar(open_one) is not None:
            raise Refusal("request.repeated")
        now = self._clock.now_ms()
        today = day_of(now, self._offset)
        due = await self._calendar.due(uow, today, (await read_policy(uow)).limit)
        values = {
            "kind": kind.value,
            "state": RequestState.OPEN.value,
            "received_at": now,
            "due": due.day,
            "by": by.id,
            "proof": proof,
            "masked_name": mask_name(requester.name),
            "masked_number": mask_number(requester.number),
            "name_box": self._seal(requester.name),
            "number_box": self._seal(requester.number.strip().upper()),
            "phone_box": self._seal(requester.phone),
            "words_box": self._seal(words.strip()),
        }
        row = await uow.first(sa.insert(m.request).values(**values).returning(m.request))
        assert row is not None
        what = f"request:{row['no']}"
        await self._audit.write(uow, by, "request.received", object=what, detail=kind.value)
        return _info(row)

    async def listed(
        self, uow: ReadUow, subject: Subject, state: RequestState | None
    ) -> list[SubjectRequest]:
        """Those that wait longest first; over ones newest first."""
        subject.require(Permission.REQUESTS)
        statement = sa.select(m.request).limit(SHOWN)
        if state is RequestState.OPEN:
            statement = statement.order_by(m.request.c.due, m.request.c.no)
        else:
            statement = statement.order_by(m.request.c.no.desc())
        if state is not None:
            statement = statement.where(m.request.c.state == state.value)
        return await self._infos(uow, await uow.all(statement))

    async def one(self, uow: ReadUow, subject: Subject, no: int) -> tuple[SubjectRequest, str]:
        """With what the person said. Raises ``request.unknown``."""
        subject.require(Permission.REQUESTS)
        row = await self._row(uow, no)
        return (await self._infos(uow, [row]))[0], self._open(row["words_box"])

    async def halls_told(self, uow: ReadUow, subject: Subject, no: int) -> list[HallTold]:
        """What became of the word to the halls, for one to erase that was carried out."""
        subject.require(Permission.REQUESTS)
        return await self._halls.of(uow, no)

    async def hall_gone(self, uow: Uow, subject: Subject, no: int, hall: str, why: str) -> None:
        """One to erase that was carried out waits no more for a hall that does not come back.

        Raises ``request.unknown``, ``personal.words`` and what :meth:`HallsTold.mark_gone` raises."""
        subject.require(Permission.REQUESTS)
        _ = await self._row(uow, no)
        why = mask_words((await read_policy(uow)).check_words(why))
        await self._halls.mark_gone(uow, no, hall, subject, why)
        detail = f"{hall}: {why}"
        await self._audit.write(
            uow, subject, "request.hall_gone", object=f"request:{no}", detail=detail
        )

    async def of(self, uow: ReadUow, number: str) -> list[SubjectRequest]:
        statement = sa.select(m.request).where(m.request.c.proof == self._proof(number))
        rows = await uow.all(statement.order_by(m.request.c.no.desc()).limit(SHOWN))
        return await self._infos(uow, rows)

    async def _infos(self, uow: ReadUow, rows: Sequence[sa.RowMapping]) -> list[SubjectRequest]:
        numbers = [row["no"] for row in rows]
        pending = await self._halls.pending(uow, numbers)
        kept = await self._erasures.kept_of(uow, numbers)
        return [
            _info(row, pending.get(row["no"], Pending()), kept.get(row["no"], ())) for row in rows
        ]

    # ---- answering ------------------------------------------------------------------------------

    async def found(self, uow: ReadUow, subject: Subject, no: int) -> dict[str, int]:
        """How many records each holder has about the requester; empty once the request is over."""
        subject.require(Permission.REQUESTS)
        row = await self._row(uow, no)
        if row["number_box"] is None:
            return {}
        sought = self._sought(row)
        return {one.holder: len(await one.about(uow, sought)) for one in self._holders}

    async def copy(self, uow: Uow, subject: Subject, no: int) -> Sheet:
        """All that is held about the requester, to be handed over. Audited. Raises ``request.over``."""
        subject.require(Permission.REQUESTS)
        sought = self._sought(await self._open_row(uow, no))
        rows = [
            (one.holder, record.id, record.at, name, value)
            for one in self._holders
            for record in await one.about(uow, sought)
            for name, value in record.fields.items()
        ]
        detail = str(len(rows))
        await self._audit.write(
            uow, subject, "request.copied", object=f"request:{no}", detail=detail
        )
        return Sheet(
            ("request.holder", "request.record", "audit.at", "request.field", "request.value"), rows
        )

    async def answer(
        self, uow: Uow, subject: Subject, no: int, *, done: bool, outcome: str
    ) -> None:
        """Ends a request; one to erase is carried out in this transaction. What it was about is forgotten.

        Raises ``request.unknown``, ``request.over``, ``personal.words``."""
        subject.require(Permission.REQUESTS)
        outcome = (await read_policy(uow)).check_words(outcome)
        row = await self._open_row(uow, no)
        # The answer stays as the proof of what was done; whom it was about does not.
        outcome = mask_words(outcome, self._open(row["name_box"]))
        kind, counts = RequestKind(row["kind"]), dict[str, int]()
        if done and kind is RequestKind.ERASE:
            counts = await self._erasures.carry_out(uow, self._sought(row), no)
        elif done and kind is RequestKind.COPY:
            counts = await self.found(uow, subject, no)
        state = RequestState.DONE if done else RequestState.REFUSED
        values = {
            "state": state.value,
            "handled_by": subject.id,
            "handled_at": self._clock.now_ms(),
            "outcome": outcome,
            "counts": msgspec.json.encode(counts).decode(),
            **_EMPTIED,
        }
        await uow.run(sa.update(m.request).where(m.request.c.no == no).values(**values))
        detail = f"{kind.value} {values['counts']}"
        act = "request.done" if done else "request.refused"
        await self._audit.write(uow, subject, act, object=f"request:{no}", detail=detail)

    async def count_to_take_out(
        self, uow: ReadUow, subject: Subject, query: Mapping[str, str]
    ) -> int:
        subject.require(Permission.REQUESTS)
        count = sa.select(sa.func.count()).select_from(m.request)
        return int(await uow.scalar(count.where(*_open_of_kind(query))))

    async def to_take_out(self, uow: ReadUow, subject: Subject, query: Mapping[str, str]) -> Sheet:
        """The open requests with their people in clear, for letters; an :class:`ExportKind`."""
        subject.require(Permission.REQUESTS)
        statement = sa.select(m.request).where(*_open_of_kind(query))
        rows = []
        for row in await uow.all(statement.order_by(m.request.c.due)):
            clear = self._fields(row)
            due = row["due"].isoformat()
            rows.append((row["no"], row["kind"], due, *clear.values()))
        return Sheet(("request.no", "request.kind", "request.due", *FIELD_HEADS), rows)

    # ---- as a holder ----------------------------------------------------------------------------

    async def masked(self, uow: ReadUow, subject: Subject, record: str) -> Mapping[str, str]:
        row = await self._record(uow, subject, record)
        phone = self._open(row["phone_box"])
        shown = {"name": row["masked_name"], "number": row["masked_number"]}
        return shown | {"phone": mask_phone(phone)}

    async def clear(self, uow: ReadUow, subject: Subject, record: str) -> Mapping[str, str]:
        return self._fields(await self._record(uow, subject, record))

    async def about(self, uow: ReadUow, person: PersonSought) -> Sequence[HeldRecord]:
        statement = sa.select(m.request).where(
            m.request.c.proof == self._proof(person.number), m.request.c.number_box.is_not(None)
        )
        return [
            HeldRecord(id=str(row["no"]), at=row["received_at"], fields=self._fields(row))
            for row in await uow.all(statement)
        ]

    async def erase(self, uow: Uow, person: PersonSought) -> Erased:
        """Open requests of the person stay until they are answered, this one among them; over ones hold nothing."""
        return Erased(erased=0)

    async def finish(self, uow: Uow, record: str) -> Erased:
        return Erased(erased=0)

    async def _record(self, uow: ReadUow, subject: Subject, record: str) -> sa.RowMapping:
        subject.require(Permission.REQUESTS)
        if not record.isdecimal() or len(record) > 18:
            raise Refusal("personal.unknown")
        row = await uow.first(sa.select(m.request).where(m.request.c.no == int(record)))
        if row is None or row["number_box"] is None:
            raise Refusal("personal.unknown")
        return row

    # ---- rows and boxes -------------------------------------------------------------------------

    async def _row(self, uow: ReadUow, no: int) -> sa.RowMapping:
        row = await uow.first(sa.select(m.request).where(m.request.c.no == no))
        if row is None:
            raise Refusal("request.unknown")
        return row

    async def _open_row(self, uow: Uow, no: int) -> sa.RowMapping:
        row = await uow.first(sa.select(m.request).where(m.request.c.no == no).with_for_update())
        if row is None:
            raise Refusal("request.unknown")
        if row["state"] != RequestState.OPEN.value:
            raise Refusal("request.over")
        return row

    def _sought(self, row: sa.RowMapping) -> PersonSought:
        number = self._open(row["number_box"])
        return PersonSought(number=number, index=self._sealer.blind_index(number))

    def _fields(self, row: sa.RowMapping) -> dict[str, str]:
        return {name: self._open(row[f"{name}_box"]) for name in ("name", "number", "phone")}

    def _proof(self, number: str) -> str:
        """Not the blind index: a proof that is kept for good must lead to nothing else that is kept."""
        return self._sealer.blind_index(f"request of {number.strip().upper()}")

    def _seal(self, text: str) -> str:
        return self._sealer.seal(text, context=CONTEXT)

    def _open(self, box: str | None) -> str:
        return self._sealer.open(box, context=CONTEXT) if box else ""


def _open_of_kind(query: Mapping[str, str]) -> list[sa.ColumnElement[bool]]:
    parts = [m.request.c.state == RequestState.OPEN.value]
    return [*parts, m.request.c.kind == query["kind"]] if query.get("kind") else parts


def _info(
    row: sa.RowMapping,
    pending: Pending = Pending(),  # noqa: B008 - frozen
    kept: Sequence[StillKept] = (),
) -> SubjectRequest:
    counts = msgspec.json.decode(row["counts"], type=dict[str, int]) if row["counts"] else {}
    return SubjectRequest(
        no=row["no"],
        kind=RequestKind(row["kind"]),
        state=RequestState(row["state"]),
        received_at=row["received_at"],
        due=row["due"],
        by=row["by"],
        masked_name=row["masked_name"],
        masked_number=row["masked_number"],
        handled_by=row["handled_by"],
        handled_at=row["handled_at"] or 0,
        outcome=row["outcome"],
        counts=counts,
        halls_waiting=pending.waiting,
        halls_gone=pending.gone,
        kept=kept,
        finished_at=row["finished_at"] or 0,
    )
