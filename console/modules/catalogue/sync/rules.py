"""Rules of the sync: what an administrator sets, how versions are merged, when a run is due. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec

from console.modules.catalogue.domain import FIELDS, ItemBody
from qingting.contract.base import Strict

GROUPS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "name_en"),
    "kind": ("kind", "level", "audience", "handling"),
    "place": ("division", "department"),
    "content": ("basis", "materials", "process"),
    "limits": ("legal", "promised"),
    "charge": ("charge",),
    "where": ("channels", "themes", "halls"),
    "withdrawn": ("withdrawn",),
}
"""Fields that are trusted together."""
NEW = "new"
"""Trust in items that the catalogue does not have yet."""
TRUSTABLE = (NEW, *GROUPS)
_GROUP_OF = {field: group for group, fields in GROUPS.items() for field in fields}
DEFAULT_NAMES: Mapping[str, str] = {
    "code": "taskCode", "revision": "taskVersion", "modified": "modifiedAt", "status": "taskState",
    "effective": "effectDate", "withdrawn_on": "cancelDate", "name": "taskName", "name_en": "",
    "kind": "taskType", "level": "useLevel", "division": "areaCode", "department": "deptName",
    "audience": "serveType", "handling": "projectType", "themes": "themes", "basis": "byLaw",
    "materials": "materials", "process": "handleFlow", "legal": "lawLimit", "legal_unit": "lawLimitUnit",
    "promised": "promiseLimit", "promised_unit": "promiseLimitUnit", "charge": "fee", "channels": "handleForm",
}  # fmt: skip
"""What a row of the source calls each field; empty: it does not say."""
FEWEST_SUSPICIOUS = 3
"""Up to so many withdrawals at once are never suspicious, however small the catalogue."""
HOUR_MS = 3_600_000
FIRST_RETRY_MS = 5_000
LONGEST_RETRY_MS = 300_000
MOST_TRIES = 10
FULL_AGAIN_MS = 300_000
"""A full run begins so long after the run before it: after one that failed, most of all."""


class Kind(StrEnum):
    """What a run asks for."""

    FULL = "full"
    INCREMENT = "increment"


class SyncRules(Strict, frozen=True, kw_only=True):
    """What an administrator sets. ``trusted``: groups of fields whose changes are published without review.
    ``most_withdrawn``: per cent of the source's items that one run may withdraw without being asked.
    ``silent_hours``: after so long without an answer people are told. ``full_hour`` is of the city's clock."""

    scheduled: bool = True
    every_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 15
    full_hour: Annotated[int, msgspec.Meta(ge=0, le=23)] = 2
    increment: Literal["cursor", "modified"] = "cursor"
    page_rows: Annotated[int, msgspec.Meta(ge=1, le=500)] = 200
    trusted: tuple[str, ...] = ("withdrawn",)
    most_withdrawn: Annotated[int, msgspec.Meta(ge=0, le=100)] = 5
    silent_hours: Annotated[int, msgspec.Meta(ge=1, le=168)] = 6
    names: dict[str, str] = msgspec.field(default_factory=lambda: dict(DEFAULT_NAMES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """A field that was changed here and at the source since both had ``base`` (None: they never agreed)."""

    field: str
    base: object
    ours: object
    theirs: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """``body`` has every change that only one side made; in the fields of ``clashes`` it is still ours."""

    body: ItemBody
    clashes: Sequence[Clash]


def merge(
    base: Mapping[str, Any] | None,
    ours: ItemBody | None,
    theirs: Mapping[str, Any],
    ask: Collection[str] = (),
) -> Merge:
    """Brings together what is said here and at the source, field by field. ``base`` and ``theirs`` have the fields that the
    source speaks of; a field that it does not speak of is ours. One in ``ask`` is a clash whenever both differ."""
    if ours is None:
        return Merge(body=ItemBody(**{"name": "", **theirs}), clashes=())
    taken: dict[str, Any] = {}
    clashes: list[Clash] = []
    for field in FIELDS:
        if field not in theirs:
            continue
        known = base is not None and field in base
        before, mine, said = (base or {}).get(field), getattr(ours, field), theirs[field]
        if said == mine or (known and said == before and field not in ask):
            continue
        if field not in ask and (mine == before if known else _says_nothing(field, mine)):
            taken[field] = said
        else:
            clashes.append(Clash(field=field, base=before, ours=mine, theirs=said))
    return Merge(body=msgspec.structs.replace(ours, **taken), clashes=clashes)


def _says_nothing(field: str, value: object) -> bool:
    """Empty lists and texts are no opinion that a person must defend; a switch and a code are."""
    return field not in ("withdrawn",) and value in ("", (), None)


def decided(merged: Merge, choices: Mapping[str, str]) -> ItemBody | None:
    """The version after a person decided each clash as ``ours`` or ``theirs``; None while one is undecided."""
    if any(choices.get(one.field) not in ("ours", "theirs") for one in merged.clashes):
        return None
    taken = {one.field: one.theirs for one in merged.clashes if choices[one.field] == "theirs"}
    return msgspec.structs.replace(merged.body, **taken)


def trusted(rules: SyncRules, published: ItemBody | None, body: ItemBody) -> bool:
    """True when everything that ``body`` changes may be published without review."""
    if published is None:
        return NEW in rules.trusted
    changed = {one for one in FIELDS if getattr(published, one) != getattr(body, one)}
    return all(_GROUP_OF[one] in rules.trusted for one in changed)


def holds_from(said: date | None, newest: date | None, today: date) -> date:
    """The day from which a version of the source holds: as the source says, but never before the newest published
    one, which it would else never replace."""
    wanted = said or today
    return max(wanted, newest) if newest else wanted


def suspicious(withdrawn: int, known: int, most_percent: int) -> bool:
    """True when so many withdrawals of so many known items must wait for a person."""
    return withdrawn > FEWEST_SUSPICIOUS and withdrawn * 100 > known * most_percent


def retry_after_ms(tries: int) -> int:
    """How long after the ``tries``-th failure in a row the next try comes."""
    return min(LONGEST_RETRY_MS, FIRST_RETRY_MS << (min(tries, 20) - 1))


def due(
    rules: SyncRules, last_full: int | None, last_any: int | None, now: int, offset: timedelta
) -> Kind | None:
    """Which run is to begin by the schedule: ``last_full`` says when the newest full run began that did not fail,
    ``last_any`` when any did."""
    if not rules.scheduled:
        return None
    here = datetime.fromtimestamp(now / 1000, UTC) + offset
    begins = here.replace(hour=rules.full_hour, minute=0, second=0, microsecond=0)
    if begins > here:
        begins -= timedelta(days=1)
    since = int((begins - offset).timestamp() * 1000)
    idle = now - last_any if last_any is not None else FULL_AGAIN_MS
    if last_full is None or last_full < since:
        return Kind.FULL if idle >= FULL_AGAIN_MS else None
    return Kind.INCREMENT if idle >= rules.every_minutes * 60_000 else None


def silent(rules: SyncRules, answered_at: int, asked_since: int, now: int) -> bool:
    """True when the source has not answered for too long. ``asked_since``: when it was first asked."""
    last = max(answered_at, asked_since)
    return bool(last) and now - last > rules.silent_hours * HOUR_MS
