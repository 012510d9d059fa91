"""A hall's configuration written at the city: the hall applies it, refuses it, goes back, and nobody is overwritten."""

import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import msgspec
import pytest
from city_hall import Log
from configuration_stage import HALL, Stage, linked
from console_browser import Browser, browser, console
from engine_builders import CARE, HEALTH, KIOSK, LI, POLICE, W1, small_hall
from form_fields import form_entries, invalid_inputs
from patience import until

from console.core.permissions import NOBODY
from console.modules.catalogue import repository as catalogue
from console.modules.catalogue.domain import ItemBody
from console.modules.configuration import views_edit
from hallserver.hall import open_hall
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.config_parts import OfferPart, RosterPart
from qingting.contract.errors import Refusal
from qingting.contract.examples import CONFIG
from qingting.contract.ids import HallId
from qingting.contract.rules import CallingRules, Ratio
from qingting.kernel.aio.clock import SystemClock

pytestmark = pytest.mark.postgres


@pytest.fixture
async def stage(city_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    path, clock = tmp_path / "hall.sqlite", SystemClock()
    async with (
        open_hall(path, clock=clock, config=small_hall()) as hall,
        console(city_url) as ready,
        linked(ready, hall),
        browser(ready) as person,
    ):
        await person.enter(ready)

        found = Stage(ready, hall, person)
        await until(found.known)
        yield found


async def _two_at_once(person: Browser, page: str, fields: dict[str, str]) -> None:
    """A second form made from the same state, of somebody who did not see the first one's name."""
    early = fields | {"revision": "0.1"}
    status, _, text = await person.submit(page, page, **early | {"name": "一号", "place": "东侧"})
    assert status == 200, "another field: both hold"
    assert "综合一号" in text
    assert "东侧" in text
    status, _, text = await person.submit(page, page, **early | {"name": "一号窗口"})
    assert (status, "同事刚刚存过同样的地方" in text) == (409, True)
    assert "<td>综合一号</td><td>一号窗口</td>" in text, "whose is what is said"
    assert 'name="revision" value="0.1"' in text, "sent again as it is, it is refused again"
    status, _, text = await person.submit(page, page, **early | {"name": "一号窗口"})
    assert status == 409
    seen = re.search(r'name="over" value="([^"]+)"', text)
    assert seen is not None
    stale = early | {"name": "一号窗口", "over": "1.1"}
    assert (await person.submit(page, page, **stale))[0] == 409, "others saved after that"
    _, _, text = await person.submit(page, page, **early | {"name": "一号窗口", "over": seen[1]})
    assert "一号窗口" in text
    assert "东侧" in text
    assert (await person.submit(page, page, **early | {"revision": "9.1"}))[0] == 409
    assert (await person.submit(page, page, **fields))[0] == 200
    _, text = await person.get("/configurations/test")
    assert ">窗口</td>" in text, "what a save changed is said in words"


async def test_what_is_written_at_the_city_comes_into_force_is_refused_and_taken_back(
    stage: Stage,
) -> None:
    """One journey over one hall, as starting it costs most."""
    person, hall = stage.person, stage.hall

    # A window is renamed by its form: a draft, the hall is not touched.
    page = f"/configurations/test/parts/windows/{W1}"
    fields = {
        "number": "1",
        "name": "综合一号",
        "name_en": "One",
        "queues": HEALTH,
        "order": "score",
    }
    status, path, text = await person.submit(page, page, revision="0.1", **fields)
    assert (status, path) == (200, "/configurations/test/parts/windows")
    assert "综合一号" in text
    assert hall.state.window_config[W1].name == "一号"
    await _two_at_once(person, page, fields)
    _, text = await person.get("/configurations/test")
    assert "<del>一号</del>" in text
    assert "<ins>综合一号</ins>" in text

    # Published: the hall has it, the city knows that it has it, and the draft is done.
    assert (await stage.press("publish", note="统一名称"))[0] == 200
    standing = await stage.at_version(2)
    assert hall.state.window_config[W1].name == "综合一号"
    assert await stage.answered() == "applied"
    assert standing.draft is None

    # The hall's manager edits meanwhile: shown, and the draft does not overwrite it.
    roster = small_hall()
    renamed = tuple(
        msgspec.structs.replace(one, name_en="Window one") if one.id == W1 else one
        for one in roster.windows
    )
    await stage.push(RosterPart(windows=renamed, staff=roster.staff, shifts=()))
    theirs = tuple(
        msgspec.structs.replace(one, name="一号改") if one.id == W1 else one
        for one in hall.state.window_config.values()
    )
    edit = c.EditConfig(base=2, part=RosterPart(windows=theirs, staff=roster.staff, shifts=()))
    await hall.submit(edit, key="manager:00000001", actor=f"staff:{roster.staff[0].id}")
    assert (await stage.at_version(3)).moved_on
    status, text = await stage.press("publish")
    assert status == 409
    assert "第 3 版已经启用" in text
    assert "一号改" in text
    assert roster.staff[0].name in (await person.get("/configurations/test/history"))[1]
    key = f"keep:windows/{W1}/name"
    assert key in text, "the name was changed by both"
    assert (await stage.press("merge", **{key: "theirs"}))[0] == 200
    merged = (await stage.standing()).config.windows[0]
    assert (merged.name, merged.name_en) == ("一号改", "Window one")
    assert (await stage.press("publish"))[0] == 200
    await stage.at_version(4)

    # Refused: somebody waits for an item that the draft takes away. The reason is shown.
    await hall.submit(
        c.IssueTicket(item=CARE, token="t" * 20, device=KIOSK), key="k1:00000001", actor="kiosk:k1"
    )
    config = (await stage.standing()).config
    items = tuple(one for one in config.items if one.id != CARE)
    await stage.push(OfferPart(queues=config.queues, items=items))
    assert (await stage.press("publish"))[0] == 200
    assert await stage.answered() == "refused config.in_use"
    standing = await stage.standing()
    assert (standing.present.version, standing.draft is not None) == (4, True)
    _, text = await person.get("/configurations/test")
    assert "大厅没有启用第 5 版" in text
    assert "“事项care”正在使用" in text, "the whole sentence, as the hall itself would say it"
    assert (await stage.press("drop"))[0] == 200

    # A removed queue says who waits there; one nobody serves is said too.
    one_queue = tuple(msgspec.structs.replace(one, queues=(POLICE,)) for one in config.windows)
    await stage.push(RosterPart(windows=one_queue, staff=config.staff, shifts=()))
    assert "没有窗口办理队列“医保”" in (await person.get("/configurations/test"))[1]
    assert (await stage.press("drop"))[0] == 200

    # Every page of it answers.
    for one in ("", "/history", "/history.csv", "/catalogue", "/parts/calendar", "/parts/shifts"):
        assert (await person.get(f"/configurations/test{one}"))[0] == 200, one
    assert (await person.get("/configuration-copies"))[0] == 200
    assert "第 4 版" in (await person.get("/configurations"))[1]

    # Back to the first version in one click, as a new one.
    _, text = await person.get("/configurations/test/history")
    first = text.split("/configurations/test/versions/")[-1].split('"')[0]
    page = f"/configurations/test/versions/{first}"
    assert (await person.submit(page, f"{page}/back"))[0] == 200
    standing = await stage.at_version(5)
    assert msgspec.structs.replace(standing.present.config, version=1) == small_hall()
    assert hall.state.window_config[W1].name == "一号"
    assert await stage.answered() == "applied"


async def test_parts_are_edited_as_text_with_the_line_of_each_fault(stage: Stage) -> None:
    person, page = stage.person, "/configurations/test/text/windows"
    _, shown = await person.get(page)
    assert "[[windows]]" in shown
    text = '[[windows]]\nid = "w1"\nnumber = "1"\nname = "一号"\nname_en = "One"\nqueues = "q"\n'
    status, _, answer = await person.submit(page, page, text=text)
    assert status == 422
    assert "第 6 行" in answer
    assert "queues = &#34;q&#34;" in answer, "what was typed stays"
    _, _, answer = await person.submit(page, page, text="[[windows")
    assert "第 1 行" in answer
    good = text.replace('"q"', '["nowhere"]')
    assert (await person.submit(page, page, text=good))[0] == 200
    _, answer = await person.get("/configurations/test")
    assert "发布前要改好" in answer, "a draft may be unfinished, it is only not sent"
    status, answer = await stage.press("publish")
    assert status == 422
    async with stage.ready.city.db.write() as uow:
        with pytest.raises(Refusal, match=r"page\.forbidden"):
            await stage.service.push(uow, NOBODY, HALL, (), "")


PARTS: list[tuple[str, list[str], dict[str, str], str]] = [
    ("rules", [], {"rules.max_delay_minutes": "45"}, "<ins>45</ins>"),
    ("announcements", ["add:announcements.quiet"], {
        "announcements.quiet.0.start": "12:00", "announcements.quiet.0.end": "13:00",
    }, "12:00–13:00"),
    ("devices/new", [], {"one.id": "b1", "one.name": "一号屏", "one.kind": "board"}, "一号屏"),
    ("kiosks/new", [], {"one.name": "东门取号机", "one.greeting": "您好"}, "东门取号机"),
    ("tickets/new", ["add:one.rows"], {
        "one.name": "简单号票", "one.rows.0.text": "{number}", "one.rows.0.scale": "4",
    }, "简单号票"),
    ("boards/new", ["add:one.slots", "add:one.slots.0.parts"], {
        "one.id": "hallboard", "one.name": "综合屏", "one.kind": "page_overview",
        "one.slots.0.zone": "calls", "one.slots.0.parts.0.what": "number",
    }, "综合屏"),
    (f"queues/{HEALTH}", [], {"daily_cap": "99"}, "<ins>99</ins>"),
    (f"items/{CARE}", [], {"minutes": "12"}, "<ins>12</ins>"),
    ("departments/new", [], {"name": "税务局", "name_en": "Tax", "short_name": "税务"}, "税务局"),
    ("staff/new", [], {"number": "0109", "name": "赵新", "role": "clerk"}, "赵新"),
    ("shifts/new", [], {"staff": LI, "window": W1, "periods": "09:00-12:00"}, "09:00–12:00"),
    ("calendar", [], {"closed": "2026-12-31 盘点"}, "盘点"),
    ("hall", [], {"phone": "0459-1234567"}, "0459-1234567"),
]  # fmt: skip
"""Parts with a form: buttons to press first, what is typed, and what the difference then says."""


async def edit(person: Browser, place: str, buttons: list[str], typed: dict[str, str]) -> None:
    """Fills in a part's form as a browser without scripts does."""
    page = f"/configurations/test/parts/{place}"
    action = page + ("/one" if place in ("hall", "calendar") else "")
    _, text = await person.get(page)
    for button in [*buttons, ""]:
        entries = [one for one in form_entries(text, action) if one[0] not in typed or button]
        entries += [("do", button)] if button else list(typed.items())
        async with person.http.post(action, data=entries) as answer:
            text = await answer.text()
            assert answer.status == 200, (place, text)
    assert "已存进草稿" in text or "存" in text, place


async def test_every_part_is_edited_looked_at_sent_confirmed_and_taken_back(stage: Stage) -> None:
    person, hall, version = stage.person, stage.hall, 1
    for place, buttons, typed, said in PARTS:
        before = hall.state.config
        assert before is not None
        await edit(person, place, buttons, typed)
        _, text = await person.get("/configurations/test")
        assert said in text, f"{place}: the difference is shown before anything is sent"
        assert hall.state.config == before
        status, text = await stage.press("publish", note=place)
        assert (status, "大厅没有" in text) == (200, False), place
        version += 1
        await stage.at_version(version)
        assert await stage.answered() == "applied", place
        assert hall.state.config != before
        _, text = await person.get("/configurations/test/history")
        links = re.findall(r"/configurations/test/versions/[0-9]+-[0-9]+", text)
        back = list(dict.fromkeys(links))[1]
        assert (await person.submit(back, f"{back}/back"))[0] == 200
        version += 1
        await stage.at_version(version)
        assert await stage.answered() == "applied", place
        assert hall.state.config == msgspec.structs.replace(before, version=version), place


async def test_a_row_more_is_not_yet_saved_and_what_is_wrong_is_marked(stage: Stage) -> None:
    person, page = stage.person, "/configurations/test/parts/rules"
    _, text = await person.get(page)
    entries = form_entries(text, page)
    async with person.http.post(page, data=[*entries, ("do", "add:rules.ratios")]) as answer:
        text = await answer.text()
    assert 'name="rules.ratios.0.first"' in text
    assert (await stage.standing()).draft is None, "only the form has it"
    wrong = [
        (k, "很多" if k == "rules.classes.1.weight" else v) for k, v in form_entries(text, page)
    ]
    async with person.http.post(page, data=wrong) as answer:
        text, status = await answer.text(), answer.status
    assert status == 422
    assert "rules.ratios.0.first" in invalid_inputs(
        text
    ) or "rules.classes.1.weight" in invalid_inputs(text)
    assert 'value="很多"' in text, "what was typed stays"
    assert (await stage.standing()).draft is None


async def test_parts_of_one_hall_and_the_catalogue_come_to_a_hall_and_refusals_name_theirs(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, hall, city = stage.person, stage.hall, stage.ready.city
    for other, name in (("model", "样板厅"), ("silent", "新建厅")):
        await city.enrol_hall(HallId(other), name=name, key=f"key-{other}")
    log = Log(HallId("model"))
    rules = CallingRules(ratios=(Ratio(first="booked", second="ordinary", a=2, b=1),))
    info = msgspec.structs.replace(CONFIG.hall, id=HallId("model"), name="样板厅")
    log.add(e.ConfigApplied(config=msgspec.structs.replace(CONFIG, hall=info, rules=rules)))
    await city.link.intake.greet(log.hello("key-model"))
    await city.link.intake.apply(HallId("model"), log.frame(1))
    await city.runner.catch_up_all()

    page = "/configuration-copies"
    token = re.search(r'name="csrf" value="([^"]+)"', (await person.get(page))[1])
    assert token is not None
    form = [("csrf", token[1]), ("source", "model"), ("parts", "rules"), ("publish", "true")]
    form += [("halls", one) for one in ("test", "silent")]
    async with person.http.post(page, data=form) as answer:
        path = answer.url.path
    await stage.at_version(2)
    assert hall.state.config is not None
    assert hall.state.config.rules == rules

    async def over() -> bool:
        return "/cancel" not in (await person.get(path))[1]

    await until(over)
    _, text = await person.get(path)
    assert "1 个大厅已套用，1 个没有" in text
    assert "<b>新建厅</b>" in text, "a hall is said by its name"
    assert "套用自 样板厅" in (await person.get("/configurations/test/history"))[1]

    config, code = hall.state.config, "11230600MB0A00001N3000117051000"
    department = config.departments[0].name
    body = ItemBody(name="社保卡补办", department=department, halls=(config.hall.id,))
    async with city.db.write() as uow:
        for each, name in ((code, "社保卡补办"), (f"{code[:-1]}1", "社保卡挂失")):
            named = msgspec.structs.replace(body, name=name)
            await catalogue.put_draft(uow, each, named, origin="hand", at=1, by="test")
            await catalogue.publish(uow, each, 1, date(2026, 1, 1), 1, "test")
            await catalogue.put_flags(uow, [(each, True, True)], 1, "test")
    page = "/configurations/test/catalogue"
    _, text = await person.get(page)
    assert ("社保卡补办" in text, "社保卡挂失" in text) == (True, True)
    monkeypatch.setattr(views_edit, "MOST_LINES", 1)
    _, text = await person.get(page)
    assert ("社保卡补办" in text, "社保卡挂失" in text) != (True, True)
    assert "前 1 项，另有 1 项不同" in text, "what is left out is counted, not hidden"
    monkeypatch.undo()
    assert (await person.submit(page, page, codes=code))[0] == 200
    assert code not in {one.code for one in hall.state.config.items}
    assert (await stage.press("publish"))[0] == 200
    await stage.at_version(3)
    assert hall.state.config.items[-1].name == "社保卡补办"
    assert "社保卡补办" not in (await person.get(page))[1], "nothing differs any more"
