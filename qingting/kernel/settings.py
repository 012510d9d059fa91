"""Settings of a process: a frozen msgspec type from a TOML file and the environment, all faults at once.

Precedence: environment ``QINGTING_<FIELD>`` over the file over the type's default. Unknown keys are
faults. A field ``x`` may be given as ``x_file`` (a path) when it is a secret.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


class SettingsError(ValueError):
    """``faults`` holds every problem found, one English line each."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


def load_settings(
    kind: type[T], *, file: Path | None, environ: Mapping[str, str], prefix: str = "QINGTING_"
) -> T:
    """Reads ``kind`` from ``file`` and ``environ``; raises :class:`SettingsError` with all faults."""
    faults: list[str] = []
    raw: dict[str, Any] = {}
    if file is not None:
        try:
            raw.update(tomllib.loads(file.read_text("utf-8")))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise SettingsError([f"{file}: {error}"]) from error
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for variable, text in environ.items():
        name = variable.removeprefix(prefix).lower()
        if variable.startswith(prefix) and (name in fields or name.removesuffix("_file") in fields):
            raw[name] = text
    _read_secret_files(raw, fields, faults)
    values: dict[str, Any] = {}
    for name, value in raw.items():
        if name not in fields:
            faults.append(f"{name}: unknown setting")
            continue
        try:
            values[name] = msgspec.convert(value, fields[name].type, strict=False)
        except msgspec.ValidationError as error:
            faults.append(f"{name}: {error}")
    faults += [
        f"{name}: missing" for name, field in fields.items() if field.required and name not in raw
    ]
    if faults:
        raise SettingsError(sorted(faults))
    return kind(**values)


def _read_secret_files(raw: dict[str, Any], fields: Mapping[str, Any], faults: list[str]) -> None:
    for name in [key for key in raw if key.endswith("_file") and key not in fields]:
        path = Path(str(raw.pop(name)))
        try:
            raw[name.removesuffix("_file")] = path.read_text("utf-8").strip()
        except OSError as error:
            faults.append(f"{name}: {error}")
