"""Citizens' pages on a running console: what everybody sees, who somebody is, and what others cannot get."""

import asyncio
import re
from collections.abc import AsyncIterator
from html import unescape

import aiohttp
import pytest
import sqlalchemy as sa
from aiohttp import web
from citizen_stage import CARD, citizens_city, enter, sign_in
from console_browser import Browser, browser
from yarl import URL

from console.app.server import ConsoleReady, ConsoleSettings, create_app
from console.core.permissions import SYSTEM, Area, Permission, Scope, Subject
from console.core.personal import PersonSought
from console.modules.citizens import models as m
from console.modules.citizens.api import CITIZENS, Level
from console.modules.notifications import models as notes
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.contract.states import CertificateKind
from qingting.kernel.security.persons import open_person
from simulators.id_cards import DEMO_CARDS

pytestmark = pytest.mark.postgres
NUMBER = DEMO_CARDS["citizen"].number
NAME = DEMO_CARDS["citizen"].name


@pytest.fixture
async def ready(city_url: str) -> AsyncIterator[ConsoleReady]:
    async with citizens_city(city_url) as one:
        yield one


async def code_for(ready: ConsoleReady) -> str:
    async with ready.city.db.read() as uow:
        rows = await uow.all(sa.select(notes.message).order_by(notes.message.c.no.desc()))
    return str(rows[0]["params"]["code"])


async def test_everybody_finds_a_service_and_a_hall_without_a_login(ready: ConsoleReady) -> None:
    async with browser(ready) as person:
        home = (await person.get("/c"))[1]
        assert "开放中，到 11:30" in home
        assert "2 人在等" in home
        for words in ("社会保障卡", "shbzk", "shehuibaozhang"):
            status, text = await person.get(f"/c/items?q={words}")
            assert (status, f"/c/items/{CARD}" in text, "找到 1 项" in text) == (200, True, True)
        for narrowed in ("theme=社会保障", "division=230602000000", "hall=longfeng", "bookable=1"):
            assert f"/c/items/{CARD}" in (await person.get(f"/c/items?{narrowed}"))[1], narrowed
        item = (await person.get(f"/c/items/{CARD}"))[1]
        for said in ("原件，在有效期内", "5 个工作日", "11月30日", "不收费", "第五十八条"):
            assert said in item, said
        hall = (await person.get("/c/halls/saertu"))[1]
        for said in ("08:30–11:30", "0459-6000000", "geo:46.63", "人社局"):
            assert said in hall, said
        status, _, text = await person.submit(
            "/c/halls", "/c/halls/near", latitude="46.57", longitude="125.141"
        )
        order = [text.index(f"/c/halls/{one}") for one in ("longfeng", "saertu", "ranghulu")]
        assert (status, order, "直线距离" in text) == (200, sorted(order), True)
        async with person.http.get("/c/look?elder=1&back=//evil.example") as answer:
            assert answer.url.path == "/c"
            assert 'data-theme="elder"' in await answer.text()
        for page in ("/c/me", "/c/acting"):
            async with person.http.get(page) as answer:
                assert (answer.url.path, answer.url.query["next"]) == ("/c/login", page)


async def test_a_halls_numbers_are_those_that_the_pages_behind_them_show(
    ready: ConsoleReady,
) -> None:
    """Saertu's items are in the catalogue; what Ranghulu handles it does not say, so there all of the city stand."""

    async def numbers(person: Browser, hall: str) -> dict[str, list[int]]:
        text = (await person.get(f"/c/halls/{hall}"))[1]
        section = text.split('id="what"')[1].split("</section>")[0]
        found: dict[str, list[int]] = {}
        for href, words in re.findall(r'<a href="([^"]+)">([^<]+)</a>', section):
            (n,) = re.findall(r"\d+", words)
            behind = (await person.get(unescape(href).partition("#")[0]))[1]
            assert f"找到 {n} 项" in behind, (hall, href)
            kind = "book" if "/c/book/" in href else "listed"
            listed = 'name="item"' if kind == "book" else '<li><a href="/c/items/'
            assert behind.count(listed) == int(n), (hall, href)
            found.setdefault(kind, []).append(int(n))
        return found

    async with browser(ready) as person:
        saertu = await numbers(person, "saertu")
        assert saertu == {"book": [1, 1], "listed": [1, 1, 1]}, "one of three is not booked there"
        text = (await person.get("/c/halls/saertu"))[1]
        assert "没有可以在这里预约的" in text
        assert "还没有公布每一项" not in text
        ranghulu = await numbers(person, "ranghulu")
        assert sum(ranghulu["book"]) == 2
        text = (await person.get("/c/halls/ranghulu?lang=en"))[1]
        assert "has not published which services" in text
        assert "bookable here: 1" in text
        assert "Public Security Bureau" not in text, "the catalogue has nothing of it"


async def test_holders_of_passports_and_travel_permits_log_in_and_staff_find_them_by_phone(
    ready: ConsoleReady,
) -> None:
    citizens = ready.city.context.take(CITIZENS)
    for user, kind, words, number, phone in (
        ("person-passport", CertificateKind.PASSPORT, "护照", "E00000000", "13800000106"),
        ("person-hk", CertificateKind.HK_MACAO_PERMIT, "港澳居民来往内地通行证", "H00000000", "13800000107"),
        ("person-taiwan", CertificateKind.TAIWAN_PERMIT, "台湾居民来往大陆通行证", "00000000", "13800000108"),
    ):  # fmt: skip
        async with browser(ready) as person:
            page = await enter(person, user)
            assert words in page
            assert number not in page
        async with ready.city.db.read() as uow:
            found = await citizens.find(uow, kind, number.lower())
            (by_phone,) = await citizens.find_by_phone(uow, f"+86 {phone[:3]} {phone[3:]}")
            assert found is not None
            assert by_phone.id == found.id
            sealed = await citizens.person(uow, found.id, HallId("saertu"))
            assert sealed.kind is kind
            assert phone not in str(await uow.all(sa.select(m.citizen)))


async def test_who_somebody_is_is_kept_sealed_and_shown_masked_after_consent(
    ready: ConsoleReady,
) -> None:
    async with browser(ready) as person, browser(ready) as agent:
        status, path, text = await sign_in(person, "person-citizen")
        assert (status, path) == (200, "/c/consent")
        status, path, text = await person.submit("/c/consent", "/c/consent", next="/c/me")
        assert (status, "请先勾选" in text) == (422, True)
        text = await enter(person, "person-citizen")
        assert "230602********1238" in text
        assert NUMBER not in text
        assert NAME not in text
        async with person.http.get("/c/me") as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
        async with ready.city.db.read() as uow:
            (row,) = await uow.all(sa.select(m.citizen))
            citizens = ready.city.context.take(CITIZENS)
            assert NUMBER not in str(dict(row))
            assert NAME not in str(dict(row))
            known = await citizens.find(uow, CertificateKind.RESIDENT_ID, NUMBER)
            assert known is not None
            assert (known.id, known.level) == (row["id"], Level.REAL_NAME)
            sealed = await citizens.person(uow, known.id, HallId("saertu"))
            assert open_person(ready.city.context.hall_sealer(HallId("saertu")), sealed) == (
                NAME, NUMBER,
            )  # fmt: skip
            reach = await citizens.reach(uow, known.id)
            assert reach is not None
            assert reach.phone == "13800000101"
        await _an_agent_says_for_whom(agent)
        await _a_mandate_that_is_taken_away_ends_acting_at_once(ready, agent)
        await _staff_register_the_same_person(ready, known.id)
    await _handed_over_and_erased_on_request(ready)


async def _an_agent_says_for_whom(agent: Browser) -> None:
    await enter(agent, "agent-woman", "/c/acting")
    text = (await agent.get("/c/acting"))[1]
    firm = re.search(r'name="firm" value="([^"]+)"', text.partition('value=""')[2])
    assert firm is not None
    status, _, text = await agent.submit("/c/acting", "/c/acting", firm=firm[1], next="/c")
    assert status == 200
    assert "您正在为" in text
    assert "您正在为" in (await agent.get("/c/items"))[1]
    assert (await agent.submit("/c/acting", "/c/acting", firm="nobody"))[0] == 403


async def _a_mandate_that_is_taken_away_ends_acting_at_once(
    ready: ConsoleReady, agent: Browser
) -> None:
    """The session lives on and still names the firm; every request asks whether it is given."""
    async with ready.city.db.write() as uow:
        assert await uow.run(sa.delete(m.mandate)) > 0
    status, text = await agent.get("/c/items")
    assert (status, "您正在为" in text) == (200, False)
    assert (await agent.get("/c/me"))[0] == 200, "and goes on as the person it is"


async def _staff_register_the_same_person(ready: ConsoleReady, known: str) -> None:
    citizens = ready.city.context.take(CITIZENS)
    async with ready.city.db.write() as uow:
        kind = CertificateKind.RESIDENT_ID
        same = await citizens.register(uow, SYSTEM, kind=kind, name=NAME, number=NUMBER)
        assert same.id == known
        with pytest.raises(Refusal, match=r"citizen\.name_differs"):
            await citizens.register(uow, SYSTEM, kind=kind, name="别人", number=NUMBER)
        with pytest.raises(Refusal, match=r"citizen\.number"):
            await citizens.register(uow, SYSTEM, kind=kind, name=NAME, number="230602199001011232")


async def _handed_over_and_erased_on_request(ready: ConsoleReady) -> None:
    (data,) = [one for one in ready.city.context.personal if one.holder == "citizens"]
    person = PersonSought(number=NUMBER, index=ready.city.context.sealer.blind_index(NUMBER))
    district = Subject(
        id="d", name="d", grants={Permission.PERSONAL: Scope((Area(halls=frozenset({"saertu"})),))}
    )
    async with ready.city.db.write() as uow:
        kind, citizens = CertificateKind.RESIDENT_ID, ready.city.context.take(CITIZENS)
        known = await citizens.register(uow, SYSTEM, kind=kind, name=NAME, number=NUMBER)
        (held,) = await data.about(uow, person)
        assert (held.fields["name"], held.fields["phone"]) == (NAME, "13800000101")
        assert (await data.masked(uow, SYSTEM, known.id))["number"] == "230602********1238"
        assert (await data.clear(uow, SYSTEM, known.id))["number"] == NUMBER
        with pytest.raises(Refusal, match=r"personal\.unknown"):
            await data.masked(uow, district, known.id)
        assert (await data.erase(uow, person)).erased == 1
        assert await data.about(uow, person) == []


async def _asks_for_the_own_data(person: Browser) -> None:
    asked = {"kind": "correct", "words": "电话换了"}
    status, path, text = await person.submit("/c/me/requests", "/c/me/requests", **asked)
    assert (status, path, "申请已收到" in text, "办理中" in text) == (
        200,
        "/c/me/requests",
        True,
        True,
    )
    status, _, text = await person.submit("/c/me/requests", "/c/me/requests", **asked)
    assert (status, "电话换了</textarea>" in text) == (409, True), "asked already; the words stay"


async def test_a_phone_number_is_kept_once_its_code_came_back_and_an_account_can_be_deleted(
    ready: ConsoleReady,
) -> None:
    async with browser(ready) as person:
        await enter(person, "person-citizen")
        status, _, text = await person.submit("/c/me", "/c/me/phone", value="1390000")
        assert (status, 'value="1390000"' in text) == (422, True)
        assert (await person.submit("/c/me", "/c/me/phone", value="139 0000 0001"))[0] == 200
        assert (await person.submit("/c/me", "/c/me/phone", value="13900000002"))[0] == 429
        code = await code_for(ready)
        wrong = f"{(int(code) + 1) % 1_000_000:06d}"
        status, _, text = await person.submit("/c/me", "/c/me/phone/code", passcode=wrong)
        assert (status, "还可以试 4 次" in text, "139****0001" in text) == (422, True, True)
        status, _, text = await person.submit("/c/me", "/c/me/phone/code", passcode=code)
        assert (status, "手机号已更换" in text, "139****0001" in text) == (200, True, True)
        for _ in range(2):
            assert (await person.submit("/c/me", "/c/me/mail", value="a@city.example"))[0] in (
                200,
                429,
            )
        for _ in range(5):
            assert (await person.submit("/c/me", "/c/me/mail/code", passcode="000000x"))[0] == 422
        code = await code_for(ready)
        assert (await person.submit("/c/me", "/c/me/mail/code", passcode=code))[0] == 409

        await _asks_for_the_own_data(person)
        assert (await person.submit("/c/me/delete", "/c/me/delete"))[0] == 422
        status, path, text = await person.submit("/c/me/delete", "/c/me/delete", sure="true")
        assert (status, path, "账户已注销" in text) == (200, "/c", True)
        async with person.http.get("/c/me") as answer:
            assert answer.url.path == "/c/login"
        async with ready.city.db.read() as uow:
            (row,) = await uow.all(sa.select(m.citizen))
            left = {
                name for name, value in row.items() if value and name.endswith(("box", "index"))
            }
            assert left == set()
            citizens = ready.city.context.take(CITIZENS)
            assert await citizens.find(uow, CertificateKind.RESIDENT_ID, NUMBER) is None


async def test_sessions_are_ones_own_new_with_each_login_and_can_be_ended_everywhere(
    ready: ConsoleReady,
) -> None:
    planted = "p" * 43
    async with browser(ready) as person, browser(ready) as other, browser(ready) as staff:
        person.http.cookie_jar.update_cookies({"qt_citizen": planted}, URL(ready.url))
        await enter(person, "person-citizen")
        cookies = {one.key: one for one in person.http.cookie_jar if one.key == "qt_citizen"}
        secret = [
            one.value
            for one in person.http.cookie_jar
            if one.key == "qt_citizen" and one["path"] == "/c"
        ]
        assert secret
        assert planted not in secret
        assert cookies["qt_citizen"]["samesite"] == "Lax"
        async with (
            aiohttp.ClientSession(ready.url, cookies={"qt_citizen": planted}) as thief,
            thief.get("/c/me") as answer,
        ):
            assert answer.url.path == "/c/login"
        # Staff's cookie is nothing here, and a citizen's nothing there.
        await staff.enter(ready)
        async with staff.http.get("/c/me") as answer:
            assert answer.url.path == "/c/login"
        async with (
            aiohttp.ClientSession(ready.url, cookies={"qt_city": secret[0]}) as thief,
            thief.get("/accounts") as answer,
        ):
            assert answer.url.path == "/login"
        # Nothing is changed without a form of ours.
        async with person.http.post("/c/me/phone", data={"value": "13900000009"}) as answer:
            assert answer.status == 403
        async with person.http.post("/c/logout", data={"csrf": "x"}) as answer:
            assert answer.status == 403
        # From a login nobody is led away.
        status, path, _ = await sign_in(other, "person-citizen", "//evil.example/c")
        assert (status, path) == (200, "/c")
        await person.submit("/c/me", "/c/me/sessions/end")
        for one in (person, other):
            async with one.http.get("/c/me") as answer:
                assert answer.url.path == "/c/login"


async def test_a_worker_of_one_zone_answers_that_zone_alone(ready: ConsoleReady) -> None:
    asked = ("/c", "/c/halls", "/login", "/accounts", "/", "/healthz", "/metrics")
    outside = ("/api/v1/halls", "/link", "/callback/citizens/logout")
    found = {}
    for serve in ("citizens", "staff"):
        app = await asyncio.to_thread(create_app, ready.city, ConsoleSettings(serve=serve))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as http:
                for path in asked:
                    async with http.get(path, allow_redirects=False) as answer:
                        found[serve, path] = (answer.status, answer.headers.get("Location", ""))
                for path in outside:
                    async with http.post(path, json={}, allow_redirects=False) as answer:
                        found[serve, path] = (answer.status, await answer.text())
        finally:
            await runner.cleanup()
    assert [found["citizens", one][0] for one in asked] == [200, 200, 404, 404, 303, 200, 404]
    assert found["citizens", "/"][1] == "/c"
    # Integrators and halls call a worker of the other zone; the sign-on's provider any of them.
    assert [found["citizens", one][0] == 404 for one in outside] == [True, True, False]
    assert found["citizens", outside[2]] == found["staff", outside[2]]
    assert [found["staff", one][0] for one in asked] == [404, 404, 200, 303, 303, 200, 200]
