"""Reads device profiles: TOML files with single inheritance, strictly checked.

Tables of a profile are merged into those of the profile it ``inherits``; lists replace lists. A key
that nobody knows, a value of the wrong type or broken hexadecimal is refused with file and line.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hallserver.devices.profile_camera import CameraProfile
from hallserver.devices.profile_types import (
    FaceProfile,
    IdReaderProfile,
    LedProfile,
    PrinterProfile,
    ScannerProfile,
    SpeakerProfile,
    decode_special,
)
from qingting.contract.base import ready_for_threads
from qingting.contract.states import DeviceKind
from qingting.kernel.toml_lines import located

DrivenProfile = (
    PrinterProfile | IdReaderProfile | ScannerProfile | LedProfile | FaceProfile | SpeakerProfile
)
AnyProfile = DrivenProfile | CameraProfile
FOLDERS: dict[DeviceKind, tuple[str, type[AnyProfile]]] = {
    DeviceKind.PRINTER: ("printers", PrinterProfile),
    DeviceKind.ID_READER: ("id_readers", IdReaderProfile),
    DeviceKind.SCANNER: ("scanners", ScannerProfile),
    DeviceKind.FACE: ("faces", FaceProfile),
    DeviceKind.LED: ("leds", LedProfile),
    DeviceKind.SPEAKER: ("speakers", SpeakerProfile),
    DeviceKind.CAMERA: ("cameras", CameraProfile),
}
ready_for_threads(*(kind for _, kind in FOLDERS.values()))
MAX_INHERITANCE = 8

P = TypeVar("P", bound=AnyProfile)


class ProfileError(ValueError):
    """A profile is missing or wrong; the text names file, line and what is wrong."""


@dataclass(frozen=True, slots=True)
class _Text:
    """A profile that is no file."""

    name: str
    text: str

    def read_text(self, encoding: str) -> str:
        return self.text


class _Source:
    """One file as read: its name, its text and its own tables."""

    def __init__(self, entry: "Traversable | _Text", where: str) -> None:
        self.where = where
        self.text = entry.read_text("utf-8")
        try:
            self.raw: dict[str, Any] = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise ProfileError(f"{where}: {error}") from error


class ProfileLibrary:
    """All profiles below some folders, each with one for each kind (:data:`FOLDERS`); a file of a later
    folder stands in for the one of the same name before it."""

    def __init__(self, *roots: Traversable | Path) -> None:
        self._entries: dict[str, tuple[DeviceKind, Traversable | _Text]] = {}
        for root in roots:
            for kind, (folder, _) in FOLDERS.items():
                place = root.joinpath(folder)
                for entry in place.iterdir() if place.is_dir() else ():
                    if entry.name.endswith(".toml"):
                        self._entries[entry.name.removesuffix(".toml")] = (kind, entry)

    def extended(self, texts: Mapping[str, str]) -> "ProfileLibrary":
        """This library with the models of ``texts``, by ``<folder>/<id>.toml``, before its own.

        Raises :class:`ProfileError` for a folder that is none.
        """
        kinds = {folder: kind for kind, (folder, _) in FOLDERS.items()}
        library = ProfileLibrary()
        library._entries.update(self._entries)
        for path, text in texts.items():
            folder, _, name = path.partition("/")
            if folder not in kinds:
                raise ProfileError(f"{path}: no such folder; known: {', '.join(sorted(kinds))}")
            library._entries[name.removesuffix(".toml")] = (kinds[folder], _Text(name, text))
        return library

    def ids(self, kind: DeviceKind | None = None) -> list[str]:
        """Every profile id, or those of one kind."""
        return sorted(one for one, (k, _) in self._entries.items() if kind in (None, k))

    def load(self, profile_id: str) -> AnyProfile:
        """Raises :class:`ProfileError` when the profile does not exist or is wrong."""
        if profile_id not in self._entries:
            raise ProfileError(f"no device profile {profile_id!r}; known: {', '.join(self.ids())}")
        kind, _ = self._entries[profile_id]
        chain = self._chain(profile_id)
        merged: dict[str, Any] = {}
        for source in reversed(chain):
            merged = _merge(merged, source.raw)
        try:
            profile = msgspec.convert(merged, FOLDERS[kind][1], dec_hook=decode_special)
        except msgspec.ValidationError as error:
            raise ProfileError(
                located(str(error), [(one.where, one.text) for one in chain])
            ) from error
        if profile.id != profile_id:
            raise ProfileError(f"{chain[0].where}: id {profile.id!r} does not match the file name")
        if profile.kind is not kind:
            raise ProfileError(f"{chain[0].where}: a {profile.kind} does not belong here")
        return profile

    def _chain(self, profile_id: str) -> list[_Source]:
        chain: list[_Source] = []
        wanted = profile_id
        while wanted:
            if wanted not in self._entries:
                raise ProfileError(f"{chain[-1].where}: inherits unknown profile {wanted!r}")
            if len(chain) == MAX_INHERITANCE:
                raise ProfileError(f"{chain[0].where}: inheritance is a circle or too deep")
            kind, entry = self._entries[wanted]
            source = _Source(entry, f"{FOLDERS[kind][0]}/{entry.name}")
            chain.append(source)
            parent = source.raw.get("inherits", "")
            wanted = parent if isinstance(parent, str) else ""
        return chain


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _merge(below, value)
        else:
            merged[key] = value
    return merged


# ---- the shipped profiles -----------------------------------------------------------------------


@cache
def shipped_profiles() -> ProfileLibrary:
    """The profiles that come with the program."""
    return ProfileLibrary(files("firmware_profiles"))


def library_with(folder: Path | None) -> ProfileLibrary:
    """The shipped profiles and those of a site, ``folder``, which win."""
    if folder is None:
        return shipped_profiles()
    return ProfileLibrary(files("firmware_profiles"), folder)


def folder_of(kind: DeviceKind) -> str:
    """The folder in which profiles of a kind lie."""
    return FOLDERS[kind][0]


@cache
def load_profile(profile_id: str) -> AnyProfile:
    """A shipped profile; raises :class:`ProfileError`."""
    return shipped_profiles().load(profile_id)


def load_kind(kind: type[P], profile_id: str, library: ProfileLibrary | None = None) -> P:
    """A profile of one kind; raises :class:`ProfileError` when it is of another."""
    profile = (library or shipped_profiles()).load(profile_id)
    if not isinstance(profile, kind):
        raise ProfileError(f"profile {profile_id!r} is a {profile.kind}, not for this device")
    return profile
