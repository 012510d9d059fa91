"""Board layouts and announcements as the manager edits them: without a script, with nothing lost."""

import json
import re
from typing import Any

import pytest
from aiohttp import FormData
from fixtures_manager import PASSWORD, Site

from hallserver.app.manage.board_form import MAX_PARTS, form_of, press, read
from hallserver.boards.layouts import DEFAULT, TEMPLATES
from hallserver.boards.view import layout_of
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, StaffId
from qingting.contract.layouts import Announcements, Motion, Named, ScopeWindows
from qingting.contract.states import Language

HOME = "/manage/boards"
NEW = "/manage/boards/new/overview"
VOICE = "/manage/announcements"


def fields_of(page: str) -> list[tuple[str, str]]:
    """What a browser without scripts would send of the editor's form."""
    form = page.split('<form id="', 1)[1].split("</form>", 1)[0]
    found: list[tuple[str, str]] = []
    for tag in re.findall(r"<input[^>]*>", form):
        given = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if given.get("type") == "checkbox" and " checked" not in tag:
            continue
        if "name" in given:
            found.append((given["name"], given.get("value", "on")))
    for name, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        first = re.search(r'<option value="([^"]*)"', options)
        assert first is not None
        found.append((name, (chosen or first)[1]))
    return found


async def send(
    site: Site, path: str, fields: list[tuple[str, str]], *more: tuple[str, str], **changed: str
) -> tuple[int, str]:
    """Posts the fields with some of them changed and others added."""
    kept = [(name, changed.get(name, value)) for name, value in fields]
    response = await site.client.post(path, data=FormData([*kept, *more]))
    return response.status, await response.text()


async def begin(site: Site, template: str = "overview") -> tuple[str, list[tuple[str, str]]]:
    """Address and fields of a new layout that was not sent yet."""
    _, page = await site.get(f"/manage/boards/new/{template}")
    action = re.search(r'action="(/manage/boards/b-[0-9a-f]+)"', page)
    assert action is not None
    return action[1], fields_of(page)


def config_of(site: Site) -> Any:
    assert site.desk.state.config is not None
    return site.desk.state.config


@pytest.mark.parametrize("template", [one.id for one in TEMPLATES])
async def test_every_template_is_saved_as_it_stands(inside: Site, template: str) -> None:
    action, fields = await begin(inside, template)
    status, page = await send(inside, action, fields, ("do", "save"))
    assert (status, "已保存" in page) == (200, True)
    (saved,) = config_of(inside).layouts
    source = next(one for one in TEMPLATES if one.id == template)
    assert (saved.slots, saved.matrix, saved.rows) == (source.slots, source.matrix, source.rows)


async def test_a_layout_that_is_saved_for_a_board_is_what_that_board_shows(inside: Site) -> None:
    action, fields = await begin(inside)
    await send(inside, action, fields, ("boards", "lcd"), ("do", "save"), name="东区", rows="5")
    shown = layout_of(inside.desk.state, DeviceId("lcd"))
    assert (shown.name, shown.rows) == ("东区", 5)
    _, page = await inside.get(action)
    assert 'name="boards" value="lcd" checked' in page


async def test_what_is_how_it_is_how_long_and_how_often_are_kept(inside: Site) -> None:
    action, fields = await begin(inside, "window-strip")
    changed = {
        "slot-0-motion": "scroll_left",
        "slot-0-seconds": "6.5",
        "slot-0-repeats": "4",
        "slot-0-every_seconds": "20",
        "slot-0-starts": "2026-12-01T08:30",
        "slot-0-ends": "2026-12-31T17:00",
        "of": "windows",
    }
    status, _ = await send(inside, action, fields, ("windows", "w1"), ("do", "save"), **changed)
    assert status == 200
    (saved,) = config_of(inside).layouts
    slot = saved.slots[0]
    assert saved.scope == ScopeWindows(windows=("w1",))
    assert (slot.motion, slot.seconds, slot.repeats) == (Motion.SCROLL_LEFT, 6.5, 4)
    assert (slot.every_seconds, slot.starts) == (20, "2026-12-01T08:30")
    assert slot.ends == "2026-12-31T17:00"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": " "}, "“名称”没有填对"),
        ({"slot-1-seconds": "viel"}, "第 2 项：“每次停留（秒）”没有填对"),
        (
            {"slot-0-zone": "calls", "part-0-0-what": "text", "part-0-0-text": "{tel}"},
            "不认识{tel}",
        ),
        ({"slot-4-zone": "calls", "part-4-0-what": "earlier"}, "只能放在旁边"),
        ({"part-0-0-what": "number"}, "第 1 项：“叫到的号码”只能放在叫号里"),
        ({"slot-0-starts": "2026-12-02T08:00", "slot-0-ends": "2026-12-01T08:00"}, "早于开始时间"),
        ({"of": "windows"}, "没有填对"),
    ],
)
async def test_what_cannot_work_is_said_where_it_is_and_stays_typed(
    inside: Site, changed: dict[str, str], said: str
) -> None:
    action, fields = await begin(inside)
    status, page = await send(inside, action, fields, ("do", "save"), **changed)
    assert status == 422
    assert said in page
    for value in changed.values():
        assert f'value="{value.strip()}"' in page
    assert config_of(inside).layouts == ()


async def test_a_save_on_top_of_somebody_else_s_is_refused_and_stays_typed(inside: Site) -> None:
    action, fields = await begin(inside)
    other, first = await begin(inside, "area")
    await send(inside, other, first, ("do", "save"))
    status, page = await send(inside, action, fields, ("do", "save"), name="我的屏")
    assert (status, "配置刚被别人改过" in page, 'value="我的屏"' in page) == (409, True, True)
    status, _ = await send(inside, action, fields_of(page), ("do", "save"))
    assert status == 200, "looked at and sent again"
    assert [one.name for one in config_of(inside).layouts] == ["区域屏", "我的屏"]


async def test_buttons_of_the_lists_change_the_form_alone(inside: Site) -> None:
    action, fields = await begin(inside)
    version = config_of(inside).version
    status, page = await send(inside, action, fields, ("do", "slot-add:foot"))
    assert (status, page.count('<section class="slot')) == (200, len(DEFAULT.slots) + 1)
    status, page = await send(inside, action, fields_of(page), ("do", "slot-drop:0"))
    assert page.count('<section class="slot') == len(DEFAULT.slots)
    assert config_of(inside).version == version


async def test_a_board_is_bound_in_the_list_and_a_deleted_layout_lets_it_go(inside: Site) -> None:
    action, fields = await begin(inside, "area")
    await send(inside, action, fields, ("do", "save"))
    layout = action.rpartition("/")[2]
    await inside.post(f"{HOME}/bind", form_at=HOME, board="lcd", layout=layout)
    assert config_of(inside).board_layouts == {"lcd": layout}
    _, page = await inside.get(HOME)
    assert "1 块显示屏改用「大厅综合屏」" in page, "what the deletion will do is said"
    await inside.post(f"{HOME}/{layout}/drop", form_at=HOME)
    assert (config_of(inside).layouts, config_of(inside).board_layouts) == ((), {})
    assert layout_of(inside.desk.state, DeviceId("lcd")) == DEFAULT


async def test_the_preview_is_what_a_board_would_show_with_invented_people(inside: Site) -> None:
    action, fields = await begin(inside)
    status, part = await send(inside, f"{action}/preview", fields, rows="3")
    assert status == 200
    draft = re.search(r'data-draft="([^"]+)"', part)
    assert draft is not None
    _, body = await inside.get(f"{HOME}/drafts/{draft[1]}")
    entries = json.loads(body)
    rows = [one for key, one in entries.items() if key.startswith("row:")]
    assert (entries["screen"]["rows"], len(rows)) == (3, 3)
    assert "王*例" in body
    assert (await inside.get(f"{HOME}/drafts/never-made"))[0] == 404


async def test_the_preview_of_a_strip_is_its_lamps(inside: Site) -> None:
    action, fields = await begin(inside, "area-strip")
    _, part = await send(inside, f"{action}/preview", fields)
    draft = re.search(r'data-draft="([^"]+)"', part)
    assert draft is not None
    for form, magic in (("gif", b"GIF89a"), ("png", b"\x89PNG")):
        response = await inside.client.get(f"{HOME}/drafts/{draft[1]}/strip.{form}")
        body = await response.read()
        assert (response.content_type, body.startswith(magic)) == (f"image/{form}", True)


async def test_only_the_preview_of_a_board_may_stand_in_a_page_of_ours(inside: Site) -> None:
    for path, framed in (
        ("/board/?preview", "'self'"),
        ("/board/", "'none'"),
        ("/kiosk/", "'none'"),
    ):
        response = await inside.client.get(path)
        if response.status != 200:
            pytest.skip("the front ends are not built")
        assert f"frame-ancestors {framed}" in response.headers["Content-Security-Policy"], path


async def test_a_clerk_sees_neither_layouts_nor_drafts(site: Site) -> None:
    await site.desk.accounts.staff.put(StaffId("s-01"), PASSWORD, must_change=False)
    await site.log_in("0101")
    for path in (HOME, NEW, VOICE, f"{HOME}/drafts/x", f"{VOICE}/sample.wav"):
        status, page = await site.get(path)
        assert "屏幕类型" not in page
        assert status != 200 or "登录" in page or "主管" in page


# ---- announcements ------------------------------------------------------------------------------


async def test_announcements_are_saved_with_volume_by_hour_and_quiet_hours(inside: Site) -> None:
    _, page = await inside.get(VOICE)
    changed = {
        "order": "zh-en",
        "named": "masked_name",
        "repeats": "2",
        "volume": "70",
        "volumes-0-start": "12:00",
        "volumes-0-end": "14:00",
        "volumes-0-percent": "30",
        "quiet-0-start": "22:00",
        "quiet-0-end": "06:00",
    }
    status, page = await send(inside, VOICE, fields_of(page), **changed)
    assert (status, "已保存" in page) == (200, True)
    saved: Announcements = config_of(inside).announcements
    assert saved.languages == (Language.ZH, Language.EN)
    assert (saved.named, saved.repeats, saved.volume) == (Named.MASKED_NAME, 2, 70)
    assert [(one.start, one.end, one.percent) for one in saved.volumes] == [("12:00", "14:00", 30)]
    assert [(one.start, one.end) for one in saved.quiet] == [("22:00", "06:00")]


@pytest.mark.parametrize(
    "changed", [{"volume": "150"}, {"repeats": "9"}, {"quiet-0-start": "25:00"}]
)
async def test_a_wrong_announcement_setting_is_refused_and_stays_typed(
    inside: Site, changed: dict[str, str]
) -> None:
    _, page = await inside.get(VOICE)
    status, page = await send(inside, VOICE, fields_of(page), **changed)
    assert status == 422
    for value in changed.values():
        assert f'value="{value}"' in page
    assert config_of(inside).announcements == Announcements()


# ---- the form -----------------------------------------------------------------------------------


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.id)
def test_a_layout_survives_the_form(template: Any) -> None:
    made, faults = form_of(template, 1, []).layout()
    assert (made, faults) == (template, [])


@pytest.mark.parametrize(
    "name", ["slot-x-zone", "slot-1-secret", "part-1-what", "slot-999-zone", "part-0-9-what"]
)
def test_names_that_the_form_never_had_are_refused(name: str) -> None:
    from multidict import MultiDict

    with pytest.raises(Refusal) as refused:
        read("b-1", MultiDict({name: "x"}))
    assert refused.value.code == "form.invalid"


@pytest.mark.parametrize("button", ["slot-up:0", "slot-drop:99", "part-up:0:0", "", "part-add:77"])
def test_a_button_that_does_not_fit_changes_nothing(button: str) -> None:
    form, same = form_of(DEFAULT, 1, []), form_of(DEFAULT, 1, [])
    press(form, button)
    assert form == same


def test_a_slot_keeps_one_part_at_least_and_a_handful_at_most() -> None:
    form = form_of(DEFAULT, 1, [])
    press(form, "part-drop:4:0")
    assert len(form.slots[4].parts) == 1
    for _ in range(MAX_PARTS + 3):
        press(form, "part-add:4")
    assert len(form.slots[4].parts) == MAX_PARTS
