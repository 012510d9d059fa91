"""Rows that a narrow screen shows one below another say in each cell what the head of its column says."""

import pytest
from markupsafe import Markup

from qingting.kernel.web.rows import has_controls, labelled

BUTTON = '<form><button class="button">x</button></form>'


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (BUTTON, True),
        ('<a class="button quiet" href="/x">x</a>', True),
        ("<select><option>1</option></select>", True),
        ('<a href="/x">x</a>', False),
        ("<b>&lt;button&gt;</b>", False),
    ],
)
def test_only_rows_in_which_something_can_be_pressed_stand_apart(row: str, found: bool) -> None:
    assert has_controls(f"<tr><td>{row}</td></tr>") is found


def test_each_cell_carries_the_head_of_its_own_column_in_every_row() -> None:
    rows = '<tr><th scope="row">A</th><td class="num">1</td><td></td></tr>' * 2
    heads = ["Name", ("Number", "num"), ("", "tight")]
    one = '<tr><th scope="row">A</th><td data-label="Number" class="num">1</td><td></td></tr>'
    assert labelled(rows, heads) == one * 2


def test_a_head_is_text_whatever_it_says() -> None:
    heads = ['"><script>', Markup('<a class="sort" href="?by=age">Age</a>')]
    found = labelled("<tr><td>1</td><td>2</td></tr>", heads)
    assert "<script>" not in found
    assert 'data-label="&#34;&gt;&lt;script&gt;"' in found
    assert 'data-label="Age"' in found
