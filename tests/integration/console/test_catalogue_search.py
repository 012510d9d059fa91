"""Who types a name in short finds it, and what is called just so comes first."""

from collections.abc import AsyncIterator, Mapping

import pytest
import sqlalchemy as sa
from console_browser import console
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from test_catalogue import CARD, codes

from console.app.modules import MIGRATIONS
from console.app.server import ConsoleReady
from console.core.migrate import migrate
from console.core.permissions import SYSTEM
from console.modules.catalogue.api import CATALOGUE, ItemBody
from console.modules.catalogue.service import CatalogueService

pytestmark = pytest.mark.postgres
NAMES = {
    "exact": "社保卡",
    "begins": "社保卡补办",
    "within": "补换社保卡",
    "short": "社会保障卡申领",
    "material": "灵活就业登记",
    "apart": "社区居民委员会自治章程备案保管卡",
    "other": "食品经营许可",
}


@pytest.fixture
async def ready(city_url: str) -> AsyncIterator[ConsoleReady]:
    async with console(city_url) as one:
        service = one.city.context.take(CATALOGUE)
        assert isinstance(service, CatalogueService)
        async with one.city.db.write() as uow:
            await service.lists.put_four_eyes(uow, SYSTEM, wanted=False)
            for name, code in coded().items():
                materials = ("社保卡",) if name == "material" else ()
                body = ItemBody(
                    name=NAMES[name], department="人社局", division="230600", materials=materials
                )
                await service.put_draft(uow, SYSTEM, code, body, "new")
            await service.publish(uow, SYSTEM, dict.fromkeys(coded().values(), 1), service.today())
        yield one


def coded() -> Mapping[str, str]:
    """Codes in the reverse order: so that it is not by them that the right ones come first."""
    return {name: f"{CARD[:-1]}{9 - at}" for at, name in enumerate(NAMES)}


async def found(ready: ConsoleReady, text: str) -> list[str]:
    names = {code: name for name, code in coded().items()}
    return [names[code] for code in await codes(ready, text=text)]


async def test_what_is_called_just_so_comes_before_what_is_shortened_or_names_it_elsewhere(
    ready: ConsoleReady,
) -> None:
    called = ["exact", "begins", "within", "short"]
    assert await found(ready, "社保卡") == [*called, "apart", "material"]
    assert await found(ready, "shebaoka") == called
    assert await found(ready, "sbk") == called
    assert (await found(ready, "社保卡 人社局"))[-3:] == ["short", "apart", "material"]
    assert await found(ready, "补办 社保卡") == ["begins"]


async def test_two_signs_find_a_name_with_at_most_two_signs_between_them(
    ready: ConsoleReady,
) -> None:
    assert await found(ready, "社保") == ["exact", "begins", "within", "short", "material"]
    assert await found(ready, "食营") == ["other"], "食品经营"
    assert await found(ready, "食可") == [], "far apart they are found in anything"


async def test_too_little_to_tell_finds_what_has_it_in_one_piece_alone(ready: ConsoleReady) -> None:
    assert await found(ready, "baoka") == ["within", "exact", "begins"]
    assert await found(ready, "kashen") == ["short"]
    assert await found(ready, "sheka") == []


async def test_items_of_before_are_found_by_their_syllables_after_the_programs_renewal(
    ready: ConsoleReady, city_url: str
) -> None:
    engine = create_async_engine(city_url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE cat_version DROP title, DROP syllables"))
        former = "UPDATE core_migration SET version_num = 'cat_0003' WHERE version_num = 'cat_0004'"
        assert (await connection.execute(sa.text(former))).rowcount == 1
    await migrate(city_url, MIGRATIONS)
    assert await found(ready, "shebaoka") == ["exact", "begins", "within", "short"]
    with pytest.raises(sa.exc.DBAPIError, match="never changed"):
        async with engine.begin() as connection:
            await connection.execute(sa.text("UPDATE cat_version SET title = ''"))
    await engine.dispose()
