"""Old records go, in batches and once; what is open or still holds stays however old it is."""

import asyncio

import pytest
import sqlalchemy as sa
from alarm_stage import HALL, SYSTEM_ADMIN, Stage, printer, stage
from city_hall import START
from patience import until

from console.app.city import open_city
from console.core.models import pruned
from console.core.pruning import prune_all
from console.core.retention import DAY_MS, RetentionSettings
from console.modules.alarms.pruning import PRUNE_LOCK
from console.modules.alarms.pruning import prunes as alarm_prunes
from console.modules.devicepage.pruning import prunes as timeline_prunes
from console.modules.devices.pruning import prunes as device_prunes
from qingting.contract.states import Condition
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres
TABLES = (
    "alarm_alarm", "alarm_step", "alarm_notice", "alarm_raising", "dev_span", "page_event",
    "alarm_maintenance",
)  # fmt: skip


async def prune(on: Stage, batch: int = 2) -> int:
    keep = RetentionSettings(keep_alarms_days=60, keep_notices_days=31, keep_devices_days=40)
    made = (alarm_prunes, device_prunes, timeline_prunes)
    prunes = [one for each in made for one in each(on.clock, keep)]
    # Two workers at once: one of them finds the door closed and leaves the rest to the other.
    both = await asyncio.gather(
        prune_all(on.city.db, PRUNE_LOCK, prunes, batch),
        prune_all(on.city.db, PRUNE_LOCK, prunes, batch),
    )
    return sum(both) + await prune_all(on.city.db, PRUNE_LOCK, prunes, batch)


async def counts(on: Stage) -> dict[str, int]:
    return {table: await on.count(table) for table in TABLES}


async def test_what_is_too_old_goes_and_what_is_open_stays(city_url: str) -> None:
    async with stage(city_url) as on:
        for _ in range(3):
            await on.hears(printer(Condition.COVER_OPEN))
            await on.look()
            await on.hears(printer())
            await on.look()
            await on.minutes(20)
        async with on.city.db.write() as uow:
            until = on.clock.now_ms() + 60_000
            await on.alarms.begin_maintenance(
                uow, SYSTEM_ADMIN, HALL, "", start=0, until=until, reason="x"
            )
        await on.minutes(2)
        await on.hears(printer(Condition.PAPER_OUT))
        await on.look()
        assert await prune(on) == 0, "nothing is old yet"
        before = await counts(on)
        assert before["alarm_alarm"] == 4
        await on.clock.advance(35 * 86_400)
        await on.connect()
        await prune(on)
        month = await counts(on)
        assert month["alarm_notice"] < before["alarm_notice"], "notices go first"
        assert month["alarm_alarm"] == 4
        await on.clock.advance(40 * 86_400)
        await on.connect()
        assert await prune(on) > 5
        assert await on.count("alarm_alarm") == 1
        assert await on.count("alarm_step") == 1
        assert await on.count("alarm_notice") == 1, "an open alarm keeps what was told of it"
        assert await on.count("dev_span", "ended IS NOT NULL") == 0
        assert await on.count("dev_span", "what = 'paper_out'") == 1
        assert await on.count("alarm_maintenance") == 0
        assert await on.count("page_event") < before["page_event"]
        assert await prune(on) == 0
        assert await on.open() == ["k1-printer:paper_out"], "nothing is raised once more"


async def test_a_history_built_again_raises_nothing_of_what_was_forgotten(city_url: str) -> None:
    async with stage(city_url) as on:
        for _ in range(2):
            await on.hears(printer(Condition.COVER_OPEN))
            await on.look()
            await on.hears(printer())
            await on.look()
            await on.minutes(20)
        await on.clock.advance(61 * 86_400)
        await on.connect()
        await prune(on)
        assert await on.count("alarm_alarm") == 0
        async with on.city.db.write() as uow:
            await uow.run(
                sa.text(
                    "INSERT INTO dev_span (hall, device, what, began, ended, told) "
                    "VALUES ('saertu', 'k1-printer', 'cover_open', :began, :ended, false)"
                ),
                {
                    "began": on.clock.now_ms() - 800 * DAY_MS,
                    "ended": on.clock.now_ms() - 799 * DAY_MS,
                },
            )
        await on.look()
        assert await on.count("alarm_alarm") == 0


async def test_a_worker_removes_every_kind_of_record_by_itself_and_notes_it(
    city_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.core.pruning.FIRST_AFTER_SECONDS", 0.0)
    async with open_city(city_url, clock=ManualClock(START)) as city:

        async def noted() -> bool:
            async with city.db.read() as uow:
                rows = await uow.all(sa.select(pruned.c.name))
            return {row["name"] for row in rows} == {
                "alarms", "citizens", "devices", "gateway", "jobs", "messages", "privacy",
                "timelines", "visits",
            }  # fmt: skip

        await until(noted)
