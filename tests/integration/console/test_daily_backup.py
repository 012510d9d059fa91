"""The day's backup is made by itself, once a day, and again when it came to nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from city_hall import START

from console.app.city import City, open_city
from console.core.upkeep import UpkeepSettings
from console.modules.jobs.service import JobService
from console.modules.upkeep.backups import Backups
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres
HOUR_S = 3_600


@pytest.fixture
async def city(city_url: str) -> AsyncIterator[City]:
    """Quiet: what is asked for waits until the test ends it, and no worker takes it first."""
    async with open_city(city_url, clock=ManualClock(START), quiet=True) as one:
        yield one


async def test_a_backup_that_failed_is_made_again_within_the_day_and_one_that_was_made_is_not(
    city: City, tmp_path: Path
) -> None:
    """It is nine in the morning in China when it begins."""
    clock, audit = city.context.clock, city.context.audit
    assert isinstance(clock, ManualClock)
    jobs = JobService(clock, audit)
    settings = UpkeepSettings(backup_folder=tmp_path, backup_hour=10, drill_days=0)
    backups = Backups(city.db, clock, audit, settings, 480)
    jobs.declare(backups.making)

    async def asked() -> int:
        """How many were asked for by now."""
        async with city.db.write() as uow:
            await backups.due(uow, jobs)
            return int(await uow.scalar(sa.text("SELECT count(*) FROM job_job")))

    async def ended(state: str) -> None:
        async with city.db.write() as uow:
            over = "UPDATE job_job SET state = :state, ended_at = :at WHERE state = 'waiting'"
            await uow.run(sa.text(over), {"state": state, "at": clock.now_ms()})

    assert await asked() == 0, "it is not time yet"
    await clock.advance(HOUR_S)
    assert (await asked(), await asked()) == (1, 1)
    await ended("failed")
    assert await asked() == 1, "what was wrong is given time to pass"
    await clock.advance(HOUR_S)
    assert await asked() == 2
    await ended("done")
    await clock.advance(5 * HOUR_S)
    assert await asked() == 2
    await clock.advance(19 * HOUR_S)
    assert await asked() == 3, "the next day's"
