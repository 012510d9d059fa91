"""Use cases of releases and rollouts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from console.core.audit import Audit
from console.core.module import ApiKey
from console.core.permissions import EVERYWHERE, SYSTEM, Permission, Scope, Subject
from console.core.uow import ReadUow, Uow
from console.halls.api import HallsApi, LinkState
from console.modules.acts.api import ActsApi
from console.modules.devices.api import DevicesApi
from console.modules.rollouts import domain
from console.modules.rollouts import repository as repo
from console.modules.rollouts.domain import Ask, At, Note, Phase, Rollout, Sight, Step, Target, What
from console.modules.rollouts.repository import RolloutRow
from console.modules.rollouts.sights import Fleet, Looker, candidates
from console.modules.rollouts.waves import Place, read_waves, share_out
from qingting.contract import acts as a
from qingting.contract import directives as d
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, HallId
from qingting.contract.releases import ReleaseFacts
from qingting.contract.states import App
from qingting.kernel.aio.clock import Clock
from qingting.kernel.release_archive import Release

MOST_TARGETS = 5000
START_S = 45
"""So long a new program has to say that it started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A rollout as a person asks for it. ``halls`` empty: all of them."""

    what: What
    release: str
    waves: str
    soak_minutes: int
    within_minutes: int
    halls: tuple[str, ...] = ()


class RolloutService:
    """Releases kept here, and rollouts of them and of device models."""

    def __init__(
        self,
        clock: Clock,
        audit: Audit,
        halls: HallsApi,
        devices: DevicesApi,
        acts: ActsApi,
        looker: Looker,
    ) -> None:
        self._clock = clock
        self._audit = audit
        self._halls = halls
        self._devices = devices
        self._acts = acts
        self.looker = looker

    # ---- releases -------------------------------------------------------------------------------

    async def put_release(
        self, uow: Uow, subject: Subject, name: str, notes: str, archive: bytes, release: Release
    ) -> str:
        """Keeps an archive that was read. The same archive once more changes nothing."""
        subject.require(Permission.PROFILES)
        facts = release.facts
        row = {
            "id": facts.id,
            "app": facts.app.value,
            "version": facts.version,
            "build": facts.build,
            "sha256": facts.sha256,
            "sm3": release.sm3,
            "size": facts.size,
            "files": len(release.files),
            "name": name[:80],
            "notes": notes[:500],
            "put_at": self._clock.now_ms(),
            "put_by": subject.name[:80],
        }
        if await repo.put_release(uow, row):
            await self._halls.put_parcel(uow, facts.id, archive)
        detail = f"{facts.app.value} {facts.version} {facts.sha256}"
        await self._audit.write(uow, subject, "release.put", object=facts.id, detail=detail)
        uow.changed("rollouts")
        return facts.id

    async def releases(self, uow: ReadUow) -> Sequence[sa.RowMapping]:
        """Newest first."""
        return await repo.releases(uow)

    # ---- begun by a person ----------------------------------------------------------------------

    async def start(self, uow: Uow, subject: Subject, wish: Wish) -> int:
        """To the devices that the subject has hands at. Gives the rollout's number. Raises ``release.unknown``, ``act.no_bundle``, ``rollout.nobody``,
        ``rollout.waves_bad`` and ``rollout.overlap``."""
        scope = subject.scope(Permission.HANDS)
        await repo.lock(uow)
        title = await self._title(uow, wish)
        waves = read_waves(wish.waves)
        known = [one for one in await self._devices.devices(uow, scope) if scope.has(one.hall)]
        places = candidates(
            wish.what, [one for one in known if not wish.halls or one.hall in wish.halls]
        )
        if not 0 < len(places) <= MOST_TARGETS:
            raise Refusal("rollout.nobody")
        await self._refuse_overlap(uow, wish.what, set(places))
        shared, now = share_out(places, waves), self._clock.now_ms()
        rollout = Rollout(
            what=wish.what,
            release=wish.release,
            phase=Phase.RUNNING,
            wave=0,
            soak_ms=wish.soak_minutes * 60_000,
            targets={one: Target(place=one, wave=shared[one], since=now) for one in places},
        )
        row = RolloutRow(
            no=0,
            title=title,
            waves=wish.waves,
            within_s=wish.within_minutes * 60,
            started_at=now,
            started_by=subject.name[:80],
            ended_at=0,
            rollout=rollout,
        )
        no = await repo.add(uow, row)
        await self._note(uow, subject, no, Note("started"))
        return no

    async def _title(self, uow: ReadUow, wish: Wish) -> str:
        """Empty for what came with the program."""
        if not wish.release:
            return ""
        if wish.what is What.MODELS:
            kept = {one["id"]: one["name"] for one in await self._acts.bundles(uow)}
            if wish.release not in kept:
                raise Refusal("act.no_bundle")
            return str(kept[wish.release])
        row = await repo.release(uow, wish.release)
        if row["app"] != wish.what.value:
            raise Refusal("release.unknown")
        return f"{row['version']} {row['name']}".strip()

    async def _refuse_overlap(self, uow: ReadUow, what: What, places: set[Place]) -> None:
        for one in await repo.found(uow, only_open=True):
            if one.rollout.what is what and places & set(one.rollout.targets):
                raise Refusal("rollout.overlap", no=one.no)

    async def press(self, uow: Uow, subject: Subject, no: int, button: str) -> None:
        """``pause``, ``go_on`` or ``go_back``. Raises ``rollout.unknown`` and ``rollout.not_now``."""
        subject.require(Permission.HANDS)
        await repo.lock(uow)
        row, now = await repo.one(uow, no), self._clock.now_ms()
        before = row.rollout
        for hall in sorted({one.hall for one in before.targets}):
            subject.require(Permission.HANDS, hall=hall)
        match button:
            case "pause":
                after = domain.pause(before)
            case "go_on":
                fleet = await self.looker.fleet(uow, row.started_at, now)
                sights, _ = await self.looker.sights(uow, before, fleet)
                after = domain.go_on(before, sights, now)
            case "go_back":
                after = domain.go_back(before, now)
            case _:
                raise Refusal("rollout.not_now")
        await repo.keep(uow, no, before, after, now)
        await self._note(uow, subject, no, Note(f"button_{button}"))

    # ---- the job --------------------------------------------------------------------------------

    async def advance(self, uow: Uow) -> bool:
        """One look at every open rollout. False while another worker is at it."""
        if not await repo.try_lock(uow):
            return False
        rows = await repo.found(uow, only_open=True)
        if not rows:
            return True
        now = self._clock.now_ms()
        fleet = await self.looker.fleet(uow, min(one.started_at for one in rows), now)
        online = {
            one.id
            for one in await self._halls.halls(uow, EVERYWHERE)
            if one.state is LinkState.ONLINE
        } - await self._halls.unsettled(uow)
        for row in rows:
            await self._advance(uow, row, fleet, online, now)
        return True

    async def _advance(
        self, uow: Uow, row: RolloutRow, fleet: Fleet, online: set[HallId], now: int
    ) -> None:
        before = row.rollout
        sights, shelves = await self.looker.sights(uow, before, fleet)
        await self._tell_halls(uow, row, shelves, online, now)
        step = domain.decide(before, sights, now)
        after = await self._asked(uow, row, step, now)
        await repo.keep(uow, row.no, before, after, now)
        for note in step.notes:
            await self._note(uow, self._agent_of(row), row.no, note)

    def _agent_of(self, row: RolloutRow) -> Subject:
        """The program acts, for whoever began."""
        return replace(SYSTEM, name=f"#{row.no} {row.started_by}"[:80])

    async def _tell_halls(
        self,
        uow: Uow,
        row: RolloutRow,
        shelves: Mapping[str, sa.RowMapping],
        online: set[HallId],
        now: int,
    ) -> None:
        """Halls of waves that have begun fetch the release; each is told once, and once more after a person went on."""
        rollout = row.rollout
        if rollout.what is What.MODELS or not rollout.release or rollout.phase is not Phase.RUNNING:
            return
        due = {
            HallId(one.place.hall)
            for one in rollout.targets.values()
            if one.wave <= rollout.wave and one.at is At.WAITING
        }
        missing = [one for one in sorted(due & online) if one not in shelves]
        if not missing:
            return
        facts = _facts(await repo.release(uow, rollout.release))
        for hall in missing:
            directive = d.PutRelease(release=facts)
            no = await self._halls.send(
                uow, self._agent_of(row), hall, directive, under=Permission.HANDS
            )
            await repo.put_shelf(uow, hall, facts.id, no, now)

    async def _asked(self, uow: Uow, row: RolloutRow, step: Step, now: int) -> Rollout:
        """The rollout with the acts that were asked now."""
        targets = dict(step.rollout.targets)
        for ask in step.asks:
            target = targets[ask.place]
            try:
                act = await self._ask(uow, row, ask)
            except Refusal as refusal:
                targets[ask.place] = replace(target, at=At.FAILED, code=refusal.code, since=now)
            else:
                targets[ask.place] = replace(target, act=act)
        return replace(step.rollout, targets=targets)

    async def _ask(self, uow: Uow, row: RolloutRow, ask: Ask) -> str:
        action: a.Action = (
            a.UseProfiles(bundle=ask.release)
            if row.rollout.what is What.MODELS
            else a.UseRelease(release=ask.release, start_s=START_S, within_s=row.within_s)
        )
        hall, device = HallId(ask.place.hall), DeviceId(ask.place.device)
        return await self._acts.ask(uow, self._agent_of(row), hall, device, action)

    async def _note(self, uow: Uow, subject: Subject, no: int, note: Note) -> None:
        await repo.note(uow, no, note, self._clock.now_ms(), subject.name)
        where = f" {note.place.hall}/{note.place.device}" if note.place is not None else ""
        detail = f"{note.code} {note.wave or ''}".strip()
        await self._audit.write(
            uow, subject, f"rollout.{note.step}", object=f"#{no}{where}", detail=detail
        )
        uow.changed("rollouts")

    # ---- looked at ------------------------------------------------------------------------------

    async def rollouts(self, uow: ReadUow, scope: Scope) -> list[RolloutRow]:
        """Those that concern a hall within ``scope``, newest first."""
        rows = await repo.found(uow)
        return [one for one in rows if any(scope.has(place.hall) for place in one.rollout.targets)]

    async def rollout(
        self, uow: ReadUow, scope: Scope, no: int
    ) -> tuple[RolloutRow, dict[Place, Sight]]:
        """Raises ``rollout.unknown``, also for one that concerns no hall within ``scope``."""
        row = await repo.one(uow, no)
        if not any(scope.has(place.hall) for place in row.rollout.targets):
            raise Refusal("rollout.unknown")
        fleet = await self.looker.fleet(uow, row.started_at, self._clock.now_ms())
        sights, _ = await self.looker.sights(uow, row.rollout, fleet)
        return row, sights

    async def steps(self, uow: ReadUow, no: int) -> Sequence[sa.RowMapping]:
        """Newest first."""
        return await repo.steps(uow, no)


def _facts(row: sa.RowMapping) -> ReleaseFacts:
    return ReleaseFacts(
        id=row["id"],
        app=App(row["app"]),
        version=row["version"],
        build=row["build"],
        sha256=row["sha256"],
        size=row["size"],
    )


ROLLOUTS = ApiKey[RolloutService]("ROLLOUTS")
"""For the composition root and tests; other modules do not use rollouts."""
