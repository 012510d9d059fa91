"""Browsers are named so that a person recognises the own one."""

import pytest

from console.modules.identity.programs import program_name


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537 Chrome/140 Safari/537 Edg/140", "Edge · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18 like Mac OS X) AppleWebKit/605 MicroMessenger/8", "WeChat · iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox · Linux"),
        ("curl/8", "curl/8"),
        ("", ""),
    ],
)  # fmt: skip
def test_browser_and_system_are_named_and_anything_else_stays(agent: str, name: str) -> None:
    assert program_name(agent) == name
