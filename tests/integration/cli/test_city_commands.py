"""What the shell of the city's machine can do, and how a server says that it cannot start."""

import asyncio
import socket
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from structlog.testing import capture_logs

from console.app.city import open_city
from console.app.server import ConsoleSettings, open_console
from console.halls import models
from qingting.city_admin import (
    add_key,
    enrol_hall,
    open_to_all,
    remove_key,
    renew_password,
    verify_audit,
)
from qingting.cli import main
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.kernel.security.device_keys import matches
from qingting.kernel.security.seal import read_keys

SAERTU = HallId("saertu")


async def stored_digest(url: str) -> str:
    async with open_city(url) as city, city.db.read() as uow:
        wanted = sa.select(models.hall.c.key_digest).where(models.hall.c.id == SAERTU)
        return str(await uow.scalar(wanted))


@pytest.mark.postgres
async def test_an_enrolled_hall_gets_a_key_of_which_the_city_keeps_the_digest(
    city_url: str,
    tmp_path: Path,
) -> None:
    settings = ConsoleSettings(database_url=city_url, data=str(tmp_path))
    said = await enrol_hall(settings, SAERTU, name="萨尔图区政务服务中心", name_en="")
    key = said.splitlines()[0].removeprefix("hall_key = ")
    stored = await stored_digest(city_url)
    assert key not in stored
    assert matches(stored, key)


@pytest.mark.postgres
async def test_enrolling_again_takes_the_old_key_away(city_url: str, tmp_path: Path) -> None:
    settings = ConsoleSettings(database_url=city_url, data=str(tmp_path))
    first = await enrol_hall(settings, SAERTU, name="萨尔图", name_en="")
    await enrol_hall(settings, SAERTU, name="萨尔图", name_en="")
    key = first.splitlines()[0].removeprefix("hall_key = ")
    assert not matches(await stored_digest(city_url), key)


@pytest.mark.postgres
async def test_the_first_contact_with_a_new_database_shows_the_administrators_password(
    city_url: str,
    tmp_path: Path,
) -> None:
    settings = ConsoleSettings(database_url=city_url, data=str(tmp_path))
    first = await enrol_hall(settings, SAERTU, name="萨尔图", name_en="")
    again = await enrol_hall(settings, SAERTU, name="萨尔图", name_en="")
    assert "admin" in first
    assert "admin" not in again


@pytest.mark.postgres
async def test_a_password_is_renewed_for_known_accounts_only(city_url: str, tmp_path: Path) -> None:
    settings = ConsoleSettings(database_url=city_url, data=str(tmp_path))
    await enrol_hall(settings, SAERTU, name="萨尔图", name_en="")
    assert "admin" in await renew_password(settings, "admin")
    with pytest.raises(Refusal) as refused:
        await renew_password(settings, "nobody")
    assert refused.value.code == "account.unknown"


@pytest.mark.postgres
async def test_a_first_start_at_an_address_that_is_taken_gives_no_password_away_unseen(
    city_url: str, tmp_path: Path
) -> None:
    settings = ConsoleSettings(database_url=city_url, data=str(tmp_path), port=0)
    with socket.create_server((settings.host, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            async with open_console(msgspec.structs.replace(settings, port=port)):
                pass
    async with open_console(settings) as ready:
        accounts = [one.account for one in ready.one_time_passwords]
    assert accounts == ["admin", "security", "audit"]


@pytest.mark.postgres
async def test_a_command_does_nothing_of_what_a_worker_does_by_itself(
    city_url: str, tmp_path: Path
) -> None:
    """It knows no channel to send by and no other times of keeping than those that nobody has set."""
    settings = ConsoleSettings(database_url=city_url, data=str(tmp_path), backup_folder="/backup")
    await enrol_hall(settings, SAERTU, name="萨尔图", name_en="")
    with capture_logs() as said:
        await renew_password(settings, "admin")
        await add_key(settings)
        await open_to_all(settings)
    assert said == []


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ('{"version": 1}', "hall: missing"),
        (None, "No such file"),
    ],
)
def test_a_hall_that_cannot_start_says_why_without_a_traceback(
    tmp_path: Path, config: str | None, says: str
) -> None:
    file = tmp_path / "config.json"
    if config is not None:
        file.write_text(config, "utf-8")
    settings = tmp_path / "hall.toml"
    settings.write_text(f'data = "{tmp_path}"\nport = 0\nconfig = "{file}"\n', "utf-8")
    done = CliRunner().invoke(main, ["hall", "--settings", str(settings)])
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert says in done.output
    assert "Traceback" not in done.output


def test_a_file_that_is_no_hall_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "hall.db").write_bytes(b"no database" * 500)
    settings = tmp_path / "hall.toml"
    settings.write_text(f'data = "{tmp_path}"\nport = 0\n', "utf-8")
    done = CliRunner().invoke(main, ["hall", "--settings", str(settings)])
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert (tmp_path / "hall.db").read_bytes() == b"no database" * 500


@pytest.mark.postgres
async def test_a_console_with_another_key_file_does_not_start_over_the_same_database(
    city_url: str, tmp_path: Path
) -> None:
    ours = ConsoleSettings(database_url=city_url, seal_keys=str(tmp_path / "ours"))
    theirs = ConsoleSettings(database_url=city_url, seal_keys=str(tmp_path / "theirs"))
    await enrol_hall(ours, SAERTU, name="萨尔图", name_en="")
    with pytest.raises(Refusal) as refused:
        await enrol_hall(theirs, SAERTU, name="萨尔图", name_en="")
    assert refused.value.code == "keys.foreign"
    await enrol_hall(ours, SAERTU, name="萨尔图", name_en="")


@pytest.mark.postgres
async def test_a_key_is_added_and_the_audit_verified_at_the_shell(
    city_url: str, tmp_path: Path
) -> None:
    settings = ConsoleSettings(database_url=city_url, data=str(tmp_path))
    assert "k2" in await add_key(settings)
    first, second = await asyncio.to_thread(read_keys, settings.key_path)
    assert (first.id, second.id) == ("k1", "k2")
    assert first.index == second.index
    assert first.cipher != second.cipher
    for key, code in (("k1", "keys.settling"), ("k2", "keys.newest"), ("k9", "keys.unknown")):
        with pytest.raises(Refusal) as refused:
            await remove_key(settings, key)
        assert refused.value.code == code
    assert await verify_audit(settings) == (True, "1 entries, all whole")
