"""What the manager's pages list leaves as a spreadsheet or on paper: all rows, as the page shows them."""

import csv
import io
import re
from zipfile import ZipFile

import pytest
from fixtures_manager import Site

from qingting.contract.states import RatingLevel


async def taken(site: Site, page: str, out: str) -> tuple[int, bytes]:
    """Follows the first link below a table of the page."""
    _, shown = await site.get(page)
    link = re.search(rf'href="([^"]+out={out}&table=[^"]+)"', shown)
    assert link is not None
    answer = await site.client.get(link[1])
    return answer.status, await answer.read()


async def test_all_tickets_of_a_day_leave_though_the_page_shows_fifty(inside: Site) -> None:
    for _ in range(52):
        await inside.issue("k1")
    status, data = await taken(inside, "/manage/tickets?page=2", "csv")
    assert status == 200
    mark, head, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig")))
    assert "内部资料" in mark[0]
    assert head[:2] == ["号码", "事项"]
    assert len(rows) == 52
    assert len({row[0] for row in rows}) == 52


async def test_a_spreadsheet_holds_the_words_of_a_citizen_as_text(inside: Site) -> None:
    await inside.visit(RatingLevel.SATISFIED, words="=1+1")
    status, data = await taken(inside, "/manage/ratings", "xlsx")
    assert status == 200
    with ZipFile(io.BytesIO(data)) as book:
        assert "=1+1" in book.read("xl/sharedStrings.xml").decode()
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


async def test_on_paper_there_is_no_menu_and_all_rows(inside: Site) -> None:
    for _ in range(52):
        await inside.issue("k1")
    status, page = await inside.get("/manage/tickets?out=paper")
    assert status == 200
    assert page.count('scope="row"') == 52
    assert "<nav" not in page.partition("<main")[0]


async def test_a_table_that_is_not_there_is_not_found(inside: Site) -> None:
    assert (await inside.get("/manage/tickets?out=xlsx&table=00000000.00000000"))[0] == 404


async def test_nobody_takes_anything_out_without_logging_in(site: Site) -> None:
    answer = await site.client.get("/manage/tickets?out=csv&table=x", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/manage/login")


async def test_more_than_a_day_has_is_refused_in_words(
    inside: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hallserver.app.manage.tickets.MOST_TAKEN", 1)
    for _ in range(2):
        await inside.issue("k1")
    status, page = await inside.get("/manage/tickets?out=csv&table=x")
    assert status == 422
    assert "一次最多导出 1 条" in page
