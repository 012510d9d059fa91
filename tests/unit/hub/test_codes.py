"""Only a ticket's own code means anything to a kiosk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallserver.hub.codes import token_of


@pytest.mark.parametrize(
    "text",
    [
        "http://hall.test/t/3q2xWc9vS0y1",
        "https://10.0.0.7:8101/t/3q2xWc9vS0y1",
        "t/3q2xWc9vS0y1",
        "/t/3q2xWc9vS0y1",
        "3q2xWc9vS0y1",
        "  3q2xWc9vS0y1\r\n",
    ],
)
def test_a_token_is_found_in_its_link_or_alone(text: str) -> None:
    assert token_of(text) == "3q2xWc9vS0y1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        "http://hall.test/t/",
        "http://hall.test/t/3q2xWc9vS0y1/more",
        "http://hall.test/x/3q2xWc9vS0y1",
        "javascript:alert(1)",
        "您好您好您好您好",
        "a" * 65,
    ],
)
def test_anything_else_is_no_ticket(text: str) -> None:
    assert token_of(text) is None


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    token = token_of(text)
    assert token is None or 8 <= len(token) <= 64
