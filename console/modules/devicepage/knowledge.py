"""What the shipped device profiles say of a model, as far as a person at the city wants to know it.

Reads the same files as the halls' agents, leniently: what a profile means is checked where it is used.
A profile that a site made itself is not known here.
"""

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import msgspec

from qingting.contract.base import Record
from qingting.contract.conditions import condition_texts
from qingting.contract.states import Condition, DeviceKind, Language

_FOLDERS = ("printers", "id_readers", "scanners", "leds", "speakers", "faces", "cameras")
_TABLES_OF_MEANINGS = ("errors", "replies")


class Hint(Record, frozen=True, kw_only=True):
    """What to do about a condition at this very model."""

    zh: str
    en: str


class _Line(Record, frozen=True, kw_only=True):
    carriers: tuple[str, ...] = ()


class _Head(Record, frozen=True, kw_only=True):
    id: str
    kind: DeviceKind
    vendor: str
    model: str
    revision: int
    evidence: str
    sources: tuple[str, ...] = ()
    transport: _Line = _Line()
    hints: dict[Condition, Hint] = msgspec.field(default_factory=dict)


class Model(Record, frozen=True, kw_only=True):
    """A model: ``carriers`` are its interfaces, ``evidence`` how far what we know of it is proven, ``tells`` the
    conditions it can report itself; that it is not there is noticed with every model."""

    id: str
    kind: DeviceKind
    vendor: str
    model: str
    revision: int
    evidence: str
    sources: tuple[str, ...]
    carriers: tuple[str, ...]
    tells: tuple[Condition, ...]
    hints: dict[Condition, Hint]

    @property
    def title(self) -> str:
        return f"{self.vendor} {self.model}"

    def hint(self, condition: Condition, language: Language) -> str:
        """Better words than those for every model; empty when there are none."""
        hint = self.hints.get(condition)
        if hint is None:
            return ""
        return hint.zh if language is Language.ZH else hint.en


def read_models() -> dict[str, Model]:
    """All models by profile id. Raises ``msgspec.ValidationError`` when a profile lacks what each has."""
    raw = dict(_raw())
    return {key: _model(_merged(raw, key)) for key in raw}


def _raw() -> Iterator[tuple[str, dict[str, Any]]]:
    root = files("firmware_profiles")
    for folder in _FOLDERS:
        place = root.joinpath(folder)
        for entry in place.iterdir() if place.is_dir() else ():
            if entry.name.endswith(".toml"):
                yield entry.name.removesuffix(".toml"), tomllib.loads(entry.read_text("utf-8"))


def _merged(raw: Mapping[str, dict[str, Any]], key: str, depth: int = 0) -> dict[str, Any]:
    own = raw[key]
    parent = own.get("inherits", "")
    if parent not in raw or depth > len(raw):
        return own
    return _over(_merged(raw, parent, depth + 1), own)


def _over(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _over(below, value)
        else:
            merged[key] = value
    return merged


def _model(merged: Mapping[str, Any]) -> Model:
    head = msgspec.convert(dict(merged), _Head)
    told = set(_meanings(merged))
    return Model(
        id=head.id,
        kind=head.kind,
        vendor=head.vendor,
        model=head.model,
        revision=head.revision,
        evidence=head.evidence,
        sources=head.sources,
        carriers=head.transport.carriers,
        tells=tuple(one for one in condition_texts() if one.value in told),
        hints=head.hints,
    )


def _meanings(table: Mapping[str, Any]) -> Iterator[str]:
    """Names of conditions wherever a profile says what a bit or a code means."""
    for key, value in table.items():
        if key == "is" and isinstance(value, str):
            yield value
        elif key in _TABLES_OF_MEANINGS and isinstance(value, dict):
            yield from (one for one in value.values() if isinstance(one, str))
        elif isinstance(value, dict):
            yield from _meanings(value)
        elif isinstance(value, list):
            for one in value:
                if isinstance(one, dict):
                    yield from _meanings(one)


MODELS = read_models()
"""Read at import: a lookup in an event loop must not open a file."""
