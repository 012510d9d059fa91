"""The keys of the key file and those that the database is sealed with belong together."""

import sqlalchemy as sa

from console.core.uow import Uow
from console.modules.privacy import models as m
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.seal import Sealer

_LOCK = 0x71746B79
"""Of several consoles that start together on a new database, one notes its keys first."""


class Keys:
    """Compares by fingerprint: two files made apart both call their first key ``k1``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def check_keys(self, uow: Uow, sealer: Sealer) -> None:
        await uow.scalar(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        held = {key.id: key.fingerprint() for key in sealer.keys}
        noted = {
            row["id"]: row["fingerprint"]
            for row in await uow.all(sa.select(m.key.c.id, m.key.c.fingerprint))
        }
        foreign = sorted(name for name, mark in noted.items() if held.get(name) != mark)
        if foreign:
            raise Refusal("keys.foreign", keys=", ".join(foreign))
        now = self._clock.now_ms()
        for name, mark in held.items():
            if name not in noted:
                await uow.run(sa.insert(m.key), {"id": name, "fingerprint": mark, "seen_at": now})
