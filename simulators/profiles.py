"""Device profiles as the simulators read them: the same TOML files that drive the drivers.

Only what a simulator needs is looked at: who the device is, how a condition shows in a status
answer, and the way it talks. The files are data; no code is shared with those who drive the devices.
"""

import tomllib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import msgspec

from qingting.contract.states import Condition


class ProfileError(LookupError):
    """A profile is absent, doubled or not understood."""


class BitRule(StrEnum):
    """How many bits of a row's mask make its condition."""

    ALL = "all"
    ANY = "any"
    NOT_ALL = "not_all"


class StatusBit(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a status table: what the bits under ``mask`` say of ``condition``."""

    mask: int
    condition: Condition
    index: int = 0
    rule: BitRule = BitRule.ALL

    def show(self, byte: int, fixed_mask: int) -> int:
        """``byte`` as a device with this condition gives it; bits of ``fixed_mask`` never move."""
        match self.rule:
            case BitRule.ALL:
                return byte | self.mask
            case BitRule.ANY:
                return byte | (self.mask & -self.mask)
            case BitRule.NOT_ALL:
                return byte & ~(self.mask & ~fixed_mask)


class StatusTable(msgspec.Struct, frozen=True, kw_only=True):
    """How conditions show in an answer; ``idle`` is the answer of a healthy device."""

    idle: bytes
    bits: tuple[StatusBit, ...]
    fixed_mask: int = 0

    def answer(self, conditions: Iterable[Condition]) -> bytes:
        """The bytes that a device with these conditions gives back."""
        present = frozenset(conditions)
        answer = bytearray(self.idle)
        for bit in self.bits:
            if bit.condition in present:
                answer[bit.index] = bit.show(answer[bit.index], self.fixed_mask)
        return bytes(answer)


class StatusQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A status question ``send`` and the table behind its answer."""

    name: str
    send: bytes
    table: StatusTable


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A device model. ``raw`` is the merged file, for what only one kind of simulator needs."""

    id: str
    kind: str
    vendor: str
    model: str
    queries: tuple[StatusQuery, ...]
    raw: Mapping[str, Any]

    def section(self, name: str) -> Mapping[str, Any]:
        """A table of the file, empty when it is not there."""
        found = self.raw.get(name, {})
        if not isinstance(found, Mapping):
            raise ProfileError(f"{self.id}: [{name}] is not a table")
        return found


def hex_bytes(text: str) -> bytes:
    """``"10 04 01"`` → three bytes; raises :class:`ProfileError` for anything else."""
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise ProfileError(f"not hex: {text!r}") from error


@cache
def load_profile(profile_id: str) -> Profile:
    """The profile ``profile_id`` with everything that it inherits."""
    raw = _merged(profile_id, ())
    initial = raw.get("simulator", {}).get("initial", {})
    queries = raw.get("status", {}).get("query", [])
    return Profile(
        id=profile_id,
        kind=str(raw["kind"]),
        vendor=str(raw.get("vendor", "")),
        model=str(raw.get("model", profile_id)),
        queries=tuple(_query(entry, initial) for entry in queries),
        raw=raw,
    )


def profile_ids(kind: str | None = None) -> list[str]:
    """Names of all profiles, or of those whose file says ``kind``."""
    known = sorted(_sources())
    return known if kind is None else [one for one in known if load_profile(one).kind == kind]


def _query(entry: Mapping[str, Any], initial: Mapping[str, Any]) -> StatusQuery:
    reply = entry.get("reply", {})
    idle = initial.get(entry["name"], reply.get("fixed_value", 0))
    table = StatusTable(
        idle=bytes(idle if isinstance(idle, list) else [idle]),
        bits=bit_rows(entry.get("bits", [])),
        fixed_mask=int(reply.get("fixed_mask", 0)),
    )
    return StatusQuery(name=str(entry["name"]), send=hex_bytes(entry["send"]), table=table)


def bit_rows(rows: Iterable[Mapping[str, Any]]) -> tuple[StatusBit, ...]:
    """``bits`` of a status table as they stand in a profile."""
    return tuple(
        StatusBit(
            mask=int(row["mask"]),
            condition=Condition(row["is"]),
            index=int(row.get("byte", 0)),
            rule=next((rule for rule in BitRule if row.get(rule.value)), BitRule.ALL),
        )
        for row in rows
    )


def _merged(profile_id: str, path: tuple[str, ...]) -> dict[str, Any]:
    if profile_id in path:
        raise ProfileError(f"{profile_id} inherits itself by way of {' → '.join(path)}")
    source = _sources().get(profile_id)
    if source is None:
        raise ProfileError(f"no profile {profile_id!r}")
    own = tomllib.loads(source.read_text("utf-8"))
    parent = own.get("inherits")
    return own if not parent else _deep(_merged(parent, (*path, profile_id)), own)


def _deep(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = _deep(below, value) if both and isinstance(below, Mapping) else value
    return merged


@cache
def _sources() -> dict[str, Traversable]:
    found: dict[str, Traversable] = {}
    for folder in files("firmware_profiles").iterdir():
        if not folder.is_dir():
            continue
        for entry in folder.iterdir():
            if entry.name.endswith(".toml"):
                found[entry.name.removesuffix(".toml")] = entry
    return found
