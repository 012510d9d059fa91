"""The list of all devices asked in SQL: the same answer as in Python, whatever the halls have said."""

import csv
import io
import itertools
import random
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec
import pytest
import sqlalchemy as sa
from city_hall import START, Log
from console_browser import HALL, browser, connect_hall, console, link_of
from test_projections import busy_day

from console.app.city import City, open_city
from console.core.audit import read_audit
from console.core.permissions import EVERYWHERE
from console.core.rows import save_rows
from console.halls import models as halls
from console.modules.devices import models as m
from console.modules.devices.api import DEVICES, GONE, DeviceInfo, FleetQuery
from qingting.contract import events as e
from qingting.contract.examples import KIOSK, PRINTER
from qingting.contract.ids import DeviceId, HallId
from qingting.contract.link import Live
from qingting.contract.pads import PadFacts
from qingting.contract.states import Condition, DeviceKind, DeviceState
from qingting.contract.views import ConditionView, DeviceView
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.order import natural

pytestmark = pytest.mark.postgres
NOW = START + 3_600_000
ONLINE, SILENT = HallId("h-online"), HallId("h-silent")
CONDITIONS: tuple[tuple[Condition, ...], ...] = (
    (), (Condition.OFFLINE,), (Condition.PAPER_LOW,), (Condition.PAPER_OUT, Condition.PAPER_LOW), (Condition.BUSY,),
)  # fmt: skip


@pytest.fixture
async def city(city_url: str) -> AsyncIterator[City]:
    async with open_city(city_url, clock=ManualClock(NOW)) as city:
        for hall in (ONLINE, SILENT):
            await city.enrol_hall(hall, name=f"{hall} 大厅", name_en=f"Hall {hall}")
        await _fill(city)
        yield city


async def _fill(city: City) -> None:
    """Every kind in every state with every set of conditions, at a hall that speaks and one that is silent;
    what the first says now is newer than the log for some and older for others."""
    dice = random.Random(7)
    rows, views = [], list[DeviceView]()
    cases = itertools.product((ONLINE, SILENT), DeviceKind, DeviceState, CONDITIONS)
    for number, (hall, kind, state, conditions) in enumerate(cases):
        changed = NOW - dice.randrange(10_000)
        rows.append(
            {
                "hall": hall, "id": f"d{number}", "kind": kind.value, "name": f"{number % 13}号设备",
                "name_en": f"Device {number}", "parent": f"d{number - 1}" if number % 3 == 0 else None,
                "win": dice.choice([None, "w-open", "w-shut"]), "state": state.value,
                "conditions": {one.value: NOW - 50 for one in conditions}, "detail": "log",
                "since": changed - 5, "changed_at": changed, "known_since": number,
            }
        )  # fmt: skip
        if hall == ONLINE and number % 5:
            views.append(
                DeviceView(
                    id=DeviceId(f"d{number}"), kind=kind, name="", name_en="", parent=None, window=None,
                    state=dice.choice(list(DeviceState)), since=NOW - 3, seen=NOW - dice.randrange(20_000),
                    conditions=tuple(
                        ConditionView(condition=one, since=NOW - 2) for one in dice.choice(CONDITIONS)
                    ),
                    detail="live", pad=PadFacts(battery=number % 100) if number % 4 else None,
                )
            )  # fmt: skip
    live = Live(at=NOW - 5_000, oldest_unacked=0, devices=tuple(views))
    link = {
        "session": "s", "connected": True, "since": NOW, "seen_at": NOW, "head": 0, "offset_ms": 0,
        "build": "", "refused": "",
    }  # fmt: skip
    columns = set(m.device.c.keys())
    async with city.db.write() as uow:
        await save_rows(uow, m.device, [_whole(row, columns) for row in rows])
        await save_rows(
            uow,
            m.window,
            [{"hall": hall, "id": "w-open", "open": True} for hall in (ONLINE, SILENT)],
        )
        await uow.run(
            sa.insert(m.span),
            {
                "hall": SILENT,
                "device": rows[-1]["id"],
                "what": GONE,
                "began": NOW - 7,
                "told": False,
            },
        )
        await save_rows(uow, m.help_call, [{"hall": ONLINE, "device": "d4", "since": NOW - 9}])
        await save_rows(uow, halls.link, [{"hall": ONLINE, **link}])
        await save_rows(
            uow, halls.live, [{"hall": ONLINE, "received_at": NOW, "body": msgspec.json.encode(live)}]
        )  # fmt: skip


def _whole(row: dict[str, object], columns: set[str]) -> dict[str, object]:
    """With a value for whatever other column the table has."""
    rest = {name: _blank(m.device.c[name]) for name in columns - set(row)}
    return {**row, **rest}


def _blank(column: sa.Column[object]) -> object:
    if column.nullable:
        return None
    return {sa.Boolean: True, sa.BigInteger: 0}.get(type(column.type), "")


def _sorted(devices: list[DeviceInfo]) -> list[DeviceInfo]:
    alike = [
        replace(one, conditions=tuple(sorted(one.conditions, key=lambda each: each.condition)))
        for one in devices
    ]
    return sorted(alike, key=lambda one: (one.hall, one.id))


async def test_sql_and_python_give_the_same_present_of_every_device(city: City) -> None:
    devices = city.context.take(DEVICES)
    async with city.db.read() as uow:
        ours = await devices.devices(uow, EVERYWHERE)
        page = await devices.search(uow, EVERYWHERE, FleetQuery())
        needing = await devices.search(uow, EVERYWHERE, FleetQuery(problems=True))
        counts = await devices.counts(uow, EVERYWHERE)
    assert len(ours) > 300
    assert {one.detail for one in ours} == {"log", "live"}
    assert sum(one.gone_at > 0 for one in ours) == 1
    assert _sorted(list(page.devices)) == _sorted(ours)
    assert {(one.hall, one.id) for one in needing.devices} == {
        (one.hall, one.id) for one in ours if one.needs_somebody
    }
    problems = sum(one.fresh and one.needs_somebody for one in ours)
    assert (page.kept, page.known, page.problems) == (len(ours), len(ours), problems)
    assert counts[ONLINE].needs == problems > 0
    assert counts[SILENT].needs == 0


@pytest.mark.parametrize("sort", ["device", "hall", "state", "since", "seen", "nonsense"])
async def test_pages_cut_one_order_into_pieces_and_the_last_is_never_passed(
    city: City, sort: str
) -> None:
    devices = city.context.take(DEVICES)
    async with city.db.read() as uow:
        whole = (await devices.search(uow, EVERYWHERE, FleetQuery(sort=sort))).devices
        back = (
            await devices.search(uow, EVERYWHERE, FleetQuery(sort=sort, descending=True))
        ).devices
        first = await devices.search(uow, EVERYWHERE, FleetQuery(sort=sort, rows=50, page=1))
        last = await devices.search(uow, EVERYWHERE, FleetQuery(sort=sort, rows=50, page=999))
    assert back == whole[::-1]
    assert first.devices == whole[:50]
    assert last.devices == whole[-(len(whole) % 50 or 50) :]
    assert first.kept == last.kept == len(whole)
    if sort == "device":
        keys = [(one.kind.value, natural(one.name), one.hall) for one in whole]
        assert keys == sorted(keys)


async def test_filters_keep_what_they_say_and_are_never_sql(city: City) -> None:
    devices = city.context.take(DEVICES)
    async with city.db.read() as uow:
        ours = await devices.devices(uow, EVERYWHERE)
        for query, keeps in (
            (FleetQuery(hall=SILENT), lambda one: one.hall == SILENT),
            (FleetQuery(kind="led"), lambda one: one.kind is DeviceKind.LED),
            (FleetQuery(state="lost"), lambda one: one.state is DeviceState.LOST),
            (
                FleetQuery(condition="paper_low"),
                lambda one: Condition.PAPER_LOW in [each.condition for each in one.conditions],
            ),
            (FleetQuery(fresh=True), lambda one: one.fresh),
            (FleetQuery(text="7号"), lambda one: "7号" in one.name),
            (FleetQuery(text="h-SILENT"), lambda one: one.hall == SILENT),
            (FleetQuery(text="%"), lambda _: False),
            (FleetQuery(text="'; DROP TABLE dev_device; --"), lambda _: False),
            (FleetQuery(hall="nowhere"), lambda _: False),
        ):
            page = await devices.search(uow, EVERYWHERE, query)
            wanted = [one for one in ours if keeps(one)]
            assert _sorted(list(page.devices)) == _sorted(wanted), query
            assert (page.kept, page.known) == (len(wanted), len(ours))


async def test_a_list_is_taken_out_as_filtered_and_the_audit_knows(city_url: str) -> None:
    log = Log(HALL)
    log.configure()
    log.add(
        e.DeviceRegistered(
            device=DeviceId(PRINTER), kind=DeviceKind.PRINTER, name="=1+1", parent=DeviceId(KIOSK)
        )
    )
    busy_day(log)
    async with console(city_url) as ready, browser(ready) as person, link_of(ready) as client:
        await person.enter(ready)
        await connect_hall(ready, client, log)
        async with person.http.get("/devices/export.csv?kind=printer") as answer:
            assert answer.headers["Content-Disposition"].endswith('.csv"')
            rows = list(csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig"))))
        assert [row[1] for row in rows] == ["设备", "'=1+1"]
        assert "机盖打开" in rows[1][9]
        async with person.http.get("/devices/export.xlsx?q=1") as answer:
            book = zipfile.ZipFile(io.BytesIO(await answer.read()))
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert sheet.count("<row ") >= 2
        assert "<f>" not in sheet
        assert "=1+1" in book.read("xl/sharedStrings.xml").decode()
        assert (await person.get("/devices/export.exe"))[0] == 404
        _, paper = await person.get("/devices/print?kind=printer")
        assert "机盖打开" in paper
        assert 'class="filters' not in paper
        _, page = await person.get("/devices?kind=printer&condition=cover_open&q=%3D1")
        assert "/devices/export.xlsx?kind=printer&amp;condition=cover_open&amp;q=%3D1" in page
        async with ready.city.db.read() as uow:
            acts = list(await read_audit(uow, "devices.export"))
        assert [one.detail for one in reversed(acts)] == ["1 csv kind=printer", "2 xlsx "]
