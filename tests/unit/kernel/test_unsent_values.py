"""What a page of a form that was not sent shows of it: what people typed, no codes of ours."""

import pytest

from qingting.kernel.web.unsent_page import known_again


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("说明", "窗口搬到二楼"),
        ("姓名", "Ann"),
        ("电话", "13812345678"),
        ("日期", "2026-11-30"),
        ("计入时限", "true"),
        ("", "2026-11-30"),
        ("", "09:30"),
        ("", "窗口搬到二楼"),
    ],
)
def test_what_somebody_typed_is_shown(label: str, value: str) -> None:
    assert known_again(label, value)


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("事项", "id-renew"),
        ("", "id-renew"),
        ("", "1"),
        ("", "correct"),
        ("", "true"),
        ("说明", "  "),
    ],
)
def test_codes_and_nothing_are_not(label: str, value: str) -> None:
    assert not known_again(label, value)
