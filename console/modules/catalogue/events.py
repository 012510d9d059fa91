"""What integrators hear of service items."""

import msgspec

from console.core.api import ApiEventType, Both, Day
from console.core.api_scopes import CATALOGUE_READ


class ItemPublished(msgspec.Struct, frozen=True, kw_only=True):
    """A version of an item was published; read it with ``getItem`` or ``listItemChanges``."""

    code: str
    version: int
    effective_from: Day


ITEM_PUBLISHED = ApiEventType(
    kind="item.published",
    payload=ItemPublished,
    scope=CATALOGUE_READ,
    summary=Both("事项已发布", "An item was published"),
    purpose=Both(
        "事项的新版本经审核发布，从 effective_from 起生效；取消事项也这样通知。",
        "A version of an item was reviewed and published, in force from its date on; a withdrawal is told the same way.",
    ),
)
