"""Words of boards in both languages, read from ``words.toml`` once."""

import tomllib
from datetime import datetime
from importlib.resources import files

import msgspec

from qingting.contract.base import Strict
from qingting.contract.states import Language, WindowState


class BoardWords(Strict, frozen=True, kw_only=True):
    """One language. ``window`` is for a number, ``window_named`` for a name in Chinese characters."""

    window: str
    window_named: str
    closed: str
    open: str
    paused: str
    date: str
    weekdays: tuple[str, ...]
    months: tuple[str, ...]

    def at_window(self, number: str) -> str:
        plain = number.isascii()
        return (self.window if plain else self.window_named).format(n=number)

    def state(self, state: WindowState) -> str:
        return {
            WindowState.CLOSED: self.closed,
            WindowState.OPEN: self.open,
            WindowState.PAUSED: self.paused,
        }[state]

    def day(self, at: datetime) -> str:
        month = self.months[at.month - 1] if self.months else str(at.month)
        return self.date.format(month=month, day=at.day, weekday=self.weekdays[at.weekday()])


def _read() -> dict[Language, BoardWords]:
    raw = tomllib.loads(files("hallserver.boards").joinpath("words.toml").read_text("utf-8"))
    return msgspec.convert(raw, dict[Language, BoardWords])


WORDS = _read()
