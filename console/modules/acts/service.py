"""Use cases of remote hands; implements :class:`console.modules.acts.api.ActsApi`."""

from collections.abc import Collection, Sequence

import msgspec
import sqlalchemy as sa

from console.core.audit import Audit
from console.core.permissions import Permission, Scope, Subject
from console.core.uow import ReadUow, Uow
from console.halls.api import HallFile, HallsApi
from console.modules.acts import models as m
from console.modules.acts.api import ActInfo
from console.modules.devices.api import DeviceInfo, DevicesApi
from qingting.contract import directives as d
from qingting.contract.act_form import extent_of, word_of
from qingting.contract.acts import ALLOWED, Action, ProfileBundle, UseProfiles, bundle_id
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, HallId
from qingting.contract.states import ActOutcome, DeviceKind
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import new_token

UNTIL_MS = 120_000
"""An act that has not begun at its hall by then is not begun: nothing happens long after somebody asked."""
_actions: msgspec.json.Decoder[Action] = msgspec.json.Decoder(Action)


class ActService:
    """See :class:`console.modules.acts.api.ActsApi`."""

    def __init__(self, clock: Clock, audit: Audit, halls: HallsApi, devices: DevicesApi) -> None:
        self._clock = clock
        self._audit = audit
        self._halls = halls
        self._devices = devices

    async def ask(
        self, uow: Uow, subject: Subject, hall: HallId, device: DeviceId, action: Action
    ) -> str:
        subject.require(Permission.HANDS, hall=hall)
        info = await self._devices.device(uow, hall, device)
        if info.kind not in ALLOWED[type(action)]:
            raise Refusal("act.not_for_kind", name=info.name)
        if isinstance(action, UseProfiles) and action.bundle:
            await self._send_bundle(uow, subject, hall, action.bundle)
        act, now = f"c-{new_token()}", self._clock.now_ms()
        directive = d.DirectAct(
            act=act, device=device, action=action, until=now + UNTIL_MS, asked_by=subject.name[:80]
        )
        no = await self._halls.send(
            uow, subject, hall, directive, under=Permission.HANDS, expires_at=now + UNTIL_MS
        )
        row = _row(hall, act, device, action, now, subject.name[:80], no)
        await uow.run(sa.insert(m.act).values(**row))
        what = f"{word_of(action)} {extent_of(action)}".strip()
        await self._audit.write(
            uow, subject, "device.act", object=f"{hall}/{device}", detail=f"{act} {what}"
        )
        uow.changed("acts")
        return act

    async def latest(
        self,
        uow: ReadUow,
        scope: Scope,
        hall: HallId | None = None,
        device: str | None = None,
        limit: int = 200,
    ) -> Sequence[ActInfo]:
        statement = sa.select(m.act).order_by(m.act.c.asked_at.desc(), m.act.c.id).limit(limit)
        statement = statement.where(scope.where(m.act.c.hall))
        if hall is not None:
            statement = statement.where(m.act.c.hall == hall)
        if device is not None:
            statement = statement.where(m.act.c.device == device)
        files = await self._halls.files(uow)
        return [_info(row, files) for row in await uow.all(statement)]

    async def found(self, uow: ReadUow, acts: Collection[str]) -> dict[str, ActInfo]:
        rows = await uow.all(sa.select(m.act).where(m.act.c.id.in_(acts))) if acts else ()
        return {row["id"]: _info(row, set()) for row in rows}

    async def file(self, uow: Uow, subject: Subject, hall: HallId, act: str) -> HallFile:
        """What an act brought back; looking at it is audited. Raises ``act.file_gone``."""
        subject.require(Permission.HANDS, hall=hall)
        found = await self._halls.file(uow, hall, act)
        await self._audit.write(uow, subject, "device.act_file", object=f"{hall}/{act}")
        return found

    # ---- device models --------------------------------------------------------------------------

    async def put_bundle(self, uow: Uow, subject: Subject, name: str, files: dict[str, str]) -> str:
        """Keeps device models for halls. Raises ``act.profiles_bad`` for none at all."""
        subject.require(Permission.PROFILES)
        if not files:
            raise Refusal("act.profiles_bad")
        made = msgspec.convert(
            {"id": bundle_id(files), "name": name, "files": files}, ProfileBundle
        )
        known = await uow.scalar(sa.select(m.bundle.c.id).where(m.bundle.c.id == made.id))
        if known is None:
            row = {"id": made.id, "name": name, "files": files, "put_by": subject.name}
            await uow.run(sa.insert(m.bundle).values(put_at=self._clock.now_ms(), **row))
        await self._audit.write(
            uow, subject, "profiles.put", object=made.id, detail=f"{len(files)} files"
        )
        return made.id

    async def bundles(self, uow: ReadUow) -> Sequence[sa.RowMapping]:
        """Newest first."""
        return await uow.all(sa.select(m.bundle).order_by(m.bundle.c.put_at.desc()).limit(20))

    async def _send_bundle(self, uow: Uow, subject: Subject, hall: HallId, bundle: str) -> None:
        row = await uow.first(sa.select(m.bundle).where(m.bundle.c.id == bundle))
        if row is None:
            raise Refusal("act.no_bundle")
        made = ProfileBundle(id=row["id"], name=row["name"], files=dict(row["files"]))
        await self._halls.send(
            uow, subject, hall, d.PutProfiles(bundle=made), under=Permission.HANDS
        )

    async def agents(self, uow: ReadUow, subject: Subject) -> list[DeviceInfo]:
        """Every agent that the subject may give models to."""
        if not subject.may(Permission.HANDS):
            return []
        known = await self._devices.devices(uow, subject.scope(Permission.HANDS))
        return [one for one in known if one.kind is DeviceKind.AGENT]


def _row(
    hall: HallId, act: str, device: str, action: Action, now: int, by: str, no: int
) -> dict[str, object]:
    return {
        "hall": hall,
        "id": act,
        "device": device,
        "action": msgspec.json.encode(action),
        "asked_at": now,
        "asked_by": by,
        "by_city": True,
        "directive": no,
        "reached": False,
        "outcome": None,
        "code": "",
        "figures": {},
        "note": "",
        "ended_at": 0,
    }


def _info(row: sa.RowMapping, files: set[tuple[str, str]]) -> ActInfo:
    return ActInfo(
        hall=HallId(row["hall"]),
        id=row["id"],
        device=row["device"],
        action=_actions.decode(row["action"]),
        asked_at=row["asked_at"],
        asked_by=row["asked_by"],
        by_city=row["by_city"],
        reached=row["reached"],
        outcome=ActOutcome(row["outcome"]) if row["outcome"] is not None else None,
        code=row["code"],
        figures=dict(row["figures"]),
        note=row["note"],
        ended_at=row["ended_at"],
        has_file=(row["hall"], row["id"]) in files,
    )
