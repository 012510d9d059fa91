"""A citizen books a visit without scripts: chooses, is faster or slower than another, changes, cancels; nobody else
gets at it, and nothing personal is in an address."""

import re
from collections.abc import AsyncIterator

import msgspec
import pytest
from citizen_stage import CARD, OTHER, citizens_city, enter, sign_in
from console_browser import Browser, browser

from console.app.server import ConsoleReady
from console.modules.appointments import repository_rules as rules_repo
from console.modules.appointments.rules import CapacityBy, Level, Rule, Target
from qingting.contract.examples import CONFIG
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import ManualClock
from simulators.id_cards import DEMO_CARDS

pytestmark = pytest.mark.postgres
ONE_PLACE = Rule(capacity_by=CapacityBy.NUMBER, capacity=1, minutes=60)
TIMES = "/c/book/saertu/times"
PHONE_ALONE = "手机验证"


@pytest.fixture
async def ready(city_url: str) -> AsyncIterator[ConsoleReady]:
    async with citizens_city(city_url) as one:
        async with one.city.db.write() as uow:
            target = Target(hall=HallId("saertu"))
            await rules_repo.add_version(uow, target, 0, ONE_PLACE, at=1, by="test", note="")
        yield one


def link(text: str, starts: str) -> str:
    found = re.search(rf'href="({re.escape(starts)}[^"]*)"', text)
    assert found is not None, starts
    return found[1].replace("&amp;", "&")


async def take(person: Browser, page: str, start: str) -> tuple[int, str, str]:
    """Presses a time on the page of times."""
    _, text = await person.get(page)
    form = text.split('class="c-places"')[-1]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    async with person.http.post("/c/book/saertu/hold", data=fields | {"start": start}) as answer:
        return answer.status, answer.url.path, await answer.text()


async def test_a_visit_is_booked_changed_and_cancelled_by_whoever_it_belongs_to_alone(
    ready: ConsoleReady,
) -> None:
    async with browser(ready) as person, browser(ready) as other:
        item = (await person.get(f"/c/items/{CARD}"))[1]
        halls = (await person.get(link(item, "/c/book?code=")))[1]
        assert "/c/book/longfeng/times" in halls
        page = link(halls, TIMES)
        times = (await person.get(page))[1]
        assert "登录后预约" in times
        assert "余 1" in times
        login = link(times, "/c/login?next=")
        async with person.http.get(login) as answer:
            assert "用统一身份认证登录" in await answer.text()
        tomorrow = f"{page}&day=2026-11-24"
        assert "09:00" not in (await enter(person, "person-citizen", "/c/me"))
        await enter(other, "agent-woman", "/c/acting")

        # Two want the last place of a time: the second is told so, and offered what is nearest.
        status, path, held = await take(person, tomorrow, "08:30")
        assert (status, path.startswith("/c/book/hold/b-")) == (200, True)
        assert "data-until" in held
        assert "居民身份证" in held
        status, _, slower = await take(other, tomorrow, "08:30")
        assert (status, "刚刚约满" in slower, "离您选的时间最近的是" in slower) == (409, True, True)
        nearest = re.findall(r'name="start" value="([\d:]+)"', slower)
        assert nearest[0] == "09:30"

        status, booking, text = await person.submit(path, f"{path}/confirm", key="once")
        assert (status, "预约成功" in text, "<svg" in text, "已预约" in text) == (
            200,
            True,
            True,
            True,
        )
        assert "请在 08:00 到 09:45 之间" in text, (
            "until 15 minutes after the end, as the hall has it"
        )
        async with person.http.get(f"{booking}/visit.ics") as answer:
            assert answer.content_type == "text/calendar"
            assert answer.headers["Cache-Control"] == "no-store"
            assert "DTSTART:20261124T003000Z" in await answer.text()
        # Who has booked it already is led to the booking they have.
        status, _, again = await take(person, tomorrow, "09:30")
        assert (status, f'href="{booking}"' in again) == (409, True)
        await _nobody_else(other, path, booking)
        await _nothing_personal(person, text)

        change = link(text, TIMES)
        status, path, text = await take(person, change, "09:30")
        assert (status, path, "时间已更改" in text, "09:30–10:30" in text) == (
            200,
            booking,
            True,
            True,
        )
        cancel = f"{booking}/cancel"
        status, _, text = await person.submit(cancel, cancel, reason="other", key="c1")
        assert (status, 'value="other" checked' in text) == (422, True)
        status, _, text = await person.submit(cancel, cancel, reason="no_time", key="c2")
        assert (status, "预约已取消" in text, "时间不合适" in text) == (200, True, True)
        assert "已取消" in (await person.get("/c/bookings"))[1]


def ticked(text: str) -> list[str]:
    return re.findall(r'name="item" value="([^"]*)" checked', text)


async def test_what_is_chosen_stays_and_comes_first_while_more_is_looked_for(
    ready: ConsoleReady,
) -> None:
    card, path = str(CONFIG.items[0].id), "/c/book/saertu"
    async with browser(ready) as person:
        for words in ("食品", "shipinjingying", "spjyxk", CONFIG.departments[0].name):
            _, text = await person.get(f"{path}?q={words}&item={card}")
            assert ticked(text) == [card], words
            assert text.index(f'value="{card}"') < text.index(f'value="{OTHER}"'), words
        _, text = await person.get(f"{path}?q=社保卡")
        assert (f'value="{card}"' in text, f'value="{OTHER}"' in text) == (True, False)
        _, text = await person.get(f"{path}?q=zzz&item={card}")
        assert (ticked(text), "没有找到" in text, "找到 0 项" in text) == ([card], True, True)
        _, text = await person.get(f"{path}?q=zzz&all=1&item={card}")
        assert (ticked(text), f'value="{OTHER}"' in text) == ([card], True)


async def test_who_chose_nothing_or_too_much_is_told_so_and_loses_nothing(
    ready: ConsoleReady,
) -> None:
    async with browser(ready) as person:
        status, text = await person.get(f"{TIMES}?q=")
        assert (status, "现在选了 0 个" in text, 'class="c-choice"' in text) == (422, True, True)
        many = "&".join(f"item={one}" for one in (OTHER, "a", "b", "c", "d", "e"))
        status, text = await person.get(f"{TIMES}?{many}")
        assert (status, "现在选了 6 个" in text, ticked(text)) == (422, True, [OTHER])


async def test_whoever_goes_back_and_chooses_again_is_led_to_the_place_that_is_kept(
    ready: ConsoleReady,
) -> None:
    async with browser(ready) as person:
        await enter(person, "person-citizen", "/c/me")
        page = link((await person.get(f"/c/book?code={CARD}"))[1], TIMES) + "&day=2026-11-24"
        _, text = await person.get(page)
        kept = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text.split('class="c-places"')[-1]))  # fmt: skip
        hold = "/c/book/saertu/hold"
        async with person.http.post(hold, data=kept | {"start": "08:30"}) as answer:
            first = answer.url.path
        async with person.http.post(hold, data=kept | {"start": "08:30"}) as answer:
            assert answer.url.path == first, "pressed twice"
        async with person.http.post(hold, data=kept | {"start": "09:30"}) as answer:
            text = await answer.text()
            assert (answer.status, f'href="{first}"' in text, "去确认" in text) == (409, True, True)


async def test_staff_book_for_the_name_that_a_certificate_is_kept_with(ready: ConsoleReady) -> None:
    async with browser(ready) as person, browser(ready) as clerk:
        await enter(person, "person-citizen", "/c/me")
        page = link((await person.get(f"/c/book?code={CARD}"))[1], TIMES)
        item = re.findall(r"item=([\w-]+)", page)[0]
        await clerk.enter(ready)
        card = DEMO_CARDS["citizen"]
        new = f"/appointments/new?place=saertu/{item}&day=2026-11-24"
        fields = {"place": f"saertu/{item}", "day": "2026-11-24", "start": "08:30", "party": "1"}
        fields |= {"certificate": "resident_id", "number": card.number, "key": "1"}
        for wrong, said in (
            ({"name": "李四"}, "登记的是另一个姓名"),
            ({"name": card.name, "phone": "12345"}, "手机号"),
        ):
            status, _, text = await clerk.submit(new, "/appointments/new", **fields, **wrong)
            assert (status >= 400, said in text) == (True, True), said
        status, _, text = await clerk.submit(new, "/appointments/new", **fields, name=card.name)
        assert (status, "预约成功" in text) == (200, True)


async def _nobody_else(other: Browser, hold: str, booking: str) -> None:
    for page in (hold, booking, f"{booking}/visit.ics", f"{booking}/cancel"):
        assert (await other.get(page))[0] == 404, page
    for act, fields in ((f"{hold}/confirm", {}), (f"{hold}/release", {}),
                        (f"{booking}/cancel", {"reason": "no_time"})):  # fmt: skip
        assert (await other.submit("/c/me", act, **fields))[0] == 404, act
    fields = {"item": "x", "day": "2026-11-25", "start": "09:30", "change": booking.split("/")[-1]}
    assert (await other.submit("/c/me", "/c/book/saertu/hold", **fields))[0] >= 400


async def _nothing_personal(person: Browser, page: str) -> None:
    card = DEMO_CARDS["citizen"]
    for address in re.findall(r'(?:href|action|src)="([^"]*)"', page):
        for secret in (card.number, card.name, "13800000101", "%E5%BC%A0"):
            assert secret not in address
    for path in ("/c/bookings", "/c/me", "/c/messages"):
        async with person.http.get(path) as answer:
            assert answer.headers["Cache-Control"] == "no-store", path
            assert answer.status == 200, path


async def test_a_place_is_kept_longer_on_request_not_for_ever_and_not_for_the_weakly_identified(
    ready: ConsoleReady,
) -> None:
    await _too_weakly_identified(ready)
    clock = ready.city.context.clock
    assert isinstance(clock, ManualClock)
    async with browser(ready) as person:
        await enter(person, "person-citizen", "/c/me")
        page = link((await person.get(f"/c/book?code={CARD}"))[1], TIMES) + "&day=2026-11-24"
        _, hold, _ = await take(person, page, "08:30")
        for minutes, said in ((8, 200), (9, 200), (9, 200), (3, 409)):
            await clock.advance(minutes * 60)
            status, _, text = await person.submit(hold, f"{hold}/extend")
            assert status == said, minutes
        assert "最长时间" in text
        await clock.advance(5 * 60)
        status, text = await person.get(hold)
        assert (status, "保留时间已过" in text, "重新选时间" in text) == (200, True, True)
        assert (await person.submit("/c/me", f"{hold}/confirm"))[0] == 409


async def _too_weakly_identified(ready: ConsoleReady) -> None:
    async with browser(ready) as person:
        await sign_in(person, "person-elder")
        await person.submit("/c/consent", "/c/consent", next="/c", agree="true")
        page = link((await person.get(f"/c/book?code={CARD}"))[1], TIMES) + "&day=2026-11-24"
        status, _, text = await take(person, page, "08:30")
        assert (status, "实名" in text, "11月24日" in text) == (403, True, True)
        assert (await person.get("/c/book/hold/b-nothing"))[0] == 404
        assert (await person.get("/c/book/nowhere/times?item=x"))[0] == 404
        assert (await person.get(f"{TIMES}?item=nothing"))[0] in (404, 409)


@pytest.mark.parametrize(
    ("identity", "user", "lacking", "told", "way"),
    [
        (Level.REAL_NAME, "person-elder", True, "需要实名认证过的账号", "完成实名认证"),
        (Level.FACE, "person-elder", True, "需要通过人脸认证的账号", "完成人脸认证"),
        (Level.BASIC, "person-elder", False, "", ""),
        (Level.REAL_NAME, "person-citizen", False, "需要实名认证过的账号", "完成实名认证"),
    ],
)
async def test_who_is_not_known_surely_enough_learns_it_before_pressing_a_time(
    ready: ConsoleReady, identity: Level, user: str, lacking: bool, told: str, way: str
) -> None:
    async with ready.city.db.write() as uow:
        rule = msgspec.structs.replace(ONE_PLACE, identity=identity)
        for hall, version in (("saertu", 1), ("longfeng", 0), ("ranghulu", 0)):
            target = Target(hall=HallId(hall))
            await rules_repo.add_version(uow, target, version, rule, at=2, by="test", note="")
    page = f"{TIMES}?item={CONFIG.items[0].id}"
    pages = (f"/c/items/{CARD}", page)
    async with browser(ready) as person:
        for path in pages:
            text = (await person.get(path))[1]
            assert ("的账号；" in text, told in text) == (bool(told), True), path
        await enter(person, user)
        for path in pages:
            text = (await person.get(path))[1]
            assert "的账号；" not in text, "who is logged in reads what holds for them"
            assert (f"您现在的实名等级是“{PHONE_ALONE}”" in text) is lacking, path
            assert ("已经认证，重新登录" in text) is lacking, path
            assert not lacking or text.count(way) == 1, path
        assert ("需先" in (await person.get("/c/book/saertu"))[1]) is lacking
        start = re.search(r'name="start" value="([^"]+)"', (await person.get(page))[1])
        assert start is not None, "the times are there all the same"
        _, path, text = await take(person, page, start[1])
        assert path.startswith("/c/book/saertu" if lacking else "/c/book/hold/")
        assert not lacking or text.count(way) == 1, "not twice on one page"
