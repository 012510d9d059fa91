"""The open API over HTTP: who gets in, what is counted, what is refused and how."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa
from aiohttp.test_utils import TestClient, TestServer
from api_client import Caller, access, caller, integrator, token_of
from city_hall import START
from console_browser import console

from console.app.away import Waiting, create_away
from console.app.server import ConsoleReady, ConsoleSettings
from console.core.divisions import full
from console.core.permissions import Reach, ReachKind
from console.modules.gateway import models as gateway
from console.modules.gateway.clients import TOKEN_SECONDS
from qingting.kernel.aio.clock import ManualClock, SystemClock

pytestmark = pytest.mark.postgres
SAERTU = Reach(ReachKind.REGION, full("230602"))


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock(START + 3_600_000)


@pytest.fixture
async def ready(city_url: str, clock: ManualClock) -> AsyncIterator[ConsoleReady]:
    async with console(city_url, clock) as one:
        for hall, name in (("saertu", "萨尔图"), ("longfeng", "龙凤")):
            await one.city.enrol_hall(hall, name=name, name_en=hall)
        yield one


async def test_a_token_opens_what_it_was_given_for_and_ends(
    ready: ConsoleReady, clock: ManualClock
) -> None:
    secret = await integrator(ready, "bureau", access("halls.read", "organisation.read"))
    async with aiohttp.ClientSession(ready.url) as http:
        wrong = await token_of(http, "bureau", "x" * 43)
        assert (wrong.status, wrong.body["error"]) == (401, "invalid_client")
        more = await token_of(http, "bureau", secret, "ratings.read")
        assert (more.status, more.body["error"]) == (403, "invalid_scope")
        less = await token_of(http, "bureau", secret, "organisation.read")
        assert less.body["scope"] == "organisation.read"
        one = Caller(http, less.body["access_token"], "bureau")
        assert (await one.get("/divisions?limit=3")).status == 200
        refused = await one.get("/halls", Accept_Language="en")
        assert (refused.status, refused.body["code"]) == (403, "api.scope")
        assert "halls.read" in refused.body["detail"]
        assert refused.headers["Content-Type"].startswith("application/problem+json")
        await clock.advance(TOKEN_SECONDS + 1)
        ended = await one.get("/divisions")
        assert (ended.status, ended.body["code"]) == (401, "api.token")
        assert ended.headers["WWW-Authenticate"].startswith("Bearer")


async def test_pages_of_a_list_follow_each_other_and_an_unchanged_one_is_not_sent_again(
    ready: ConsoleReady,
) -> None:
    async with caller(ready, "bureau", access("organisation.read")) as one:
        found, cursor = [], ""
        while True:
            answer = await one.get("/divisions?limit=7" + (f"&cursor={cursor}" if cursor else ""))
            found += [each["code"] for each in answer.body["divisions"]]
            cursor = answer.body["next"]
            if cursor is None:
                break
        assert found == sorted(set(found))
        assert len(found) > 14
        first = await one.get("/divisions")
        same = await one.get("/divisions", If_None_Match=first.headers["ETag"])
        assert (same.status, same.body) == (304, "")


async def test_a_quota_is_counted_right_however_many_ask_at_once(
    ready: ConsoleReady, clock: ManualClock
) -> None:
    async with caller(ready, "busy", access("organisation.read", per_minute=10)) as one:
        answers = await asyncio.gather(*(one.get("/divisions?limit=1") for _ in range(25)))
        assert [each.status for each in answers].count(200) == 10
        late = next(each for each in answers if each.status == 429)
        assert late.body["code"] == "api.quota"
        assert late.headers["RateLimit-Remaining"] == "0"
        assert 0 < int(late.headers["Retry-After"]) <= 60
        await clock.advance(60)
        assert (await one.get("/divisions?limit=1")).headers["RateLimit-Remaining"] == "9"


async def test_the_quota_that_ends_first_is_told_and_its_end_in_words(
    ready: ConsoleReady, clock: ManualClock
) -> None:
    given = access("organisation.read", per_minute=10, per_day=11)
    async with caller(ready, "daily", given) as one:
        left = [(await one.get("/divisions?limit=1")).headers for _ in range(3)]
        assert {each["RateLimit-Limit"] for each in left} == {"10"}, "the minute ends first"
        await clock.advance(60)
        left = [(await one.get("/divisions?limit=1")).headers for _ in range(8)]
        assert {each["RateLimit-Limit"] for each in left} == {"11"}, "now it is the day"
        assert [each["RateLimit-Remaining"] for each in left] == [str(7 - n) for n in range(8)]
        late = await one.get("/divisions?limit=1", Accept_Language="zh")
        assert late.status == 429
        assert late.headers["Retry-After"] == late.headers["RateLimit-Reset"]
        assert re.search(
            r"今天的 11 次调用已经用完，请 \d+ 小时 \d+ 分钟后再试", late.body["detail"]
        )
        late = await one.get("/divisions?limit=1", Accept_Language="en")
        assert re.search(r"The 11 calls of today .* \d+ h \d+ min;", late.body["detail"])


async def test_a_scope_that_was_not_granted_is_named(ready: ConsoleReady) -> None:
    secret = await integrator(ready, "asks", access("halls.read"))
    async with aiohttp.ClientSession(base_url=ready.url) as http:
        answer = await token_of(http, "asks", secret, "halls.read pigeons.read")
    assert answer.body["error"] == "invalid_scope"
    assert "pigeons.read" in answer.body["error_description"]
    assert "halls.read" not in answer.body["error_description"]


async def test_a_hall_out_of_reach_is_answered_like_one_that_does_not_exist(
    ready: ConsoleReady,
) -> None:
    reach = Reach(ReachKind.HALL, "saertu")
    async with caller(ready, "bureau", access("halls.read", reach=reach)) as one:
        assert [each["id"] for each in (await one.get("/halls")).body["halls"]] == ["saertu"]
        away, none = await one.get("/halls/longfeng"), await one.get("/halls/nowhere")
        for each in (away, none):
            del each.body["request"]
        assert (away.status, away.body) == (none.status, none.body)
        assert away.status == 404


async def test_what_is_no_call_is_refused_in_the_callers_language(ready: ConsoleReady) -> None:
    async with caller(ready, "bureau", access("halls.read")) as one:
        for method, path, status, code in (
            ("GET", "/nothing", 404, "api.path"),
            ("DELETE", "/halls", 405, "api.method"),
            ("GET", "/halls?limit=0", 422, "api.parameter"),
            ("GET", "/halls?limit=ten", 422, "api.parameter"),
            ("GET", "/halls?limit=1&limit=2", 422, "api.parameter"),
            ("GET", "/halls?colour=red", 422, "api.parameter"),
            ("GET", "/halls?%00%F0%9F%98%80=red", 422, "api.parameter"),
            ("GET", "/halls?cursor=xx", 422, "api.cursor"),
        ):
            for asked, language in (("en", "en"), ("fr, zh;q=0.5", "zh-CN"), ("", "zh-CN")):
                answer = await one.ask(method, path, Accept_Language=asked)
                assert (answer.status, answer.body["code"]) == (status, code), path
                said = [answer.body.get(name) for name in ("title", "detail", "expected")]
                chinese = {bool(re.search("[\u4e00-\u9fff]", text)) for text in said if text}
                assert chinese == {language == "zh-CN"}, said
                assert bool(said[2]) == (code == "api.parameter"), said
                assert answer.headers["Content-Language"] == language
                assert answer.headers["Vary"] == "Accept-Language"
                assert "Access-Control-Allow-Origin" not in answer.headers
        assert (await one.get("/halls")).headers["Vary"] == "Accept-Language"
        assert (await one.ask("DELETE", "/halls")).headers["Allow"] == "GET"


async def test_an_address_that_is_not_allowed_gets_neither_token_nor_answer(
    ready: ConsoleReady,
) -> None:
    given = access("halls.read", networks=("10.20.0.0/16",))
    secret = await integrator(ready, "far", given)
    async with aiohttp.ClientSession(ready.url) as http:
        assert (await token_of(http, "far", secret)).status == 401
    # A token that was taken while the address was allowed opens nothing from elsewhere.
    async with caller(ready, "near", access("halls.read", networks=("127.0.0.0/8",))) as one:
        assert (await one.get("/halls")).status == 200
        async with ready.city.db.write() as uow:
            mine = sa.update(gateway.integrator).where(gateway.integrator.c.id == "near")
            await uow.run(mine.values(networks=["10.20.0.0/16"]))
        answer = await one.get("/halls")
        assert (answer.status, answer.body["code"]) == (403, "api.address")


async def test_a_city_that_is_being_restored_says_so_as_any_refusal_is_said(tmp_path: Path) -> None:
    settings = ConsoleSettings(data=str(tmp_path))
    app = await asyncio.to_thread(create_away, settings, SystemClock(), Waiting())
    async with TestClient(TestServer(app)) as http:
        answer = await http.get("/api/v1/halls", headers={"Accept-Language": "en"})
        found = await answer.json(content_type="application/problem+json")
        assert (answer.status, found["code"], found["retry"]) == (503, "city.restoring", True)
        assert (found["title"], answer.headers["Content-Language"]) == ("Service Unavailable", "en")
        assert answer.headers["Retry-After"] == "2"
