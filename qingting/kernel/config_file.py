"""A hall's configuration as a file: written by the city or by hand, TOML or JSON by the name's ending.

Reading collects every fault of the file, because a person who corrects it wants to see them all at
once; :func:`msgspec.convert` alone stops at the first.
"""

import json
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from qingting.contract.base import ready_for_threads
from qingting.contract.config import HallConfig, config_faults
from qingting.contract.errors import Refusal

T = TypeVar("T", bound=msgspec.Struct)
ready_for_threads(HallConfig)


class ConfigFileError(Refusal):
    """The file cannot be put in force. ``faults`` holds every reason, one English line each."""

    def __init__(self, path: Path, faults: list[str]) -> None:
        self.path = path
        self.faults = tuple(faults)
        super().__init__("config.invalid", faults="; ".join(faults))

    def __str__(self) -> str:
        return "\n".join([f"{self.path}:", *(f"  - {fault}" for fault in self.faults)])


def load_config(path: Path) -> HallConfig:
    """Reads ``path`` (``.toml`` or ``.json``); raises :class:`ConfigFileError` with all its faults."""
    raw = _read(path)
    faults = list(_faults(raw, HallConfig, ""))
    if faults:
        raise ConfigFileError(path, faults)
    config = msgspec.convert(raw, HallConfig)
    faults = [one.line() for one in config_faults(config)]
    if faults:
        raise ConfigFileError(path, faults)
    return config


def load_record(path: Path, kind: type[T]) -> T:
    """A record out of ``path`` (``.toml`` or ``.json``), for files that hold only a part of a
    configuration; raises :class:`ConfigFileError` with all its faults."""
    raw = _read(path)
    faults = list(_faults(raw, kind, ""))
    if faults:
        raise ConfigFileError(path, faults)
    return msgspec.convert(raw, kind)


def dump_config(config: HallConfig, path: Path) -> None:
    """Writes ``config`` so that :func:`load_config` gives it back; a half-written file never stays.

    Raises ``ValueError`` when the name ends neither in ``.toml`` nor in ``.json``.
    """
    suffix = path.suffix.lower()
    if suffix == ".json":
        text = msgspec.json.format(msgspec.json.encode(config), indent=2).decode()
    elif suffix == ".toml":
        text = to_toml(config)
    else:
        raise ValueError(f"{path}: a configuration file ends in .toml or .json")
    draft = path.with_name(f".{path.name}.new")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text.rstrip("\n") + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def to_toml(record: msgspec.Struct) -> str:
    """TOML of a record whose fields are plain values, records, or lists of records."""
    return "".join(_toml(msgspec.json.decode(msgspec.json.encode(record))))


def _read(path: Path) -> object:
    try:
        text = path.read_text("utf-8")
        if path.suffix.lower() == ".toml":
            return tomllib.loads(text)
        if path.suffix.lower() == ".json":
            return msgspec.json.decode(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.DecodeError) as error:
        raise ConfigFileError(path, [str(error)]) from error
    raise ConfigFileError(path, ["a configuration file ends in .toml or .json"])


def _faults(raw: object, kind: Any, place: str) -> Iterator[str]:
    """All that is wrong with ``raw`` as ``kind``, descending into records and lists of records."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(raw, dict):
        yield from _record_faults(raw, kind, place)
        return
    if get_origin(kind) is tuple and isinstance(raw, list) and _is_record(get_args(kind)[0]):
        for index, one in enumerate(raw):
            yield from _faults(one, get_args(kind)[0], f"{place}{_label(one, index)}")
        return
    try:
        msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        yield f"{place or 'file'}: {error}"


def _record_faults(raw: dict[str, object], kind: type[msgspec.Struct], place: str) -> Iterator[str]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    prefix = f"{place}." if place else ""
    for name in raw:
        if name not in fields:
            yield f"{prefix}{name}: unknown key"
    for name, field in fields.items():
        if name in raw:
            yield from _faults(raw[name], field.type, f"{prefix}{name}")
        elif field.required:
            yield f"{prefix}{name}: missing"


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _label(one: object, index: int) -> str:
    """``[id]`` where the entry says who it is, else its place in the list counted from 1."""
    known = one.get("id") if isinstance(one, dict) else None
    return f"[{known}]" if isinstance(known, str) else f"[{index + 1}]"


def _toml(config: dict[str, Any]) -> Iterator[str]:
    """Plain values first, then tables: TOML counts what follows a table to it."""
    for name, value in config.items():
        if not isinstance(value, dict) and not (isinstance(value, list) and value):
            yield f"{name} = {_value(value)}\n"
    for name, value in config.items():
        if isinstance(value, dict):
            yield f"\n[{name}]\n"
            yield from _lines(value)
        elif isinstance(value, list):
            for entry in value:
                yield f"\n[[{name}]]\n"
                yield from _lines(entry)


def _lines(table: dict[str, Any]) -> Iterator[str]:
    for name, value in table.items():
        if value is not None:
            yield f"{name} = {_value(value)}\n"


def _value(value: object) -> str:
    if isinstance(value, dict):
        known = {name: one for name, one in value.items() if one is not None}
        inside = ", ".join(f"{name} = {_value(one)}" for name, one in known.items())
        return f"{{ {inside} }}"
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")
