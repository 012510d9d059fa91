"""A table that people read on a page is the same table in a sheet."""

from hypothesis import given
from hypothesis import strategies as st

from qingting.kernel.web.tables import table_of
from qingting.kernel.web.taking import table_key

PAGE = """<main><table data-table="{key}"><caption class="visually-hidden">Halls</caption>
<thead><tr><td class="tight"></td><th scope="col"><a class="sort" href="/?sort=-hall">Hall <span aria-hidden="true">↑</span></a></th>
<th scope="col" class="num">Waiting</th><th scope="col">State</th><td class="tight"></td></tr></thead>
<tbody>{rows}</tbody></table><table data-table="other"><tbody><tr><td>no</td></tr></tbody></table></main>"""
ROW = """<tr><td><input type="checkbox" name="hall" value="1"></td>
<th scope="row"><a href="/halls/1">Saertu</a><span class="soft">230602<br>second line</span></th>
<td class="num">1,204</td><td><span class="badge done"><svg><path d="M0"/><title>x</title></svg>open</span> <span class="badge off">quiet</span><p>since
   today</p></td>
<td><form method="post"><input name="csrf" value="secret"><button>Close</button></form></td></tr>"""
KEY = table_key("Halls")


def test_words_are_kept_apart_figures_are_numbers_and_controls_stay_behind() -> None:
    found = table_of(PAGE.format(key=KEY, rows=ROW), KEY)
    assert found is not None
    assert found.caption == "Halls"
    assert found.head == ["Hall", "Waiting", "State"]
    assert found.rows == [
        ["Saertu · 230602 · second line", 1204, "open · quiet · since today"],
    ]


def test_a_table_is_found_though_the_figures_in_its_caption_changed() -> None:
    page = PAGE.format(key=table_key("5 rows"), rows=ROW)
    found = table_of(page, table_key("6 rows"))
    assert found is not None
    assert len(found.rows) == 1
    assert table_of(page, table_key("Other rows")) is None
    two = PAGE.format(key=table_key("Wave 1"), rows=ROW).replace("other", table_key("Wave 2"))
    found = table_of(two, table_key("Wave 2"))
    assert found is not None
    assert found.rows == [["no"]]


def test_a_dash_for_nothing_is_an_empty_cell_and_a_cell_over_columns_takes_them() -> None:
    row = "<tr><th>a</th><td class='num'>—</td><td>—</td></tr><tr><th colspan='2'>b</th><td>c</td></tr>"
    found = table_of(PAGE.format(key=KEY, rows=row).replace('<td class="tight"></td>', ""), KEY)
    assert found is not None
    assert found.rows == [["a", "", ""], ["b", None, "c"]]


@given(st.lists(st.lists(st.sampled_from(["a", "1", "<b>x</b>", "<br>", "—", ""]), max_size=4)))
def test_every_row_is_as_wide_as_the_head(rows: list[list[str]]) -> None:
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    found = table_of(PAGE.format(key=KEY, rows=body), KEY)
    assert found is not None
    assert {len(row) for row in found.rows} <= {len(found.head)}
    assert len(found.rows) == sum(1 for row in rows if row)
