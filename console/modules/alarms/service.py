"""What people do with alarms; implements :class:`console.modules.alarms.api.AlarmsApi`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from console.core.audit import Audit
from console.core.channels import Channel
from console.core.permissions import Permission, Scope, Subject
from console.core.uow import ReadUow, Uow
from console.halls.api import HallsApi
from console.modules.alarms import bulk, receiver_store
from console.modules.alarms import models as m
from console.modules.alarms import repository as repo
from console.modules.alarms.api import AlarmInfo, DeviceRecord, Maintenance, OpenAlarms
from console.modules.alarms.domain import AlarmState
from console.modules.alarms.receivers import hears, open_to
from console.modules.alarms.recording import record
from console.modules.alarms.rules import AlarmRule, HeldRule, rule_fault
from console.modules.alarms.watch import ACTS
from console.modules.devices.api import DevicesApi
from qingting.contract.conditions import Severity
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import Clock

DAY_MS = 86_400_000
MAX_LISTED = 2000
"""A list holds the newest so many; filters narrow it."""
MAX_MAINTENANCE_DAYS = 90
NOTE_LENGTH = 500
UNREAD_DAYS = 7
"""Older notices ask nobody for attention any more."""
_RULE_FAULTS = {
    "whats": "alarm.rule_whats",
    "seconds": "alarm.rule_seconds",
    "times": "alarm.rule_times",
}
"""The refusal for each field that :func:`console.modules.alarms.rules.rule_fault` names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmFilter:
    """``state``: ``open``, ``new``, ``acknowledged``, ``maintained``, ``cleared`` or ``all``; the others empty for
    any. What is maintained is in ``maintained`` and ``all`` only, as it counts apart."""

    state: str = "open"
    hall: str = ""
    severity: str = ""
    kind: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One moment in an alarm's life. ``by`` is an account's id, empty: it happened by itself."""

    at: int
    act: str
    by: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How one notice fares on one channel. ``next_at`` counts while it is pending."""

    notice: int
    channel: str
    state: str
    tries: int
    next_at: int
    done_at: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Everybody was told of an alarm."""

    no: int
    at: int
    act: str
    alarm: AlarmInfo
    deliveries: tuple[Delivery, ...]
    unread: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmPicture:
    """One alarm with everything around it."""

    alarm: AlarmInfo
    root: AlarmInfo | None
    behind: tuple[AlarmInfo, ...]
    steps: tuple[Step, ...]
    notices: tuple[Notice, ...]
    maintenance: tuple[Maintenance, ...]


class AlarmService:
    """See :class:`console.modules.alarms.api.AlarmsApi`."""

    def __init__(
        self,
        clock: Clock,
        audit: Audit,
        halls: HallsApi,
        devices: DevicesApi,
        channels: Sequence[Channel] = (),
    ) -> None:
        self._channels = channels
        self._clock = clock
        self._audit = audit
        self._halls = halls
        self._devices = devices

    # -- for other modules --------------------------------------------------------------------

    async def hearers(self, uow: ReadUow, severity: Severity) -> Mapping[str, Channel]:
        wanted = [
            one
            for one in await receiver_store.receivers(uow)
            if not one.receiver.after_minutes
            and hears(one.receiver, hall="", division="", severity=severity)
        ]
        known = open_to(self._channels, wanted)
        return {name: one for name, one in known.items() if severity.rank >= one.least.rank}

    async def open(self, uow: ReadUow, scope: Scope, hall: HallId | None = None) -> OpenAlarms:
        found = [one for one in await repo.open_alarms(uow, scope) if hall in (None, one.hall)]
        own = [one for one in found if not one.root and not one.maintained]
        counts = Counter(one.severity for one in own)
        raised = Counter(one.severity for one in own if one.state is AlarmState.RAISED)
        return OpenAlarms(
            by_severity={one: counts[one] for one in Severity},
            new_by_severity={one: raised[one] for one in Severity},
            maintained=sum(one.maintained and not one.root for one in found),
            behind=sum(bool(one.root) for one in found),
        )

    async def record(self, uow: ReadUow, hall: HallId, device: str) -> DeviceRecord:
        return await record(uow, self._halls, self._devices, hall, device, self._clock.now_ms())

    async def begun(self, uow: ReadUow, since: int) -> dict[tuple[HallId, str], tuple[int, ...]]:
        c = m.alarm.c
        rows = await uow.all(
            sa.select(c.hall, c.device, sa.func.array_agg(c.began).label("began"))
            .where(c.began >= since, c.state != AlarmState.CLEARED.value)
            .group_by(c.hall, c.device)
        )
        return {(HallId(row["hall"]), row["device"]): tuple(row["began"]) for row in rows}

    async def undelivered(self, uow: ReadUow) -> dict[tuple[str, str], int]:
        d = m.delivery.c
        now = self._clock.now_ms()
        since = now - UNREAD_DAYS * DAY_MS
        rows = await uow.all(
            sa.select(d.channel, d.state, sa.func.count().label("n"))
            .join(m.notice, m.notice.c.no == d.notice)
            .where(d.state != "sent", m.notice.c.at > since)
            # What waits for the end of quiet hours is where it should be.
            .where((d.tries > 0) | (d.next_at <= now))
            .group_by(d.channel, d.state)
        )
        return {(row["channel"], row["state"]): row["n"] for row in rows}

    # -- looking ------------------------------------------------------------------------------

    async def listed(self, uow: ReadUow, subject: Subject, wanted: AlarmFilter) -> list[AlarmInfo]:
        """What stands for itself, the newest first; at most :data:`MAX_LISTED`."""
        within = subject.scope(Permission.ALARMS).where(m.alarm.c.hall)
        return await repo.alarms(uow, within, *_where(wanted), limit=MAX_LISTED)

    async def taken_out(self, uow: Uow, subject: Subject, kind: str, rows: int) -> None:
        """Notes that the list left as a file."""
        await self._audit.write(uow, subject, "alarms.export", object=kind, detail=str(rows))

    async def alarm(self, uow: ReadUow, subject: Subject, no: int) -> AlarmPicture:
        """Raises ``alarm.unknown``."""
        alarm = await _known(uow, subject.scope(Permission.ALARMS), no)
        now = self._clock.now_ms()
        notices = await repo.notices_of(uow, no)
        works = await repo.maintenance(uow, now, alarm.hall)
        return AlarmPicture(
            alarm=alarm,
            root=await repo.one_alarm(uow, alarm.root) if alarm.root else None,
            behind=tuple(await repo.behind(uow, no)),
            steps=tuple(
                Step(at=row["at"], act=row["act"], by=row["by"], note=row["note"])
                for row in await repo.steps(uow, no)
            ),
            notices=tuple(await _notices(uow, notices)),
            maintenance=tuple(one for one in works if one.device in ("", alarm.device)),
        )

    async def notices(self, uow: ReadUow, subject: Subject, limit: int = 100) -> list[Notice]:
        """The newest notices; those that the subject has not read are marked."""
        rows = await repo.notices(uow, subject.scope(Permission.ALARMS), limit)
        upto = await uow.scalar(sa.select(m.reader.c.upto).where(m.reader.c.account == subject.id))
        return await _notices(uow, rows, upto or 0)

    async def unread(self, uow: ReadUow, subject: Subject) -> int:
        scope, since = subject.scope(Permission.ALARMS), self._clock.now_ms() - UNREAD_DAYS * DAY_MS
        return await repo.unread(uow, scope, subject.id, since)

    async def mark_read(self, uow: Uow, subject: Subject, upto: int) -> None:
        """Up to a notice that was shown: what came since stays unread."""
        subject.require(Permission.ALARMS)
        await repo.read_upto(uow, subject.id, upto)
        uow.changed("alarms")

    # -- handling -----------------------------------------------------------------------------

    async def acknowledge(self, uow: Uow, subject: Subject, no: int, note: str) -> None:
        """Somebody takes care of it, and of what stands behind it. Raises ``alarm.unknown``, ``alarm.over``."""
        scope = subject.scope(Permission.ALARMS_HANDLE)
        await repo.lock(uow)
        alarm, now = await _open(uow, scope, no), self._clock.now_ms()
        for one in [alarm, *await repo.behind(uow, no)]:
            if one.state is AlarmState.RAISED:
                await repo.set_state(uow, one.no, AlarmState.ACKNOWLEDGED, subject.id, now)
        act = "acknowledged" if alarm.state is AlarmState.RAISED else "note"
        await repo.add_step(uow, no, now, act, subject.id, _note(note))
        await self._done(uow, subject, f"alarm.{act}", str(no), _note(note))

    async def clear(self, uow: Uow, subject: Subject, no: int, reason: str) -> None:
        """Ends an alarm and what stands behind it although the cause may last; a cause that begins anew is a new
        alarm. Raises ``alarm.unknown``, ``alarm.over``, ``alarm.reason_missing``."""
        scope = subject.scope(Permission.ALARMS_HANDLE)
        await repo.lock(uow)
        alarm, now = await _open(uow, scope, no), self._clock.now_ms()
        if not _note(reason):
            raise Refusal("alarm.reason_missing")
        for one in [alarm, *await repo.behind(uow, no)]:
            if one.open:
                await repo.set_state(uow, one.no, AlarmState.CLEARED, subject.id, now)
                await bulk.mark_ends_told(uow, [one.no])
                await repo.add_step(uow, one.no, now, "cleared", subject.id, _note(reason))
        await self._done(uow, subject, "alarm.cleared", str(no), _note(reason))

    # -- maintenance --------------------------------------------------------------------------

    async def maintenance(self, uow: ReadUow, subject: Subject) -> list[Maintenance]:
        """What holds now, will hold, or ended within a month."""
        scope = subject.scope(Permission.ALARMS)
        works = await repo.maintenance(uow, self._clock.now_ms() - 30 * DAY_MS)
        return [one for one in works if scope.has(one.hall)]

    async def begin_maintenance(
        self,
        uow: Uow,
        subject: Subject,
        hall: HallId,
        device: str,
        *,
        start: int,
        until: int,
        reason: str,
    ) -> int:
        """``start`` 0 means now. Raises ``hall.unknown``, ``device.unknown``, ``maintenance.period``,
        ``alarm.reason_missing``."""
        subject.require(Permission.ALARMS_HANDLE, hall=hall)
        await self._halls.hall(uow, hall)
        if device:
            await self._devices.device(uow, hall, device)
        now = self._clock.now_ms()
        begins = start or now
        if until <= max(begins, now) or until - begins > MAX_MAINTENANCE_DAYS * DAY_MS:
            raise Refusal("maintenance.period", days=MAX_MAINTENANCE_DAYS)
        if not _note(reason):
            raise Refusal("alarm.reason_missing")
        values = {
            "hall": hall,
            "device": device,
            "start": begins,
            "until": until,
            "reason": _note(reason),
            "by": subject.id,
        }
        no = await repo.add_maintenance(uow, values)
        where = f"{hall}/{device}" if device else hall
        detail = f"{no} {begins}-{until} {_note(reason)}"
        await self._done(uow, subject, "maintenance.begun", where, detail)
        return no

    async def end_maintenance(self, uow: Uow, subject: Subject, no: int) -> None:
        """Raises ``maintenance.unknown``."""
        scope = subject.scope(Permission.ALARMS_HANDLE)
        row = await repo.end_maintenance(uow, scope, no, self._clock.now_ms(), subject.id)
        if row is None:
            raise Refusal("maintenance.unknown")
        where = f"{row['hall']}/{row['device']}" if row["device"] else row["hall"]
        await self._done(uow, subject, "maintenance.ended", where, str(no))

    # -- rules --------------------------------------------------------------------------------

    async def rules(self, uow: ReadUow, subject: Subject) -> list[HeldRule]:
        subject.require(Permission.ALARMS)
        return await repo.rules(uow)

    async def rule(self, uow: ReadUow, subject: Subject, rule: str) -> HeldRule:
        """Raises ``alarm.rule_unknown``."""
        for held in await self.rules(uow, subject):
            if held.rule.id == rule:
                return held
        raise Refusal("alarm.rule_unknown")

    async def put_rule(
        self, uow: Uow, subject: Subject, rule: AlarmRule, version: int | None
    ) -> None:
        """Changes the rule whose ``version`` was read, or with None makes a new one; what holds is judged anew.

        Raises ``alarm.rule_changed``, ``alarm.rule_exists``, ``alarm.rule_unknown`` and the faults of a rule.
        """
        subject.require(Permission.ALARMS_RULES)
        fault = rule_fault(rule)
        if fault:
            raise Refusal(_RULE_FAULTS[fault])
        known = {one.rule.id: one for one in await repo.rules(uow)}
        before = known.get(rule.id)
        if version is None and before is not None:
            raise Refusal("alarm.rule_exists", rule=rule.id)
        if version is not None and before is None:
            raise Refusal("alarm.rule_unknown")
        now_version = before.version if before is not None else 0
        if version is not None and version != now_version:
            raise Refusal("alarm.rule_changed", version=now_version)
        held = HeldRule(
            rule=rule,
            version=now_version + 1,
            since=self._clock.now_ms(),
            changed_by=subject.id,
        )
        if not await repo.put_rule(uow, held):
            raise Refusal("alarm.rule_changed", version=now_version + 1)
        detail = f"{held.version} {msgspec.json.encode(rule).decode()}"
        await self._done(uow, subject, "alarm.rule", rule.id, detail)

    async def _done(
        self, uow: Uow, subject: Subject, act: str, what: str, detail: str = ""
    ) -> None:
        await self._audit.write(uow, subject, act, object=what, detail=detail)
        uow.changed("alarms", ACTS)


def _note(text: str) -> str:
    return text.strip()[:NOTE_LENGTH]


async def _known(uow: ReadUow, scope: Scope, no: int) -> AlarmInfo:
    """One of another district is as unknown as one that never was."""
    alarm = await repo.one_alarm(uow, no)
    if alarm is None or not scope.has(alarm.hall):
        raise Refusal("alarm.unknown")
    return alarm


async def _open(uow: ReadUow, scope: Scope, no: int) -> AlarmInfo:
    alarm = await _known(uow, scope, no)
    if not alarm.open:
        raise Refusal("alarm.over")
    return alarm


def _where(wanted: AlarmFilter) -> list[sa.ColumnElement[bool]]:
    c = m.alarm.c
    found: list[sa.ColumnElement[bool]] = [c.root.is_(None)]
    if wanted.state in ("open", "new", "acknowledged", "maintained"):
        # The same rule as the counts of :meth:`AlarmService.open`.
        found.append(c.state != AlarmState.CLEARED.value)
        found.append(c.maintained if wanted.state == "maintained" else ~c.maintained)
    if wanted.state == "new":
        found.append(c.state == AlarmState.RAISED.value)
    elif wanted.state in (AlarmState.ACKNOWLEDGED.value, AlarmState.CLEARED.value):
        found.append(c.state == wanted.state)
    for column, value in (
        (c.hall, wanted.hall),
        (c.severity, wanted.severity),
        (c.kind, wanted.kind),
        (c.rule, wanted.rule),
    ):
        if value:
            found.append(column == value)
    return found


async def _notices(
    uow: ReadUow, rows: Sequence[sa.RowMapping], read_upto: int | None = None
) -> list[Notice]:
    alarms = await repo.alarms_by_no(uow, {row["alarm"] for row in rows})
    sent: dict[int, list[Delivery]] = {}
    for row in await repo.deliveries(uow, {row["no"] for row in rows}):
        values = {**row, "done_at": row["done_at"] or 0}
        sent.setdefault(row["notice"], []).append(Delivery(**values))
    return [
        Notice(
            no=row["no"],
            at=row["at"],
            act=row["act"],
            alarm=alarms[row["alarm"]],
            deliveries=tuple(sent.get(row["no"], ())),
            unread=read_upto is not None and row["no"] > read_upto,
        )
        for row in rows
    ]
