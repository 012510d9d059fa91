"""Takes what the item system says into the catalogue: row by row, by the rules, within the caller's transaction."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import msgspec

from console.core.permissions import SYSTEM
from console.core.uow import Uow
from console.modules.catalogue import repository
from console.modules.catalogue.domain import ItemBody, body_faults
from console.modules.catalogue.repository import Version
from console.modules.catalogue.sync import store
from console.modules.catalogue.sync.mapping import Said, read_row
from console.modules.catalogue.sync.rules import SyncRules, holds_from, merge, trusted
from console.modules.catalogue.sync.store import BadRow, Known, Run, Withdrawal

ORIGIN = "sync"
ASKED = ("withdrawn",)
"""Withdrawing what somebody is working on is asked about, though only the source changed that field."""
LONGEST_ROW = 4000


@dataclass(kw_only=True)
class Here:
    """What the catalogue has of one item, and what the source said of it last."""

    draft: Version | None = None
    published: Version | None = None
    known: Known | None = None
    clashes: bool = False

    @property
    def body(self) -> ItemBody | None:
        newest = self.draft or self.published
        return newest.body if newest else None

    @property
    def persons(self) -> bool:
        """True while a person's draft waits."""
        return self.draft is not None and self.draft.made_by != SYSTEM.id


@dataclass(kw_only=True)
class Taking:
    """One page of a run being taken in. ``place`` is that of the last row before it; ``listed`` are materials and themes
    that are in their lists already."""

    run: Run
    rules: SyncRules
    pattern: str
    today: date
    now: int
    place: int
    figures: Counter[str]
    announce: Callable[[Uow, str, int, date], Awaitable[None]]
    uncoded: int = 0
    listed: set[str] = field(default_factory=set)

    async def page(self, uow: Uow, rows: Sequence[object]) -> None:
        """Every row; bad ones are listed and stop nothing."""
        said = [read_row(row, self.rules.names, self.pattern) for row in rows]
        codes = {one.code for one in said if one.code}
        await repository.lock(uow)
        here = await _here(uow, codes)
        bad: list[BadRow] = []
        touched: set[str] = set()
        for row, one in zip(rows, said, strict=True):
            self.place += 1
            if one.code in touched:
                here |= await _here(uow, {one.code})
            touched.add(one.code)
            judged = one if one.faults else await self._row(uow, one, here[one.code])
            if judged.faults:
                bad.append(_bad_row(self.place, judged, row))
                self.uncoded += not judged.code
            self.figures["rows"] += 1
        self.figures["bad"] += len(bad)
        await store.add_bad_rows(uow, self.run.no, bad)
        await store.see(uow, codes, self.run.no)

    async def _row(self, uow: Uow, said: Said, here: Here) -> Said:
        """``said`` again, with faults when it cannot be taken after all."""
        if here.known is not None and said.revision < here.known.revision:
            self.figures["stale"] += 1
            return said
        if said.withdrawn:
            await self._withdrawn(uow, said, here)
            return said
        await store.unstage(uow, [said.code])
        merged = merge(here.known.said if here.known else None, here.body, said.fields)
        if faults := body_faults(merged.body):
            return replace(said, faults=tuple(faults))
        if merged.clashes:
            await store.put_conflict(uow, said, self.run.no, self.now, said.effective)
            self.figures["conflicts"] += 1
            return said
        if here.clashes:
            await store.drop_conflict(uow, said.code)
        if here.body is None or merged.body != here.body:
            self.figures["new" if here.body is None else "changed"] += 1
            await self._put(uow, said.code, merged.body, here, said.effective)
        else:
            self.figures["same"] += 1
        await self._agree(uow, said, here)
        return said

    async def _agree(self, uow: Uow, said: Said, here: Here, *, gone: bool = False) -> None:
        known = Known(revision=said.revision, said=said.fields, gone=gone)
        if here.known != known:
            await store.agree(uow, said.code, said.revision, said.fields, self.run.no, gone=gone)

    async def _put(
        self, uow: Uow, code: str, body: ItemBody, here: Here, wanted: date | None
    ) -> None:
        """A draft, or a published version where all that changed is trusted and nobody works on the item."""
        held = here.published
        if held is not None and body == held.body and not here.persons:
            await repository.drop_draft(uow, code)
            return
        by, origin = SYSTEM.id, ORIGIN
        if here.persons and here.draft is not None:
            by, origin = here.draft.made_by, here.draft.origin
        await repository.add_materials(uow, set(body.materials) - self.listed)
        await repository.add_themes(uow, set(body.themes) - self.listed)
        self.listed |= {*body.materials, *body.themes}
        version = await repository.put_draft(
            uow, code, body, origin=origin, at=self.now, by=by, wanted_from=wanted
        )
        if here.persons or not trusted(self.rules, held.body if held else None, body):
            self.figures["drafts"] += 1
            return
        on = holds_from(wanted, held.effective_from if held else None, self.today)
        await repository.publish(uow, code, version, on, self.now, SYSTEM.id)
        await self.announce(uow, code, version, on)
        self.figures["published"] += 1

    # -- withdrawals ------------------------------------------------------------------------------

    async def _withdrawn(self, uow: Uow, said: Said, here: Here) -> None:
        """Waits for the end of the run, when it is known how many there are."""
        if here.body is None or here.body.withdrawn:
            self.figures["same"] += 1
            # One that was never here is noted, too: a listing is whole only with all that it has.
            gone = said if here.known is None else _gone(said, here.known)
            await self._agree(uow, gone, here, gone=True)
            return
        if here.persons:
            only = replace(said, fields={"withdrawn": True})
            await store.put_conflict(uow, only, self.run.no, self.now, said.withdrawn_on)
            self.figures["conflicts"] += 1
            return
        found = {
            "code": said.code,
            "name": here.body.name,
            "on": said.withdrawn_on,
            "missing": False,
            "revision": said.revision,
        }
        await store.stage(uow, self.run.no, [found])

    async def withdraw(self, uow: Uow, found: Sequence[Withdrawal]) -> None:
        """Withdraws what was staged, each from its date; what a person works on becomes a conflict."""
        await repository.lock(uow)
        here = await _here(uow, {one.code for one in found})
        for one in found:
            await self._withdraw(uow, one, here[one.code])
        await store.settle(uow, self.run.no, "done")

    async def _withdraw(self, uow: Uow, one: Withdrawal, here: Here) -> None:
        body, fields = here.body, {"withdrawn": True}
        said = Said(code=one.code, revision=one.revision, fields=fields, withdrawn_on=one.on)
        if here.persons:
            await store.put_conflict(uow, said, self.run.no, self.now, one.on)
            self.figures["conflicts"] += 1
            return
        if here.known is not None:
            said = _gone(said, here.known)
        if here.published is None:
            await repository.drop_draft(uow, one.code)
        elif body is not None and not here.published.body.withdrawn:
            gone = msgspec.structs.replace(here.published.body, withdrawn=True)
            await self._put(uow, one.code, gone, here, one.on)
        self.figures["withdrawn"] += 1
        await self._agree(uow, said, here, gone=True)


def _gone(said: Said, known: Known) -> Said:
    """What the source said before, and that it is withdrawn."""
    return replace(said, fields={**known.said, "withdrawn": True})


async def _here(uow: Uow, codes: set[str]) -> dict[str, Here]:
    found = {code: Here() for code in codes}
    for draft in await repository.drafts(uow, codes):
        found[draft.code].draft = draft
    for code, published in (await repository.published(uow, codes)).items():
        found[code].published = published
    for code, known in (await store.known(uow, codes)).items():
        found[code].known = known
    for conflict in await store.conflicts(uow, codes):
        found[conflict.code].clashes = True
    return found


def _bad_row(place: int, said: Said, row: object) -> BadRow:
    return BadRow(
        place=place,
        code=said.code,
        name=said.name[:200],
        faults=said.faults,
        row=msgspec.json.encode(row).decode()[:LONGEST_ROW],
    )
