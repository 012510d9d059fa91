"""Of two administrators who change the same thing, or begin a restore, at one moment the second is told so."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import cast

import msgspec
import pytest
from at_once import code_of, second_of_two
from city_hall import START

from console.app.city import City, open_city
from console.core.divisions import full
from console.core.permissions import SYSTEM
from console.core.uow import Uow
from console.core.upkeep import UpkeepSettings
from console.halls.api import HALLS
from console.modules.identity.api import CONFIRM
from console.modules.jobs.service import JobService
from console.modules.notifications.api import NOTIFICATIONS
from console.modules.notifications.desk import NoticeDesk
from console.modules.notifications.rules import NoticeRules
from console.modules.notifications.service import NotificationService
from console.modules.notifications.topics import TopicSettings
from console.modules.organisation.api import ORGANISATION, Department, Division, Staff
from console.modules.organisation.service import OrganisationService
from console.modules.organisation.staff import StaffService
from console.modules.upkeep.api import Hosting, Program
from console.modules.upkeep.backups import Backups
from console.modules.upkeep.restores import MakeRestore, Restores
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres


@pytest.fixture
async def city(city_url: str) -> AsyncIterator[City]:
    async with open_city(city_url, clock=ManualClock(START)) as one:
        yield one


async def test_rules_of_notices_that_two_change_at_once_are_the_first_ones(city: City) -> None:
    service = cast("NotificationService", city.context.take(NOTIFICATIONS))
    desk = NoticeDesk(service, city.context.audit, {})
    topic = next(iter(service.topics.values()))
    settings = TopicSettings.of(topic.topic)
    for seen in (0, 1):

        async def rules(uow: Uow, seen: int = seen) -> None:
            await desk.put_rules(uow, SYSTEM, NoticeRules(per_day=5), seen)

        async def how(uow: Uow, seen: int = seen) -> None:
            await desk.put_topic(uow, SYSTEM, topic, msgspec.structs.replace(settings), seen)

        assert code_of(await second_of_two(city.db, rules, rules)) == "notice.changed"
        assert code_of(await second_of_two(city.db, how, how)) == "notice.changed"


async def test_what_two_add_to_the_organisation_at_once_is_the_first_ones(city: City) -> None:
    service = cast("OrganisationService", city.context.take(ORGANISATION))
    district, code = full("230602"), full("230602990")
    async with city.db.write() as uow:
        await service.seed(uow)

    def department(name: str) -> Callable[[Uow], Awaitable[None]]:
        one = Department(id="rsj", name=name, name_en="", code="", uscc="", division=district, parent="")  # fmt: skip
        return lambda uow: service.put_department(uow, SYSTEM, one, new=True, uscc_compared=False)

    def division(name: str) -> Callable[[Uow], Awaitable[Division]]:
        return lambda uow: service.put_division(uow, SYSTEM, code, name=name, name_en="", new=True)

    found = await second_of_two(city.db, department("人社局"), department("认输局"))
    assert code_of(found) == "department.exists"
    found = await second_of_two(city.db, division("新街道"), division("旧街道"))
    assert code_of(found) == "division.exists"
    context = city.context
    keeper = StaffService(context.clock, context.audit, context.take(HALLS), service)

    def colleague(name: str) -> Callable[[Uow], Awaitable[None]]:
        one = Staff(number="0103", name=name, post="", division=district, department="", hall="", left=False)  # fmt: skip
        return lambda uow: keeper.put(uow, SYSTEM, one, new=True)

    found = await second_of_two(city.db, colleague("王芳"), colleague("汪方"))
    assert code_of(found) == "organisation.staff_exists"
    async with city.db.read() as uow:
        found = await service.staff(uow, "0103")
        assert found is not None
        assert found.name == "王芳"
        assert [one.name for one in await service.departments(uow)] == ["人社局"]
        assert [one.name for one in await service.divisions(uow) if one.code == code] == ["新街道"]


async def test_a_restore_is_begun_once_though_two_ask_for_it_at_once(city: City) -> None:
    context = city.context
    jobs = JobService(context.clock, context.audit)
    backups = Backups(city.db, context.clock, context.audit, UpkeepSettings(), 480)

    async def looked(_: str) -> None:
        """Nothing is tried out here."""

    backups.given = Hosting(try_out=looked, program=Program(migrations=(), passing=()))
    restores = Restores(
        city.db, context.clock, context.audit, backups, jobs, context.take(CONFIRM), lambda: b"", 480
    )  # fmt: skip
    jobs.declare(restores.restoring)

    async def begin(uow: Uow) -> None:
        await restores.start(uow, SYSTEM, MakeRestore(file="a.tar"))

    assert code_of(await second_of_two(city.db, begin, begin)) == "backup.under_way"
