"""A form that was made in one name goes out in no other one before its person has seen which, and pressed for that."""

import re
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from citizen_stage import citizens_city, enter, sign_in
from city_hall import START
from kept_forms import IDLE_S, OURS, Person, sent_by

from console.app.server import ConsoleReady
from console.modules.citizens import models as citizens
from console.modules.privacy import models as m
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres
PATH = "/c/me/requests"
WORDS = {"kind": "correct", "words": "登记的名称写错了"}


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock(START + 3_600_000)


@pytest.fixture
async def ready(city_url: str, clock: ManualClock) -> AsyncIterator[ConsoleReady]:
    async with citizens_city(city_url, clock) as one:
        yield one


@pytest.fixture
async def agent(ready: ConsoleReady) -> AsyncIterator[Person]:
    """Of two firms, and acting for herself."""
    one = Person(ready.url)
    await enter(one, "agent-woman", "/c/acting")
    yield one
    await one.http.close()


async def firms(agent: Person) -> list[tuple[str, str]]:
    found = re.findall(
        r'name="firm" value="([^"]+)"[^>]*><span><b>([^<]+)', (await agent.get("/c/acting"))[1]
    )
    assert len(found) == 2
    return found


async def act_for(agent: Person, firm: str) -> None:
    assert (await agent.submit("/c/acting", "/c/acting", firm=firm, next="/c"))[0] == 200


async def done(ready: ConsoleReady) -> int:
    async with ready.city.db.read() as uow:
        return len(await uow.all(sa.select(m.request)))


async def test_a_form_of_one_firm_goes_out_for_another_by_a_press_that_names_it(
    ready: ConsoleReady, agent: Person
) -> None:
    (one, _), (two, name) = await firms(agent)
    await act_for(agent, one)
    form = {**WORDS, "csrf": await agent.token(PATH)}
    await act_for(agent, two)
    status, _, page = await agent.send(PATH, form)
    assert (status, await done(ready)) == (403, 0), "not in the other's name, unseen"
    assert "打开时是为另一方（本人或另一家单位）办理的" in page
    assert f"为 {name} 提交" in page
    assert 'href="/c/acting" target="_blank"' in page
    kept = sent_by(page, PATH)
    assert kept["words"] == WORDS["words"]
    # Whoever changes back meanwhile is asked for the name of now.
    await act_for(agent, "")
    status, _, page = await agent.send(PATH, kept)
    assert (status, "打开时是为另一方（本人或另一家单位）办理的" in page, await done(ready)) == (
        403,
        True,
        0,
    )
    assert "以本人（" in page
    assert (await agent.send(PATH, sent_by(page, PATH)))[0] == 200
    assert await done(ready) == 1


async def test_after_the_next_login_a_firms_form_is_not_sent_in_the_own_name_unseen(
    ready: ConsoleReady, agent: Person, clock: ManualClock
) -> None:
    ((firm, _), _) = await firms(agent)
    await act_for(agent, firm)
    form = {**WORDS, "csrf": await agent.token(PATH)}
    await clock.advance(IDLE_S)
    status, _, page = await agent.send(PATH, form)
    assert status == 401
    kept = sent_by(page, PATH)
    await sign_in(agent, "agent-woman")
    _, _, page = await agent.send(PATH, kept)
    assert "打开时是为另一方（本人或另一家单位）办理的" in page
    assert "另一个账号" not in page
    await act_for(agent, firm)
    status, _, page = await agent.send(PATH, kept)
    assert (status, "打开时是为另一方（本人或另一家单位）办理的" in page) == (403, False), (
        "as it was when it was opened"
    )
    assert (await agent.send(PATH, sent_by(page, PATH)))[0] == 200
    assert await done(ready) == 1


async def test_another_names_page_gets_no_token_by_htmx(agent: Person) -> None:
    token = await agent.token(PATH)
    await act_for(agent, (await firms(agent))[0][0])
    part = {**OURS, "HX-Request": "true", "X-CSRF-Token": token}
    status, _, notice = await agent.send(PATH, WORDS, **part)
    assert (
        status,
        "data-token" in notice,
        "打开时是为另一方（本人或另一家单位）办理的" in notice,
    ) == (403, False, True)


async def test_who_chooses_the_same_again_goes_on_with_the_forms_of_before(
    ready: ConsoleReady, agent: Person
) -> None:
    ((firm, _), _) = await firms(agent)
    await act_for(agent, firm)
    form = {**WORDS, "csrf": await agent.token(PATH)}
    await act_for(agent, firm)
    assert (await agent.send(PATH, form))[0] == 200
    assert await done(ready) == 1


async def test_when_the_mandate_is_over_the_firms_form_is_not_sent_in_the_own_name_unseen(
    ready: ConsoleReady, agent: Person
) -> None:
    ((firm, _), _) = await firms(agent)
    for looked_at, kind in ((False, "correct"), (True, "copy")):
        async with ready.city.db.write() as uow:
            mandates = [dict(row) for row in await uow.all(sa.select(citizens.mandate))]
        await act_for(agent, firm)
        form = {**WORDS, "kind": kind, "csrf": await agent.token(PATH)}
        async with ready.city.db.write() as uow:
            await uow.run(sa.delete(citizens.mandate))
        if looked_at:
            assert "您正在为" not in (await agent.get("/c/items"))[1]
        status, _, page = await agent.send(PATH, form)
        assert (status, "以本人（" in page, await done(ready)) == (403, True, looked_at * 1)
        assert sent_by(page, PATH)["words"] == WORDS["words"]
        assert (await agent.send(PATH, sent_by(page, PATH)))[0] == 200
        assert await done(ready) == looked_at + 1
        async with ready.city.db.write() as uow:
            await uow.run(sa.insert(citizens.mandate).values(mandates))
        assert "您正在为" not in (await agent.get("/c/items"))[1], "nor for it again by itself"
