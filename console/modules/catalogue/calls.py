"""Service items for integrators."""

from typing import Annotated

import msgspec

from console.core.api import (
    ApiCall,
    ApiOperation,
    Both,
    Cursor,
    Day,
    HallName,
    Instant,
    Limit,
    Next,
    cursor_of,
    read_cursor,
    said,
)
from console.core.api_scopes import CATALOGUE_READ
from console.modules.calendar.api import TimeLimit
from console.modules.catalogue.api import (
    Audience,
    CatalogueApi,
    Channel,
    Item,
    ItemBody,
    ItemChange,
    ItemQuery,
)
from qingting.contract.base import Strict

ROWS = 50
ItemCode = Annotated[
    str,
    said(
        "实施编码", "Implementation code", min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_.-]+$"
    ),
]
Words = Annotated[str, said("名称、拼音或首字母", "Words, pinyin or first letters", max_length=60)]
Name = Annotated[str, said("名称", "A name", max_length=60)]
DivisionStart = Annotated[
    str, said("区划代码（含下级）", "Division code, with all below it", pattern=r"^\d{4,12}$")
]


class SearchParams(Strict, frozen=True, kw_only=True):
    """Which items; what is not given is for any."""

    q: Words = ""
    department: Name = ""
    theme: Name = ""
    division: DivisionStart | None = None
    hall: HallName | None = None
    bookable: Annotated[bool | None, said("可以预约", "Can be booked")] = None
    on_site: Annotated[bool | None, said("可以现场办", "Can be handled on site")] = None
    limit: Limit = ROWS
    cursor: Cursor | None = None


class ItemParams(Strict, frozen=True, kw_only=True):
    """One item."""

    code: ItemCode


class ChangeParams(Strict, frozen=True, kw_only=True):
    """A page of changes."""

    limit: Limit = ROWS
    cursor: Cursor | None = None


class ApiTimeLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A time limit."""

    amount: int
    unit: str


class ApiItemBody(msgspec.Struct, frozen=True, kw_only=True):
    """What citizens read of an item (政务服务事项)."""

    name: str
    name_en: str
    kind: Annotated[str, said("事项类型代码", "Code of its kind")]
    level: Annotated[int, said("行使层级", "Level of government, 1 to 7")]
    division: str
    department: Annotated[str, said("实施部门的名称", "Name of its department")]
    audience: Audience
    themes: list[str]
    basis: Annotated[str, said("设定依据", "Legal basis")]
    materials: Annotated[list[str], said("申报材料", "What to bring")]
    process: Annotated[list[str], said("办理流程", "Steps")]
    legal: Annotated[ApiTimeLimit | None, said("法定时限", "Legal time limit")]
    promised: Annotated[ApiTimeLimit | None, said("承诺时限", "Promised time limit")]
    charge: Annotated[str, said("收费，空为不收费", "Charge, empty: free")]
    channels: Annotated[list[Channel], said("办理形式", "Where it can be handled")]
    halls: Annotated[list[str], said("可办理的大厅", "Halls that handle it")]
    withdrawn: Annotated[bool, said("已取消", "The item is no more")]


class ApiItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item as it is in force."""

    code: str
    version: int
    effective_from: Day
    bookable: bool
    on_site: bool
    body: ApiItemBody


class ItemPage(msgspec.Struct, frozen=True, kw_only=True):
    """Items in force by reading."""

    count: Annotated[int, said("一共有多少", "How many there are")]
    items: list[ApiItem]
    next: Next


class ApiItemChange(msgspec.Struct, frozen=True, kw_only=True):
    """A version that was published."""

    code: str
    version: int
    effective_from: Day
    published_at: Instant
    body: ApiItemBody


class ChangePage(msgspec.Struct, frozen=True, kw_only=True):
    """Versions in the order of their publishing."""

    changes: list[ApiItemChange]
    cursor: Annotated[
        str,
        said("记住它，下次从这里继续", "Keep it: the next look begins here, also behind the last"),
    ]
    more: Annotated[bool, said("后面还有", "There are more already")]


def _limit(one: TimeLimit | None) -> ApiTimeLimit | None:
    return None if one is None else ApiTimeLimit(amount=one.amount, unit=one.unit.value)


def _body(one: ItemBody) -> ApiItemBody:
    return ApiItemBody(
        name=one.name,
        name_en=one.name_en,
        kind=one.kind,
        level=one.level,
        division=one.division,
        department=one.department,
        audience=one.audience,
        themes=list(one.themes),
        basis=one.basis,
        materials=list(one.materials),
        process=list(one.process),
        legal=_limit(one.legal),
        promised=_limit(one.promised),
        charge=one.charge,
        channels=list(one.channels),
        halls=list(one.halls),
        withdrawn=one.withdrawn,
    )


def _item(one: Item) -> ApiItem:
    return ApiItem(
        code=one.code,
        version=one.version,
        effective_from=one.effective_from,
        bookable=one.bookable,
        on_site=one.on_site,
        body=_body(one.body),
    )


def _change(one: ItemChange) -> ApiItemChange:
    return ApiItemChange(
        code=one.code,
        version=one.version,
        effective_from=one.effective_from,
        published_at=one.published_at,
        body=_body(one.body),
    )


def search_call(catalogue: CatalogueApi) -> ApiOperation[SearchParams, None, ItemPage]:
    async def run(call: ApiCall[SearchParams, None]) -> ItemPage:
        asked = call.params
        behind = max(0, read_cursor(asked.cursor, tuple[int])[0]) if asked.cursor else 0
        wanted = ItemQuery(
            text=asked.q,
            department=asked.department,
            theme=asked.theme,
            division=asked.division or "",
            hall=asked.hall or "",
            bookable=asked.bookable,
            on_site=asked.on_site,
        )
        count, found = await catalogue.items(call.uow, wanted, limit=asked.limit, offset=behind)
        end = behind + len(found)
        return ItemPage(
            count=count,
            items=[_item(one) for one in found],
            next=cursor_of(end) if found and end < count else None,
        )

    return ApiOperation(
        name="searchItems",
        method="GET",
        path="/items",
        tag="catalogue",
        scope=CATALOGUE_READ,
        summary=Both("查找事项", "Search items"),
        purpose=Both(
            "今天有效的事项：按名称、拼音、首字母、部门、主题、区划、大厅、能否预约查找。",
            "Items in force today: by words, pinyin, first letters, department, theme, division, hall, whether they can be booked.",
        ),
        params=SearchParams,
        result=ItemPage,
        run=run,
    )


def item_call(catalogue: CatalogueApi) -> ApiOperation[ItemParams, None, ApiItem]:
    async def run(call: ApiCall[ItemParams, None]) -> ApiItem:
        return _item(await catalogue.item(call.uow, call.params.code))

    return ApiOperation(
        name="getItem",
        method="GET",
        path="/items/{code}",
        tag="catalogue",
        scope=CATALOGUE_READ,
        summary=Both("查看一个事项", "One item"),
        purpose=Both("一个事项今天有效的版本。", "The version of an item that is in force today."),
        params=ItemParams,
        result=ApiItem,
        run=run,
        errors=("catalogue.unknown",),
    )


def change_call(catalogue: CatalogueApi) -> ApiOperation[ChangeParams, None, ChangePage]:
    async def run(call: ApiCall[ChangeParams, None]) -> ChangePage:
        asked = call.params
        after = read_cursor(asked.cursor, tuple[int, str, int]) if asked.cursor else (0, "", 0)
        after = (after[0], after[1], min(after[2], 2**31 - 1))
        found = await catalogue.changes(call.uow, after, limit=asked.limit + 1)
        page = found[: asked.limit]
        last = (page[-1].published_at, page[-1].code, page[-1].version) if page else after
        return ChangePage(
            changes=[_change(one) for one in page],
            cursor=cursor_of(*last),
            more=len(found) > len(page),
        )

    return ApiOperation(
        name="listItemChanges",
        method="GET",
        path="/item-changes",
        tag="catalogue",
        scope=CATALOGUE_READ,
        summary=Both("事项的变化", "Changes of items"),
        purpose=Both(
            "从某处以后发布的版本，按发布先后排列；用来保持自己的事项库一致。取消的事项 withdrawn 为 true。",
            "Versions published since a cursor, in their order: to keep a copy of the catalogue true. A withdrawn item says so.",
        ),
        params=ChangeParams,
        result=ChangePage,
        run=run,
    )
