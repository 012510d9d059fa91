"""Rating levels and tags in words (好差评 评价指标), from ``rating_tags.toml``."""

import tomllib
from functools import cache
from importlib.resources import files

import msgspec

from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.states import BAD_LEVELS, RatingLevel

RATING_SECONDS = 60
"""Silence on the rating pad after which a visit counts as not rated (standards.md A5)."""

LEVEL_WORDS: dict[RatingLevel, tuple[str, str]] = {
    RatingLevel.VERY_SATISFIED: ("非常满意", "Very satisfied"),
    RatingLevel.SATISFIED: ("满意", "Satisfied"),
    RatingLevel.BASICALLY_SATISFIED: ("基本满意", "Basically satisfied"),
    RatingLevel.DISSATISFIED: ("不满意", "Dissatisfied"),
    RatingLevel.VERY_DISSATISFIED: ("非常不满意", "Very dissatisfied"),
}
"""Chinese and English words of the five levels."""


class RatingTag(Strict, frozen=True, kw_only=True):
    """One tag. ``local`` tags have private codes and are never pushed to the province."""

    code: str
    level: RatingLevel
    basic: bool
    zh: str
    en: str
    local: bool = False


@cache
def rating_tags() -> dict[str, RatingTag]:
    """All offered tags by code."""
    raw = tomllib.loads(files("qingting.contract").joinpath("rating_tags.toml").read_text("utf-8"))
    return {tag.code: tag for tag in msgspec.convert(raw["tag"], list[RatingTag])}


def check_rating(level: RatingLevel, tags: tuple[str, ...]) -> None:
    """Refuses tags of another level, and a bad level (差评) without any tag (tender 1.1.1.8)."""
    known = rating_tags()
    for code in tags:
        if code not in known or known[code].level is not level:
            raise Refusal("rating.unknown_tag", tag=code)
    if level in BAD_LEVELS and not tags:
        raise Refusal("rating.reason_needed")


rating_tags()  # Read at import: a lookup in an event loop must not open a file.
