"""Settings of an agent: which hall, who it is, and the peripherals of its kiosk."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from hallserver.agent.machine import MachineSettings, Words
from hallserver.devices.profiles import ProfileLibrary, library_with
from hallserver.devices.supervisor import PERIPHERALS, device_faults
from qingting.contract.base import Strict
from qingting.contract.config import Device
from qingting.contract.ids import DeviceId, ShortText, Slug
from qingting.kernel.settings import SettingsError, load_settings

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
"""0: any that is free."""


class AgentSettings(Strict, frozen=True, kw_only=True):
    """``hall`` is the hub's address, ``ws://host:port/hub``; ``device`` and ``key`` come from pairing.

    ``devices`` may be the whole list of a hall: the agent takes the peripherals whose parent is
    ``kiosk``. ``data`` is a folder for numbers that are given while the hall cannot be reached; empty:
    none are. ``profiles`` is a folder of device models of your own, besides the shipped ones.
    ``screen_port`` is where the kiosk's screen on this machine then finds the agent, on the loopback
    interface alone; 0 takes any free port. ``photo_decoder`` is a program that reads the photo of a card as its
    reader gives it (WLT) and writes a JPEG, PNG or BMP picture; the screen fetches it at ``photo_port``. Without
    one no face is compared with a card here.
    """

    hall: str
    device: Slug
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    kiosk: Slug
    devices: tuple[Device, ...] = ()
    build: ShortText = ""
    data: str = ""
    profiles: str = ""
    machine: MachineSettings = MachineSettings()
    screen_port: Port = 0
    photo_decoder: Words = ()
    photo_port: Port = 0

    @property
    def peripherals(self) -> tuple[Device, ...]:
        """The devices that this agent owns."""
        return tuple(
            device
            for device in self.devices
            if device.kind in PERIPHERALS and device.parent == DeviceId(self.kiosk)
        )

    @property
    def origin(self) -> str:
        """The hall's address as a browser names it: ``ws://host:port/hub`` → ``http://host:port``."""
        parts = urlsplit(self.hall)
        return f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc}"

    def library(self) -> ProfileLibrary:
        """The models that devices may name; reads the folder."""
        return library_with(Path(self.profiles) if self.profiles else None)


def agent_faults(settings: AgentSettings) -> list[str]:
    """Every fault of address and peripherals, one English line each; reads profile files."""
    faults: list[str] = []
    parts = urlsplit(settings.hall)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        faults.append(f"hall: expected ws://host:port/hub, got {settings.hall!r}")
    ids = [device.id for device in settings.peripherals]
    faults += [f"devices: id {one!r} appears twice" for one in set(ids) if ids.count(one) > 1]
    if not ids:
        faults.append(f"devices: no peripheral belongs to kiosk {settings.kiosk!r}")
    for device in settings.peripherals:
        faults += device_faults(device, settings.library())
    return sorted(faults)


def load_agent_settings(file: Path | None, environ: Mapping[str, str]) -> AgentSettings:
    """Settings from a TOML file and ``QINGTING_AGENT_…``; raises ``SettingsError`` with all faults.

    Instead of ``key`` a file may be named by ``key_file``.
    """
    settings = load_settings(AgentSettings, file=file, environ=environ, prefix="QINGTING_AGENT_")
    if faults := agent_faults(settings):
        raise SettingsError(faults)
    return settings
