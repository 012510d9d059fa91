"""Codes that confirm an address: however many requests come at one moment, one is sent and five are tried."""

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from at_once import code_of, second_of_two
from city_hall import START

from console.app.city import City, open_city
from console.core.permissions import SYSTEM
from console.core.uow import Uow
from console.modules.citizens.api import CITIZENS
from console.modules.citizens.contact import MOST_TRIES, Contact
from console.modules.citizens.service import CitizenService
from console.modules.notifications import models as notes
from console.modules.notifications.api import NOTIFICATIONS
from console.modules.privacy.api import PRIVACY
from qingting.contract.errors import Refusal
from qingting.contract.states import CertificateKind
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres


@pytest.fixture
async def city(city_url: str) -> AsyncIterator[City]:
    async with open_city(city_url, clock=ManualClock(START)) as one:
        yield one


async def known(city: City) -> tuple[Contact, str]:
    take = city.context.take
    service = take(CITIZENS)
    assert isinstance(service, CitizenService)
    contact = Contact(city.context.clock, service, take(NOTIFICATIONS), (), take(PRIVACY))
    async with city.db.write() as uow:
        one = await service.register(
            uow, SYSTEM, kind=CertificateKind.RESIDENT_ID, name="张小明", number="230602199001011238"
        )  # fmt: skip
    return contact, one.id


async def test_one_code_is_sent_of_two_that_are_asked_for_at_once(city: City) -> None:
    contact, citizen = await known(city)

    async def ask(uow: Uow) -> None:
        await contact.begin(uow, citizen, "phone", "13800000101")

    found = await second_of_two(city.db, ask, ask)
    assert code_of(found) == "citizen.code_again"
    async with city.db.read() as uow:
        assert await uow.scalar(sa.select(sa.func.count()).select_from(notes.message)) == 1


async def test_tries_at_one_moment_are_counted_one_after_the_other(city: City) -> None:
    contact, citizen = await known(city)

    async def guess(uow: Uow) -> Refusal | None:
        return await contact.confirm(uow, citizen, "phone", "x")

    async with city.db.write() as uow:
        await contact.begin(uow, citizen, "phone", "13800000101")
        for _ in range(MOST_TRIES - 2):
            await guess(uow)
    found = await second_of_two(city.db, guess, guess)
    assert isinstance(found, Refusal)
    assert (found.code, found.params) == ("citizen.code_wrong", {"left": 0})
    async with city.db.write() as uow:
        again = await guess(uow)
    assert code_of(again) == "citizen.code_over"
