"""Which line of the left menu a page stands under."""

import pytest

from qingting.kernel.web import MenuItem

ITEM = MenuItem("/divisions", "menu", "people", under=("/departments", "/staff"))
START = MenuItem("/", "menu", "overview")


@pytest.mark.parametrize(
    ("path", "held"),
    [
        ("/divisions", True),
        ("/divisions/230602000000", True),
        ("/staff/edit/7", True),
        ("/staffing", False),
        ("/", False),
    ],
)
def test_a_line_holds_its_pages_and_those_named_under_it(path: str, held: bool) -> None:
    assert ITEM.holds(path, "/") is held


def test_the_start_holds_itself_alone() -> None:
    assert START.holds("/", "/")
    assert not START.holds("/staff", "/")
    assert MenuItem("/manage", "menu", "overview").holds("/manage", "/manage")
    assert not MenuItem("/manage", "menu", "overview").holds("/manage/staff", "/manage")
