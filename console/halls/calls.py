"""Halls for integrators."""

from typing import Annotated

import msgspec

from console.core.api import (
    ApiCall,
    ApiOperation,
    Both,
    Cursor,
    HallName,
    Instant,
    Limit,
    Next,
    paged,
    said,
)
from console.core.api_scopes import HALLS_READ
from console.core.permissions import Permission
from console.halls.api import HallsApi, HallStatus, LinkState, hall_within
from qingting.contract.base import Strict

ROWS = 100


class HallListParams(Strict, frozen=True, kw_only=True):
    """A page of halls."""

    limit: Limit = ROWS
    cursor: Cursor | None = None


class HallParams(Strict, frozen=True, kw_only=True):
    """One hall."""

    hall: HallName


class ApiHall(msgspec.Struct, frozen=True, kw_only=True):
    """A hall (政务服务大厅)."""

    id: str
    name: str
    name_en: str
    division: Annotated[str, said("所在区划的代码", "Code of its division")]
    department: Annotated[str, said("主管部门，没有为空", "The department that runs it, or empty")]
    address: str
    phone: str
    link: Annotated[
        LinkState,
        said("市平台与大厅的联网状态", "How the city stands with the hall"),
    ]
    heard_at: Annotated[
        Instant, said("最近一次收到大厅消息的时间，0 为从未", "When it was last heard, 0 for never")
    ]


class HallPage(msgspec.Struct, frozen=True, kw_only=True):
    """Halls by id."""

    halls: list[ApiHall]
    next: Next


def _hall(one: HallStatus) -> ApiHall:
    return ApiHall(
        id=one.id,
        name=one.name,
        name_en=one.name_en,
        division=one.division,
        department=one.department,
        address=one.address,
        phone=one.phone,
        link=one.state,
        heard_at=max(one.seen_at, 0),
    )


def list_call(halls: HallsApi) -> ApiOperation[HallListParams, None, HallPage]:
    async def run(call: ApiCall[HallListParams, None]) -> HallPage:
        found = await halls.halls(call.uow, call.subject.scope(Permission.LOOK))
        within = sorted(found, key=lambda one: one.id)
        page, behind = paged(within, lambda one: one.id, call.params.cursor, call.params.limit)
        return HallPage(halls=[_hall(one) for one in page], next=behind)

    return ApiOperation(
        name="listHalls",
        method="GET",
        path="/halls",
        tag="halls",
        scope=HALLS_READ,
        summary=Both("列出大厅", "List halls"),
        purpose=Both(
            "数据范围内的大厅：名称、地址、电话、联网状态。",
            "Halls within reach: name, address, phone, link.",
        ),
        params=HallListParams,
        result=HallPage,
        run=run,
    )


def hall_call(halls: HallsApi) -> ApiOperation[HallParams, None, ApiHall]:
    async def run(call: ApiCall[HallParams, None]) -> ApiHall:
        scope = call.subject.scope(Permission.LOOK)
        return _hall(await hall_within(call.uow, halls, scope, call.params.hall))

    return ApiOperation(
        name="getHall",
        method="GET",
        path="/halls/{hall}",
        tag="halls",
        scope=HALLS_READ,
        summary=Both("查看一个大厅", "One hall"),
        purpose=Both(
            "一个大厅的名称、地址、电话、联网状态。范围外的大厅与不存在的大厅回答相同。",
            "Name, address, phone and link of one hall. A hall out of reach is answered like one that does not exist.",
        ),
        params=HallParams,
        result=ApiHall,
        run=run,
        errors=("hall.unknown",),
    )
