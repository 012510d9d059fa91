"""The sync with a simulated item system over HTTP: what it says becomes drafts, versions, conflicts; it may fail as it likes."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from console.app.city import City, open_city
from console.core.channels import Message
from console.core.delivering import DeliveryError
from console.core.outside import ItemSystemSettings
from console.core.permissions import SYSTEM, Area, Permission, Scope, Subject
from console.modules.catalogue import repository
from console.modules.catalogue.api import CATALOGUE, ItemBody
from console.modules.catalogue.service import CatalogueService, seen_of
from console.modules.catalogue.sync import store
from console.modules.catalogue.sync.job import Teller
from console.modules.catalogue.sync.rules import TRUSTABLE, Kind, SyncRules
from console.modules.catalogue.sync.service import SyncService
from console.modules.catalogue.sync.wire import HttpSource
from qingting.contract.conditions import Severity
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import ManualClock
from simulators.item_system import Fault, ItemSystem, create_item_system_app
from simulators.item_system.stock import city_items

pytestmark = pytest.mark.postgres
KEY, SECRET = "city", "a-secret-of-sixteen-or-more"
ITEMS = city_items()[:25]
A, B, C = (str(one["taskCode"]) for one in ITEMS[:3])
BY_HAND = SyncRules(scheduled=False, page_rows=10, trusted=TRUSTABLE, most_withdrawn=20)
PERSON = Subject(id="person", name="person", grants=SYSTEM.grants)
ELSEWHERE = Subject(
    id="elsewhere",
    name="elsewhere",
    grants={Permission.CATALOGUE: Scope((Area(halls=frozenset(), division="230603"),))},
)


@dataclass
class Stage:
    """A city and the item system that it asks."""

    city: City
    system: ItemSystem
    clock: ManualClock
    sync: SyncService
    url: str

    @property
    def catalogue(self) -> CatalogueService:
        service = self.city.context.take(CATALOGUE)
        assert isinstance(service, CatalogueService)
        return service

    async def rules(self, **changes: Any) -> None:
        async with self.city.db.write() as uow:
            await self.sync.put_rules(uow, SYSTEM, msgspec.structs.replace(BY_HAND, **changes))

    async def run(self, kind: Kind = Kind.INCREMENT, turns: int = 50) -> store.Run:
        """Begins a run and works at it as long as there is something to do at once."""
        await self.clock.advance(1)
        async with self.city.db.write() as uow:
            await self.sync.start(uow, SYSTEM, kind)
        return await self.turns(turns)

    async def turns(self, most: int = 50, worker: str = "one") -> store.Run:
        while most and await self.sync.turn(worker):
            most -= 1
        async with self.city.db.read() as uow:
            _, found = await store.runs(uow, 1)
        return found[0]

    async def item(self, code: str) -> ItemBody:
        async with self.city.db.read() as uow:
            return (await self.catalogue.item(uow, code)).body

    async def draft(self, code: str, **changes: Any) -> None:
        """A person edits an item."""
        async with self.city.db.write() as uow:
            versions = await self.catalogue.versions(uow, SYSTEM, code)
            body = msgspec.structs.replace(versions[0].body, **changes)
            await self.catalogue.put_draft(uow, PERSON, code, body, seen_of(versions))


@pytest.fixture
async def stage(city_url: str) -> AsyncIterator[Stage]:
    clock = ManualClock()
    system = ItemSystem(KEY, SECRET, items=ITEMS, clock=clock)
    outer = web.Application()
    outer.add_subapp("/item-system/", create_item_system_app(system))
    runner = web.AppRunner(outer, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/item-system/api"
    async with open_city(city_url, clock=clock) as city:
        source = HttpSource(ItemSystemSettings(url=url, key=KEY, secret=SECRET), clock)
        catalogue = city.context.take(CATALOGUE)
        assert isinstance(catalogue, CatalogueService)
        sync = SyncService(city.db, clock, city.context.audit, catalogue, source, 480)
        one = Stage(city, system, clock, sync, url)
        await one.rules()
        yield one
    await runner.cleanup()


def figures(run: store.Run, *names: str) -> list[int]:
    return [run.figures.get(name, 0) for name in names]


async def test_a_full_sync_brings_everything_and_once_more_brings_nothing(stage: Stage) -> None:
    stage.system.set_fault(Fault.BAD_ROWS, after=2)
    run = await stage.run(Kind.FULL)
    assert (run.state, run.pages, run.problem) == ("done", 3, "uncoded")
    assert figures(run, "rows", "new", "published", "bad") == [28, 25, 25, 3]
    async with stage.city.db.read() as uow:
        bad = await store.bad_rows(uow, run.no)
    assert [(one.place, one.code, one.faults[0].field) for one in bad] == [
        (21, "123", "code"), (22, "", "code"), (23, "", "code"),
    ]  # fmt: skip
    assert (await stage.item(A)).name == ITEMS[0]["taskName"]
    for fault in (None, Fault.REPEAT, Fault.REORDER):
        stage.system.set_fault(fault)
        again = await stage.run(Kind.FULL)
        assert figures(again, "new", "changed", "conflicts", "bad", "withdrawals") == [0] * 5
        assert again.state == "done"


async def test_drafts_where_nothing_is_trusted_and_the_sources_day_where_something_is(
    stage: Stage,
) -> None:
    await stage.rules(trusted=("limits",))
    assert figures(await stage.run(Kind.FULL), "drafts", "published") == [25, 0]
    today = stage.catalogue.today()
    async with stage.city.db.write() as uow:
        found = await stage.catalogue.reviews(uow, SYSTEM, [A])
        assert found[0].draft.wanted_from == date(2025, 1, 1)
        await stage.catalogue.publish(uow, PERSON, {A: 1, B: 1}, today)
    later = today + timedelta(days=9)
    stage.system.change(A, promiseLimit=1, effectDate=str(later))
    stage.system.change(B, promiseLimit=1, taskName="新名")
    assert figures(await stage.run(), "published", "drafts") == [1, 1]
    async with stage.city.db.read() as uow:
        versions = await stage.catalogue.versions(uow, SYSTEM, A)
    assert (versions[0].effective_from, versions[0].origin) == (later, "sync")


async def test_a_field_changed_on_both_sides_is_decided_by_a_person_and_the_rest_comes(
    stage: Stage,
) -> None:
    await stage.run(Kind.FULL)
    await stage.draft(A, name="我们的名称", basis="我们的依据")
    stage.system.change(A, taskName="他们的名称", promiseLimit=1)
    for _ in range(2):
        assert figures(await stage.run(Kind.FULL), "conflicts", "changed") == [1, 0]
    async with stage.city.db.write() as uow:
        assert await stage.sync.conflicts(uow, ELSEWHERE) == []
        with pytest.raises(Refusal, match=r"sync\.no_conflict"):
            await stage.sync.decide(uow, ELSEWHERE, A, {"name": "ours"}, "")
        (one,) = await stage.sync.conflicts(uow, SYSTEM)
        assert [(c.field, c.base, c.ours, c.theirs) for c in one.merged.clashes] == [
            ("name", ITEMS[0]["taskName"], "我们的名称", "他们的名称")
        ]
        for choices, seen, code in (
            ({}, one.seen, "sync.undecided"),
            ({"name": "ours"}, "x", "catalogue.changed"),
        ):
            with pytest.raises(Refusal, match=code.replace(".", r"\.")):
                await stage.sync.decide(uow, PERSON, A, choices, seen)
        await stage.sync.decide(uow, PERSON, A, {"name": "theirs"}, one.seen)
        newest = (await repository.newest(uow, [A]))[A]
    assert (newest.state, newest.made_by) == ("draft", "person")
    assert (newest.body.name, newest.body.basis) == ("他们的名称", "我们的依据")
    assert newest.body.promised is not None
    assert newest.body.promised.amount == 1
    assert figures(await stage.run(Kind.FULL), "conflicts", "changed", "drafts") == [0, 0, 0]
    assert (await stage.item(A)).name == ITEMS[0]["taskName"], "a draft is nothing in force"


async def test_a_withdrawn_item_goes_with_its_day_and_many_at_once_wait_for_a_person(
    stage: Stage,
) -> None:
    never_here = str(ITEMS[-1]["taskCode"])
    stage.system.withdraw(never_here, "2026-01-01")
    assert figures(await stage.run(Kind.FULL), "new", "withdrawn") == [24, 0]
    today = stage.catalogue.today()
    stage.system.withdraw(A, str(today + timedelta(days=3)))
    await stage.draft(B, charge="10 元")
    stage.system.withdraw(B, str(today))
    stage.system.forget(C)
    assert figures(await stage.run(), "withdrawn", "conflicts") == [1, 1]
    assert (await stage.item(A)).withdrawn is False, "not before its day"
    await stage.clock.advance(3 * 86_400)
    with pytest.raises(Refusal, match=r"catalogue\.unknown"):
        await stage.item(A)
    stage.system.set_fault(Fault.WRONG_TOTAL)
    lied = await stage.run(Kind.FULL)
    assert (lied.problem, figures(lied, "withdrawn", "unclear")) == ("total", [0, 1])
    stage.system.set_fault(None)
    assert figures(await stage.run(Kind.FULL), "withdrawn") == [1]
    with pytest.raises(Refusal, match=r"catalogue\.unknown"):
        await stage.item(C)
    rest = [str(one["taskCode"]) for one in ITEMS[3:-1]]
    for code in rest[:10]:
        stage.system.forget(code)
    for accept, gone in ((False, 0), (True, 10)):
        run = await stage.run(Kind.FULL)
        assert (run.state, figures(run, "withdrawals", "withdrawn")) == ("waiting", [10, 0])
        async with stage.city.db.write() as uow:
            await stage.sync.decide_withdrawals(uow, SYSTEM, run.no, accept=accept)
            with pytest.raises(Refusal, match=r"sync\.over"):
                await stage.sync.decide_withdrawals(uow, SYSTEM, run.no, accept=accept)
            ended = await store.run(uow, run.no)
        assert ended is not None
        assert (ended.state, figures(ended, "withdrawn")) == ("done", [gone])
    stage.system.change(A, taskState="1", cancelDate="")
    await stage.run()
    assert (await stage.item(A)).withdrawn is False, "and comes back when the source says so"


async def test_a_run_that_fails_in_the_middle_goes_on_where_it_was(stage: Stage) -> None:
    """Works, fails and says so once, works again; however it fails."""
    for fault, why in (
        (Fault.DOWN, "unreachable"), (Fault.CUT, "malformed"), (Fault.ERROR, "failed"),
        (Fault.REFUSED, "refused"), (Fault.GARBAGE, "malformed"), (Fault.CIRCLE, "malformed"),
    ):  # fmt: skip
        stage.system.set_fault(fault, after=1)
        with capture_logs() as logs:
            run = await stage.run(Kind.FULL)
            for _ in range(2):
                assert (run.state, run.pages, run.problem) == ("running", 1, why)
                await stage.clock.advance(60)
                run = await stage.turns()
            stage.system.set_fault(None)
            await stage.clock.advance(60)
            run = await stage.turns()
        assert (run.state, run.pages, run.figures["rows"]) == ("done", 3, 25), fault
        told = [one["event"] for one in logs if one["event"].startswith("items.source")]
        assert told == ["items.source_lost", "items.source_back"], fault
    async with stage.city.db.read() as uow:
        assert await store.alive(uow) == 25


async def test_one_run_at_a_time_and_another_worker_takes_over_what_one_left(stage: Stage) -> None:
    run = await stage.run(Kind.FULL, turns=1)
    assert run.pages == 1
    async with stage.city.db.write() as uow:
        with pytest.raises(Refusal, match=r"sync\.running"):
            await stage.sync.start(uow, SYSTEM, Kind.INCREMENT)
    assert (await stage.turns(worker="two")).pages == 1, "the first worker still has it"
    await stage.clock.advance(600)
    run = await stage.turns(worker="two")
    assert (run.state, run.pages, run.worker) == ("done", 3, "two")
    assert figures(run, "rows", "new") == [25, 25]


async def test_increments_by_time_and_by_token_and_by_the_clock(stage: Stage) -> None:
    stage.system.token = True
    source = HttpSource(ItemSystemSettings(url=stage.url, secret=SECRET, auth="token"), stage.clock)
    stage.sync._source = source
    await stage.rules(increment="modified", scheduled=True, every_minutes=15)
    first = await stage.turns()
    assert (first.kind, first.by, first.state) == ("full", "system", "done")
    await stage.clock.advance(600)
    stage.system.change(A, fee="5 元")
    assert (await stage.turns()).no == first.no
    await stage.clock.advance(600)
    run = await stage.turns()
    assert (run.kind, figures(run, "rows", "published")) == ("increment", [1, 1])
    assert "modified_since=" in stage.system.asked[-1]


@dataclass
class Listener:
    """A channel that keeps what it is told, or fails."""

    name: str = "kept"
    least: Severity = Severity.WARNING
    carries_all: bool = True
    fails: bool = True
    told: list[Message] = field(default_factory=list)

    def addressed(self, name: str, to: Sequence[str]) -> "Listener":
        return self

    async def send(self, message: Message) -> None:
        if self.fails:
            raise DeliveryError("closed")
        self.told.append(message)


async def test_people_are_told_once_that_the_source_is_silent(stage: Stage) -> None:
    channel = Listener()
    teller = Teller(stage.city.db, stage.clock, stage.sync, [channel])
    await stage.run(Kind.FULL)
    await stage.clock.advance(5 * 3600)
    await teller.tell()
    await stage.clock.advance(2 * 3600)
    await teller.tell()
    assert channel.told == []
    channel.fails = False
    for _ in range(3):
        await teller.tell()
    assert ["6 小时" in one.text for one in channel.told] == [True]
    async with stage.city.db.read() as uow:
        figures = await stage.sync.figures(uow)
    assert figures is not None
    assert (figures.age_ms, figures.conflicts) == (7 * 3600_000, 0)
    await stage.run()
    await teller.tell()
    await teller.tell()
    assert [one.act for one in channel.told] == ["raised", "cleared"]
    assert "恢复应答" in channel.told[1].text
    await stage.clock.advance(7 * 3600)
    await teller.tell()
    assert len(channel.told) == 3
