"""Where the halls lie: a schematic map as data, and which tile stands where on it."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

import msgspec

from console.modules.overview.service import HallLine
from qingting.contract.base import Strict
from qingting.contract.states import Language

TILE_WIDTH, TILE_HEIGHT, GAP = 196, 82, 8
MOST_TILES = 3
"""Tiles that one area has room for; of more halls the last tile says how many there are."""


class Place(Strict, frozen=True, kw_only=True):
    """An area of the city. ``codes`` are the divisions whose halls stand in it."""

    codes: tuple[str, ...]
    name: str
    name_en: str
    shape: str
    at: tuple[int, int]

    def title(self, language: Language) -> str:
        return self.name if language is Language.ZH else self.name_en

    @property
    def left(self) -> int:
        """Where its name begins: above the first tile."""
        return self.at[0] - TILE_WIDTH // 2

    @property
    def top(self) -> int:
        return self.at[1] - TILE_HEIGHT // 2


class CityMap(Strict, frozen=True, kw_only=True):
    """The drawing's size, its areas, and the ends of hall names that say nothing on a map."""

    width: int
    height: int
    suffixes: tuple[str, ...]
    place: tuple[Place, ...]

    def short(self, title: str) -> str:
        """A hall's name without what all of them share."""
        for suffix in self.suffixes:
            title = title.removesuffix(suffix) or title
        return title


def _read() -> CityMap:
    text = files("console.modules.overview").joinpath("places.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), CityMap)


MAP = _read()
"""Read at import: a lookup in an event loop must not open a file."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A hall on the map, by its tile's upper left corner; ``more`` counts the halls that it stands for
    besides its own (then it leads to the list)."""

    line: HallLine
    x: int
    y: int
    more: int = 0


def tiles(lines: Sequence[HallLine], city: CityMap = MAP) -> list[Tile]:
    """The halls whose division is on the map; the others are in the list below it alone."""
    return [tile for place in city.place for tile in _stack(place, lines)]


def _stack(place: Place, lines: Sequence[HallLine]) -> Iterator[Tile]:
    here = [line for code in place.codes for line in lines if line.status.division == code]
    more = len(here) - MOST_TILES
    for number, line in enumerate(here[:MOST_TILES]):
        last = number == MOST_TILES - 1 and more > 0
        yield Tile(line, place.left, place.top + number * (TILE_HEIGHT + GAP), more if last else 0)
