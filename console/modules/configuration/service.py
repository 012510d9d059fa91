"""Use cases of halls' configurations; implements :class:`console.modules.configuration.api.ConfigurationApi`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import msgspec
import sqlalchemy as sa

from console.core.audit import Audit
from console.core.permissions import Permission, Subject
from console.core.uow import ReadUow, Uow
from console.halls.api import HallsApi
from console.modules.configuration import repository as repo
from console.modules.configuration.api import InForce
from console.modules.configuration.consequences import Consequence, consequences
from console.modules.configuration.difference import Change, Conflict, Path, conflicts, diff, merge
from console.modules.configuration.packing import configuration, document, unpack
from console.modules.configuration.repository import Draft
from console.modules.configuration.together import Origin, together
from qingting.contract.config import HallConfig, config_faults
from qingting.contract.config_parts import ConfigPart, edited
from qingting.contract.directives import PutConfig
from qingting.contract.errors import Refusal
from qingting.contract.faults import Fault, FaultyConfig
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import Clock

EXPIRES_MS = 7 * 86_400_000
"""A hall that is away for longer does not take it any more: by then nobody remembers what it said."""
FUNCTION = Permission.CONFIGURATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a hall's configuration stands: what is in force, what is being written on top of it, what was sent
    last. ``config`` is the draft, or what is in force where nothing is written."""

    hall: HallId
    present: InForce
    draft: Draft | None
    sent: sa.RowMapping | None
    withdrawn: Sequence[sa.RowMapping] = ()
    """Sent before ``sent`` and withdrawn, of which there is still something to say."""

    @property
    def config(self) -> HallConfig:
        return self.draft.config if self.draft is not None else self.present.config

    @property
    def revision(self) -> int:
        return self.draft.revision if self.draft is not None else 0

    @property
    def origin(self) -> Origin:
        """What a form made now is made from."""
        base = self.draft.base if self.draft is not None else self.present.config
        return Origin(self.revision, base.version)

    @property
    def pending(self) -> bool:
        return self.sent is not None and self.sent["state"] == "pending"

    @property
    def unanswered(self) -> bool:
        """The hall has something, withdrawn or not, to say a word about."""
        told = [*self.withdrawn, self.sent] if self.sent is not None else []
        return any(not one["ended_at"] for one in told)

    @property
    def moved_on(self) -> bool:
        """Somebody else put another version in force since the draft was begun."""
        return self.draft is not None and self.draft.base.version != self.present.version


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What publishing would do. ``theirs``: what others changed since the draft was begun."""

    changes: Sequence[Change]
    theirs: Sequence[Change]
    conflicts: Sequence[Conflict]
    faults: Sequence[Fault]
    consequences: Sequence[Consequence]


class ConfigurationService:
    """See :class:`console.modules.configuration.api.ConfigurationApi`."""

    def __init__(self, clock: Clock, audit: Audit, halls: HallsApi) -> None:
        self._clock = clock
        self._audit = audit
        self._halls = halls

    # ---- looking --------------------------------------------------------------------------------

    async def in_force(self, uow: ReadUow, hall: HallId) -> InForce | None:
        row = await repo.newest(uow, hall)
        if row is None:
            return None
        return InForce(
            hall=hall,
            version=row["version"],
            at=row["at"],
            who=row["who"],
            config=unpack(row["body"]),
        )

    async def standing(self, uow: ReadUow, subject: Subject, hall: HallId) -> Standing:
        """Raises ``hall.unknown``, and ``config.none`` for a hall that never told its configuration."""
        subject.require(FUNCTION, hall=hall)
        await self._halls.hall(uow, hall)
        present = await self.in_force(uow, hall)
        if present is None:
            raise Refusal("config.none")
        sent = await repo.latest_publication(uow, hall)
        before = await repo.withdrawn_before(uow, hall, sent["directive"]) if sent else ()
        return Standing(
            hall=hall,
            present=present,
            draft=await repo.draft(uow, hall),
            sent=sent,
            withdrawn=before,
        )

    async def review(self, uow: ReadUow, standing: Standing) -> Review:
        """What the draft changes, and what comes of it."""
        present = document(standing.present.config)
        mine, base = document(standing.config), present
        theirs: Sequence[Change] = ()
        found: Sequence[Conflict] = ()
        if standing.draft is not None and standing.moved_on:
            base = document(standing.draft.base)
            theirs, found = diff(base, present), conflicts(base, mine, present)
        live = (await self._halls.live(uow)).get(standing.hall)
        return Review(
            changes=diff(base, mine),
            theirs=theirs,
            conflicts=found,
            faults=config_faults(standing.config),
            consequences=consequences(standing.present.config, standing.config, live),
        )

    async def names(self, uow: ReadUow, subject: Subject) -> dict[HallId, str]:
        """Halls within the subject's reach, as people call them."""
        return {one.id: one.name for one in await self._halls.halls(uow, subject.scope(FUNCTION))}

    # ---- writing --------------------------------------------------------------------------------

    async def written_on(self, uow: ReadUow, standing: Standing, origin: Origin) -> HallConfig:
        """What a form showed that was made from ``origin``. Raises ``config.draft_gone`` when that is kept no more."""
        if origin == standing.origin:
            return standing.config
        if origin.revision:
            found = await repo.saved(uow, standing.hall, origin.revision)
        else:
            found = await repo.of_version(uow, standing.hall, origin.version)
        if found is None:
            raise Refusal("config.draft_gone")
        return found

    async def save(
        self,
        uow: Uow,
        subject: Subject,
        hall: HallId,
        origin: Origin,
        config: HallConfig,
        part: str,
        over: Origin | None = None,
    ) -> int:
        """Keeps ``config``, written on ``origin``, as the hall's draft. What a colleague has saved meanwhile holds as well.

        Raises ``config.draft_moved_on`` (:class:`SavedMeanwhile`) when both changed the same, unless the person saw that
        at ``over`` and wants the own, and ``config.draft_gone``."""
        subject.require(FUNCTION, hall=hall)
        await repo.lock(uow, hall)
        standing = await self.standing(uow, subject, hall)
        if standing.origin != origin:
            base = await self.written_on(uow, standing, origin)
            config = together(base, config, standing.config, over=over == standing.origin)
        return await self._keep(uow, subject, standing, config, part)

    async def _keep(
        self, uow: Uow, subject: Subject, standing: Standing, config: HallConfig, part: str
    ) -> int:
        base = standing.draft.base if standing.draft is not None else standing.present.config
        if config.hall.id != base.hall.id:
            raise Refusal("config.other_hall")
        kept = Draft(
            hall=standing.hall,
            revision=await repo.next_revision(uow, standing.hall),
            base=base,
            config=msgspec.structs.replace(config, version=base.version),
            changed_at=self._clock.now_ms(),
            changed_by=subject.name[:80],
        )
        await repo.keep_draft(uow, kept, part)
        detail = f"revision {kept.revision} {part}"
        await self._audit.write(uow, subject, "config.draft", object=standing.hall, detail=detail)
        uow.changed("configuration")
        return kept.revision

    async def push(
        self, uow: Uow, subject: Subject, hall: HallId, parts: Sequence[ConfigPart], note: str
    ) -> int:
        subject.require(FUNCTION, hall=hall)
        await repo.lock(uow, hall)
        standing = await self.standing(uow, subject, hall)
        config = standing.config
        for part in parts:
            config = edited(config, config.version, part)
        return await self._keep(uow, subject, standing, config, note[:80])

    async def back_to_save(self, uow: Uow, subject: Subject, hall: HallId, revision: int) -> None:
        """The draft becomes what it was then, as another save. Raises ``config.no_save``."""
        subject.require(FUNCTION, hall=hall)
        await repo.lock(uow, hall)
        config = await repo.saved(uow, hall, revision)
        if config is None:
            raise Refusal("config.no_save")
        standing = await self.standing(uow, subject, hall)
        await self._keep(uow, subject, standing, config, f"#{revision}")

    async def drop(self, uow: Uow, subject: Subject, hall: HallId) -> None:
        """Throws the draft away. Raises ``config.no_draft``."""
        subject.require(FUNCTION, hall=hall)
        await repo.lock(uow, hall)
        if not await repo.drop_draft(uow, hall):
            raise Refusal("config.no_draft")
        await self._audit.write(uow, subject, "config.draft_drop", object=hall)
        uow.changed("configuration")

    async def take_over(
        self, uow: Uow, subject: Subject, hall: HallId, keep_mine: Collection[Path]
    ) -> None:
        """Brings the draft onto what is in force now: what others changed holds, except at the places of conflict
        ``keep_mine``. Raises ``config.no_draft``."""
        subject.require(FUNCTION, hall=hall)
        await repo.lock(uow, hall)
        standing = await self.standing(uow, subject, hall)
        if standing.draft is None:
            raise Refusal("config.no_draft")
        base, present = standing.draft.base, standing.present.config
        merged = merge(
            document(base), document(standing.config), document(present), keep_mine=keep_mine
        )
        on_present = replace(standing, draft=replace(standing.draft, base=present))
        config = configuration(merged, present.version)
        await self._keep(uow, subject, on_present, config, "merge")

    # ---- sending --------------------------------------------------------------------------------

    async def publish(self, uow: Uow, subject: Subject, hall: HallId, note: str) -> int:
        """Sends the draft to the hall. Gives the version that it will be.

        Raises ``config.no_draft``, ``config.pending``, ``config.conflict`` while others' changes are not taken
        over, ``config.nothing``, and ``config.invalid``."""
        subject.require(FUNCTION, hall=hall)
        await repo.lock(uow, hall)
        standing = await self.standing(uow, subject, hall)
        if standing.draft is None:
            raise Refusal("config.no_draft")
        if standing.moved_on:
            raise Refusal("config.conflict", version=standing.present.version)
        return await self._send(uow, subject, standing, standing.config, note, standing.revision)

    async def roll_back(
        self, uow: Uow, subject: Subject, hall: HallId, epoch: int, seq: int, note: str
    ) -> int:
        """Puts what was in force then in force again, as a new version. A draft stays as it is and must take it
        over. Raises ``config.no_version`` and what :meth:`publish` does."""
        subject.require(FUNCTION, hall=hall)
        await repo.lock(uow, hall)
        rows = await repo.version_and_before(uow, hall, epoch, seq)
        if not rows:
            raise Refusal("config.no_version")
        standing = await self.standing(uow, subject, hall)
        return await self._send(uow, subject, standing, unpack(rows[0]["body"]), note, 0)

    async def withdraw(self, uow: Uow, subject: Subject, hall: HallId, directive: int) -> None:
        """What was sent as ``directive`` is not delivered any more; the hall then says whether it has it already.
        Raises ``config.answered`` when the hall has said so."""
        subject.require(FUNCTION, hall=hall)
        await repo.lock(uow, hall)
        now, who = self._clock.now_ms(), subject.name[:80]
        sent = await repo.withdraw(uow, hall, directive, now, who)
        if sent is None or not await self._halls.withdraw(
            uow, subject, hall, directive, under=FUNCTION
        ):
            raise Refusal("config.answered")
        detail = f"version {sent['version']} directive {directive}"
        await self._audit.write(uow, subject, "config.withdraw", object=hall, detail=detail)
        uow.changed("configuration")

    async def _send(
        self,
        uow: Uow,
        subject: Subject,
        standing: Standing,
        config: HallConfig,
        note: str,
        revision: int,
    ) -> int:
        if standing.pending:
            raise Refusal("config.pending")
        if document(config) == document(standing.present.config):
            raise Refusal("config.nothing")
        if faults := config_faults(config):
            raise FaultyConfig(faults)
        base, now = standing.present.version, self._clock.now_ms()
        sent = msgspec.structs.replace(config, version=base + 1)
        no = await self._halls.send(
            uow,
            subject,
            standing.hall,
            PutConfig(config=sent, base=base),
            under=FUNCTION,
            expires_at=now + EXPIRES_MS,
        )
        await repo.add_publication(
            uow,
            hall=standing.hall,
            directive=no,
            version=sent.version,
            base_version=base,
            revision=revision,
            note=note[:200],
            who=subject.name[:80],
            at=now,
        )
        detail = f"version {sent.version} directive {no}"
        await self._audit.write(uow, subject, "config.publish", object=standing.hall, detail=detail)
        uow.changed("configuration")
        return sent.version
