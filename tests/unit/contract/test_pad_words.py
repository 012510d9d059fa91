"""A pad's facts in words: only what its browser tells, the same keys at hall and city."""

import json
from pathlib import Path

import pytest

from qingting.contract.pads import PadFacts, pad_words

ROOT = Path(__file__).resolve().parents[3]


def keys(facts: PadFacts) -> list[str]:
    return [one.key for one in pad_words(facts)]


def test_a_browser_that_tells_nothing_leaves_only_how_it_was_started() -> None:
    assert keys(PadFacts()) == ["pad.tab"]


def test_what_matters_most_comes_first() -> None:
    facts = PadFacts(
        battery=17, charging=False, network="wifi", rtt=12, visible=False, sound=False,
        build="b1", installed=True, screen="1280x800@1",
    )  # fmt: skip
    assert keys(facts) == [
        "pad.battery", "pad.net.wifi", "pad.rtt", "pad.hidden", "pad.silent", "pad.app",
        "pad.build", "pad.screen",
    ]  # fmt: skip
    assert keys(PadFacts(battery=80, charging=True, network="tin cans"))[0] == "pad.charging"


@pytest.mark.parametrize("folder", ["hallserver/app/locale", "console/app/locale"])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_word_has_its_text(folder: str, language: str) -> None:
    texts = json.loads((ROOT / folder / f"{language}.json").read_text("utf-8"))
    for network in ("wifi", "ethernet", "cellular"):
        for sound in (True, False):
            for charging in (True, False):
                facts = PadFacts(
                    battery=50, charging=charging, network=network, rtt=1, visible=False,
                    sound=sound, build="b", installed=sound, screen="s",
                )  # fmt: skip
                assert set(keys(facts)) <= set(texts)
