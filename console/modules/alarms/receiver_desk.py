"""Use cases around receivers of alarms."""

from collections.abc import Sequence

import msgspec

from console.core.audit import Audit
from console.core.channels import Channel
from console.core.permissions import Permission, Subject
from console.core.uow import ReadUow, Uow
from console.halls.api import HallsApi, HallStatus
from console.modules.alarms import receiver_store as store
from console.modules.alarms.receivers import (
    MAX_MAILS,
    HeldReceiver,
    Receiver,
    hears,
    missing_ways,
    receiver_fault,
    renewed,
)
from console.modules.alarms.watch import ACTS
from qingting.contract.conditions import Severity
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock

_FAULTS = {
    "address": "receiver.address",
    "mails": "receiver.mails",
    "webhook": "receiver.webhook",
    "quiet": "receiver.quiet",
}
"""The refusal for each field that :func:`console.modules.alarms.receivers.receiver_fault` names."""
_NO_WAY = {"mail": "receiver.no_mail", "webhook": "receiver.no_webhook"}


class ReceiverService:
    """Who hears what, and who may change it. Audited without addresses."""

    def __init__(
        self, clock: Clock, audit: Audit, halls: HallsApi, channels: Sequence[Channel]
    ) -> None:
        self._halls = halls
        self._clock = clock
        self._audit = audit
        self._channels = channels

    @property
    def ways(self) -> frozenset[str]:
        """Ways that the city's settings open: ``mail``, ``webhook``."""
        return frozenset(one.name for one in self._channels)

    @property
    def everywhere(self) -> tuple[Channel, ...]:
        """The city's own channels, which carry alarms of all halls."""
        return tuple(one for one in self._channels if one.carries_all)

    async def receivers(self, uow: ReadUow, subject: Subject) -> list[HeldReceiver]:
        """Those that hear of any hall within the subject's reach; of the whole city, all of them."""
        scope, held = subject.scope(Permission.ALARMS), await store.receivers(uow)
        if scope.everywhere:
            return held
        halls = [one for one in await self._halls.halls(uow, scope) if scope.has(one.id)]
        return [one for one in held if any(_hears_of(one, hall) for hall in halls)]

    async def receiver(self, uow: ReadUow, subject: Subject, receiver: str) -> HeldReceiver:
        """Raises ``receiver.unknown``."""
        for held in await self.receivers(uow, subject):
            if held.receiver.id == receiver:
                return held
        raise Refusal("receiver.unknown")

    async def put(
        self, uow: Uow, subject: Subject, receiver: Receiver, version: int | None
    ) -> None:
        """Changes the receiver whose ``version`` was read, or with None makes a new one.

        Raises ``receiver.changed``, ``receiver.exists``, ``receiver.unknown``, ``receiver.no_mail``,
        ``receiver.no_webhook`` and the faults of a receiver.
        """
        subject.require(Permission.ALARMS_RULES)
        if fault := receiver_fault(receiver):
            raise Refusal(_FAULTS[fault], **({"most": MAX_MAILS} if fault == "mails" else {}))
        for way in missing_ways(receiver, self._channels):
            raise Refusal(_NO_WAY[way])
        known = {one.receiver.id: one for one in await store.receivers(uow)}
        before = known.get(receiver.id)
        if version is None and before is not None:
            raise Refusal("receiver.exists", receiver=receiver.id)
        if version is not None and before is None:
            raise Refusal("receiver.unknown")
        if before is not None and before.version != version:
            raise Refusal("receiver.changed", version=before.version)
        held = renewed(before, receiver, subject.id, self._clock.now_ms())
        if not await store.put_receiver(uow, held):
            raise Refusal("receiver.changed", version=held.version)
        await self._audit.write(
            uow, subject, "alarm.receiver", object=receiver.id, detail=_audited(held)
        )
        uow.changed("alarms", ACTS)


def _hears_of(held: HeldReceiver, hall: HallStatus) -> bool:
    return any(
        hears(held.receiver, hall=hall.id, division=hall.division, severity=one) for one in Severity
    )


def _audited(held: HeldReceiver) -> str:
    """Scope and times; of addresses only how many: the audit is read by many."""
    one = held.receiver
    plain = msgspec.structs.replace(one, mails=(), webhook="")
    ways = f"mails={len(one.mails)} webhook={int(bool(one.webhook))}"
    return f"{held.version} {ways} {msgspec.json.encode(plain).decode()}"
