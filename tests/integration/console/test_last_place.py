"""Two people never get one place: a thousand at once, two workers, one more killed in the middle."""

import asyncio
import sys
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from appointment_stage import booking_city, stage, visitor, wanted
from patience import HANG_S, until

from console.app.city import City
from console.modules.appointments import models as m
from console.modules.appointments.api import APPOINTMENTS
from qingting.contract.errors import Refusal

pytestmark = pytest.mark.postgres
WAITING = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
STAGE = Path(__file__).with_name("appointment_stage.py")


async def ask(city: City, name: str) -> str:
    try:
        async with city.db.write() as uow:
            api = city.context.take(APPOINTMENTS)
            return (await api.book(uow, visitor(name), wanted(), key="one")).state
    except Refusal as refusal:
        return refusal.code


async def test_of_a_thousand_at_once_one_gets_the_last_place_though_a_worker_is_killed(
    city_url: str,
) -> None:
    async with stage(city_url) as one, booking_city(city_url) as other:
        stuck = await asyncio.create_subprocess_exec(
            sys.executable, str(STAGE), city_url,
            stdout=asyncio.subprocess.PIPE,
            env={"PYTHONPATH": ":".join(sys.path)},
        )  # fmt: skip
        assert stuck.stdout is not None
        try:
            async with asyncio.timeout(HANG_S):
                # Whatever a city that starts has to say comes first.
                while (said := await stuck.stdout.readline()) != b"inside\n":
                    assert said, "it came to an end"
            asked = [
                asyncio.create_task(ask(city, f"{worker}-{number}"))
                for number in range(500)
                for worker, city in enumerate((one.city, other))
            ]
            async with one.city.db.read() as uow:
                await until(lambda: uow.scalar(WAITING))
        finally:
            stuck.kill()
            await stuck.wait()
        async with asyncio.timeout(HANG_S):
            answers = Counter(await asyncio.gather(*asked))
        assert answers == {"booked": 1, "appointments.full": 999}
        async with one.city.db.read() as uow:
            assert await uow.scalar(sa.select(sa.func.count()).select_from(m.seat)) == 1
            assert await uow.scalar(sa.select(sa.func.count()).select_from(m.appointment)) == 1
