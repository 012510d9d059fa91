"""A citizen's messages: their own alone, unread until opened, by the ways that were chosen."""

import pytest
import sqlalchemy as sa
from citizen_stage import citizens_city, enter
from console_browser import browser
from patience import until

from console.app.server import ConsoleReady
from console.modules.citizens import models as citizens
from console.modules.notifications import models as m
from console.modules.notifications.ahead import FEW_AHEAD
from console.modules.notifications.api import NOTIFICATIONS
from console.modules.notifications.service import NotificationService

pytestmark = pytest.mark.postgres


async def tell(ready: ConsoleReady, citizen: str, ticket: str) -> int:
    """Tells somebody; gives the message's number once it is in the list."""
    notes = ready.city.context.take(NOTIFICATIONS)
    params: dict[str, str | int] = {
        "hall": "萨尔图区政务服务中心", "hall_en": "Saertu Hall", "ticket": ticket, "ahead": 3,
    }  # fmt: skip
    async with ready.city.db.write() as uow:
        await notes.tell(uow, FEW_AHEAD, citizen, params, key=f"{citizen} {ticket}")

    async def there() -> int | None:
        async with ready.city.db.read() as uow:
            found = m.message.c
            statement = sa.select(found.no).where(
                found.key == f"{citizen} {ticket}", found.state == "told"
            )
            no: int | None = await uow.scalar(statement)
            return no

    await until(there)
    return await there() or 0


async def test_a_citizen_reads_what_was_told_to_the_person_and_chooses_the_ways(
    city_url: str,
) -> None:
    async with (
        citizens_city(city_url) as ready,
        browser(ready) as zhang,
        browser(ready) as stranger,
    ):
        assert (await stranger.get("/c/messages"))[1].count("A023") == 0
        assert "还没有消息" in await enter(zhang, "person-citizen", "/c/messages")
        async with ready.city.db.read() as uow:
            citizen = str(await uow.scalar(sa.select(citizens.citizen.c.id)))
        own = await tell(ready, citizen, "A023")
        other = await tell(ready, "somebody-else", "B007")
        assert ">1</b>" in (await zhang.get("/c/messages/count"))[1]
        listed = (await zhang.get("/c/messages"))[1]
        assert ("A023" in listed, "B007" in listed) == (True, False)
        assert "有 1 条没看" in (await zhang.get("/c/me"))[1]
        assert "前面大约还有 3 位" in (await zhang.get(f"/c/messages/{own}"))[1]
        assert (await zhang.get(f"/c/messages/{other}"))[0] == 404
        assert "</b>" not in (await zhang.get("/c/messages/count"))[1]
        english = (await zhang.get(f"/c/messages/{own}?lang=en"))[1]
        assert "about 3 are before your number A023" in english
        await tell(ready, citizen, "A024")
        done = await zhang.submit("/c/messages", "/c/messages/read")
        assert (done[0], done[1]) == (200, "/c/messages")
        assert "not read yet" not in done[2]
        chosen = await zhang.get("/c/messages/choices")
        assert (chosen[0], "nothing to choose now" in chosen[1]) == (200, True), (
            "no way outside here"
        )


async def test_what_a_message_leads_to_is_there_for_its_reader(city_url: str) -> None:
    async with citizens_city(city_url) as ready, browser(ready) as zhang:
        await enter(zhang, "person-citizen", "/c/messages")
        notes = ready.city.context.take(NOTIFICATIONS)
        assert isinstance(notes, NotificationService)
        links = {one.topic.link for one in notes.topics.values()} - {""}
        assert links
        assert {link: (await zhang.get(link))[0] for link in links} == dict.fromkeys(links, 200)
