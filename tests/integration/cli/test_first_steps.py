"""The commands that set up a machine: a configuration to start from, and an agent with its key."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from websockets.asyncio.server import ServerConnection, serve

from hallserver.agent.settings import load_agent_settings
from qingting.cli import main
from qingting.contract.errors import Refusal
from qingting.contract.hub import Bye, ClientMessage, Pair, Paired, Problem, ServerMessage
from qingting.contract.ids import DeviceId, HallId
from qingting.demo.builder import build_hall
from qingting.kernel.config_file import load_config
from qingting.kernel.settings import SettingsError
from qingting.pairing import write_agent_settings

KIOSK = DeviceId("k1")
URLS = {
    DeviceId("k1-printer"): "tcp://127.0.0.1:9100",
    DeviceId("k1-reader"): "serial:///dev/ttyS1",
    DeviceId("k1-scanner"): "serial:///dev/ttyS2?baud=9600",
    DeviceId("k1-face"): "tcp://127.0.0.1:4010",
}
CONFIG = build_hall(HallId("saertu"), urls=URLS)
RIGHT = "12345678"


@asynccontextmanager
async def hub() -> AsyncIterator[str]:
    """A hub that knows one pairing code."""

    async def answer(socket: ServerConnection) -> None:
        said = msgspec.json.decode(await socket.recv(), type=ClientMessage)
        assert isinstance(said, Pair)
        reply: ServerMessage = Paired(device=DeviceId("k1-agent"), key="secret-key")
        if said.code != RIGHT:
            reply = Bye(problem=Problem(code="hub.pairing_code_wrong"), retry=False)
        await socket.send(msgspec.json.encode(reply).decode())

    async with serve(answer, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/hub"


async def pair(code: str, path: Path) -> DeviceId:
    """What the command does, beside this test's own loop."""
    async with hub() as url:
        return await asyncio.to_thread(
            write_agent_settings, url, code, kiosk=KIOSK, config=CONFIG, path=path
        )


async def test_a_pairing_code_becomes_settings_that_an_agent_can_start_with(
    tmp_path: Path,
) -> None:
    path = tmp_path / "agent.toml"
    device = await pair(RIGHT, path)
    settings = await asyncio.to_thread(load_agent_settings, path, {})
    assert device == settings.device == "k1-agent"
    assert (settings.key, settings.kiosk) == ("secret-key", "k1")
    assert {one.id: one.url for one in settings.peripherals} == URLS
    mode = await asyncio.to_thread(lambda: stat.S_IMODE(path.stat().st_mode))
    assert mode == 0o600


async def test_a_wrong_code_leaves_no_file_behind(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        await pair("00000000", tmp_path / "agent.toml")
    assert refused.value.code == "hub.pairing_code_wrong"
    assert await asyncio.to_thread(os.listdir, tmp_path) == []


async def test_settings_of_a_paired_agent_are_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    await asyncio.to_thread(path.write_text, "mine", "utf-8")
    with pytest.raises(FileExistsError):
        await pair(RIGHT, path)
    assert await asyncio.to_thread(path.read_text, "utf-8") == "mine"


def test_a_peripheral_without_address_is_reported_before_the_code_is_used(
    tmp_path: Path,
) -> None:
    config = build_hall(HallId("saertu"))
    with pytest.raises(SettingsError) as wrong:
        write_agent_settings(
            "ws://127.0.0.1:1/hub", RIGHT, kiosk=KIOSK, config=config, path=tmp_path / "a.toml"
        )
    assert len(wrong.value.faults) == 4
    assert list(tmp_path.iterdir()) == []


def test_a_sample_configuration_is_written_and_has_no_faults(tmp_path: Path) -> None:
    path = tmp_path / "hall.toml"
    written = CliRunner().invoke(main, ["config", "sample", "longnan", str(path)])
    checked = CliRunner().invoke(main, ["config", "check", str(path)])
    assert (written.exit_code, checked.exit_code) == (0, 0)
    assert load_config(path) == build_hall(HallId("longnan"))
    assert "龙南房屋交易登记大厅: 19 items, 9 windows: no faults" in checked.output


@pytest.mark.parametrize(
    ("hall", "name", "says"),
    [("atlantis", "hall.toml", "one of saertu"), ("saertu", "hall.yaml", ".toml or .json")],
)
def test_a_sample_that_cannot_be_written_says_why(
    tmp_path: Path, hall: str, name: str, says: str
) -> None:
    done = CliRunner().invoke(main, ["config", "sample", hall, str(tmp_path / name)])
    assert done.exit_code != 0
    assert says in done.output


def test_the_check_of_a_faulty_configuration_lists_every_fault(tmp_path: Path) -> None:
    path = tmp_path / "hall.json"
    path.write_text('{"version": 0, "mayor": "nobody"}', "utf-8")
    done = CliRunner().invoke(main, ["config", "check", str(path)])
    assert done.exit_code == 2
    assert "version:" in done.output
    assert "mayor: unknown key" in done.output
    assert "windows: missing" in done.output


def test_pairing_with_nobody_there_says_so_in_one_line(tmp_path: Path) -> None:
    config, target = tmp_path / "hall.json", tmp_path / "agent.toml"
    config.write_bytes(msgspec.json.encode(CONFIG))
    done = CliRunner().invoke(
        main,
        f"pair-agent ws://127.0.0.1:1/hub {RIGHT} --kiosk k1 --config {config} --write {target}",
    )
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert not target.exists()
