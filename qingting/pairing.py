"""First steps of a kiosk's machine: a pairing code becomes the agent's settings file."""

import asyncio
import os
from pathlib import Path

import msgspec

from hallserver.agent.link import pair_agent
from hallserver.agent.settings import AgentSettings, agent_faults
from qingting.contract.config import HallConfig
from qingting.contract.ids import DeviceId
from qingting.kernel.config_file import to_toml
from qingting.kernel.settings import SettingsError


def write_agent_settings(
    hall: str, code: str, *, kiosk: DeviceId, config: HallConfig, path: Path
) -> DeviceId:
    """Pairs this machine with the hub at ``hall`` and writes ``path``, readable by its owner only.

    For a command line: blocks until it is done. Gives the agent's device id. Raises ``SettingsError``
    before the code is used when address or peripherals are wrong, ``FileExistsError`` when ``path``
    exists, ``Refusal`` for a wrong code and ``OSError`` or ``WebSocketException`` when the hall cannot be
    reached.
    """
    draft = AgentSettings(
        hall=hall, device="unpaired", key="unpaired", kiosk=kiosk, devices=config.devices
    )
    draft = msgspec.structs.replace(draft, devices=draft.peripherals)
    if faults := agent_faults(draft):
        raise SettingsError(faults)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        try:
            paired = asyncio.run(pair_agent(hall, code))
        except BaseException:
            path.unlink()
            raise
        settings = msgspec.structs.replace(draft, device=paired.device, key=paired.key)
        file.write(to_toml(settings))
    return paired.device
