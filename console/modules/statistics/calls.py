"""Queues and figures of tickets for integrators. Counts alone: nothing of a person."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import msgspec

from console.core.api import (
    ApiCall,
    ApiOperation,
    Both,
    Day,
    HallName,
    Instant,
    check_span,
    said,
)
from console.core.api_scopes import HALLS_READ, TICKETS_READ
from console.core.permissions import Permission
from console.halls.api import Directory, HallsApi, HallStatus, hall_within
from console.modules.statistics.api import QueueFigures, StatisticsApi
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.link import Live
from qingting.kernel.aio.clock import Clock


class QueueParams(Strict, frozen=True, kw_only=True):
    """One hall."""

    hall: HallName


class FigureParams(Strict, frozen=True, kw_only=True):
    """One hall on one business day."""

    hall: HallName
    day: Annotated[date | None, said("业务日期，不填为今天", "Business day, today without it")] = (
        None
    )


class ApiWait(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody who takes a ticket now would be told, in minutes."""

    low: int
    high: int
    beyond: Annotated[bool, said("可能排不到下班前", "It may not come to a call today")]


class ApiQueue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue as it is now."""

    id: str
    name: str
    name_en: str
    waiting: Annotated[int, said("等候人数", "How many wait")]
    windows_open: Annotated[
        int | None, said("开放窗口数；大厅未联网时不知道", "Open windows; null when not known")
    ]
    closed: Annotated[bool | None, said("已停止取号；不知道时为 null", "No tickets are given")]
    wait: Annotated[
        ApiWait | None, said("预计等候；不知道时为 null", "Expected wait; null when nobody can say")
    ]


class HallQueues(msgspec.Struct, frozen=True, kw_only=True):
    """Queues of a hall with the age of what is said."""

    hall: str
    live: Annotated[
        bool,
        said(
            "true 为实时；false 为大厅失联前最后的情况",
            "False: as it was when the hall was last heard",
        ),
    ]
    as_of: Annotated[
        Instant, said("数据的时间，0 为从未收到", "When this was true, 0 for never heard")
    ]
    age_seconds: Annotated[int, said("数据已有多少秒", "Age of the data in seconds")]
    queues: list[ApiQueue]


class ApiFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One queue on one business day. Waiting times in seconds, null without a called ticket."""

    queue: str
    name: str
    name_en: str
    issued: int
    waiting: int
    serving: int
    done: int
    no_show: int
    cancelled: int
    booked: int
    wait_average: int | None
    wait_p90: int | None


class HallFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A business day at a hall."""

    hall: str
    day: Day
    as_of: Annotated[
        Instant, said("最近收到该厅记录的时间", "When the hall's log was last received")
    ]
    queues: list[ApiFigures]


def queue_call(
    halls: HallsApi, statistics: StatisticsApi, clock: Clock
) -> ApiOperation[QueueParams, None, HallQueues]:
    async def run(call: ApiCall[QueueParams, None]) -> HallQueues:
        scope = call.subject.scope(Permission.LOOK)
        status = await hall_within(call.uow, halls, scope, call.params.hall)
        if not scope.has(status.id):
            raise Refusal("hall.unknown")
        live = (await halls.live(call.uow)).get(status.id)
        if live is not None:
            return _live(status, live, clock.now_ms())
        figures = await statistics.queues(call.uow, scope, statistics.today(), status.id)
        names = await halls.directory(call.uow, scope, status.id)
        return _last(status, figures, names, clock.now_ms())

    return ApiOperation(
        name="getHallQueues",
        method="GET",
        path="/halls/{hall}/queues",
        tag="halls",
        scope=HALLS_READ,
        summary=Both("大厅排队情况", "Queues of a hall"),
        purpose=Both(
            "每个队列的等候人数、开放窗口和预计等候时间，以及数据有多旧。大厅失联时给出最后的情况并注明。",
            "How many wait, open windows and the expected wait of each queue, with the age of the data. A hall that is cut off"
            " is answered as it was last heard, and says so.",
        ),
        params=QueueParams,
        result=HallQueues,
        run=run,
        errors=("hall.unknown",),
    )


def _live(status: HallStatus, live: Live, now: int) -> HallQueues:
    return HallQueues(
        hall=status.id,
        live=True,
        as_of=live.at,
        age_seconds=_age(live.at, now),
        queues=[
            ApiQueue(
                id=one.id,
                name=one.name,
                name_en=one.name_en,
                waiting=one.waiting,
                windows_open=one.windows_open,
                closed=one.closed,
                wait=None
                if one.wait is None
                else ApiWait(low=one.wait.low, high=one.wait.high, beyond=one.wait.beyond),
            )
            for one in live.queues
        ],
    )


def _last(
    status: HallStatus, figures: Sequence[QueueFigures], names: Directory, now: int
) -> HallQueues:
    known = {one.queue: one for one in figures}
    return HallQueues(
        hall=status.id,
        live=False,
        as_of=status.received_at,
        age_seconds=_age(status.received_at, now),
        queues=[
            ApiQueue(
                id=one.id,
                name=one.name,
                name_en=one.name_en,
                waiting=known[one.id].waiting if one.id in known else 0,
                windows_open=None,
                closed=None,
                wait=None,
            )
            for one in names.of(status.id, "queue")
        ],
    )


def _age(at: int, now: int) -> int:
    return max(0, now - at) // 1000 if at else 0


def figure_call(
    halls: HallsApi, statistics: StatisticsApi
) -> ApiOperation[FigureParams, None, HallFigures]:
    async def run(call: ApiCall[FigureParams, None]) -> HallFigures:
        scope = call.subject.scope(Permission.TICKETS)
        status = await hall_within(call.uow, halls, scope, call.params.hall)
        if not scope.has(status.id):
            raise Refusal("hall.unknown")
        day = call.params.day or statistics.today()
        check_span(day, day, 1)
        names = await halls.directory(call.uow, scope, status.id)
        found = await statistics.queues(call.uow, scope, day, status.id)
        return HallFigures(
            hall=status.id,
            day=day,
            as_of=status.received_at,
            queues=[_figures(one, names) for one in sorted(found, key=lambda one: one.queue)],
        )

    return ApiOperation(
        name="getHallFigures",
        method="GET",
        path="/halls/{hall}/figures",
        tag="figures",
        scope=TICKETS_READ,
        summary=Both("大厅一天的取号数字", "Figures of a hall's day"),
        purpose=Both(
            "一个业务日每个队列的取号、等候、办结、过号数和等候时间。只有数字，没有个人信息。",
            "Tickets issued, waiting, done and missed by queue on one business day, with waiting times. Counts alone.",
        ),
        params=FigureParams,
        result=HallFigures,
        run=run,
        errors=("hall.unknown", "api.span"),
    )


def _figures(one: QueueFigures, names: Directory) -> ApiFigures:
    entry = names.find(one.hall, "queue", one.queue)
    return ApiFigures(
        queue=one.queue,
        name=entry.name,
        name_en=entry.name_en,
        issued=one.issued,
        waiting=one.waiting,
        serving=one.serving,
        done=one.done,
        no_show=one.no_show,
        cancelled=one.cancelled,
        booked=one.booked,
        wait_average=one.wait_average,
        wait_p90=one.wait_p90,
    )
