"""Hours, roster and offers as the manager changes them: whole without a script, with nothing lost."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from fixtures_manager import PASSWORD, Site
from form_fields import form_fields, invalid_inputs

from hallserver.app.manage.reading import initials, pinyin
from qingting.contract import commands as c
from qingting.contract.calendar import HallCalendar, Period, WeeklyHours
from qingting.contract.config import HallConfig, RepeatRule, WindowOrder
from qingting.contract.config_parts import CalendarPart, OfferPart
from qingting.contract.ids import ItemId, StaffId, WindowId
from qingting.contract.states import StaffPermission

HOURS, ROSTER, OFFERS = "/manage/hours", "/manage/roster", "/manage/offers"
PAGES = (HOURS, ROSTER, OFFERS)
ALWAYS = Period(start="00:00", end="24:00")


async def fields_of(site: Site, path: str) -> dict[str, str]:
    return form_fields((await site.get(path))[1], path)


async def save(site: Site, path: str, **changes: str) -> tuple[int, str]:
    fields = await fields_of(site, path) | changes
    return await site.post(path, form_at=path, **fields, do="save")


def config_of(site: Site) -> HallConfig:
    assert site.desk.state.config is not None
    return site.desk.state.config


@pytest.mark.parametrize("path", PAGES)
async def test_a_form_that_is_saved_untouched_changes_nothing(inside: Site, path: str) -> None:
    before = inside.desk.state.config
    status, page = await save(inside, path)
    assert (status, "已启用" in page) == (200, True)
    assert inside.desk.state.config == before


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        (HOURS, "early_minutes", "999"),
        (ROSTER, "window-0-number", "9" * 79 + "99"),
        (OFFERS, "queue-0-caps", "09:00-12:00"),
        (OFFERS, "queue-0-name", ""),
        (OFFERS, "item-0-minutes", "soon"),
    ],
)
async def test_a_fault_is_said_and_everything_stays_typed(
    inside: Site, path: str, field: str, value: str
) -> None:
    fields = await fields_of(inside, path) | {field: value}
    status, page = await inside.post(path, form_at=path, **fields, do="save")
    assert (status, "没有填对" in page) == (422, True)
    assert form_fields(page, path) == fields
    assert invalid_inputs(page) == {field}


@pytest.mark.parametrize("path", PAGES)
async def test_a_conflict_is_said_and_everything_stays_typed(inside: Site, path: str) -> None:
    fields = await fields_of(inside, path)
    config = config_of(inside)
    other = HallCalendar(weekly=(WeeklyHours(weekdays=(1,), periods=(ALWAYS,)),))
    part = CalendarPart(calendar=other)
    await inside.do(c.EditConfig(base=config.version, part=part))
    status, page = await inside.post(path, form_at=path, **fields, do="save")
    assert (status, "配置刚被别人改过" in page) == (409, True)
    assert form_fields(page, path) == fields


@pytest.mark.parametrize("path", PAGES)
async def test_a_clerk_can_neither_see_nor_save_it(inside: Site, path: str) -> None:
    fields = await fields_of(inside, path)
    await inside.desk.accounts.staff.put(StaffId("s-01"), PASSWORD, must_change=False)
    await inside.post("/manage/logout", form_at="/manage/")
    await inside.log_in(number="0101")
    before = inside.desk.state.seq
    assert (await inside.get(path))[0] == 403
    status, _ = await inside.post(path, form_at="/manage/password", **fields, do="save")
    assert (status, inside.desk.state.seq) == (403, before)


# ---- hours --------------------------------------------------------------------------------------


async def test_hours_are_added_shown_ahead_and_put_in_force(inside: Site) -> None:
    # Behind the fortnight that is shown.
    closed = (datetime.now(UTC).date() + timedelta(days=60)).isoformat()
    fields = await fields_of(inside, HOURS)
    for action in ("weekly/add:weekly", "closed/add:closed"):
        _, page = await inside.post(HOURS, form_at=HOURS, **fields, do=action)
        fields = form_fields(page, HOURS)
    fields |= {f"weekly-0-days:{day}": "on" for day in "12345"}
    fields |= {"weekly-0-periods": "9:00～12:00 13:30-17:00", "closed-0-name": "元旦"}
    fields |= {"closed-0-date": closed}
    _, page = await inside.post(HOURS, form_at=HOURS, **fields, do="preview")
    preview = page.split('<ul class="days">')[1]
    assert preview.count("09:00–12:00　13:30–17:00") == 10
    assert preview.count("不开门") == 4
    assert config_of(inside).calendar == HallCalendar()
    await inside.post(HOURS, form_at=HOURS, **fields, do="save")
    calendar = config_of(inside).calendar
    assert calendar.weekly[0].weekdays == (1, 2, 3, 4, 5)
    assert calendar.weekly[0].periods[1] == Period(start="13:30", end="17:00")
    assert [(one.date, one.name) for one in calendar.closed] == [(closed, "元旦")]


async def test_the_preview_alone_answers_a_script(inside: Site) -> None:
    fields = await fields_of(inside, HOURS)
    _, page = await inside.get(HOURS)
    token = page.split('name="csrf" value="')[1].split('"')[0]
    response = await inside.client.post(
        HOURS, data={**fields, "csrf": token, "do": "preview"}, headers={"HX-Request": "true"}
    )
    text = await response.text()
    assert (response.status, "<h1" in text, "不限时间" in text) == (200, False, True)


async def test_hours_that_overlap_are_refused(inside: Site) -> None:
    fields = await fields_of(inside, HOURS)
    fields |= {"weekly-0-days:1": "on", "weekly-0-periods": "09:00-12:00 11:00-13:00"}
    status, page = await inside.post(HOURS, form_at=HOURS, **fields, do="save")
    assert status == 422
    assert "开放时间：09:00–12:00 / 11:00–13:00 两段时间重叠了" in page


# ---- roster -------------------------------------------------------------------------------------


async def test_windows_clerks_and_shifts_are_put_in_force(inside: Site) -> None:
    fields = await fields_of(inside, ROSTER)
    _, page = await inside.post(ROSTER, form_at=ROSTER, **fields, do="shift/add:shift")
    fields = form_fields(page, ROSTER)
    fields |= {"shift-0-staff": "s-01", "shift-0-window": "w2", "shift-0-periods": "00:00-24:00"}
    fields |= {f"shift-0-days:{day}": "on" for day in "1234567"}
    fields |= {"window-0-order": "listed", "window-0-appointment_only": "on", "window-0-area": "A"}
    fields |= {"staff-0-skills": "户政、护照", "staff-0-may:pick": "on"}
    status, page = await inside.post(ROSTER, form_at=ROSTER, **fields, do="save")
    assert (status, "已启用" in page) == (200, True)
    config = config_of(inside)
    window, clerk, (shift,) = config.windows[0], config.staff[0], config.shifts
    assert (window.order, window.appointment_only, window.area) == (WindowOrder.LISTED, True, "A")
    assert (clerk.skills, clerk.permissions) == (("户政", "护照"), (StaffPermission.PICK,))
    assert (shift.staff, shift.window, shift.weekdays) == ("s-01", "w2", (1, 2, 3, 4, 5, 6, 7))
    assert "李敏 应在 2 号窗口" in page
    await inside.do(c.OpenWindow(window=WindowId("w2"), staff=StaffId("s-01")))
    _, page = await inside.get(ROSTER)
    assert "排了班的人都在岗" in page


async def test_queues_of_a_window_keep_their_order_and_lose_what_is_blank(inside: Site) -> None:
    config = config_of(inside)
    other = config.queues[0].__class__(id="gj", name="公积金", name_en="Fund", prefix="B")  # type: ignore[arg-type]
    part = OfferPart(queues=(*config.queues, other), items=config.items)
    await inside.do(c.EditConfig(base=config.version, part=part))
    await save(inside, ROSTER, **{"window-0-q0": "gj", "window-0-q1": "ga"})
    assert config_of(inside).windows[0].queues == ("gj", "ga")
    await save(inside, ROSTER, **{"window-0-q0": "", "window-0-q1": "ga"})
    assert config_of(inside).windows[0].queues == ("ga",)


# ---- offers -------------------------------------------------------------------------------------


async def test_caps_and_repeats_are_put_in_force_and_the_next_ticket_obeys(inside: Site) -> None:
    status, _ = await save(
        inside,
        OFFERS,
        **{"queue-0-caps": "00:00-24:00=1", "item-0-repeat": "once", "item-0-group": "户政"},
    )
    assert status == 200
    config = config_of(inside)
    assert (config.queues[0].caps[0].tickets, config.items[0].repeat) == (1, RepeatRule.ONCE)
    await inside.issue()
    with pytest.raises(Exception, match=r"ticket\.period_full"):
        await inside.issue()


async def test_english_texts_stand_beside_the_chinese_ones_and_show_what_saving_would_change(
    inside: Site,
) -> None:
    fields = await fields_of(inside, OFFERS)
    fields |= {"item-0-materials": "居民户口簿\r\n\r\n旧身份证", "item-0-materials_en": "Register"}
    fields |= {"item-0-legal_basis_en": "Identity Card Law, Art. 11"}
    before = config_of(inside)
    status, page = await inside.post(OFFERS, form_at=OFFERS, **fields, do="save")
    assert (status, config_of(inside)) == (422, before)
    assert "一条对一条，现在是 2 : 1 条" in page.split('class="row-fault"')[1]
    assert "旧身份证" in form_fields(page, OFFERS)["item-0-materials"]
    _, page = await inside.post(f"{OFFERS}?lang=en", form_at=OFFERS, **fields, do="save")
    assert "needs its English one" in page.split('class="row-fault"')[1]
    fields |= {"item-0-materials_en": "Register\r\nFormer card"}
    _, page = await inside.post(f"{OFFERS}?lang=en", form_at=OFFERS, **fields, do="preview")
    assert "<del>(empty)</del> <ins>Register / Former card</ins>" in page
    assert (await inside.post(OFFERS, form_at=OFFERS, **fields, do="save"))[0] == 200
    item = config_of(inside).items[0]
    assert item.materials == ("居民户口簿", "旧身份证")
    assert item.materials_en == ("Register", "Former card")
    assert item.legal_basis_en == "Identity Card Law, Art. 11"
    await save(inside, ROSTER, **{"window-0-place": "一楼", "window-0-place_en": "Floor 1"})
    assert config_of(inside).windows[0].place_en == "Floor 1"


async def test_many_items_are_changed_at_once_in_the_form_and_then_saved(inside: Site) -> None:
    fields = await fields_of(inside, OFFERS)
    ticked = {"item-0-ticked": "on", "item-1-ticked": "on"}
    bulk = {"bulk_field": "daily_cap", "bulk_value": "30"}
    _, page = await inside.post(OFFERS, form_at=OFFERS, **(fields | ticked | bulk), do="bulk")
    assert {one.daily_cap for one in config_of(inside).items} == {0}
    await inside.post(OFFERS, form_at=OFFERS, **form_fields(page, OFFERS), do="save")
    assert {one.daily_cap for one in config_of(inside).items} == {30}
    assert config_of(inside).items[0].id == ItemId("id-renew")


# ---- adding, renaming, retiring -----------------------------------------------------------------


async def press(
    site: Site, path: str, fields: dict[str, str], do: str
) -> tuple[dict[str, str], str]:
    _, page = await site.post(path, form_at=path, **fields, do=do)
    return form_fields(page, path), page


async def test_a_window_and_a_clerk_are_added_and_the_first_password_is_shown_once(
    inside: Site,
) -> None:
    fields = await fields_of(inside, ROSTER)
    for do in ("window/add:window", "staff/add:staff", "shift/add:shift"):
        fields, _ = await press(inside, ROSTER, fields, do)
    window, clerk = fields["window-2-id"], fields["staff-3-id"]
    fields |= {"window-2-name": "公安3号窗口", "window-2-name_en": "Police 3", "window-2-q0": "ga"}
    fields |= {"staff-3-number": "0101", "staff-3-name": "孙丽", "staff-3-skills": "户政"}
    fields |= {"shift-0-staff": clerk, "shift-0-window": window}
    status, page = await inside.post(ROSTER, form_at=ROSTER, **fields, do="save")
    assert (status, "窗口号" in page.split('class="row-fault"')[1]) == (422, True)
    assert form_fields(page, ROSTER).items() >= fields.items()
    fields |= {"window-2-number": "3"}
    status, page = await inside.post(ROSTER, form_at=ROSTER, **fields, do="save")
    assert (status, page.count('class="row-fault"')) == (422, 2)
    assert "员工“孙丽”：工号“0101”用了两次" in page
    fields, page = await press(inside, ROSTER, fields | {"staff-3-number": "0110"}, "preview")
    assert "新增窗口“公安3号窗口”" in page
    assert len(config_of(inside).windows) == 2
    status, page = await inside.post(ROSTER, form_at=ROSTER, **fields, do="save")
    assert (status, "新员工的一次性密码" in page) == (200, True)
    config = config_of(inside)
    assert (config.windows[2].id, config.staff[3].name, config.shifts[0].staff) == (
        window, "孙丽", clerk,
    )  # fmt: skip
    once = page.split('<p class="code">')[1].split("<")[0]
    assert await inside.desk.accounts.staff.check(config.staff[3], "0110", once)
    assert once not in (await inside.get("/manage/staff"))[1]


async def test_a_clerk_and_a_window_are_retired_with_their_shifts_but_never_oneself(
    inside: Site,
) -> None:
    (li, *_) = config_of(inside).staff
    await inside.desk.accounts.staff.put(li.id, PASSWORD, must_change=False)
    fields = await fields_of(inside, ROSTER)
    fields, _ = await press(inside, ROSTER, fields, "shift/add:shift")
    fields |= {"shift-0-staff": "s-01", "shift-0-window": "w1"}
    await inside.issue()
    await inside.do(c.OpenWindow(window=WindowId("w1"), staff=li.id))
    await inside.do(c.CallNext(window=WindowId("w1")))
    gone, page = await press(inside, ROSTER, fields, "staff/drop:0")
    assert not any(one.startswith("shift-") for one in gone)
    assert "去掉员工“李敏”" in (await press(inside, ROSTER, gone, "preview"))[1]
    status, page = await inside.post(ROSTER, form_at=ROSTER, **gone, do="save")
    assert (status, "“李敏”正在使用" in page) == (409, True)
    assert form_fields(page, ROSTER) == gone
    await inside.do(c.MarkNoShow(window=WindowId("w1")))
    gone, _ = await press(inside, ROSTER, gone, "window/drop:1")
    status, _ = await inside.post(ROSTER, form_at=ROSTER, **gone, do="save")
    config = config_of(inside)
    assert (status, [one.id for one in config.windows]) == (200, ["w1"])
    assert "s-01" not in {one.id for one in config.staff}
    assert li.id not in await inside.desk.accounts.staff.with_password()
    fields, _ = await press(inside, ROSTER, await fields_of(inside, ROSTER), "staff/drop:1")
    status, page = await inside.post(ROSTER, form_at=ROSTER, **fields, do="save")
    assert (status, "不能去掉自己" in page) == (409, True)


async def test_a_queue_and_an_item_are_added_and_what_is_needed_elsewhere_stays(
    inside: Site,
) -> None:
    fields = await fields_of(inside, OFFERS)
    for do in ("queue/add:queue", "item/add:item"):
        fields, _ = await press(inside, OFFERS, fields, do)
    queue, last = fields["queue-1-id"], len(config_of(inside).items)
    item = f"item-{last}-"
    fields |= {"queue-1-prefix": "a", "queue-1-name": "医保", "queue-1-name_en": "Health"}
    fields |= {f"{item}name": "医保登记", f"{item}name_en": "Registration", f"{item}queue": queue}
    status, page = await inside.post(OFFERS, form_at=OFFERS, **fields, do="save")
    assert (status, "单位" in page.split('class="row-fault"')[1]) == (422, True)
    fields |= {f"{item}department": "gaj"}
    status, page = await inside.post(OFFERS, form_at=OFFERS, **fields, do="save")
    assert (status, "队列“医保”：字母“A”用了两次" in page) == (422, True)
    fields |= {"queue-1-prefix": "b"}
    status, _ = await inside.post(OFFERS, form_at=OFFERS, **fields, do="save")
    made = config_of(inside).items[last]
    assert (status, made.queue, made.pinyin, made.initials) == (200, queue, "yibaodengji", "ybdj")
    assert config_of(inside).queues[1].prefix == "B"
    fields, _ = await press(inside, OFFERS, await fields_of(inside, OFFERS), "queue/drop:0")
    fields |= {f"item-{one}-queue": queue for one in range(last + 1)}
    status, page = await inside.post(OFFERS, form_at=OFFERS, **fields, do="save")
    assert (status, "没有队列“公安综合”" in page) == (422, True)
    fields, _ = await press(inside, OFFERS, await fields_of(inside, OFFERS), f"item/drop:{last}")
    await inside.post(OFFERS, form_at=OFFERS, **fields, do="save")
    assert len(config_of(inside).items) == last


async def test_the_seats_of_the_hall_are_put_in_force_and_nonsense_is_not(inside: Site) -> None:
    path = "/manage/hall"
    status, page = await save(inside, path, seats="many")
    assert (status, "等候座位" in page, form_fields(page, path)["seats"]) == (422, True, "many")
    assert (await save(inside, path, seats="48"))[0] == 200
    assert config_of(inside).hall.seats == 48


async def test_a_form_of_more_fields_than_a_library_lets_in_by_itself_is_read(inside: Site) -> None:
    """The items of a demonstration hall alone have some 1 600 fields."""
    fields = await fields_of(inside, OFFERS)
    fields |= {f"unused-{one}": "x" for one in range(3000)}
    status, _ = await inside.post(OFFERS, form_at=OFFERS, **fields, do="preview")
    assert status == 200


async def test_items_are_found_by_name_sound_or_initials_and_the_others_stay_in_the_form(
    inside: Site,
) -> None:
    items = config_of(inside).items
    _, whole = await inside.get(OFFERS)
    assert whole.count('class="row wide item">') == len(items)
    for sought in (items[0].name, pinyin(items[0].name), initials(items[0].name)):
        _, page = await inside.get(f"{OFFERS}?{urlencode({'q': sought})}")
        assert f"显示 1 项，共 {len(items)} 项" in page
        assert page.count('class="row wide item" hidden>') == len(items) - 1
    nothing = f"{OFFERS}?q=zzzz&queue=&department="
    fields = await fields_of(inside, nothing) | {"item-0-daily_cap": "7"}
    await inside.post(nothing, form_at=nothing, **fields, do="save")
    assert [one.daily_cap for one in config_of(inside).items] == [7, *(0 for _ in items[1:])]
