"""What other modules may know of service items."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from console.core.module import ApiKey
from console.core.permissions import Subject
from console.core.uow import ReadUow, Uow
from console.modules.calendar.api import Due
from console.modules.catalogue.domain import Audience, Channel, ItemBody
from console.modules.catalogue.sync.rules import DEFAULT_NAMES, TRUSTABLE, SyncRules
from qingting.contract.states import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item as it is in force on the date that was asked for. ``code`` is its implementation code (实施编码)."""

    code: str
    version: int
    effective_from: date
    body: ItemBody
    bookable: bool
    on_site: bool

    def title(self, language: Language) -> str:
        return self.body.name if language is Language.ZH else self.body.name_en or self.body.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemQuery:
    """What is looked for; empty fields are for any. ``text``: words, pinyin or first letters, each part must be found.
    ``division`` with all below it; ``codes``: among these alone, None for all."""

    text: str = ""
    department: str = ""
    theme: str = ""
    division: str = ""
    hall: str = ""
    bookable: bool | None = None
    on_site: bool | None = None
    codes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A theme or a material of the dictionary; ``note`` says what a material has to be like."""

    name: str
    name_en: str = ""
    note: str = ""

    def title(self, language: Language) -> str:
        return self.name if language is Language.ZH else self.name_en or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChange:
    """A version of an item that was published: in force from its date on, until the next one."""

    code: str
    version: int
    effective_from: date
    published_at: int
    body: ItemBody


class CatalogueApi(Protocol):
    """Items in force. Withdrawn ones are none."""

    async def items(
        self, uow: ReadUow, wanted: ItemQuery, *, limit: int, offset: int = 0
    ) -> tuple[int, Sequence[Item]]:
        """How many are in force today, and one page of them by name."""
        ...

    async def item(self, uow: ReadUow, code: str, on: date | None = None) -> Item:
        """Raises ``catalogue.unknown``."""
        ...

    async def changes(
        self, uow: ReadUow, after: tuple[int, str, int], *, limit: int
    ) -> Sequence[ItemChange]:
        """Versions in the order of their publishing, those behind ``after``: instant, code, version."""
        ...

    async def bookable(self, uow: ReadUow) -> Mapping[str, bool]:
        """Every item in force by its code, and whether it can be booked."""
        ...

    async def promised_day(self, uow: ReadUow, code: str, accepted: date) -> Due | None:
        """The last day promised for a case accepted on that date; None without a promise. Raises
        ``catalogue.unknown``."""
        ...

    async def themes(self, uow: ReadUow) -> Sequence[Named]:
        """In their order."""
        ...

    async def departments(self, uow: ReadUow, wanted: ItemQuery) -> Sequence[tuple[str, int]]:
        """Names of the departments whose items in force are among what is looked for, with how many those are."""
        ...

    async def materials(self, uow: ReadUow, names: Collection[str]) -> Mapping[str, Named]:
        """What the dictionary has of these."""
        ...


CATALOGUE = ApiKey[CatalogueApi]("CATALOGUE")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncFigures:
    """``age_ms`` since the source last answered well, None: never. ``conflicts``: items that wait for a person."""

    age_ms: int | None
    failing: bool
    conflicts: int


class ItemSyncApi(Protocol):
    """The sync with the city's item system."""

    async def figures(self, uow: ReadUow) -> SyncFigures | None:
        """None where no item system is connected."""
        ...

    async def put_rules(self, uow: Uow, subject: Subject, rules: SyncRules) -> None:
        """Raises ``sync.names`` when a row could not be known by its code."""
        ...


ITEM_SYNC = ApiKey[ItemSyncApi]("ITEM_SYNC")

__all__ = [
    "CATALOGUE",
    "DEFAULT_NAMES",
    "ITEM_SYNC",
    "TRUSTABLE",
    "Audience",
    "CatalogueApi",
    "Channel",
    "Item",
    "ItemBody",
    "ItemQuery",
    "ItemSyncApi",
    "Named",
    "SyncFigures",
    "SyncRules",
]
