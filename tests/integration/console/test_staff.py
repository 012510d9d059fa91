"""Staff of the city: whoever keeps them stays within the own reach, and an own reach shows what the person did."""

import csv
import io
import re
from collections.abc import Sequence
from html import unescape

import aiohttp
import pytest
import sqlalchemy as sa
from test_who_may_do_what import CITY, FOREIGN, OWN, SAERTU, SECRET, Caller, caller, ready

from console.app.server import ConsoleReady
from console.core.audit import read_audit
from console.core.divisions import full
from console.core.permissions import Reach, ReachKind
from console.halls import models as halls
from console.modules.identity import models as m
from console.modules.organisation.api import Staff
from console.modules.organisation.cells import STAFF_COLUMNS
from console.modules.organisation.repository import put_staff, staff
from qingting.contract.examples import CONFIG
from qingting.kernel.web.sheets import csv_of, xlsx_of

pytestmark = pytest.mark.postgres
__all__ = ["ready"]
CLERK = CONFIG.staff[0]
PLACE = {"division": full("230602"), "hall": str(OWN)}


async def test_staff_are_taken_over_from_the_halls_within_reach_and_changed(
    ready: ConsoleReady,
) -> None:
    async with caller(ready, "district_manager", SAERTU) as keeper:
        _, page = await keeper.ask("GET", "/staff", {})
        assert f"number={CLERK.number}&amp;hall={OWN}" in page
        assert SECRET not in page
        _, page = await keeper.ask("GET", f"/staff/new?number={CLERK.number}&hall={OWN}", {})
        assert CLERK.name in page
        assert f'value="{full("230602")}" selected' in page
        wanted = {"number": CLERK.number, "name": CLERK.name, "post": "窗口人员", **PLACE}
        assert (await keeper.ask("POST", "/staff", wanted))[0] == 303
        assert (await keeper.ask("POST", "/staff", wanted))[0] == 409
        _, page = await keeper.ask("GET", "/staff", {})
        assert "窗口人员" in page
        assert f"number={CLERK.number}" not in page
        gone = {"name": CLERK.name, **PLACE, "left": "true"}
        assert (await keeper.ask("POST", f"/staff/edit/{CLERK.number}", gone))[0] == 303
        assert "已离岗" in (await keeper.ask("GET", "/staff", {}))[1]


async def adopted(keeper: Caller, numbers: Sequence[str], **place: str) -> tuple[int, str]:
    """What the form answers with these people ticked."""
    fields = {"csrf": keeper.csrf, **PLACE, "post": "窗口人员", **place}
    data = aiohttp.FormData([*fields.items(), *(("number", one) for one in numbers)])
    async with keeper.http.post("/staff/adopt", data=data, allow_redirects=False) as answer:
        return answer.status, await answer.text()


def ticked(page: str) -> list[str]:
    return re.findall(r'name="number" value="([^"]+)"[^>]* checked', page)


async def test_the_staff_of_a_hall_are_taken_over_at_once_all_or_nobody(
    ready: ConsoleReady,
) -> None:
    names = {"0101": "王芳", CLERK.number: CLERK.name, "0202": "李强"}
    numbers = sorted(names)
    async with ready.city.db.write() as uow:
        values = {"hall": OWN, "kind": "staff", "name_en": "", "present": True, "place": 9}
        for one in set(names) - {CLERK.number}:
            row = {"id": f"s{one}", "label": one, "name": names[one]}
            await uow.run(sa.insert(halls.directory).values(**values, **row))
    async with caller(ready, "district_manager", SAERTU) as keeper:
        _, page = await keeper.ask("GET", "/staff", {})
        assert f'href="/staff/adopt?hall={OWN}"' in page
        _, page = await keeper.ask("GET", f"/staff/adopt?hall={OWN}", {})
        assert ticked(page) == numbers
        assert f'value="{PLACE["division"]}" selected' in page
        status, page = await adopted(keeper, [])
        assert (status, "请至少选一个" in page) == (422, True)
        *others, one = numbers  # the last one: those before it are kept by then
        by_hand = {**PLACE, "number": one, "name": "已有"}
        assert (await keeper.ask("POST", "/staff", by_hand))[0] == 303
        status, page = await adopted(keeper, numbers)
        assert (status, "这个工号已经有人了" in page) == (409, True)
        assert ticked(page) == others, "the ticks are kept"
        assert await kept(ready) == {one: "已有"}, "nobody of them"
        assert (await adopted(keeper, others))[0] == 303
        assert await kept(ready) == {**names, one: "已有"}
        _, page = await keeper.ask("GET", f"/staff/adopt?hall={OWN}", {})
        assert "没有可以采用的人员" in page
        _, page = await keeper.ask("GET", "/staff?q=窗口人员", {})
        assert page.count("窗口人员") > len(others)
    async with ready.city.db.read() as uow:
        acts = await read_audit(uow, "staff.add")
    assert sorted(one.object for one in acts) == numbers


async def test_a_number_that_the_city_does_not_take_is_said_and_not_taken_over(
    ready: ConsoleReady,
) -> None:
    odd = {
        "id": "odd",
        "label": "窗口_一",
        "name": "王芳",
        "name_en": "",
        "present": True,
        "place": 9,
    }
    async with ready.city.db.write() as uow:
        await uow.run(sa.insert(halls.directory).values(hall=OWN, kind="staff", **odd))
    async with caller(ready, "district_manager", SAERTU) as keeper:
        _, page = await keeper.ask("GET", f"/staff/adopt?hall={OWN}", {})
        assert "这个工号这里不能用" in page
        assert ticked(page) == [CLERK.number]
        assert (await adopted(keeper, ["窗口_一", CLERK.number]))[0] == 422
        assert await kept(ready) == {}
        assert (await adopted(keeper, [CLERK.number]))[0] == 303


async def kept(ready: ConsoleReady) -> dict[str, str]:
    async with ready.city.db.read() as uow:
        return {one.number: one.name for one in await staff(uow)}


async def test_nobody_takes_over_the_staff_of_another_district(ready: ConsoleReady) -> None:
    async with caller(ready, "district_manager", SAERTU) as keeper:
        status, page = await keeper.ask("GET", f"/staff/adopt?hall={FOREIGN}", {})
        assert (status, SECRET in page) == (404, False)
        assert (await adopted(keeper, [CLERK.number], hall=str(FOREIGN)))[0] == 404
        assert (await adopted(keeper, [CLERK.number], division=full("230603")))[0] == 404
        assert (await adopted(keeper, ["0999"]))[0] == 409, "whom the hall does not name"
    assert await kept(ready) == {}


async def test_a_sheet_is_taken_in_as_it_was_shown_or_not_at_all(ready: ConsoleReady) -> None:
    head = [heads[0] for heads in STAFF_COLUMNS.values()]
    rows = [[f"70{n:02}", f"郑{n}", "窗口", "230602", "", "", ""] for n in range(3)]
    foreign = ["7090", "外区", "", "230603", "", "", ""]
    data = xlsx_of("x", head, [*rows, foreign])
    async with caller(ready, "district_manager", SAERTU) as keeper:

        async def shown(sheet: str, file: bytes) -> tuple[str, str]:
            form = aiohttp.FormData({"csrf": keeper.csrf})
            form.add_field("file", file, filename="x", content_type="application/octet-stream")
            async with keeper.http.post(f"/{sheet}/import/preview", data=form) as answer:
                page = await answer.text()
            found = re.search(r'name="upload" value="([^"]+)"', page)
            return found[1] if found else "", page

        first, page = await shown("staff", data)
        assert "新增 3 行，修改 0 行，不变 0 行，有问题 1 行" in page
        second, _ = await shown("staff", data)
        assert (await keeper.ask("POST", "/staff/import", {"upload": first}))[0] == 303
        again, text = await keeper.ask("POST", "/staff/import", {"upload": first})
        assert (again, "已经过期或者已经导入" in text) == (409, True)
        moved, text = await keeper.ask("POST", "/staff/import", {"upload": second})
        assert (moved, "预览以后数据有了变化" in text) == (409, True)
        for sheet, kind in (("staff", "xlsx"), ("divisions", "csv"), ("departments", "xlsx")):
            async with keeper.http.get(f"/{sheet}/list.{kind}") as answer:
                own = await answer.read()
            assert SECRET.encode() not in own
            assert "新增 0 行，修改 0 行" in (await shown(sheet, own))[1] or sheet == "departments"
        villages = [["230602013001", "铁人村", ""], ["230603011001", "外区村", ""]]
        token, page = await shown(
            "divisions", xlsx_of("x", ["区划代码", "名称", "英文名称"], villages)
        )
        assert "新增 1 行，修改 0 行，不变 0 行，有问题 1 行" in page
        assert (await keeper.ask("POST", "/divisions/import", {"upload": token}))[0] == 303
        assert "铁人村" in (await keeper.ask("GET", "/divisions/230602013000", {}))[1]
    async with ready.city.db.read() as uow:
        assert len(await read_audit(uow, "staff.add")) == 3


async def test_a_preview_leaves_as_a_spreadsheet_with_every_row(ready: ConsoleReady) -> None:
    """The page lists two hundred rows that change and five hundred that are wrong."""
    good = [[f"71{n:03}", f"郑{n}", "窗口", "230602"] for n in range(203)]
    bad = [[f"9 {n}", "", "窗口", "230603"] for n in range(502)]
    data = csv_of(["工号", "姓名", "岗位", "区划代码"], [*good, *bad])
    async with caller(ready, "district_manager", SAERTU) as keeper:

        async def sent(address: str) -> tuple[int, str]:
            form = aiohttp.FormData({"csrf": keeper.csrf})
            form.add_field("file", data, filename="x", content_type="application/octet-stream")
            async with keeper.http.post(address, data=form) as answer:
                return answer.status, (await answer.read()).decode("utf-8-sig")

        _, page = await sent("/staff/import/preview")
        assert "郑202" not in page
        button = re.search(r'formaction="([^"]+)"', page)
        assert button is not None
        address = unescape(button[1]).replace("out=xlsx", "out=csv")
        status, text = await sent(address)
    assert status == 200
    mark, head, *rows = csv.reader(io.StringIO(text))
    assert "导入预览" in mark[0]
    assert head == ["行", "姓名", "内容"]
    assert len(rows) == 705
    assert {row[0] for row in rows} == {str(n) for n in range(2, 707)}
    assert sum("有问题，不会导入" in row[2] for row in rows) == 502
    async with ready.city.db.read() as uow:
        (told,) = await read_audit(uow, "list.export")
        assert "705 csv" in told.detail


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"number": "12 34"}, 422),
        ({"name": " "}, 422),
        ({"division": full("230603")}, 404),
        ({"hall": str(FOREIGN)}, 404),
        ({"department": "nobody"}, 404),
    ],
)
async def test_what_is_wrong_or_elsewhere_is_refused_and_stays_typed(
    ready: ConsoleReady, change: dict[str, str], status: int
) -> None:
    wanted = {"number": "7001", "name": "郑一", "post": "值班主任", **PLACE, **change}
    async with caller(ready, "district_manager", SAERTU) as keeper:
        got, page = await keeper.ask("POST", "/staff", wanted)
        assert (got, "值班主任" in page) == (status, True)
        assert "7001" not in (await keeper.ask("GET", "/staff", {}))[1]


async def test_an_own_reach_shows_the_own_ratings_and_nothing_after_the_person_has_left(
    ready: ConsoleReady,
) -> None:
    async with caller(ready, "district_manager", CITY) as keeper:
        for number, name in ((CLERK.number, CLERK.name), ("7002", "郑二")):
            wanted = {"number": number, "name": name, **PLACE}
            assert (await keeper.ask("POST", "/staff", wanted))[0] == 303
        async with caller(ready, "clerk", Reach(ReachKind.OWN)) as clerk:

            async def sees_the_rating(number: str) -> bool:
                async with ready.city.db.write() as uow:
                    mine = m.account.c.id == "clerk-"
                    await uow.run(sa.update(m.account).where(mine).values(staff=number))
                # The words of the rating, as the hostile citizen of these tests leaves them.
                return "steal()" in (await clerk.ask("GET", "/ratings", {}))[1]

            assert await sees_the_rating(CLERK.number)
            assert not await sees_the_rating("7002")
            gone = {"name": CLERK.name, **PLACE, "left": "true"}
            assert (await keeper.ask("POST", f"/staff/edit/{CLERK.number}", gone))[0] == 303
            assert not await sees_the_rating(CLERK.number)


async def test_codes_are_read_as_they_were_meant_and_a_credit_code_is_compared(
    ready: ConsoleReady,
) -> None:
    async with caller(ready, "district_manager", SAERTU) as keeper:
        street = "/divisions/230602013000"
        village = {"code": "230602013００１", "name": "铁人村"}
        assert (await keeper.ask("POST", f"{street}/parts", village))[0] == 303
        assert "230602013001" in (await keeper.ask("GET", street, {}))[1]
        wanted = {"id": "fenju", "name": "萨尔图分局", "division": full("230602"), "uscc": "123"}
        status, page = await keeper.ask("POST", "/departments", wanted)
        assert (status, "应为 18 位" in page, "uscc_compared" in page) == (422, True, False)
        wanted["uscc"] = "11230600mb0a00001x"
        status, page = await keeper.ask("POST", "/departments", wanted)
        assert (status, "校验位不对" in page, "uscc_compared" in page) == (422, True, True)
        compared = {**wanted, "uscc_compared": "true"}
        assert (await keeper.ask("POST", "/departments", compared))[0] == 303
        assert "11230600MB0A00001X" in (await keeper.ask("GET", "/departments", {}))[1]


async def test_thousands_of_staff_are_shown_a_page_at_a_time_and_found(ready: ConsoleReady) -> None:
    async with ready.city.db.write() as uow:
        for number in range(120):
            one = Staff(number=f"8{number:03}", name=f"冯{number}", post="窗口人员", division=full("230602013"), department="", hall="")  # fmt: skip
            await put_staff(uow, one, None)
    async with caller(ready, "district_manager", SAERTU) as keeper:
        _, page = await keeper.ask("GET", "/staff", {})
        assert "120 人（共 120 人）" in page
        assert "8000" in page
        assert "8119" not in page
        assert "8119" in (await keeper.ask("GET", "/staff?sort=-number", {}))[1]
        for query, found in (("q=冯119", True), ("q=８１１９", True), ("division=230602000000&q=8119", True),
                             ("division=230603000000", False), ("state=left", False)):  # fmt: skip
            assert ("8119" in (await keeper.ask("GET", f"/staff?{query}", {}))[1]) is found, query
