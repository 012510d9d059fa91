"""High contrast has the same colours whether the page or the reader's system asks for it."""

import re
from pathlib import Path

TOKENS = Path(__file__).resolve().parents[3] / "qingting/web/src/tokens.css"


def colours_after(selector: str) -> dict[str, str]:
    _, _, rest = TOKENS.read_text("utf-8").partition(selector)
    return dict(re.findall(r"(--[a-z-]+): ([^;]+);", rest.partition("}")[0]))


def test_the_switch_and_the_system_give_the_same_colours() -> None:
    chosen = colours_after("[data-theme~='contrast'] {")
    assert chosen == colours_after("(prefers-contrast: more) {")
    assert len(chosen) > 15
