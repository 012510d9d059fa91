"""Use cases of the networks that staff may log in from."""

import sqlalchemy as sa

from console.core.audit import Audit
from console.core.permissions import Permission, Subject
from console.core.uow import ReadUow, Uow
from console.modules.identity import repository_networks as repo
from console.modules.identity.networks import (
    LONGEST_NOTE,
    MOST,
    Network,
    may_come_from,
    read_network,
)
from console.modules.identity.repository import account_names, find_by_name
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock


class AllowList:
    """Kept by the security administrator, who cannot shut out the own session by it."""

    def __init__(self, clock: Clock, audit: Audit) -> None:
        self._clock = clock
        self._audit = audit

    async def networks(
        self, uow: ReadUow, subject: Subject
    ) -> tuple[list[Network], dict[str, str]]:
        """All of them, and the names of their accounts."""
        subject.require(Permission.SIGN_IN)
        found = await repo.networks(uow)
        return found, await account_names(uow, {one.account for one in found} - {""})

    async def add(self, uow: Uow, subject: Subject, network: str, name: str, note: str) -> None:
        """``name`` empty: for everybody. Raises ``network.wrong``, ``network.exists``, ``network.many``,
        ``network.yourself``, ``account.unknown``."""
        subject.require(Permission.SIGN_IN)
        await repo.lock(uow)
        row: sa.RowMapping | None = await find_by_name(uow, name.strip()) if name.strip() else None
        if name.strip() and row is None:
            raise Refusal("account.unknown")
        account, wanted = "" if row is None else row["id"], read_network(network)
        present = await repo.networks(uow)
        if len(present) >= MOST:
            raise Refusal("network.many", most=MOST)
        _check_self([*present, Network(no=0, network=wanted, account=account)], subject)
        values = {
            "note": note.strip()[:LONGEST_NOTE],
            "given_by": subject.id,
            "given_at": self._clock.now_ms(),
        }
        if not await repo.add(uow, wanted, account, values):
            raise Refusal("network.exists")
        await self._audit.write(
            uow, subject, "network.added", object=account or "everybody", detail=wanted
        )

    async def drop(self, uow: Uow, subject: Subject, no: int) -> None:
        """Raises ``network.unknown``, ``network.yourself``."""
        subject.require(Permission.SIGN_IN)
        await repo.lock(uow)
        present = await repo.networks(uow)
        found = next((one for one in present if one.no == no), None)
        if found is None:
            raise Refusal("network.unknown")
        _check_self([one for one in present if one.no != no], subject)
        await repo.drop(uow, no)
        await self._audit.write(
            uow,
            subject,
            "network.dropped",
            object=found.account or "everybody",
            detail=found.network,
        )


def _check_self(networks: list[Network], subject: Subject) -> None:
    if not may_come_from(networks, subject.id, subject.address):
        raise Refusal("network.yourself", address=subject.address)
