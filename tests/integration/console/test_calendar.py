"""The calendar as administrators keep it, and as other modules count with it."""

import re
from collections.abc import AsyncIterator
from datetime import date

import aiohttp
import pytest
from city_hall import Log
from console_browser import HALL, Browser, browser, connect_hall, console, link_of

from console.app.server import ConsoleReady
from console.core.audit import read_audit
from console.core.permissions import NOBODY, SYSTEM
from console.core.sheet_reading import read_sheet
from console.modules.calendar.api import CALENDAR, DayKind, SpecialDay, TimeLimit, Unit
from console.modules.calendar.service import CalendarService
from qingting.contract.calendar import ClosedDay, HallCalendar, Period, WeeklyHours
from qingting.contract.config_parts import CalendarPart
from qingting.contract.errors import Refusal
from qingting.contract.events import ConfigEdited
from qingting.contract.ids import HallId
from qingting.kernel.web.sheets import csv_of, xlsx_of

pytestmark = pytest.mark.postgres
NOTICE_2027 = "一、春节：2月6日至12日放假调休。1月31日、2月14日上班。"
"""Invented: no notice for 2027 is known."""
HOURS = HallCalendar(
    weekly=(WeeklyHours(weekdays=(1, 2, 3, 4, 5), periods=(Period(start="09:00", end="17:00"),)),),
    closed=(ClosedDay(date="2026-11-30", name="盘点"),),
)


@pytest.fixture
async def ready(city_url: str) -> AsyncIterator[ConsoleReady]:
    async with console(city_url) as one:
        yield one


async def upload(person: Browser, data: bytes, **fields: str) -> tuple[int, str]:
    """Sends the preview's form with a file."""
    _, page = await person.get("/calendar/notice?year=2027")
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token is not None
    form = aiohttp.FormData({"csrf": token[1], **fields})
    form.add_field("file", data, filename="days", content_type="application/octet-stream")
    async with person.http.post("/calendar/notice/preview", data=form) as answer:
        return answer.status, await answer.text()


async def due(
    ready: ConsoleReady, start: date, count: int, division: str = ""
) -> tuple[date, tuple[int, ...]]:
    async with ready.city.db.read() as uow:
        api = ready.city.context.take(CALENDAR)
        found = await api.due(uow, start, TimeLimit(count, Unit.WORKDAYS), division=division)
        return found.day, found.unsettled


async def test_time_limits_follow_the_notices_and_only_who_may_changes_them(
    ready: ConsoleReady,
) -> None:
    assert await due(ready, date(2026, 2, 13), 2) == (date(2026, 2, 24), ())
    assert await due(ready, date(2025, 9, 27), 1) == (date(2025, 9, 28), ())
    assert await due(ready, date(2026, 12, 31), 1) == (date(2027, 1, 4), (2027,))
    service = ready.city.context.take(CALENDAR)
    assert isinstance(service, CalendarService)
    one = SpecialDay(day=date(2026, 12, 7), kind=DayKind.REST, name="x")
    with pytest.raises(Refusal, match=r"page\.forbidden"):
        async with ready.city.db.write() as uow:
            await service.put_day(uow, NOBODY, one)
    async with ready.city.db.write() as uow:
        await service.put_day(uow, SYSTEM, one)
    assert await due(ready, date(2026, 12, 4), 1) == (date(2026, 12, 8), ())


async def test_a_year_is_entered_from_its_notice_after_a_look_at_what_changes(
    ready: ConsoleReady,
) -> None:
    async with browser(ready) as person:
        await person.enter(ready)
        _, year = await person.get("/calendar?year=2027")
        assert "还没有录入" in year
        fields = {"year": "2027", "source": "测试文号", "text": NOTICE_2027}
        status, _, shown = await person.submit(
            "/calendar/notice?year=2027", "/calendar/notice/preview", **fields
        )
        assert (status, "共 7 天放假，2 天调休上班" in shown) == (200, True)
        assert await due(ready, date(2027, 2, 5), 1) == (date(2027, 2, 8), (2027,))
        rows = re.search(r"<textarea name=\"rows\" hidden>([^<]+)</textarea>", shown)
        assert rows is not None
        stored = {"year": "2027", "version": "0", "source": "测试文号", "rows": rows[1]}
        status, path, text = await person.submit(
            "/calendar/notice?year=2027", "/calendar/notice", **stored
        )
        assert (status, path, "测试文号" in text) == (200, "/calendar", True)
        assert await due(ready, date(2027, 2, 5), 1) == (date(2027, 2, 14), ())
        status, _, again = await person.submit(
            "/calendar/notice?year=2027", "/calendar/notice", **stored
        )
        assert (status, "刚刚被别人改过" in again) == (409, True)
    async with ready.city.db.read() as uow:
        assert [one.object for one in await read_audit(uow, "calendar.year_put")] == ["2027"]


async def test_holidays_by_law_are_no_working_days_though_the_notice_of_the_year_is_not_in(
    ready: ConsoleReady,
) -> None:
    first = date(2027, 1, 1)
    async with browser(ready) as person:
        await person.enter(ready)
        _, page = await person.get("/calendar/month/2027-01?day=2027-01-01")
        assert "按《全国年节及纪念日放假办法》放假：元旦" in page
        form = {"day": "2027-01-01", "kind": "work", "name": "测试"}
        await person.submit("/calendar/month/2027-01?day=2027-01-01", "/calendar/days", **form)
    assert await due(ready, date(2026, 12, 31), 1) == (first, (2027,))


async def test_a_spreadsheet_goes_out_and_comes_back_and_bad_rows_are_explained(
    ready: ConsoleReady,
) -> None:
    async with browser(ready) as person:
        await person.enter(ready)
        for kind in ("csv", "xlsx"):
            async with person.http.get(f"/calendar/days.{kind}?year=2026") as answer:
                data = await answer.read()
            assert len(read_sheet(data)) == 1 + 33 + 6
            status, text = await upload(person, data, year="2026", source="同一份")
            assert (status, text.count("不变"), "新增" in text) == (200, 39, False)
        wrong = [
            ["2027-02-30", "休", "春节"],
            ["2027-02-06", "半天", "春节"],
            ["2027-02-07", "休", "春节"],
        ]
        for made in (
            csv_of(("日期", "休/班", "名称"), wrong),
            xlsx_of("x", ("日期", "休/班", "名称"), wrong),
        ):
            status, text = await upload(person, made, year="2027", source="x")
            assert "有 2 行看不懂" in text
            assert "第 2 行" in text
            assert 'name="rows"' not in text
        status, text = await upload(person, b"\x00\x01", year="2027", source="x")
        assert (status, "读不出来" in text) == (422, True)
        status, text = await upload(person, csv_of(("日期", "名称"), []), year="2027", source="x")
        assert (status, "休/班" in text) == (422, True)


async def test_a_local_day_is_set_on_screen_and_taken_back(ready: ConsoleReady) -> None:
    place = "division:230624000000"
    month = f"/calendar/month/2026-12?place={place}&day=2026-12-07"
    day = {"day": "2026-12-07", "place": place, "kind": "rest", "name": "县庆", "deadlines": "true"}
    async with browser(ready) as person:
        await person.enter(ready)
        status, path, text = await person.submit(month, "/calendar/days", **day)
        assert (status, path, "县庆" in text) == (200, "/calendar/month/2026-12", True)
        assert (await due(ready, date(2026, 12, 4), 1, "230624"))[0] == date(2026, 12, 8)
        assert (await due(ready, date(2026, 12, 4), 1, "230602"))[0] == date(2026, 12, 7)
        await person.submit(month, "/calendar/days", **{**day, "kind": "none"})
        assert (await due(ready, date(2026, 12, 4), 1, "230624"))[0] == date(2026, 12, 7)
        status, _, text = await person.submit(month, "/calendar/days", **{**day, "name": " "})
        assert (status, "写明这一天的名称" in text) == (422, True)
        for bad in ("somewhere", "division:x", "hall:nowhere"):
            assert (await person.submit(month, "/calendar/days", **{**day, "place": bad}))[0] in (
                404,
                422,
            )
        for path in ("/calendar/month/2026-13", "/calendar?year=1800", "/calendar/days.pdf"):
            assert (await person.get(path))[0] == 404, path


async def test_the_district_of_a_hall_has_its_name_and_a_day_set_there_holds_there(
    ready: ConsoleReady,
) -> None:
    """Halls tell their division with six digits; days are kept for codes of twelve."""
    async with browser(ready) as person:
        await person.enter(ready)
        async with link_of(ready) as client:
            log = Log(HALL)
            log.configure()
            await connect_hall(ready, client, log)
        _, page = await person.get("/calendar?year=2026")
        places = dict(re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)<', page))
        assert places["division:230602000000"].strip() == "萨尔图区"
        assert places["division:230624000000"].strip() == "杜尔伯特蒙古族自治县"
        assert not [one for one in places if re.fullmatch(r"division:\d{1,11}", one)]
        month = "/calendar/month/2026-12?place=division:230602&day=2026-12-07"
        for place in ("division:230602000000", "division:230602"):
            day = {"day": "2026-12-07", "place": place, "name": "区庆", "deadlines": "true"}
            _, _, text = await person.submit(month, "/calendar/days", **day, kind="rest")
            assert "区庆" in text
            assert (await due(ready, date(2026, 12, 4), 1, "230602"))[0] == date(2026, 12, 8)
            await person.submit(month, "/calendar/days", **day, kind="none")
            assert (await due(ready, date(2026, 12, 4), 1, "230602"))[0] == date(2026, 12, 7)


async def test_a_hall_says_itself_when_it_is_open_and_where_that_differs(
    ready: ConsoleReady,
) -> None:
    log = Log(HALL)
    log.configure()
    log.add(ConfigEdited(version=2, part=CalendarPart(calendar=HOURS)))
    async with browser(ready) as person:
        await person.enter(ready)
        async with link_of(ready) as client:
            await connect_hall(ready, client, log)
        async with ready.city.db.read() as uow:
            api = ready.city.context.take(CALENDAR)
            shut = await api.hall_day(uow, HALL, date(2026, 11, 30))
            assert (shut.periods, shut.differs) == ((), False)
            made_up = await api.hall_day(uow, HALL, date(2026, 10, 10))
            assert (made_up.periods, made_up.differs) == ((), True)
            by_law = (await api.hall_day(uow, HALL, date(2027, 1, 1))).special
            assert by_law is not None
            assert (by_law.kind, by_law.name) == (DayKind.REST, "元旦")
            with pytest.raises(Refusal, match=r"hall\.unknown"):
                await api.hall_day(uow, HallId("nowhere"), date(2026, 10, 10))
        _, text = await person.get(f"/calendar/month/2026-10?place=hall:{HALL}")
        assert "09:00–17:00" in text
        assert "与日历不一致" in text
