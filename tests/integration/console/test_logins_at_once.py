"""Accounts, tries and sessions when several people do something at one moment, and long afterwards."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import sqlalchemy as sa
from at_once import code_of, second_of_two
from city_hall import START

from console.app.city import City, open_city
from console.core.api_scopes import APPOINTMENTS_READ
from console.core.divisions import full
from console.core.permissions import SYSTEM, Reach, ReachKind
from console.core.uow import Uow
from console.halls.api import HALLS
from console.modules.gateway.clients import Access
from console.modules.gateway.outbox import Outbox
from console.modules.gateway.service import IntegratorService
from console.modules.gateway.subscriptions import Subscriptions
from console.modules.identity import models as m
from console.modules.identity.accounts import AccountService
from console.modules.identity.api import IDENTITY
from console.modules.identity.policy import LONGEST_SESSION_MS, Policy, PolicyBook
from console.modules.identity.repository import AccountRepository, PgSessionStore
from console.modules.organisation.api import ORGANISATION
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.security.lockout import Tries
from qingting.kernel.security.passwords import Passwords
from qingting.kernel.web import WebSession

pytestmark = pytest.mark.postgres
OLD = START - 2 * 86_400_000
IMPATIENT = sa.text("SET LOCAL lock_timeout = 2000")


@pytest.fixture
async def city(city_url: str) -> AsyncIterator[City]:
    async with open_city(city_url, clock=ManualClock(START)) as one:
        yield one


def accounts_of(city: City) -> tuple[AccountService, PgSessionStore]:
    take, store = city.context.take, PgSessionStore(city.db, PolicyBook())
    service = AccountService(
        city.context.clock, city.context.audit, Passwords(), store, take(ORGANISATION), take(HALLS)
    )
    return service, store


async def test_two_who_log_in_at_once_do_not_wait_for_each_others_old_tries(city: City) -> None:
    async with city.db.write() as uow:
        for name in ("ann", "bob"):
            tries = AccountRepository(uow)
            await tries.lock_tries(name, OLD)
            await tries.put_tries(name, Tries(1, 0), OLD)
    async with city.db.write() as ann, city.db.write() as bob:
        for name, uow in (("ann", ann), ("bob", bob)):
            await uow.run(IMPATIENT)
            assert (await AccountRepository(uow).lock_tries(name, START)).failed == 1
        await AccountRepository(ann).forget_tries("ann", START)
        await AccountRepository(bob).forget_tries("bob", START)
    async with city.db.read() as uow:
        assert await uow.scalar(sa.select(sa.func.count()).select_from(m.tries)) == 0


async def twice(city: City, make: Callable[[Uow], Awaitable[object]]) -> str:
    """What the second is told of two who make the same at one moment."""
    async with city.db.write() as uow:
        await city.context.take(ORGANISATION).seed(uow)
    return code_of(await second_of_two(city.db, make, make))


async def test_an_account_that_two_make_at_once_is_made_by_one_and_the_other_is_told(
    city: City,
) -> None:
    service, _ = accounts_of(city)

    async def make(uow: Uow) -> None:
        await service.create(uow, SYSTEM, name="wang", division=full("230602"), staff="")

    assert await twice(city, make) == "account.exists"


async def test_an_integrator_that_two_make_at_once_is_made_by_one_and_the_other_is_told(
    city: City,
) -> None:
    context, scopes = city.context, {APPOINTMENTS_READ.name: APPOINTMENTS_READ}
    clock, take = context.clock, context.take
    webhooks = Subscriptions(clock, context.sealer, Outbox(clock))
    service = IntegratorService(
        clock, context.audit, take(IDENTITY), take(ORGANISATION), scopes, webhooks
    )
    access = Access(
        name="市民云", contact="", scopes=tuple(scopes), networks=(), per_minute=60, per_day=1000,
        reach=Reach(ReachKind.REGION, full("230602")),
    )  # fmt: skip

    async def make(uow: Uow) -> None:
        await service.make(uow, SYSTEM, "city-cloud", access)

    assert await twice(city, make) == "integrator.exists"


async def test_sessions_that_are_over_are_not_shown_and_their_rows_go_with_the_next_login(
    city: City,
) -> None:
    service, store = accounts_of(city)
    idle, _ = Policy().limits

    def began(at: int) -> WebSession:
        return WebSession(subject="system", csrf="c", created_at=at, seen_at=at)

    for key, at in (("day", START - LONGEST_SESSION_MS - 1), ("idle", START - idle - 1)):
        await store.put(key, began(at))
    await store.put("here", began(START))
    async with city.db.read() as uow:
        assert [one.key for one in await service.own_sessions(uow, SYSTEM)] == ["here"]
        rows = await uow.all(sa.select(m.session.c.digest).order_by(m.session.c.digest))
        assert [row["digest"] for row in rows] == ["here", "idle"]
