"""A spreadsheet of items that names what nobody knows says so row by row, before anything is taken in."""

from collections.abc import AsyncIterator, Sequence

import pytest
from console_browser import browser, console
from test_catalogue import CARD, SHOP, upload

from console.app.server import ConsoleReady
from console.core.permissions import SYSTEM
from console.core.sheet_import import SheetPreview
from console.modules.catalogue.api import CATALOGUE, ItemBody
from console.modules.catalogue.service import CatalogueService
from qingting.contract.ids import HallId
from qingting.kernel.web.sheets import xlsx_of

pytestmark = pytest.mark.postgres
HEAD = ("编码", "名称", "部门", "区划代码", "行使层级", "主题", "办理大厅")
GOOD = (CARD, "社会保障卡补办", "人社局", "230600", "市级", "社会保障", "萨尔图大厅")


@pytest.fixture
async def ready(city_url: str) -> AsyncIterator[ConsoleReady]:
    async with console(city_url) as one:
        await one.city.enrol_hall(HallId("saertu"), name="萨尔图大厅")
        service = one.city.context.take(CATALOGUE)
        assert isinstance(service, CatalogueService)
        async with one.city.db.write() as uow:
            # An item that is there already makes its department and its theme known.
            await service.lists.put_theme(uow, SYSTEM, "社会保障", "")
            body = ItemBody(name="食品经营许可", department="人社局", division="230602", level=4)
            await service.put_draft(uow, SYSTEM, SHOP, body, "new")
            await service.lists.put_four_eyes(uow, SYSTEM, wanted=False)
            await service.publish(uow, SYSTEM, {SHOP: 1}, service.today())
        yield one


async def shown(ready: ConsoleReady, *row: str) -> SheetPreview[ItemBody]:
    service = ready.city.context.take(CATALOGUE)
    assert isinstance(service, CatalogueService)
    async with ready.city.db.write() as uow:
        return await service.preview(uow, SYSTEM, xlsx_of("x", HEAD, [row]))


def but(at: int, text: str) -> Sequence[str]:
    return (*GOOD[:at], text, *GOOD[at + 1 :])


async def test_known_names_are_taken_without_a_word_and_a_hall_by_its_name(
    ready: ConsoleReady,
) -> None:
    (row,) = (await shown(ready, *GOOD)).good
    assert row.warnings == ()
    assert row.value is not None
    assert row.value.halls == ("saertu",)


async def test_a_department_and_a_theme_that_nobody_knows_are_pointed_out_and_can_be_taken(
    ready: ConsoleReady,
) -> None:
    for at, text, field in ((2, "人设局", "department"), (5, "社会保章", "themes")):
        preview = await shown(ready, *but(at, text))
        (row,) = preview.good
        (doubt,) = row.warnings
        assert (doubt.field, doubt.params) == (field, {"value": text})
    async with browser(ready) as person:
        await person.enter(ready)
        status, page = await upload(person, xlsx_of("x", HEAD, [but(2, "人设局")]))
        assert (status, "1 行可以导入，请先核对" in page) == (200, True)
        assert "都没有“人设局”" in page
        assert "请先在“部门”里添加" in page, "what to do"


async def test_a_division_and_a_hall_that_nobody_knows_make_a_bad_row(ready: ConsoleReady) -> None:
    for at, text, field, why in (
        (3, "230699", "division", "catalogue.bad.no_division"),
        (6, "萨尔图太厅", "halls", "catalogue.bad.hall"),
    ):
        preview = await shown(ready, *but(at, text))
        assert not preview.good
        ((fault,),) = [one.faults for one in preview.bad]
        assert (fault.field, fault.why) == (field, why)


async def test_what_an_item_has_already_is_not_pointed_out_again(ready: ConsoleReady) -> None:
    service = ready.city.context.take(CATALOGUE)
    assert isinstance(service, CatalogueService)
    odd = ItemBody(
        name="社保卡", department="早已撤并的局", division="230699", halls=("closed-hall",)
    )
    async with ready.city.db.write() as uow:
        await service.put_draft(uow, SYSTEM, CARD, odd, "new")
    row = (CARD, "社会保障卡补办", "早已撤并的局", "230699", "市级", "", "closed-hall")
    (good,) = (await shown(ready, *row)).good
    assert good.warnings == ()


async def test_a_hall_and_an_item_whose_zeros_are_lost_are_told_as_such(
    ready: ConsoleReady,
) -> None:
    await ready.city.enrol_hall(HallId("0101"), name="一号大厅")
    (row,) = (await shown(ready, *but(6, "101"))).bad
    said = [(one.field, one.why, one.params) for one in row.faults]
    assert said[-1] == ("halls", "sheet.bad.zeros", {"value": "0101"})
    service = ready.city.context.take(CATALOGUE)
    assert isinstance(service, CatalogueService)
    async with ready.city.db.write() as uow:
        await service.lists.put_pattern(uow, SYSTEM, "[0-9]{4,31}|[0-9]{3}")
        body = ItemBody(name="食品经营许可", department="人社局", division="230602", level=4)
        await service.put_draft(uow, SYSTEM, "0201", body, "new")
    (row,) = (await shown(ready, *but(0, "201"))).bad
    said = [(one.field, one.why, one.params) for one in row.faults]
    assert said == [("code", "sheet.bad.zeros_new", {"value": "0201"})]
    assert [one.key for one in (await shown(ready, *but(0, "0201"))).good] == ["0201"]
