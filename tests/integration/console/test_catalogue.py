"""The catalogue from a spreadsheet to what other modules see, on a running console."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import msgspec
import pytest
import sqlalchemy as sa
from console_browser import Browser, browser, console
from patience import until

from console.app.server import ConsoleReady
from console.core.audit import read_audit
from console.core.permissions import NOBODY, SYSTEM, Area, Permission, Scope, Subject
from console.core.progress import IN_REQUEST
from console.core.sheet_reading import read_sheet
from console.modules.calendar.api import TimeLimit
from console.modules.catalogue.api import CATALOGUE, ItemBody, ItemQuery
from console.modules.catalogue.service import CatalogueService, Flags, seen_of
from qingting.contract.errors import Refusal
from qingting.kernel.web.sheets import xlsx_of

pytestmark = pytest.mark.postgres
CARD = "11230600MB0A00001N3000117051000"
SHOP = "11230600MB0A00011P4000117051000"
HEAD = ("编码", "名称", "部门", "区划代码", "行使层级", "承诺时限", "主题", "申报材料")
ROWS = (
    (CARD, "社会保障卡补办", "人社局", "230600", "市级", "5个工作日", "社会保障", "身份证；申请表"),
    (SHOP, "食品经营许可", "市场监管局", "230602", "县级", "20", "准营准办", "申请表"),
    ("123", "无编码", "人社局", "230600", "市级", "很快", "", ""),
)
DISTRICT = Subject(
    id="district",
    name="district",
    grants=dict.fromkeys(
        (Permission.LOOK, Permission.CATALOGUE, Permission.CATALOGUE_PUBLISH),
        Scope((Area(halls=frozenset(), division="230602"),)),
    ),
)


@pytest.fixture
async def ready(city_url: str) -> AsyncIterator[ConsoleReady]:
    async with console(city_url) as one:
        yield one


async def upload(person: Browser, data: bytes) -> tuple[int, str]:
    """Sends the preview's form with a file."""
    _, page = await person.get("/catalogue/import")
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token is not None
    form = aiohttp.FormData({"csrf": token[1]})
    form.add_field("file", data, filename="items.xlsx", content_type="application/octet-stream")
    async with person.http.post("/catalogue/import/preview", data=form) as answer:
        return answer.status, await answer.text()


async def codes(ready: ConsoleReady, **wanted: object) -> list[str]:
    async with ready.city.db.read() as uow:
        query = msgspec.convert(wanted, ItemQuery)
        count, found = await ready.city.context.take(CATALOGUE).items(uow, query, limit=50)
    assert count == len(found)
    return [one.code for one in found]


async def test_a_spreadsheet_becomes_drafts_and_after_review_a_catalogue(
    ready: ConsoleReady,
) -> None:
    today = (await _service(ready)).today()
    async with browser(ready) as person:
        await person.enter(ready)
        status, text = await upload(person, xlsx_of("x", HEAD, ROWS))
        assert (status, "新增 2 行，修改 0 行，不变 0 行，有问题 1 行" in text) == (200, True)
        assert "“很快”看不懂" in text
        assert "材料字典将新增 2 项" in text
        token = re.search(r'name="upload" value="([^"]+)"', text)
        assert token is not None
        status, path, text = await person.submit(
            "/catalogue/import", "/catalogue/import", upload=token[1]
        )
        assert (status, path, "食品经营许可" in text) == (200, "/catalogue/review", True)
        status, _, again = await person.submit(
            "/catalogue/import", "/catalogue/import", upload=token[1]
        )
        assert (status, "已经导入" in again) == (409, True)
        assert await codes(ready) == []
        _, _, text = await person.submit(
            "/catalogue/review", "/catalogue/review", chosen=f"{CARD}@1", effective=str(today)
        )
        assert "的草稿是您自己改的，要由另一位有发布权限的人审核发布" in text
        async with ready.city.db.write() as uow:
            await (await _service(ready)).lists.put_four_eyes(uow, SYSTEM, wanted=False)
        for day, says in ((today - timedelta(days=1), "不能早于今天"), (today, "所选事项已发布")):
            _, _, text = await person.submit(
                "/catalogue/review", "/catalogue/review", chosen=f"{CARD}@1", effective=str(day)
            )
            assert says in text
        assert await codes(ready) == [CARD]
        _, _, text = await person.submit(
            "/catalogue/review", "/catalogue/review", chosen=f"{CARD}@1", effective=str(today)
        )
        assert "刚刚被别人改过" in text
        await person.submit(
            "/catalogue/review", "/catalogue/review", chosen=f"{SHOP}@1", effective=str(today)
        )
        await _found(ready)
        async with person.http.get("/catalogue/items.xlsx") as answer:
            data = await answer.read()
        assert len(read_sheet(data)) == 3
        assert "新增 0 行，修改 0 行，不变 2 行，有问题 0 行" in (await upload(person, data))[1]
        await _pages(person)
        await _themes(person)
    async with ready.city.db.read() as uow:
        assert len(await read_audit(uow, "catalogue.published")) == 2


async def test_a_long_take_in_and_many_drafts_are_jobs_that_keep_every_explanation(
    ready: ConsoleReady, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.modules.catalogue.views_edit.IN_REQUEST", 1)
    service = await _service(ready)
    async with ready.city.db.write() as uow:
        await service.lists.put_four_eyes(uow, SYSTEM, wanted=False)
    async with browser(ready) as person:
        await person.enter(ready)
        _, text = await upload(person, xlsx_of("x", HEAD, ROWS))
        token = re.search(r'name="upload" value="([^"]+)"', text)
        assert token is not None
        assert 'name="rows" value="2"' in text
        many = {"upload": token[1], "rows": str(IN_REQUEST + 1)}
        page = "/catalogue/import"
        for says in ("已导入 2 行，1 行有问题没有导入", "已经导入"):
            _, path, _ = await person.submit(page, page, **many)
            text = await _ended(person, path)
            assert says in text
            if "有问题" in says:
                assert "第 4 行" in text
                assert "现在是 3 位" in text
        page, today = "/catalogue/review", str(service.today())
        token = re.search(r'name="csrf" value="([^"]+)"', (await person.get(page))[1])
        assert token is not None
        form = [("csrf", token[1]), ("effective", today)]
        form += [("chosen", f"{one}@1") for one in (CARD, SHOP)]
        async with person.http.post(page, data=form) as answer:
            path = answer.url.path
        assert "已发布 2 个事项" in await _ended(person, path)
        assert len(await codes(ready)) == 2
        await _switched_and_taken_out(ready, person, monkeypatch)


async def _switched_and_taken_out(
    ready: ConsoleReady, person: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many are switched all or none, and a long list is a file of who asked for it; few at once."""
    one = {"all_found": "true", "department": "人社局", "on_site": "no"}
    page, change = "/catalogue", "/catalogue/flags"
    monkeypatch.setattr("console.modules.catalogue.views_edit.LIGHT_IN_REQUEST", 1)
    monkeypatch.setattr("console.modules.catalogue.service.LIGHT_IN_REQUEST", 1)
    assert (await person.submit(page, change, **one))[1] == "/catalogue"
    assert await codes(ready, on_site=False) == [CARD]
    with pytest.raises(ArithmeticError):
        async with ready.city.db.write() as uow:
            await (await _service(ready)).put_flags(
                uow, SYSTEM, [CARD, SHOP], Flags(bookable=True), _stop_at_the_first
            )
    assert await codes(ready, bookable=True) == []
    _, path, _ = await person.submit(page, change, all_found="true", bookable="yes")
    assert "已切换 2 个事项" in await _ended(person, path)
    assert len(await codes(ready, bookable=True)) == 2
    async with person.http.get("/catalogue/items.csv") as answer:
        assert (answer.url.path, answer.status) == ("/catalogue/items.csv", 200)
        at_once = await answer.read()
    monkeypatch.setattr("console.core.long_lists.AT_ONCE", 1)
    async with person.http.get("/catalogue/items.csv") as answer:
        path = answer.url.path
    assert "已导出 2 行" in await _ended(person, path)
    async with person.http.get(f"{path}/file") as answer:
        assert await answer.read() == at_once
    monkeypatch.setattr("console.core.long_lists.MOST_ROWS", 1)
    assert (await person.get("/catalogue/items.csv"))[0] == 422
    async with ready.city.db.read() as uow:
        told = [one.detail for one in await read_audit(uow, "list.export")]
    assert told == ["2 csv items", "2 csv items"]


async def _stop_at_the_first(done: int, _: int) -> None:
    assert done == 1
    raise ArithmeticError


async def _ended(person: Browser, path: str) -> str:
    """The page of a job, once it is over."""
    assert path.startswith("/jobs/")
    text = ""

    async def over() -> bool:
        nonlocal text
        text = (await person.get(path))[1]
        return "/cancel" not in text

    await until(over)
    return text


async def _service(ready: ConsoleReady) -> CatalogueService:
    service = ready.city.context.take(CATALOGUE)
    assert isinstance(service, CatalogueService)
    return service


async def _found(ready: ConsoleReady) -> None:
    """By words, reading, first letters, theme, division with all below, and none by what is not there."""
    for text, expected in (
        ("社会保障卡", [CARD]), ("shehui", [CARD]), ("SPJY", [SHOP]), ("申请表 食品", [SHOP]), ("身份证 食品", []),
        (CARD[:20].lower(), [CARD]), ("%", []), ("社保卡", [CARD]), ("sbk", [CARD]), ("卡保社", []), ("kbs", []), ("ＳＰＪＹ", [SHOP]),
        ("shebaoka", [CARD]), ("SheBaoKa buban", [CARD]), ("kabaoshe", []), ("sheka", []),
    ):  # fmt: skip
        assert await codes(ready, text=text) == expected, text
    assert await codes(ready, theme="准营准办") == [SHOP]
    assert await codes(ready, division="230602000000") == [SHOP]
    assert sorted(await codes(ready, division="2306")) == sorted([CARD, SHOP])
    assert await codes(ready, division="200000") == [], "the zero of 20 is a part of it"


async def _themes(person: Browser) -> None:
    """Themes are data: added at the end, moved, and kept while items have them."""
    await person.submit(
        "/catalogue/themes", "/catalogue/themes", name="一件事", name_en="One thing"
    )
    await person.submit("/catalogue/themes", "/catalogue/themes/move", name="一件事", up="true")
    _, text = await person.get("/catalogue/themes")
    names = re.findall(r'<th scope="row"><a href="/catalogue\?theme=[^"]+">([^<]+)</a>', text)
    assert names[-2:] == ["一件事", "其他"]
    for name, status, says in (("社会保障", 409, "还有事项属于"), ("一件事", 200, "主题已删除")):
        got, _, text = await person.submit("/catalogue/themes", "/catalogue/themes/drop", name=name)
        assert (got, says in text) == (status, True)


async def _pages(person: Browser) -> None:
    """Flags in bulk by department, the item's page, and a form that keeps what was typed."""
    await person.submit(
        "/catalogue", "/catalogue/flags", department="人社局", all_found="true", bookable="yes"
    )
    _, text = await person.get("/catalogue?bookable=yes")
    assert (CARD in text, SHOP in text) == (True, False)
    status, text = await person.get(f"/catalogue/items/{CARD}")
    assert (status, "承诺在" in text) == (200, True)
    assert (await person.get("/catalogue/items/none"))[0] == 404
    typed = {
        "code": "1",
        "name": "新事项",
        "department": "公安局",
        "channels": "window",
        "legal": "5天",
        "promised": "6天",
    }
    status, _, text = await person.submit("/catalogue/new", "/catalogue/drafts", **typed)
    assert (status, 'value="新事项"' in text) == (422, True)
    assert "不能长于法定时限" in text
    assert "现在是 1 位" in text


async def test_a_version_holds_from_its_day_and_never_changes(ready: ConsoleReady) -> None:
    service = await _service(ready)
    today = service.today()
    body = ItemBody(
        name="社保卡补办", department="人社局", division="230600", promised=TimeLimit(5)
    )
    later = msgspec.structs.replace(body, promised=TimeLimit(3))
    gone = msgspec.structs.replace(later, withdrawn=True)
    async with ready.city.db.write() as uow:
        for number, (one, on) in enumerate(
            (
                (body, today),
                (later, today + timedelta(days=10)),
                (gone, today + timedelta(days=20)),
            ),
            start=1,
        ):
            seen = seen_of(await service.versions(uow, SYSTEM, CARD)) if number > 1 else "new"
            await service.put_draft(uow, SYSTEM, CARD, one, seen)
            await service.publish(uow, SYSTEM, {CARD: number}, on)
    async with ready.city.db.read() as uow:
        for days, amount in ((0, 5), (9, 5), (10, 3), (19, 3)):
            held = await service.item(uow, CARD, today + timedelta(days=days))
            assert held.body.promised == TimeLimit(amount), days
        with pytest.raises(Refusal, match=r"catalogue\.unknown"):
            await service.item(uow, CARD, today + timedelta(days=20))
        due = await service.promised_day(uow, CARD, today)
        assert due is not None
        assert due.day > today
    with pytest.raises(sa.exc.DBAPIError, match="never changed"):
        async with ready.city.db.write() as uow:
            await uow.run(sa.text("UPDATE cat_version SET body = body"))


async def test_a_district_keeps_its_own_items_and_nobody_elses(ready: ConsoleReady) -> None:
    service = await _service(ready)
    city = ItemBody(name="社保卡补办", department="人社局", division="230600")
    own = ItemBody(name="食品经营许可", department="市场监管局", division="230602", level=4)
    async with ready.city.db.write() as uow:
        await service.put_draft(uow, DISTRICT, SHOP, own, "new")
        await service.put_draft(uow, SYSTEM, CARD, city, "new")
        assert [one.draft.code for one in await service.reviews(uow, DISTRICT)] == [SHOP]
        found = await service.preview(uow, DISTRICT, xlsx_of("x", HEAD, ROWS[:2]))
        assert [(one.key, [fault.why for fault in one.faults]) for one in found.bad] == [
            (CARD, ["sheet.bad.reach"])
        ]
    moved = msgspec.structs.replace(own, division="230603")
    async with ready.city.db.write() as uow:
        seen = seen_of(await service.versions(uow, SYSTEM, SHOP))
        for subject, code, body, known in (
            (DISTRICT, SHOP, moved, seen), (NOBODY, SHOP, own, seen), (DISTRICT, CARD, city, "new"),
        ):  # fmt: skip
            with pytest.raises(Refusal, match=r"page\.forbidden"):
                await service.put_draft(uow, subject, code, body, known)
        for chosen in ({CARD: 1}, {CARD: 1, SHOP: 1}):
            with pytest.raises(Refusal, match=r"page\.forbidden"):
                await service.publish(uow, DISTRICT, chosen, service.today())
        with pytest.raises(Refusal, match=r"page\.forbidden"):
            await service.drop_draft(uow, DISTRICT, CARD)
        with pytest.raises(Refusal, match=r"page\.forbidden"):
            await service.lists.put_pattern(uow, DISTRICT, ".*")
        for name in ("put_theme", "move_theme"):
            more = {"up": True} if name == "move_theme" else {"name_en": ""}
            with pytest.raises(Refusal, match=r"page\.forbidden"):
                await getattr(service.lists, name)(uow, DISTRICT, "其他", **more)
        with pytest.raises(Refusal, match=r"page\.forbidden"):
            await service.lists.put_four_eyes(uow, DISTRICT, wanted=False)
        await service.put_draft(
            uow, DISTRICT, SHOP, own, "new"
        )  # pressed twice: nothing more happens
        other = msgspec.structs.replace(own, name="食品生产许可")
        with pytest.raises(Refusal, match=r"catalogue\.exists"):
            await service.put_draft(uow, DISTRICT, SHOP, other, "new")
        with pytest.raises(Refusal, match=r"catalogue\.changed"):
            await service.put_draft(uow, DISTRICT, SHOP, other, "1-0-draft")
        await service.publish(uow, SYSTEM, {CARD: 1, SHOP: 1}, service.today())
        with pytest.raises(Refusal, match=r"catalogue\.none_chosen"):
            await service.to_switch(
                uow, DISTRICT, ItemQuery(), [CARD], flags := Flags(bookable=True)
            )
        assert await service.to_switch(uow, DISTRICT, ItemQuery(), None, flags) == [SHOP]
        assert await service.put_flags(uow, DISTRICT, [CARD, SHOP], flags) == 1
    assert await codes(ready, bookable=True) == [SHOP]
