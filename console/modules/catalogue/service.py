"""Service items; implements :class:`console.modules.catalogue.api.CatalogueApi`."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from console.core.api import ApiEvents
from console.core.audit import Audit
from console.core.days import day_of
from console.core.permissions import SYSTEM, Permission, Scope, Subject
from console.core.progress import LIGHT_IN_REQUEST, Progress, unseen
from console.core.sheet_import import (
    CellFault,
    Difference,
    SheetPreview,
    SheetRow,
    Taken,
    Uploads,
    agreed,
)
from console.core.sheet_reading import read_sheet
from console.core.sheet_zeros import Codes
from console.core.turns import Turn
from console.core.uow import ReadUow, Uow
from console.modules.calendar.api import CalendarApi, Due
from console.modules.catalogue import models as m
from console.modules.catalogue import repository
from console.modules.catalogue.api import Item, ItemChange, ItemQuery, Named
from console.modules.catalogue.cells import codes_in, read_items
from console.modules.catalogue.domain import (
    ItemBody,
    State,
    body_faults,
    code_faults,
    differences,
    meant_code,
)
from console.modules.catalogue.events import ITEM_PUBLISHED, ItemPublished
from console.modules.catalogue.lists import CatalogueLists
from console.modules.catalogue.references import References, checked
from console.modules.catalogue.repository import Flagged, Version
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import new_token

UPLOADS = Uploads(m.upload)
NO_DATE = date.max
NEW = "new"
"""What an item is seen as before there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A draft with what it changes about the version before it."""

    draft: Version
    before: Version | None
    changes: Sequence[Difference]


class Flags(Strict, frozen=True, kw_only=True):
    """How items are to be switched; None stays as it is."""

    bookable: bool | None = None
    on_site: bool | None = None

    @property
    def nothing(self) -> bool:
        return self.bookable is None and self.on_site is None

    def on(self, one: Flagged) -> tuple[str, bool, bool]:
        """Code and switches of an item as they are to be."""
        return (
            one.code,
            one.bookable if self.bookable is None else self.bookable,
            one.on_site if self.on_site is None else self.on_site,
        )

    def change(self, one: Flagged) -> bool:
        return self.on(one)[1:] != (one.bookable, one.on_site)


class CatalogueService:
    """See :class:`console.modules.catalogue.api.CatalogueApi`."""

    def __init__(
        self,
        clock: Clock,
        audit: Audit,
        calendar: CalendarApi,
        events: ApiEvents,
        turn: Turn,
        references: References,
        utc_offset_minutes: int,
    ) -> None:
        self.turn, self.references = turn, references
        self._clock = clock
        self._audit = audit
        self._calendar = calendar
        self._events = events
        self._offset = utc_offset_minutes
        self.lists = CatalogueLists(audit)

    def today(self) -> date:
        """The city's date."""
        return day_of(self._clock.now_ms(), self._offset)

    # -- for other modules ------------------------------------------------------------------------

    async def items(
        self, uow: ReadUow, wanted: ItemQuery, *, limit: int, offset: int = 0
    ) -> tuple[int, Sequence[Item]]:
        return await repository.items(uow, self.today(), wanted, limit, offset)

    async def item(self, uow: ReadUow, code: str, on: date | None = None) -> Item:
        found = await repository.item(uow, code, on or self.today())
        if found is None or found.body.withdrawn:
            raise Refusal("catalogue.unknown")
        return found

    async def changes(
        self, uow: ReadUow, after: tuple[int, str, int], *, limit: int
    ) -> Sequence[ItemChange]:
        return await repository.changes(uow, after, limit)

    async def bookable(self, uow: ReadUow) -> Mapping[str, bool]:
        return await repository.bookable(uow, self.today())

    async def promised_day(self, uow: ReadUow, code: str, accepted: date) -> Due | None:
        body = (await self.item(uow, code, accepted)).body
        if body.promised is None:
            return None
        return await self._calendar.due(uow, accepted, body.promised, division=body.division)

    async def themes(self, uow: ReadUow) -> Sequence[Named]:
        return [Named(name, name_en) for name, name_en in await repository.themes(uow)]

    async def departments(self, uow: ReadUow, wanted: ItemQuery) -> Sequence[tuple[str, int]]:
        return await repository.departments_among(uow, self.today(), wanted)

    async def materials(self, uow: ReadUow, names: Collection[str]) -> Mapping[str, Named]:
        rows = await repository.materials(uow, names)
        return {row[0]: Named(*row) for row in rows}

    # -- drafts -----------------------------------------------------------------------------------

    async def faults(self, uow: ReadUow, code: str, body: ItemBody) -> list[CellFault]:
        """What keeps an item from being stored; codes that are there already stay good."""
        known = await repository.present(uow, [code])
        of_code = [] if known else code_faults(code, await self.lists.pattern(uow), body.level)
        return of_code + body_faults(body)

    async def meant(self, uow: ReadUow, code: str) -> str:
        """The code that somebody typed, as it was meant; one that is there already is what it is."""
        if await repository.present(uow, [code]):
            return code
        return meant_code(code, await self.lists.pattern(uow))

    async def put_draft(
        self, uow: Uow, subject: Subject, code: str, body: ItemBody, seen: str
    ) -> None:
        """Stores the item's draft. Raises ``catalogue.faulty`` (ask :meth:`faults` for which), ``catalogue.exists``
        for a new item with the code of another one, ``catalogue.changed`` when the item moved on since it was shown as
        ``seen``."""
        scope = subject.scope(Permission.CATALOGUE)
        await self.turn.take(uow, subject)
        held = await repository.present(uow, [code])
        if not within(scope, body) or not all(within(scope, one) for one in held.values()):
            raise Refusal("page.forbidden")
        if await self.faults(uow, code, body):
            raise Refusal("catalogue.faulty")
        versions = await repository.versions(uow, code)
        if seen != seen_of(versions):
            if _made_already(versions, body, subject.id):
                return  # pressed twice
            raise Refusal("catalogue.exists" if seen == NEW else "catalogue.changed")
        await self._name_lists(uow, [body])
        await self._draft(uow, subject, code, body, "hand")
        await self._note_all(uow, subject, "catalogue.draft_put", [(code, "hand")])

    async def _name_lists(self, uow: Uow, bodies: Sequence[ItemBody]) -> None:
        """Materials and themes that are named become known, in the order in which they are."""
        await repository.add_materials(uow, _once(one.materials for one in bodies))
        await repository.add_themes(uow, _once(one.themes for one in bodies))

    async def _draft(
        self, uow: Uow, subject: Subject, code: str, body: ItemBody, origin: str
    ) -> None:
        now = self._clock.now_ms()
        await repository.put_draft(uow, code, body, origin=origin, at=now, by=subject.id)

    async def drop_draft(self, uow: Uow, subject: Subject, code: str) -> None:
        """Lets the draft go; what is published stays."""
        scope = subject.scope(Permission.CATALOGUE)
        await self.turn.take(uow, subject)
        for one in await repository.drafts(uow, [code]):
            if not within(scope, one.body):
                raise Refusal("page.forbidden")
        if not await repository.drop_draft(uow, code):
            raise Refusal("catalogue.no_draft")
        await self._note(uow, subject, "catalogue.draft_dropped", code, "")

    async def versions(self, uow: ReadUow, subject: Subject, code: str) -> list[Version]:
        """Newest first; a draft only for who works within its division. Raises ``catalogue.unknown``."""
        scope = subject.scope(Permission.LOOK)
        found = [
            one
            for one in await repository.versions(uow, code)
            if one.state is State.PUBLISHED or within(scope, one.body)
        ]
        if not found:
            raise Refusal("catalogue.unknown")
        return found

    # -- publishing -------------------------------------------------------------------------------

    async def reviews(
        self, uow: ReadUow, subject: Subject, codes: Collection[str] | None = None
    ) -> list[Review]:
        """All drafts within the subject's reach, or those of ``codes``, with what each changes."""
        scope = subject.scope(Permission.LOOK)
        drafts = [one for one in await repository.drafts(uow, codes) if within(scope, one.body)]
        before = await repository.published(uow, [one.code for one in drafts])
        return [_review(one, before.get(one.code)) for one in drafts]

    async def synced(self, uow: ReadUow, subject: Subject, upto: int) -> dict[str, int]:
        """Code and version of the drafts within reach that the item system made up to then, and nobody touched."""
        scope = subject.scope(Permission.CATALOGUE_PUBLISH)
        return {
            one.code: one.version
            for one in (await repository.drafts(uow) if upto else [])
            if one.made_by == SYSTEM.id and one.made_at <= upto and within(scope, one.body)
        }

    async def publish(
        self,
        uow: Uow,
        subject: Subject,
        chosen: Mapping[str, int],
        on: date,
        *,
        own_days: bool = False,
        progress: Progress = unseen,
    ) -> int:
        """Publishes drafts by code and version, in force from ``on``; all of them or none. ``own_days``: those whose
        origin says a day hold from that one, where it is not before the version that they replace.

        Raises ``catalogue.none_chosen``, ``catalogue.past``, ``catalogue.own_draft``, ``catalogue.changed`` when one is not
        the draft that was reviewed.
        """
        scope = subject.scope(Permission.CATALOGUE_PUBLISH)
        if not chosen:
            raise Refusal("catalogue.none_chosen")
        if on < self.today():
            raise Refusal("catalogue.past")
        await self.turn.take(uow, subject)
        now, days = self._clock.now_ms(), dict.fromkeys(chosen, on)
        held = await repository.published(uow, chosen)
        for one in await repository.drafts(uow, chosen):
            if not within(scope, one.body):
                raise Refusal("page.forbidden")
            await self.lists.check_reviewer(uow, subject, one.made_by, one.body.name)
            if own_days and one.wanted_from is not None:
                before = held[one.code].effective_from if one.code in held else None
                days[one.code] = max(one.wanted_from, before or one.wanted_from)
        for done, (code, version) in enumerate(chosen.items(), start=1):
            if not await repository.publish(uow, code, version, days[code], now, subject.id):
                raise Refusal("catalogue.changed")
            await self.announce(uow, code, version, days[code])
            await progress(done, len(chosen))
        told = [(code, f"{version} {days[code]}") for code, version in chosen.items()]
        await self._note_all(uow, subject, "catalogue.published", told)
        return len(chosen)

    async def announce(self, uow: Uow, code: str, version: int, on: date) -> None:
        """Tells integrators that a version was published."""
        told = ItemPublished(code=code, version=version, effective_from=on)
        await self._events.tell(uow, ITEM_PUBLISHED, told)

    # -- flags ------------------------------------------------------------------------------------

    async def to_switch(
        self,
        uow: ReadUow,
        subject: Subject,
        wanted: ItemQuery,
        codes: Collection[str] | None,
        flags: Flags,
    ) -> list[str]:
        """Items in force within the subject's reach that ``flags`` would change: of ``codes``, or None of all that
        ``wanted`` finds. Raises ``catalogue.none_chosen`` when none is chosen."""
        chosen = await self._flagged(uow, subject, wanted, codes)
        if not chosen or flags.nothing:
            raise Refusal("catalogue.none_chosen")
        return [one.code for one in chosen if flags.change(one)]

    async def put_flags(
        self,
        uow: Uow,
        subject: Subject,
        codes: Collection[str],
        flags: Flags,
        progress: Progress = unseen,
    ) -> int:
        """Switches ``codes`` of :meth:`to_switch`, all or none of them; gives how many changed."""
        chosen = await self._flagged(uow, subject, ItemQuery(), codes)
        changed = [flags.on(one) for one in chosen if flags.change(one)]
        now = self._clock.now_ms()
        for first in range(0, len(changed), LIGHT_IN_REQUEST):
            some = changed[first : first + LIGHT_IN_REQUEST]
            await repository.put_flags(uow, some, now, subject.id)
            await progress(first + len(some), len(changed))
        told = [(code, f"bookable={book} on_site={site}") for code, book, site in changed]
        await self._note_all(uow, subject, "catalogue.flags_put", told)
        return len(changed)

    async def _flagged(
        self, uow: ReadUow, subject: Subject, wanted: ItemQuery, codes: Collection[str] | None
    ) -> list[Flagged]:
        scope = subject.scope(Permission.CATALOGUE)
        kept = None if codes is None else frozenset(codes)
        return [
            one
            for one in await repository.flagged(uow, self.today(), wanted)
            if within_division(scope, one.division) and (kept is None or one.code in kept)
        ]

    # -- spreadsheets -----------------------------------------------------------------------------

    async def preview(self, uow: Uow, subject: Subject, data: bytes) -> SheetPreview[ItemBody]:
        """Keeps a spreadsheet for an hour and says what it would do. Raises ``sheet.unreadable``,
        ``sheet.too_large``, ``sheet.column``."""
        scope = subject.scope(Permission.CATALOGUE)
        shown = await self._preview(uow, subject, new_token(), data, scope)
        now = self._clock.now_ms()
        await UPLOADS.keep(uow, shown, data, kind="items", by=subject.id, at=now)
        return shown

    async def _preview(
        self, uow: ReadUow, subject: Subject, token: str, data: bytes, scope: Scope
    ) -> SheetPreview[ItemBody]:
        rows = await asyncio.to_thread(read_sheet, data)
        pattern = await self.lists.pattern(uow)
        written = codes_in(rows, pattern)
        held = await repository.present(uow, written)
        like = Codes({*held, *await repository.alike(uow, written - held.keys())}, own=True)
        read = await asyncio.to_thread(read_items, rows, pattern, held.get, like)
        names = await self.references.known(uow, subject)
        found = [
            checked(_reached(one, held.get(one.key), scope), held.get(one.key), names)
            for one in read
        ]
        good = {one.key: one.value for one in found if one.value is not None}
        known = {name for name, _, _ in await repository.materials(uow)}
        named = {name for body in good.values() for name in body.materials}
        return SheetPreview(
            upload=token,
            rows=found,
            changes={code: differences(held.get(code), body) for code, body in good.items()},
            new={code for code in good if code not in held},
            extra=sorted(named - known),
        )

    async def take_in(
        self, uow: Uow, subject: Subject, upload: str, progress: Progress = unseen
    ) -> Taken:
        """Makes drafts of the rows of a previewed spreadsheet that change something.

        Bad rows are left out, as the preview said. Raises ``sheet.upload_gone`` and ``sheet.moved``.
        """
        scope = subject.scope(Permission.CATALOGUE)
        await self.turn.take(uow, subject)
        now = self._clock.now_ms()
        data, shown = await UPLOADS.take(uow, upload, kind="items", by=subject.id, at=now)
        found = await self._preview(uow, subject, upload, data, scope)
        good = agreed(found, shown)
        await self._name_lists(uow, [one.value for one in good if one.value is not None])
        for done, one in enumerate(good, start=1):
            assert one.value is not None
            await self._draft(uow, subject, one.key, one.value, "sheet")
            await progress(done, len(good))
        told = [(one.key, "sheet") for one in good]
        await self._note_all(uow, subject, "catalogue.draft_put", told)
        return Taken(changed=len(good), left_out=found.bad)

    async def _note(self, uow: Uow, subject: Subject, act: str, object: str, detail: str) -> None:  # noqa: A002
        await self._note_all(uow, subject, act, [(object, detail)])

    async def _note_all(
        self, uow: Uow, subject: Subject, act: str, told: Sequence[tuple[str, str]]
    ) -> None:
        """Last in a transaction: see :data:`console.core.progress.IN_REQUEST`."""
        await self._audit.write_all(uow, subject, act, told)
        uow.changed("catalogue")


def _once(named: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in named for name in names))


def within(scope: Scope, body: ItemBody) -> bool:
    """True for an item of a division that is within; one of no division belongs to the whole city."""
    return within_division(scope, body.division)


def within_division(scope: Scope, division: str) -> bool:
    return scope.has_division(division) if division else scope.everywhere


def _reached(row: SheetRow[ItemBody], held: ItemBody | None, scope: Scope) -> SheetRow[ItemBody]:
    """A row of another's item, or that would make one, is a bad row."""
    touched = [one for one in (row.value, held) if one is not None]
    if row.value is None or all(within(scope, one) for one in touched):
        return row
    return row.refused(CellFault("division", "sheet.bad.reach"))


def seen_of(versions: Sequence[Version]) -> str:
    """What tells that an item is still as it was shown."""
    return f"{versions[0].version}-{versions[0].made_at}-{versions[0].state}" if versions else NEW


def _made_already(versions: Sequence[Version], body: ItemBody, by: str) -> bool:
    """True when the very same draft of the same author is there."""
    newest = versions[0] if versions else None
    return newest is not None and (newest.state, newest.body, newest.made_by) == (
        State.DRAFT,
        body,
        by,
    )


def _review(draft: Version, before: Version | None) -> Review:
    changes = differences(before.body if before else None, draft.body)
    return Review(draft=draft, before=before, changes=changes)


def version_in_force(versions: Sequence[Version], on: date) -> Version | None:
    """Of one item's versions the one that holds on a date."""
    held = [
        one
        for one in versions
        if one.state is State.PUBLISHED
        and one.effective_from is not None
        and one.effective_from <= on
    ]
    return max(held, key=lambda one: (one.effective_from or NO_DATE, one.version), default=None)
