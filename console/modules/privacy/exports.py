"""Lists with personal data leave the system after another person's consent, once, within a day, marked."""

import msgspec
import sqlalchemy as sa

from console.core.audit import Audit
from console.core.permissions import Permission, Subject
from console.core.uow import ReadUow, Uow
from console.modules.privacy import models as m
from console.modules.privacy.api import ExportInfo, ExportKind, Sheet
from console.modules.privacy.domain import ExportState, Reason, export_state
from console.modules.privacy.policy import PrivacyPolicy, read_policy
from qingting.contract.errors import Refusal
from qingting.contract.people import mask_words
from qingting.kernel.aio.clock import Clock

SHOWN = 100


class Exports:
    """The registry of what can be taken out, and every wish to do so."""

    def __init__(self, clock: Clock, audit: Audit) -> None:
        self._clock, self._audit = clock, audit
        self._kinds: dict[str, ExportKind] = {}

    def declare(self, kind: ExportKind) -> None:
        self._kinds[kind.name] = kind

    def kind(self, name: str) -> ExportKind:
        """Raises ``export.unknown``."""
        if name not in self._kinds:
            raise Refusal("export.unknown")
        return self._kinds[name]

    def open_to(self, subject: Subject) -> list[str]:
        """Names of the lists that somebody may ask for, in the order in which modules declared them."""
        return [one.name for one in self._kinds.values() if subject.may(one.permission)]

    async def ask(
        self,
        uow: Uow,
        subject: Subject,
        name: str,
        query: dict[str, str],
        reason: Reason,
        words: str,
    ) -> int:
        """Raises ``export.unknown``, ``export.too_many``, ``export.nothing``, ``personal.words``."""
        kind = self.kind(name)
        subject.require(kind.permission)
        policy = await read_policy(uow)
        words = mask_words(policy.check_words(words))
        rows = await kind.count(uow, subject, query)
        _check_rows(policy, rows)
        if rows == 0:
            raise Refusal("export.nothing")
        now = self._clock.now_ms()
        values = {
            "kind": name,
            "query": msgspec.json.encode(query).decode(),
            "reason": reason.value,
            "words": words,
            "rows": rows,
            "by": subject.id,
            "by_name": subject.name,
            "asked_at": now,
            "expires_at": now + policy.decide_ms,
        }
        no = await uow.scalar(sa.insert(m.export).values(**values).returning(m.export.c.no))
        detail = f"{name} {rows} {reason.value}: {words}"
        await self._audit.write(uow, subject, "export.asked", object=f"export:{no}", detail=detail)
        return int(no)

    async def decide(
        self, uow: Uow, subject: Subject, no: int, *, approve: bool, note: str
    ) -> None:
        """Raises ``export.unknown``, ``export.own``, ``export.over``."""
        subject.require(Permission.EXPORTS_APPROVE)
        one = await self._locked(uow, no)
        if one.by == subject.id:
            raise Refusal("export.own")
        if one.state is not ExportState.ASKED:
            raise Refusal("export.over")
        now, note = self._clock.now_ms(), mask_words(note.strip())
        await uow.run(
            sa.update(m.export)
            .where(m.export.c.no == no)
            .values(
                approved=approve,
                decided_by=subject.id,
                decided_name=subject.name,
                decided_at=now,
                note=note,
                expires_at=now + (await read_policy(uow)).fetch_ms,
            )
        )
        act = "export.approved" if approve else "export.rejected"
        await self._audit.write(uow, subject, act, object=f"export:{no}", detail=note)

    async def fetch(self, uow: Uow, subject: Subject, no: int) -> tuple[ExportInfo, Sheet]:
        """The list as it is now, with what the subject may see now; the one time. Only for who asked for it.

        Raises ``export.unknown``, ``export.over``, ``export.too_many``."""
        one = await self._locked(uow, no)
        if one.by != subject.id:
            raise Refusal("export.unknown")
        if one.state is not ExportState.APPROVED:
            raise Refusal("export.over")
        kind = self.kind(one.kind)
        subject.require(kind.permission)
        policy, query = await read_policy(uow), dict(one.query)
        _check_rows(policy, await kind.count(uow, subject, query))
        sheet = await kind.make(uow, subject, query)
        now = self._clock.now_ms()
        fetched = sa.update(m.export).where(m.export.c.no == no).values(fetched_at=now)
        await uow.run(fetched)
        detail = f"{one.kind} {len(sheet.rows)}"
        await self._audit.write(
            uow, subject, "export.fetched", object=f"export:{no}", detail=detail
        )
        return one, sheet

    async def seen_by(self, uow: ReadUow, subject: Subject) -> list[ExportInfo]:
        """One's own, and all for whoever approves them; newest first."""
        statement = sa.select(m.export).order_by(m.export.c.no.desc()).limit(SHOWN)
        if not subject.may(Permission.EXPORTS_APPROVE):
            statement = statement.where(m.export.c.by == subject.id)
        return [self._info(row) for row in await uow.all(statement)]

    async def _locked(self, uow: Uow, no: int) -> ExportInfo:
        row = await uow.first(sa.select(m.export).where(m.export.c.no == no).with_for_update())
        if row is None:
            raise Refusal("export.unknown")
        return self._info(row)

    def _info(self, row: sa.RowMapping) -> ExportInfo:
        now = self._clock.now_ms()
        state = export_state(row["approved"], row["fetched_at"], row["expires_at"], now)
        return ExportInfo(
            no=row["no"],
            kind=row["kind"],
            query=msgspec.json.decode(row["query"], type=dict[str, str]),
            reason=row["reason"],
            words=row["words"],
            rows=row["rows"],
            by=row["by"],
            by_name=row["by_name"],
            asked_at=row["asked_at"],
            state=state,
            decided_name=row["decided_name"],
            note=row["note"],
            expires_at=row["expires_at"],
        )


def _check_rows(policy: PrivacyPolicy, rows: int) -> None:
    if rows > policy.max_rows:
        raise Refusal("export.too_many", most=policy.max_rows, rows=rows)
