"""States of devices for integrators."""

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
from console.core.api_scopes import DEVICES_READ
from console.core.permissions import Permission
from console.halls.api import HallsApi, hall_within
from console.modules.devices.api import DeviceInfo, DevicesApi
from qingting.contract.base import Strict
from qingting.contract.states import Condition, DeviceKind, DeviceState

ROWS = 100


class DeviceParams(Strict, frozen=True, kw_only=True):
    """A page of a hall's devices."""

    hall: HallName
    limit: Limit = ROWS
    cursor: Cursor | None = None


class ApiDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device as it is now."""

    id: str
    kind: DeviceKind
    name: str
    name_en: str
    parent: Annotated[str, said("所在的一体机，没有为空", "The kiosk that it belongs to, or empty")]
    state: Annotated[
        DeviceState | None, said("大厅失联时不知道，为 null", "Null while the hall is cut off")
    ]
    conditions: Annotated[list[Condition], said("设备当前的情况", "What holds at it now")]
    out_of_order: Annotated[bool, said("需要有人去处理", "Service stops there until somebody goes")]
    since: Instant
    seen: Instant


class DevicePage(msgspec.Struct, frozen=True, kw_only=True):
    """Devices of a hall by id."""

    hall: str
    devices: list[ApiDevice]
    next: Next


def device_call(
    halls: HallsApi, devices: DevicesApi
) -> ApiOperation[DeviceParams, None, DevicePage]:
    async def run(call: ApiCall[DeviceParams, None]) -> DevicePage:
        scope = call.subject.scope(Permission.LOOK)
        status = await hall_within(call.uow, halls, scope, call.params.hall)
        found = await devices.devices(call.uow, scope, status.id)
        page, behind = paged(
            sorted(found, key=lambda one: one.id),
            lambda one: one.id,
            call.params.cursor,
            call.params.limit,
        )
        return DevicePage(hall=status.id, devices=[_device(one) for one in page], next=behind)

    return ApiOperation(
        name="listHallDevices",
        method="GET",
        path="/halls/{hall}/devices",
        tag="devices",
        scope=DEVICES_READ,
        summary=Both("大厅设备状态", "Devices of a hall"),
        purpose=Both(
            "一个大厅每台设备的状态和当前情况。大厅失联时状态为 null，不作猜测。",
            "State and conditions of each device of a hall. While the hall is cut off states are null: nothing is guessed.",
        ),
        params=DeviceParams,
        result=DevicePage,
        run=run,
        errors=("hall.unknown",),
    )


def _device(one: DeviceInfo) -> ApiDevice:
    return ApiDevice(
        id=one.id,
        kind=one.kind,
        name=one.name,
        name_en=one.name_en,
        parent=one.parent,
        state=one.state if one.fresh else None,
        conditions=[each.condition for each in one.conditions],
        out_of_order=one.out_of_order,
        since=one.since,
        seen=one.seen,
    )
