"""Chinese texts are set in one way: a space between Chinese and Latin letters or numbers, full-width punctuation."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HAN = r"[\u3400-\u9fff]"
TIGHT = re.compile(rf"{HAN}[A-Za-z0-9]|[A-Za-z0-9]{HAN}")
NUMBERS = "|".join(
    ("n", "count", "seconds", "minutes", "hours", "days", "most", "least", "way", "channel")
)
TIGHT_VALUE = re.compile(rf"{HAN}\{{({NUMBERS})\}}|\{{({NUMBERS})\}}{HAN}")
"""Numbers, and ways of telling somebody, of which some have Latin names (App 推送)."""
NARROW = re.compile(rf"{HAN}[,;:!?()]|[,;:!?()]{HAN}|{HAN}\.(?:\s|$)")
AS_TYPED = {
    *("rollout.waves_default", "rollout.waves_hint", "rollout.waves_bad.zh"),
    *("catalogue.limit_hint", "api.signature"),
}
"""Texts that show what is typed into a field, or code."""
TITLES = re.compile(r"c\.month\.\d+|calendar\.notice\.source_hint|boards\.window_n")
"""A month of a date (11月24日), the number of a document as the State Council writes it, the name of a window as boards
show it (3号窗口)."""
PAID_BY_LENGTH = re.compile(r"note\..*\.sms")


def strings(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield key, value
        case dict():
            for name, one in value.items():
                yield from strings(one, f"{key}.{name}" if key else name)
        case list():
            for one in value:
                yield from strings(one, key)
        case _:
            pass


def texts() -> Iterator[tuple[str, str]]:
    for package in ("console", "hallserver", "qingting", "kiosk_ui/src", "tablet_app/src"):
        for path in sorted((ROOT / package).rglob("zh-CN.json")):
            if not {"node_modules", "dist", "static"} & set(path.parts):
                yield from strings(json.loads(path.read_text("utf-8")))
    errors = tomllib.loads((ROOT / "qingting/contract/errors.toml").read_text("utf-8"))
    yield from ((key, text) for key, text in strings(errors) if key.endswith(".zh"))


def found(what: re.Pattern[str]) -> list[str]:
    return [
        f"{key}: {text}"
        for key, text in texts()
        if what.search(text)
        and key not in AS_TYPED
        and not TITLES.fullmatch(key)
        and not PAID_BY_LENGTH.fullmatch(key)
    ]


def test_all_chinese_texts_are_looked_at() -> None:
    keys = {key for key, _ in texts()}
    assert {"notice.pause", "boards.lead", "citizen.unknown.zh"} <= keys
    assert len(keys) > 5000


@pytest.mark.parametrize("what", [TIGHT, TIGHT_VALUE], ids=["letters", "values"])
def test_a_space_stands_between_chinese_and_latin_letters_or_numbers(
    what: re.Pattern[str],
) -> None:
    assert found(what) == []


def test_chinese_texts_have_the_punctuation_of_chinese() -> None:
    assert found(NARROW) == []
