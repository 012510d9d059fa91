"""The servers of a benchmark that needs a city: console workers and halls, as they are started in production."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from benchmarks.fleet import FleetHall, prepare
from benchmarks.processes import HALL_SERVER, free_port, serving, start
from qingting.contract.config import HallConfig
from qingting.demo.city import CityCast
from qingting.kernel.config_file import dump_config


async def write_settings(path: Path, settings: dict[str, str | int]) -> Path:
    """A settings file as the programs read it."""
    text = "".join(
        f"{key} = {msgspec.json.encode(one).decode()}\n" for key, one in settings.items()
    )
    await asyncio.to_thread(path.write_text, text, "utf-8")
    return path


async def start_console(
    stack: AsyncExitStack, folder: Path, city: CityCast, port: int, **more: str | int
) -> asyncio.subprocess.Process:
    """A console worker over the city's database, with ``more`` settings; ended with the stack."""
    settings: dict[str, str | int] = {
        "data": str(folder / "city"), "port": port, "database_url": city.database_url,
        "backup_folder": "off",
    }  # fmt: skip
    file = await write_settings(folder / f"console-{port}.toml", settings | more)
    process = await start(
        "-m", "qingting.cli", "--log-level", "warning", "console", "--settings", str(file)
    )
    await stack.enter_async_context(serving(process, port))
    return process


async def start_hall(
    stack: AsyncExitStack,
    folder: Path,
    config: HallConfig,
    city: CityCast,
    console_port: int,
) -> tuple[FleetHall, asyncio.subprocess.Process]:
    """A hall server that talks to the console of that port; ended with the stack."""
    port, home = free_port(), folder / config.hall.id
    await asyncio.to_thread(home.mkdir)
    await asyncio.to_thread(dump_config, config, home / "hall.json")
    hall = await prepare(home / "hall.db", config)
    file = await write_settings(
        home / "hall.toml",
        {
            "data": str(home),
            "port": port,
            "config": str(home / "hall.json"),
            "city_url": f"ws://127.0.0.1:{console_port}/link",
            "hall_key": city.hall_keys[config.hall.id],
            "voice_bank": "",
            "speech_program": "",
        },
    )
    process = await start(*HALL_SERVER, "--settings", str(file))
    await stack.enter_async_context(serving(process, port))
    return msgspec.structs.replace(hall, url=f"ws://127.0.0.1:{port}/hub"), process
