"""The staff's pages of appointments, as a person without scripts sees them."""

import re
from datetime import timedelta

import pytest
from appointment_stage import HALL, TOMORROW, Folk, booking_config
from city_hall import START, Log
from console_browser import Browser, browser, console
from patience import until

from console.core.sheet_reading import read_sheet
from console.modules.appointments.api import APPOINTMENTS
from qingting.contract import events as e
from qingting.contract.examples import ITEM
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres
NUMBER = "230602199001011238"
PLACE = f"{HALL}/{ITEM}"


async def posted(person: Browser, page: str, path: str, **fields: str) -> str:
    status, _, text = await person.submit(page, path, **fields)
    assert status == 200, text
    return text


async def seen(person: Browser, path: str, *texts: str) -> str:
    status, page = await person.get(path)
    assert status == 200, page
    for one in texts:
        assert one in page, (path, one)
    return page


async def test_staff_open_an_item_book_for_somebody_move_a_day_and_see_the_figures(
    city_url: str,
) -> None:
    async with console(city_url, ManualClock(START)) as ready, browser(ready) as person:
        city, log = ready.city, Log(HALL)
        city.context.take(APPOINTMENTS).use_people(Folk(city))
        log.add(e.ConfigApplied(config=booking_config()))
        await city.enrol_hall(HALL, name="萨尔图", key="key-of-hall")
        await city.link.intake.greet(log.hello("key-of-hall"))
        await city.link.intake.apply(HALL, log.frame(1))
        await city.runner.catch_up_all()
        await person.enter(ready)
        await _rule(person)
        one = await _book(person)
        await _move(person, one)
        await _close(person)
        await _all_pages(person, one)


async def _rule(person: Browser) -> None:
    edit, target = f"/appointments/rules/edit?target=hall:{HALL}", f"hall:{HALL}"
    await seen(person, "/appointments", "还没有预约")
    await seen(person, edit, "沿用上级", "系统默认")
    fields = {
        "target": target,
        "seen": "0",
        "open": "yes",
        "capacity_by": "number",
        "capacity": "1",
    }
    look = await posted(person, edit, "/appointments/rules", **fields, look=PLACE, do="look")
    assert "保存前后对比" in look
    assert "未开放预约" in look, "as it is now"
    assert "0/1" in look, "as it would be"
    status, _, page = await person.submit(
        edit, "/appointments/rules", **{**fields, "periods": "11:00-09:00"}, do="save"
    )
    assert (status, "结束时间要晚于开始时间" in page) == (422, True)
    assert "11:00-09:00" in page, "what was typed stays"
    status, _, page = await person.submit(
        edit, "/appointments/rules", **{**fields, "minutes": "half"}, do="save"
    )
    assert (status, 'aria-invalid="true"' in page) == (422, True)
    assert "规则已保存" in await posted(person, edit, "/appointments/rules", **fields, do="save")
    status, _, page = await person.submit(edit, "/appointments/rules", **fields, do="save")
    assert (status, "刚刚被别人改过" in page) == (409, True)
    await seen(person, "/appointments/rules", "萨尔图", "开放预约、名额依据、每时段名额")
    item = f"/appointments/rules/edit?target=hall:{HALL}/item:{ITEM}"
    await seen(person, item, "沿用：1（来自 萨尔图")


async def _book(person: Browser) -> str:
    new = f"/appointments/new?place={PLACE}&day={TOMORROW}"
    page = await seen(person, new, "剩 1 / 1")
    key = re.search(r'name="key" value="(\w+)"', page)
    assert key is not None
    fields = {"place": PLACE, "day": str(TOMORROW), "start": "09:00", "number": NUMBER, "party": "1", "key": key[1]}  # fmt: skip
    page = await posted(person, new, "/appointments/new", **fields)
    assert "预约成功" in page
    assert NUMBER not in page
    again = await posted(person, new, "/appointments/new", **fields)
    assert "已预约" in again, "the same form again is the same booking"
    status, _, page = await person.submit(
        new, "/appointments/new", **{**fields, "key": "another", "number": "999", "name": "李四"}
    )
    assert (status, "刚刚约满" in page, 'value="李四"' in page) == (409, True, True)
    saturday = TOMORROW + timedelta(days=4)
    day = saturday + timedelta(days=2)
    await seen(
        person,
        f"/appointments/new?place={PLACE}&day={saturday}",
        f"下一个有空位的日子：{day}",
        f"day={day}",
    )
    # It is nine o'clock: what has begun is chosen no more, what is further ahead than citizens book is there for staff.
    page = await seen(person, f"/appointments/new?place={PLACE}&day={TOMORROW - timedelta(days=1)}")
    begun, later = (re.search(f'value="{start}"[^>]*>', page) for start in ("09:00", "10:00"))
    assert begun is not None
    assert later is not None
    assert ("disabled" in begun[0], "disabled" in later[0]) == (True, False)
    ahead = TOMORROW + timedelta(days=28)
    await seen(person, f"/appointments/new?place={PLACE}&day={ahead}", "剩 1 / 1")
    page = await posted(person, "/appointments", "/appointments/find", number=NUMBER)
    found = re.search(r"/appointments/one/([\w-]+)", page)
    assert found is not None
    page = await posted(
        person, "/appointments", "/appointments/find", by="phone", number="13800000101"
    )
    assert found[1] in page
    for by in ("phone", "booking", "passport", "no such way"):
        status, _, page = await person.submit(
            "/appointments", "/appointments/find", by=by, number="no"
        )
        assert (status, 'value="no"' in page, "details class=\"find\" open" in page) == (404, True, True), by  # fmt: skip
        assert "/appointments/find?" not in page, "what the list links to is the list"
    return found[1]


async def _move(person: Browser, one: str) -> None:
    page = f"/appointments/one/{one}"
    await seen(person, f"{page}?move=1&hall={HALL}&day={TOMORROW}", "剩 0 / 1", "剩 1 / 1")
    text = await posted(
        person, page, f"{page}/move", hall=str(HALL), day=str(TOMORROW), start="10:00"
    )
    assert "已改约" in text
    status, _, text = await person.submit(page, f"{page}/cancel", reason="other")
    assert (status, "选“其他”时请写明" in text) == (422, True)
    await seen(person, f"/appointments/day?hall={HALL}&day={TOMORROW}", "10:00", "1/1", "张*n")


async def _job(person: Browser, page: str, **fields: str) -> str:
    """The page of the job that the form starts, once it is over."""
    status, path, _ = await person.submit(page, "/appointments/closing", **fields)
    assert (status, path.startswith("/jobs/")) == (200, True), (
        "a day may have hundreds: it goes on by itself"
    )

    async def over() -> bool:
        return "已完成" in (await person.get(path))[1]

    await until(over)
    return (await person.get(path))[1]


async def _close(person: Browser) -> None:
    after = TOMORROW + timedelta(days=1)
    page = f"/appointments/closing?hall={HALL}&day={TOMORROW}&to={HALL}&to_day={after}"
    rule = f'href="/appointments/rules/edit?target=hall%3A{HALL}"'
    await seen(person, page, f"{after} 10:00", "改约 1 个并通知办事人", "仍在接受预约", rule)
    over = await seen(person, f"/appointments/closing?hall={HALL}&day={TOMORROW - timedelta(7)}")
    assert "仍在接受预约" not in over, "nobody books a day that is gone"
    fields = {"hall": str(HALL), "day": str(TOMORROW), "to": str(HALL), "to_day": str(after)}
    assert "已处理 1 个，0 个没有处理" in await _job(person, page, **fields, do="move")
    fields["day"] = str(after)
    assert "已处理 1 个" in await _job(person, page, **fields, do="cancel", words="停电")
    await seen(person, "/appointments?state=cancelled", "已取消", "居民身份证换领")
    behind = await seen(person, "/appointments?state=cancelled&page=99", "居民身份证换领")
    assert "没有符合筛选的内容" not in behind, "a page behind the end leads to the last one"
    await seen(
        person, "/appointments/figures?first=2026-12-31&last=2026-12-01", "没有符合筛选的内容"
    )


async def _all_pages(person: Browser, one: str) -> None:
    await seen(person, f"/appointments/one/{one}", "大厅停办", "停电")
    await seen(person, f"/appointments/unfit?hall={HALL}", "所有预约都合适")
    await seen(person, "/appointments/figures?by=item", "居民身份证换领")
    await seen(person, "/appointments/breaches", "没有爽约")
    for far in ("0001-01-01", "9999-12-31"):
        for page in (
            f"/appointments/day?day={far}",
            f"/appointments/closing?day={far}&to_day={far}",
        ):
            await seen(person, page)
        new = f"/appointments/new?place={PLACE}&day={far}"
        await seen(person, new)
        fields = {"place": PLACE, "day": far, "start": "09:00", "number": NUMBER, "key": far}
        status, _, text = await person.submit(new, "/appointments/new", **fields)
        assert (status, "这一天不能预约" in text) == (409, True), far
    fields = {"kind": "black", "number": NUMBER, "reason": "扰乱秩序"}
    text = await posted(person, "/appointments/lists", "/appointments/lists", **fields)
    assert ("黑名单" in text, "扰乱秩序" in text) == (True, True)
    status, _, text = await person.submit("/appointments/lists", "/appointments/lists", **fields)
    assert (status, "已在名单上" in text) == (409, True)
    no = re.search(r"/appointments/lists/(\d+)/end", text)
    assert no is not None
    await posted(person, "/appointments/lists", f"/appointments/lists/{no[1]}/end")
    for path in ("/appointments/list", "/appointments/figures"):
        async with person.http.get(f"{path}.xlsx") as answer:
            assert len(read_sheet(await answer.read())) == 2
    for path in (
        "/appointments",
        "/appointments/day",
        "/appointments/rules",
        "/appointments/figures",
    ):
        await seen(person, f"{path}?lang=en", "Bookings")
