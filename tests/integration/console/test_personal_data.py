"""Personal data is masked, shown for a reason, taken out with consent, erased on request, and changes its keys."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from console_browser import Browser, console
from patience import until
from test_who_may_do_what import CITY, caller

from console.app.city import City, open_city
from console.app.server import ConsoleReady
from console.core.audit import read_audit
from console.core.channels import Message
from console.core.delivering import DeliveryError, retry_after_ms
from console.core.permissions import EVERYWHERE, SYSTEM, Permission, Subject
from console.core.personal import Erased, HeldRecord, Left, PersonSought
from console.core.sealing import KeyFile
from console.core.uow import ReadUow, Uow
from console.halls import models as halls
from console.halls.api import HALLS
from console.modules.jobs.api import JOBS, JobState
from console.modules.jobs.service import JobService
from console.modules.privacy import models as m
from console.modules.privacy.api import PRIVACY, Reason, Requester, RequestKind
from console.modules.privacy.keys import ReSeal
from console.modules.privacy.policy import PrivacyPolicy, put_policy
from console.modules.privacy.service import PrivacyService
from qingting.contract.bookings import Booking
from qingting.contract.conditions import Severity
from qingting.contract.directives import PutBooking
from qingting.contract.errors import Refusal
from qingting.contract.ids import BookingId, HallId, ItemId
from qingting.contract.link import read_directive
from qingting.contract.states import CertificateKind
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.security.persons import for_hall, open_person, seal_person
from qingting.kernel.security.seal import Sealer, SealError, key_of, write_keys

pytestmark = pytest.mark.postgres
NUMBER, NAME, PHONE = "230602199001011238", "张小三", "13800001234"
WHO = Requester(name=NAME, number=NUMBER, phone=PHONE)


def somebody(name: str, *functions: Permission) -> Subject:
    return Subject(
        id=name, name=name, grants=dict.fromkeys(functions, EVERYWHERE), address="10.0.0.9"
    )


CLERK = somebody("clerk", Permission.PERSONAL, Permission.REQUESTS)
OFFICER = somebody("officer", Permission.EXPORTS_APPROVE)
AUDITOR = somebody("auditor", Permission.AUDIT_READ)


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def keyfile(tmp_path: Path, clock: ManualClock) -> KeyFile:
    return await KeyFile.open(tmp_path / "seal.keys", clock)


@pytest.fixture
async def city(city_url: str, keyfile: KeyFile, clock: ManualClock) -> AsyncIterator[City]:
    async with open_city(city_url, clock=clock, keys=keyfile) as one:
        await one.check_keys()
        yield one


def privacy(city: City) -> PrivacyService:
    service = city.context.take(PRIVACY)
    assert isinstance(service, PrivacyService)
    return service


async def asked(city: City, kind: RequestKind = RequestKind.COPY, who: Requester = WHO) -> int:
    async with city.db.write() as uow:
        one = await city.context.take(PRIVACY).ask_for(uow, kind, who, "请给我一份", by=CLERK)
    return one.no


async def acts(city: City, act: str) -> list[tuple[str, str, str]]:
    async with city.db.read() as uow:
        return [(one.actor, one.result, one.detail) for one in await read_audit(uow, act)]


# ---- masked, and in clear for a reason ------------------------------------------------------------


async def test_masked_until_a_reason_is_given_and_masked_again_when_its_time_is_over(
    city: City, clock: ManualClock
) -> None:
    no, desk = str(await asked(city)), privacy(city).unmasking
    async with city.db.write() as uow:
        shown = await desk.shown(uow, CLERK, "requests", no)
        assert dict(shown.fields) == {
            "name": "张*三",
            "number": "230602********1238",
            "phone": "138****1234",
        }
        with pytest.raises(Refusal) as refused:
            await desk.show(uow, CLERK, "requests", no, Reason.SERVICE, " ")
        assert refused.value.code == "personal.words"
        words = f"打 {PHONE} 请{NAME}（{NUMBER}）补材料"
        await desk.show(uow, CLERK, "requests", no, Reason.SERVICE, words)
        clear = await desk.shown(uow, CLERK, "requests", no)
        assert dict(clear.fields) == {"name": NAME, "number": NUMBER, "phone": PHONE}
        other = somebody("other", Permission.PERSONAL, Permission.REQUESTS)
        assert (await desk.shown(uow, other, "requests", no)).until == 0
        with pytest.raises(Refusal) as refused:
            await desk.shown(uow, OFFICER, "requests", no)
        assert refused.value.code == "page.forbidden"
    told = "service: 打 138****1234 请张*三（230602********1238）补材料"
    assert await acts(city, "personal.shown") == [("clerk", "done", told)]
    async with city.db.read() as reader:
        kept = await reader.scalar(sa.select(m.grant.c.words))
    assert NAME not in kept, "the reason outlives what it was about"
    await clock.advance(PrivacyPolicy().shown_ms / 1000)
    async with city.db.read() as reader:
        assert (await desk.shown(reader, CLERK, "requests", no)).fields["name"] == "张*三"


async def test_a_day_has_a_limit_and_unusually_many_are_told_to_the_audit_once(city: City) -> None:
    no, desk = str(await asked(city)), privacy(city).unmasking
    async with city.db.write() as uow:
        for number in range(PrivacyPolicy().day_limit):
            await desk.show(uow, CLERK, "requests", no, Reason.SERVICE, f"第 {number} 次")
    with pytest.raises(Refusal) as refused:
        async with city.db.write() as uow:
            await desk.show(uow, CLERK, "requests", no, Reason.SERVICE, "还要一次")
    assert refused.value.code == "personal.too_many"
    assert (await acts(city, "personal.shown"))[0] == ("clerk", "personal.too_many", "")
    assert await acts(city, "personal.unusual") == [("clerk", "done", "20")]
    assert await acts(city, "personal.limit") == [("clerk", "done", "60")]
    alarms = privacy(city).alarms
    async with city.db.write() as uow:
        found = {one.kind: one for one in await alarms.listed(uow, AUDITOR)}
        assert {(one.account, one.records) for one in found.values()} == {
            ("clerk", 20),
            ("clerk", 60),
        }
        for who, words, code in (
            (CLERK, "自己说没事", "page.forbidden"),
            (AUDITOR, " ", "personal.words"),
            (somebody("clerk", Permission.AUDIT_READ), "自己说没事", "personal.own_alarm"),
        ):
            with pytest.raises(Refusal) as refused:
                await alarms.acknowledge(uow, who, found["unusual"].no, words)
            assert refused.value.code == code
        await alarms.acknowledge(uow, AUDITOR, found["unusual"].no, "已问本人，集中电话回访")
        assert await alarms.open(uow) == 1
        with pytest.raises(Refusal) as refused:
            await alarms.acknowledge(uow, AUDITOR, found["unusual"].no, "再查一次")
        assert refused.value.code == "personal.no_alarm"
    ((who_acked, _, detail),) = await acts(city, "personal.alarm_acked")
    assert (who_acked, detail) == ("auditor", f"{found['unusual'].no} 已问本人，集中电话回访")
    with pytest.raises(sa.exc.IntegrityError, match="two_people"):
        async with city.db.write() as uow:
            await uow.run(sa.text("UPDATE priv_alarm SET acked_by = account"))


async def test_an_alarm_about_unusual_use_goes_outside_and_is_tried_again(
    city_url: str, keyfile: KeyFile, clock: ManualClock
) -> None:
    pager = Pager()
    async with open_city(city_url, clock=clock, keys=keyfile, channels=(pager,)) as city:
        await city.check_keys()
        alarms = privacy(city).alarms
        async with city.db.write() as uow:
            await alarms.raised(uow, CLERK, "unusual", 20)
            await alarms.raised(uow, CLERK, "unusual", 21)
        await until(lambda: _true(pager.refused == 1))
        await clock.advance(retry_after_ms(1) / 1000)
        await until(lambda: _true(len(pager.told) == 1))
    (told,) = pager.told
    assert told.id == "privacy-alarm-1"
    assert "clerk" in told.text
    assert told.severity is Severity.CRITICAL


async def _true(value: bool) -> bool:
    return value


class Pager:
    """A way outside that takes nothing the first time."""

    name = "pager"
    least = Severity.CRITICAL
    carries_all = True

    def __init__(self) -> None:
        self.refused, self.told = 0, list[Message]()

    def addressed(self, name: str, to: tuple[str, ...]) -> "Pager":
        return self

    async def send(self, message: Message) -> None:
        if not self.refused:
            self.refused = 1
            raise DeliveryError("busy")
        self.told.append(message)


async def test_the_limits_are_changed_by_the_security_administrator_within_bounds_and_hold_at_once(
    city: City, clock: ManualClock
) -> None:
    no, desk, audit = str(await asked(city)), privacy(city).unmasking, city.context.audit
    keeper = somebody("security", Permission.KEYS)
    tight = PrivacyPolicy(version=1, day_limit=1, shown_minutes=2, max_rows=1, least_words=6)
    async with city.db.write() as uow:
        with pytest.raises(Refusal) as refused:
            await put_policy(uow, CLERK, tight, clock=clock, audit=audit)
        assert refused.value.code == "page.forbidden"
        await put_policy(uow, keeper, tight, clock=clock, audit=audit)
        with pytest.raises(Refusal) as refused:
            await put_policy(uow, keeper, tight, clock=clock, audit=audit)
        assert refused.value.code == "policy.changed"
        with pytest.raises(Refusal) as refused:
            await desk.show(uow, CLERK, "requests", no, Reason.SERVICE, "太短了吧")
        assert refused.value.params == {"least": 6}
        await desk.show(uow, CLERK, "requests", no, Reason.SERVICE, "电话通知补材料")
        shown = await desk.shown(uow, CLERK, "requests", no)
        assert shown.until == clock.now_ms() + 120_000
        assert shown.left == 0
    with pytest.raises(Refusal) as refused:
        async with city.db.write() as uow:
            await desk.show(uow, CLERK, "requests", no, Reason.SERVICE, "再来看一次信息")
    assert refused.value.code == "personal.too_many"
    ((_, _, detail),) = await acts(city, "privacy.policy")
    assert "version=2" in detail
    assert "day_limit=1 " in detail
    with pytest.raises(sa.exc.IntegrityError, match="day_limit"):
        async with city.db.write() as uow:
            await uow.run(sa.text("UPDATE priv_policy SET day_limit = 100000"))


# ---- taken out with consent -----------------------------------------------------------------------


async def test_an_export_needs_another_person_and_is_fetched_once_in_time(
    city: City, clock: ManualClock
) -> None:
    await asked(city)
    desk = privacy(city).exports
    both = somebody("both", Permission.REQUESTS, Permission.EXPORTS_APPROVE)
    async with city.db.write() as uow:
        first, second = [
            await privacy(city).request_export(
                uow, both, "requests", {}, Reason.SERVICE, "寄送答复"
            )
            for _ in range(2)
        ]
        for wrong, code in ((first, "export.own"), (999, "export.unknown")):
            with pytest.raises(Refusal) as refused:
                await desk.decide(uow, both, wrong, approve=True, note="")
            assert refused.value.code == code
        with pytest.raises(Refusal) as refused:
            await desk.fetch(uow, both, first)
        assert refused.value.code == "export.over"
        await desk.decide(uow, OFFICER, first, approve=True, note=f"同意，已问 {PHONE}")
        await desk.decide(uow, OFFICER, second, approve=True, note="同意")
        with pytest.raises(Refusal) as refused:
            await desk.fetch(uow, OFFICER, first)
        assert refused.value.code == "export.unknown"
        _, sheet = await desk.fetch(uow, both, first)
        assert NUMBER in sheet.rows[0]
        with pytest.raises(Refusal) as refused:
            await desk.fetch(uow, both, first)
        assert refused.value.code == "export.over"
    with pytest.raises(sa.exc.IntegrityError, match="two_people"):
        async with city.db.write() as uow:
            await uow.run(sa.text("UPDATE priv_export SET decided_by = by"))
    await clock.advance(PrivacyPolicy().fetch_ms / 1000)
    with pytest.raises(Refusal) as refused:
        async with city.db.write() as uow:
            await desk.fetch(uow, both, second)
    assert refused.value.code == "export.over"
    assert len(await acts(city, "export.fetched")) == 1
    async with city.db.read() as reader:
        assert PHONE not in str(await reader.all(sa.select(m.export)))


# ---- requests of those whom data is about ---------------------------------------------------------


class Shelf:
    """A holder of the test's own: two records about the person."""

    holder = "requests_test"
    fields = ()

    def __init__(self) -> None:
        self.erased: list[str] = []

    async def masked(self, uow: ReadUow, subject: Subject, record: str) -> Mapping[str, str]:
        raise NotImplementedError

    clear = masked

    async def about(self, uow: ReadUow, person: PersonSought) -> list[HeldRecord]:
        known = person.number == NUMBER and not self.erased
        return [HeldRecord(id=str(one), at=1, fields={"name": NAME}) for one in range(2 * known)]

    async def erase(self, uow: Uow, person: PersonSought) -> Erased:
        self.erased.append(person.number)
        return Erased(erased=2, left=(Left(record="r", why="booked", count=1, until=0),))

    async def finish(self, uow: Uow, record: str) -> Erased:
        return await self.erase(uow, PersonSought(number=record, index=""))


async def test_a_request_is_due_in_working_days_carried_out_and_proved_without_the_person(
    city: City,
) -> None:
    shelf, desk = Shelf(), privacy(city).requests
    city.context.holds(shelf)
    no = await asked(city, RequestKind.ERASE)
    with pytest.raises(Refusal) as refused:
        await asked(city, RequestKind.ERASE)
    assert refused.value.code == "request.repeated"
    async with city.db.write() as uow:
        (one,) = await desk.listed(uow, CLERK, None)
        # 2026-11-24 with fifteen working days: three weeks without a holiday.
        assert one.due == date(2026, 12, 15)
        found = await desk.found(uow, CLERK, no)
        assert {name: n for name, n in found.items() if n} == {"requests": 1, "requests_test": 2}
        sheet = await desk.copy(uow, CLERK, no)
        assert {row[0] for row in sheet.rows} == {"requests", "requests_test"}
        await desk.answer(uow, CLERK, no, done=True, outcome="已按申请删除")
    assert shelf.erased == [NUMBER]
    async with city.db.write() as uow:
        row = await uow.first(sa.select(m.request))
        assert row is not None
        kept = " ".join(str(value) for value in row.values())
        for secret in (NAME, NUMBER, PHONE, "张", "2306", "k1."):
            assert secret not in kept
        (again,) = await city.context.take(PRIVACY).requests_of(uow, NUMBER)
        counts = {name: n for name, n in again.counts.items() if n}
        assert counts == {"requests_test": 2, "requests_test.kept": 1}
        assert not await city.context.take(PRIVACY).requests_of(uow, "230602199001010000")
        with pytest.raises(Refusal) as refused:
            await desk.answer(uow, CLERK, no, done=True, outcome="再来一次")
        assert refused.value.code == "request.over"


# ---- keys follow each other -----------------------------------------------------------------------


async def test_boxes_change_to_a_new_key_in_a_job_and_the_old_one_goes_when_nothing_needs_it(
    city: City, keyfile: KeyFile, clock: ManualClock
) -> None:
    no, context, hall = await asked(city), city.context, HallId("saertu")
    await book(city, hall)
    old, keys = context.sealer.keys[0], privacy(city).keys
    index, fresh = context.sealer.blind_index(NUMBER), old.successor("k2")
    async with city.db.write() as uow:
        await keys.added(uow, SYSTEM, fresh)
    await asyncio.to_thread(write_keys, keyfile.path, [old.line, fresh.line])
    await keyfile.look()
    assert await refusal_of(city, lambda uow: keys.removed(uow, SYSTEM, "k1")) == "keys.settling"
    await clock.advance(200)
    await keyfile.look()
    async with city.db.read() as reader:
        behind = await keys.behind(reader)
    assert behind["priv_request.number_box"] == behind["hall_directive.body"] == {"k1": 1}
    assert await refusal_of(city, lambda uow: keys.removed(uow, SYSTEM, "k1")) == "keys.in_use"
    await sealed_anew(city, clock)
    async with city.db.write() as uow:
        row = await uow.first(sa.select(m.request).where(m.request.c.no == no))
        put = read_directive(msgspec.Raw(await uow.scalar(sa.select(halls.directive.c.body))))
        await keys.removed(uow, SYSTEM, "k1")
    assert row is not None
    assert {key_of(row[name]) for name in ("name_box", "number_box", "phone_box")} == {"k2"}
    assert Sealer([fresh]).open(row["number_box"], context="request") == NUMBER
    assert Sealer([fresh]).blind_index(NUMBER) == index
    assert isinstance(put, PutBooking)
    assert open_person(for_hall(Sealer([fresh]), hall), put.booking.person) == (NAME, NUMBER)
    with pytest.raises(SealError):
        Sealer([old]).open(row["number_box"], context="request")


async def book(city: City, hall: HallId) -> None:
    await city.enrol_hall(hall, name="大厅")
    person = seal_person(city.context.hall_sealer(hall), CertificateKind.RESIDENT_ID, NAME, NUMBER)
    booking = Booking(
        id=BookingId("b"), code="code-0001", day="2026-11-24", start=0, end=1,
        items=(ItemId("one"),), person=person,
    )  # fmt: skip
    async with city.db.write() as uow:
        await city.context.take(HALLS).send(
            uow, SYSTEM, hall, PutBooking(booking=booking), under=Permission.HALLS_DECIDE
        )


async def sealed_anew(city: City, clock: ManualClock) -> None:
    """By the worker of the city itself, as from the page."""
    jobs = city.context.take(JOBS)
    assert isinstance(jobs, JobService)
    async with city.db.write() as uow:
        no = await jobs.start(uow, SYSTEM, jobs.kinds["keys.seal"], ReSeal())

    async def over() -> bool:
        await clock.advance(1)
        async with city.db.read() as reader:
            return (await jobs.job(reader, SYSTEM, no)).state is JobState.DONE

    await until(over)


async def refusal_of(city: City, work: Callable[[Uow], Awaitable[object]]) -> str:
    with pytest.raises(Refusal) as refused:
        async with city.db.write() as uow:
            await work(uow)
    return refused.value.code


# ---- on screen ------------------------------------------------------------------------------------


async def test_a_request_is_taken_in_shown_for_a_reason_and_answered_on_screen(
    city_url: str,
) -> None:
    async with console(city_url) as ready, keeper(ready) as one:
        await one.get("/requests/new")
        fields = {"name": NAME, "number": NUMBER, "phone": PHONE, "words": "想看看", "kind": "copy"}
        _, path, text = await one.submit("/requests/new", "/requests", **fields)
        assert "请先核对申请人的身份" in text
        assert NUMBER in text
        for wrong in ({"number": NUMBER[:-1]}, {"phone": "12"}):
            answer = await one.submit(
                "/requests/new", "/requests", **{**fields, **wrong}, verified="true"
            )
            assert (answer[0], 'aria-invalid="true"' in answer[2]) == (422, True), wrong
        wide = "".join(chr(ord(sign) + 0xFEE0) for sign in NUMBER)
        fields["number"] = f"{wide[:6]} {wide[6:]}"
        _, path, text = await one.submit("/requests/new", "/requests", **fields, verified="true")
        assert path == "/requests"
        assert "张*三" in text
        assert NUMBER not in text
        status, text = await one.get("/requests/1")
        assert status == 200
        assert NUMBER not in text
        page = "/personal/requests/1"
        status, path, text = await one.submit(page, page, reason="service", words="电话联系本人")
        assert (status, path) == (200, page)
        assert NUMBER in text
        async with one.http.get(page) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            assert int(answer.headers["Refresh"]) <= PrivacyPolicy().shown_ms // 1000 + 1
            text = await answer.text()
        over = re.search(r'class="watermark shown".*?<text[^>]*>([^<]+)<', text, re.S)
        assert over is not None
        assert "127.0.0.1" in over[1], "who looks, and from where, stands over what is in clear"
        status, path, text = await one.submit(
            "/requests/1", "/requests/1/done", outcome=f"当面交给{NAME}，电话 {PHONE}"
        )
        assert (status, path) == (200, "/requests")
        _, text = await one.get("/requests/1")
        assert "当面交给张*三，电话 138****1234" in text
        assert NAME not in text
        _, text = await one.get("/requests?state=all")
        assert "已办结" in text
        assert "张" not in text
        assert (await one.get("/exports"))[0] == 200
        assert (await one.get("/exports/new/requests"))[0] == 200

        await ready.city.enrol_hall(HallId("saertu"), name="萨尔图大厅")
        fields["kind"] = "erase"
        await one.submit("/requests/new", "/requests", **fields, verified="true")
        await one.submit("/requests/2", "/requests/2/done", outcome="已按申请删除")
        page = "/requests/2"
        status, _, text = await one.submit(page, f"{page}/gone", hall="saertu", why="短")
        assert (status, 'value="短"' in text) == (422, True)
        why = "大厅已撤并，硬盘已销毁"
        status, path, text = await one.submit(page, f"{page}/gone", hall="saertu", why=why)
        assert (status, path) == (200, page)
        assert "未确认删除" in text
        assert why in text
        assert f"{page}/gone" not in text, "nothing is left to wait for"


@asynccontextmanager
async def keeper(ready: ConsoleReady) -> AsyncIterator[Browser]:
    """Somebody who keeps the city's requests, logged in."""
    async with caller(ready, "city_supervisor", CITY) as who:
        one = Browser(ready.url)
        for cookie in who.http.cookie_jar:
            one.http.cookie_jar.update_cookies({cookie.key: cookie.value})
        yield one
        await one.http.close()
