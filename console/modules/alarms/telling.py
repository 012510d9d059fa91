"""The look's last part: who is told of what has changed, and who is called because nobody took care."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.core.channels import Channel
from console.core.uow import Uow
from console.halls.api import HallStatus
from console.modules.alarms import bulk
from console.modules.alarms import receiver_store as store
from console.modules.alarms import repository as repo
from console.modules.alarms.api import AlarmInfo
from console.modules.alarms.domain import AlarmState
from console.modules.alarms.receivers import (
    HeldReceiver,
    Sending,
    Waiting,
    escalates,
    hears,
    sendings,
    way_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Tells by the receivers as they are set now. ``divisions`` are those of the halls."""

    channels: Sequence[Channel]
    receivers: Sequence[HeldReceiver]
    divisions: Mapping[str, str]
    utc_offset_minutes: int
    now: int

    @classmethod
    async def of(
        cls,
        uow: Uow,
        halls: Sequence[HallStatus],
        channels: Sequence[Channel],
        utc_offset_minutes: int,
        now: int,
    ) -> "Teller":
        return cls(
            channels=channels,
            receivers=await store.receivers(uow),
            divisions={one.id: one.division for one in halls},
            utc_offset_minutes=utc_offset_minutes,
            now=now,
        )

    async def raised(self, uow: Uow, alarms: Sequence[AlarmInfo]) -> None:
        """Tells everybody who hears of them at once."""
        if alarms:
            notices = {one.no: self._at_once(one) for one in alarms}
            await bulk.add_notices(uow, self.now, "raised", notices)
            await bulk.mark_told(uow, notices, self.now)

    async def ended(self, uow: Uow, alarms: Sequence[AlarmInfo]) -> None:
        """Whoever heard of them hears that they are over; nobody else does."""
        if alarms:
            heard = await bulk.told_channels(uow, [one.no for one in alarms])
            notices = {one.no: self._at_end(one, heard.get(one.no, ())) for one in alarms}
            await bulk.add_notices(uow, self.now, "cleared", notices)
            await bulk.mark_ends_told(uow, notices)

    def _at_once(self, alarm: AlarmInfo) -> list[Sending]:
        at_once = [one for one in self._hearing(alarm) if not one.receiver.after_minutes]
        return [*self._everybody(alarm), *self._sendings(at_once, alarm)]

    def _at_end(self, alarm: AlarmInfo, heard: Sequence[str]) -> list[Sending]:
        receivers = {way_of(one)[1] for one in heard} - {""}
        known = [one for one in self.receivers if one.receiver.id in receivers]
        wanted = [Sending(one, self.now) for one in heard if not way_of(one)[1]]
        return wanted + [one for one in self._sendings(known, alarm) if one.channel in heard]

    async def escalate(self, uow: Uow, alarms: Sequence[AlarmInfo]) -> bool:
        """Calls the next receivers about ``alarms`` that nobody has acknowledged; True when somebody was called."""
        due = {
            alarm.no: called
            for alarm in alarms
            if alarm.told_at and alarm.state is AlarmState.RAISED
            if (called := self._due(alarm))
        }
        if not due:
            return False
        done = await store.escalated(uow, due)
        found = False
        for alarm in alarms:
            called = [
                one
                for one in due.get(alarm.no, ())
                if (alarm.no, alarm.told_at, one.receiver.id) not in done
            ]
            found = await self._call(uow, alarm, called) or found
        return found

    def _due(self, alarm: AlarmInfo) -> list[HeldReceiver]:
        waiting = Waiting(alarm.told_at, alarm.asked_at)
        return [one for one in self._hearing(alarm) if escalates(one, waiting, self.now)]

    async def _call(self, uow: Uow, alarm: AlarmInfo, called: Sequence[HeldReceiver]) -> bool:
        new = [
            one
            for one in called
            if await store.claim_escalation(uow, alarm.no, alarm.told_at, one.receiver.id, self.now)
        ]
        if not new:
            return False
        notice = {alarm.no: self._sendings(new, alarm)}
        await bulk.add_notices(uow, self.now, "escalated", notice)
        names = ", ".join(_name(one) for one in new)
        await repo.add_step(uow, alarm.no, self.now, "escalated", note=names)
        return True

    def _hearing(self, alarm: AlarmInfo) -> list[HeldReceiver]:
        division = self.divisions.get(alarm.hall, "")
        return [
            one
            for one in self.receivers
            if hears(one.receiver, hall=alarm.hall, division=division, severity=alarm.severity)
        ]

    def _everybody(self, alarm: AlarmInfo) -> list[Sending]:
        return [
            Sending(one.name, self.now)
            for one in self.channels
            if one.carries_all and alarm.severity.rank >= one.least.rank
        ]

    def _sendings(self, receivers: Sequence[HeldReceiver], alarm: AlarmInfo) -> list[Sending]:
        return sendings(receivers, alarm.severity, self.now, self.utc_offset_minutes)


def _name(held: HeldReceiver) -> str:
    return " / ".join(filter(None, (held.receiver.name, held.receiver.name_en)))
