"""The city of a demonstration: its database, its administrator, its halls."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import sqlalchemy as sa

from console.app.city import City, open_city
from console.app.modules import MIGRATIONS
from console.core.migrate import create_database, migrate
from console.core.permissions import EVERYWHERE, SYSTEM, Permission
from console.core.postgres import EmbeddedPostgres
from console.core.sealing import KeyFile
from console.halls.api import HALLS, Spot
from console.modules.catalogue.api import ITEM_SYNC
from console.modules.identity.api import IDENTITY, OneTimePassword
from console.modules.privacy import models as privacy
from qingting.contract.bookings import Booking
from qingting.contract.config import HallConfig
from qingting.contract.directives import PutBooking
from qingting.contract.ids import HallId
from qingting.demo import sources
from qingting.demo.appointments import keep_booking, open_for_booking
from qingting.demo.item_system import trust_items

GRACE_DAYS = 30
"""So long administrators of a demonstration need no second factor; it is there to be set up."""


class CityCast(msgspec.Struct, frozen=True, kw_only=True):
    """The administrators' first logins (none once they were made) and the key of each hall."""

    database_url: str
    logins: tuple[OneTimePassword, ...]
    hall_keys: dict[HallId, str]


@asynccontextmanager
async def cast_city(
    folder: Path,
    database_url: str | None,
    configs: Sequence[HallConfig],
    bookings: Mapping[HallId, Sequence[Booking]],
    keys: KeyFile,
    *,
    lasting: bool,
) -> AsyncIterator[CityCast]:
    """A migrated database with the halls enrolled and their ``bookings`` on the way; an embedded PostgreSQL
    unless ``database_url`` is given. ``lasting``: the key file stays for the next demonstration; what one without
    left behind in ``database_url`` nobody can open any more, and its keys are forgotten."""
    if database_url is not None:
        yield await _prepare(database_url, configs, bookings, keys, lasting=lasting)
        return
    server = EmbeddedPostgres(folder / "postgres")
    await asyncio.to_thread(server.start)
    try:
        yield await _prepare(server.url(), configs, bookings, keys, lasting=True)
    finally:
        await asyncio.to_thread(server.stop)


async def _prepare(
    url: str,
    configs: Sequence[HallConfig],
    bookings: Mapping[HallId, Sequence[Booking]],
    keys: KeyFile,
    *,
    lasting: bool,
) -> CityCast:
    await create_database(url)
    await migrate(url, MIGRATIONS)
    async with open_city(url, keys=keys) as city:
        async with city.db.write() as uow:
            if not lasting:
                await uow.run(sa.delete(privacy.key))
        await city.check_keys()
        async with city.db.write() as uow:
            first = await city.context.take(IDENTITY).first_start(uow)
            if first:
                await city.context.take(IDENTITY).grant_grace(uow, GRACE_DAYS)
                await trust_items(uow, city.context.take(ITEM_SYNC), city.context.clock.now_ms())
        hall_keys: dict[HallId, str] = {}
        for config in configs:
            hall = config.hall
            hall_keys[HallId(hall.id)] = await city.enrol_hall(
                HallId(hall.id), name=hall.name, name_en=hall.name_en, key=secrets.token_urlsafe(32)
            )
        await open_for_booking(city, configs)
        await _place(city)
        await _book(city, configs, bookings)
    return CityCast(
        database_url=url,
        logins=first,
        hall_keys=hall_keys,
    )


async def _place(city: City) -> None:
    """Says once where the halls are on the earth; a place that somebody changed stays."""
    halls = city.context.take(HALLS)
    spots = {one.id: Spot(*one.spot) for one in sources.halls().values()}
    async with city.db.write() as uow:
        for one in await halls.halls(uow, EVERYWHERE):
            if one.spot is None and one.id in spots:
                await halls.place(
                    uow, SYSTEM, one.id, division="", department="", spot=spots[one.id]
                )


async def _book(
    city: City, configs: Sequence[HallConfig], bookings: Mapping[HallId, Sequence[Booking]]
) -> None:
    """As the city tells a hall of any booking: a directive with a number, which the hall fetches when it
    connects. One that a hall has already is replaced, never doubled."""
    halls = city.context.take(HALLS)
    async with city.db.write() as uow:
        for config in configs:
            hall = HallId(config.hall.id)
            for booking in bookings.get(hall, ()):
                await keep_booking(city, uow, config, booking)
                await halls.send(
                    uow, SYSTEM, hall, PutBooking(booking=booking), under=Permission.HALLS_DECIDE
                )
