"""Layouts to start from, read from ``layouts.toml`` once; the first is the default of every board."""

import tomllib
from importlib.resources import files

import msgspec

from qingting.contract.base import Strict
from qingting.contract.layouts import BoardLayout


class _File(Strict, frozen=True, kw_only=True):
    layout: tuple[BoardLayout, ...]


def _read() -> tuple[BoardLayout, ...]:
    raw = tomllib.loads(files("hallserver.boards").joinpath("layouts.toml").read_text("utf-8"))
    return msgspec.convert(raw, _File).layout


TEMPLATES = _read()
"""Every layout that a manager can begin with."""
DEFAULT = TEMPLATES[0]
"""What a board shows that is bound to no layout."""
