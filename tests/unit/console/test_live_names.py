"""What a page of the console waits for is told to it."""

import re
from pathlib import Path

import console
from console.app.live import LIVE_NAMES

TEMPLATES = sorted(Path(console.__file__).parent.rglob("templates/*.html"))
MODULES = sorted(Path(console.__file__).parent.glob("modules/*/module.py"))


def test_every_name_that_a_page_listens_to_is_told_to_pages() -> None:
    heard = {
        name
        for one in TEMPLATES
        for found in re.findall(r'data-live-part="([a-z_ ]+)"', one.read_text("utf-8"))
        for name in found.split()
    }
    heard |= {
        name
        for one in TEMPLATES
        for name in re.findall(r"live:([a-z_]+) from", one.read_text("utf-8"))
    }
    assert {"alarms", "devices", "rollouts"} <= heard
    assert heard <= LIVE_NAMES


def test_every_name_that_a_part_of_the_device_page_listens_to_is_told_to_pages() -> None:
    heard = {
        name
        for one in MODULES
        for found in re.findall(r"live=\(([^)]*)\)", one.read_text("utf-8"))
        for name in re.findall(r'"([a-z_]+)"', found)
    }
    assert {"alarms", "acts"} <= heard
    assert heard <= LIVE_NAMES


def test_every_rule_of_the_styles_is_closed() -> None:
    """A brace lost in merging puts all rules behind it inside another one, in the parts after it too, and no browser
    complains."""
    styles = sorted(Path(console.__file__).parent.rglob("static/**/*.css"))
    parts = [one for one in styles if one.is_file()]
    assert len(parts) > 1
    for one in parts:
        text = one.read_text("utf-8")
        assert text.count("{") == text.count("}"), one.name
