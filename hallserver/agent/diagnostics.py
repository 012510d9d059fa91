"""What somebody far away needs to see of an agent (诊断信息), as one text. No secret and no citizen is in it."""

import hashlib
import os
import platform
import shutil
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import msgspec

from hallserver.agent.settings import AgentSettings
from hallserver.devices.api import DeviceStatus
from hallserver.devices.profiles import ProfileLibrary
from qingting.kernel.log_tail import TAIL
from qingting.kernel.logging import HIDDEN

_PACKAGES = ("qingting", "serialx", "websockets", "msgspec", "pillow")


def _program_version() -> str:
    try:
        return version("qingting")
    except PackageNotFoundError:
        return ""


PROGRAM_VERSION = _program_version()
"""Of the installed package, read once; empty when it runs from somewhere else."""


def diagnostics(
    settings: AgentSettings,
    statuses: Sequence[DeviceStatus],
    library: ProfileLibrary,
    *,
    facts: dict[str, str | int],
) -> bytes:
    """UTF-8 text in sections. Reads files, so it is called beside the event loop."""
    sections = {
        "agent": [f"{key}: {value}" for key, value in facts.items()],
        "versions": list(_versions()),
        "settings": list(_settings(settings)),
        "devices": [
            f"{one.device} {one.kind} {one.state} [{', '.join(sorted(one.conditions))}] {one.detail}"
            for one in statuses
        ],
        "profiles": list(_profiles(settings, library)),
        "machine": list(_machine(settings)),
        "log": TAIL.lines() or ["(this process keeps no log lines)"],
    }
    text = "\n\n".join("\n".join((f"== {name} ==", *lines)) for name, lines in sections.items())
    return (text + "\n").encode()


def _versions() -> Iterable[str]:
    yield f"python: {platform.python_version()}"
    yield f"system: {platform.platform()}"
    for package in _PACKAGES:
        try:
            yield f"{package}: {version(package)}"
        except PackageNotFoundError:
            yield f"{package}: not installed as a package"


def _settings(settings: AgentSettings) -> Iterable[str]:
    plain = msgspec.to_builtins(settings) | {"key": HIDDEN, "hall": _bare(settings.hall)}
    del plain["devices"]
    # Only which programs: what is given to them may be a secret.
    machine = msgspec.to_builtins(settings.machine)
    plain["machine"] = {
        key: one[0] for key, one in machine.items() if isinstance(one, tuple) and one
    }
    yield from (f"{key}: {value}" for key, value in plain.items())
    for device in settings.peripherals:
        yield f"device {device.id}: {device.kind} {device.profile} {_bare(device.url)}"


def _bare(url: str) -> str:
    """An address without what may be a password in it."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=f"{HIDDEN}@{parts.netloc.rpartition('@')[2]}"))


def _profiles(settings: AgentSettings, library: ProfileLibrary) -> Iterable[str]:
    for device in settings.peripherals:
        profile = library.load(device.profile)
        digest = hashlib.sha256(msgspec.json.encode(profile, enc_hook=repr)).hexdigest()[:16]
        yield f"{device.id}: {profile.id} revision {profile.revision} {digest}"


def _machine(settings: AgentSettings) -> Iterable[str]:
    disk = shutil.disk_usage(settings.data or "/")
    yield f"disk: {disk.free >> 20} MiB free of {disk.total >> 20}"
    load = os.getloadavg()
    yield f"load: {load[0]:.2f} {load[1]:.2f} {load[2]:.2f} on {os.cpu_count()} cores"
    for name, wanted in (
        ("/proc/meminfo", ("MemTotal", "MemAvailable")),
        ("/proc/self/status", ("VmRSS",)),
    ):
        file = Path(name)
        if file.exists():
            yield from (
                line for line in file.read_text().splitlines() if line.partition(":")[0] in wanted
            )
