"""What other modules may know of service items."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from console.core.module import ApiKey
from console.core.uow import ReadUow
from console.modules.calendar.api import Due
from console.modules.catalogue.domain import Audience, Channel, ItemBody
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
    ``division`` with all below it."""

    text: str = ""
    department: str = ""
    theme: str = ""
    division: str = ""
    hall: str = ""
    bookable: bool | None = None
    on_site: bool | None = None


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

    async def promised_day(self, uow: ReadUow, code: str, accepted: date) -> Due | None:
        """The last day promised for a case accepted on that date; None without a promise. Raises
        ``catalogue.unknown``."""
        ...


CATALOGUE = ApiKey[CatalogueApi]("CATALOGUE")

__all__ = ["CATALOGUE", "Audience", "CatalogueApi", "Channel", "Item", "ItemBody", "ItemQuery"]
