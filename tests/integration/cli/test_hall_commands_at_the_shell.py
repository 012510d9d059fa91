"""A hall whose only manager has forgotten the password is opened again from its machine's shell."""

import asyncio
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from engine_builders import MONDAY_9, small_hall

from hallserver.app.settings import HallSettings
from hallserver.hall import open_hall
from hallserver.hub.accounts import open_accounts
from hallserver.store.errors import StoreOpenError
from qingting.cli import main
from qingting.contract.config import Staff
from qingting.contract.errors import Refusal
from qingting.hall_admin import renew_hall_password
from qingting.kernel.aio.clock import ManualClock, SystemClock

FORGOTTEN = "Lotus-2026-pond"
PERSON = small_hall().staff[0]


@pytest.fixture
async def settings(tmp_path: Path) -> HallSettings:
    """Of a hall that ran and was stopped; its first person has a password."""
    settings = HallSettings(data=str(tmp_path))
    async with open_hall(
        settings.database, clock=ManualClock(MONDAY_9), config=small_hall()
    ) as hall:
        accounts = open_accounts(hall.store, SystemClock())
        await accounts.staff.put(PERSON.id, FORGOTTEN, must_change=False)
        await accounts.devices.remember_login("pad1", PERSON.id)  # type: ignore[arg-type]
    return settings


async def logged_in(settings: HallSettings, person: Staff, password: str) -> str:
    """The refusal's code; empty when the password is taken."""
    async with open_hall(settings.database, clock=SystemClock()) as hall:
        accounts = open_accounts(hall.store, SystemClock())
        try:
            await accounts.staff.check(person, person.number, password, family="login")
        except Refusal as refusal:
            return refusal.code
    return ""


async def test_the_new_password_is_good_once_and_the_forgotten_one_no_more(
    settings: HallSettings,
) -> None:
    said = await renew_hall_password(settings, PERSON.number)
    password = said.split("one-time password")[1].split()[0]
    assert await logged_in(settings, PERSON, password) == ""
    assert await logged_in(settings, PERSON, FORGOTTEN) == "login.wrong"
    async with open_hall(settings.database, clock=SystemClock()) as hall:
        accounts = open_accounts(hall.store, SystemClock())
        assert (await accounts.staff.with_password())[PERSON.id], "it must be replaced"
    stored = await asyncio.to_thread(settings.database.read_bytes)
    assert password.encode() not in stored


async def test_nobody_unknown_gets_one_and_a_running_hall_is_left_alone(
    settings: HallSettings, tmp_path: Path
) -> None:
    with pytest.raises(Refusal) as refused:
        await renew_hall_password(settings, "9999")
    assert refused.value.code == "staff.unknown"
    async with open_hall(settings.database, clock=SystemClock()):
        with pytest.raises(StoreOpenError):
            await renew_hall_password(settings, PERSON.number)
    assert await logged_in(settings, PERSON, FORGOTTEN) == ""
    with pytest.raises(StoreOpenError, match="there is no hall"):
        await renew_hall_password(HallSettings(data=str(tmp_path / "empty")), PERSON.number)
    assert "empty" not in await asyncio.to_thread(os.listdir, tmp_path)


def test_the_shell_says_why_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "hall.toml"
    file.write_text(f'data = "{(tmp_path / "none").as_posix()}"\n', "utf-8")
    done = CliRunner().invoke(main, ["renew-hall-password", "0109", "--settings", str(file)])
    assert done.exit_code == 1
    assert done.output.strip().endswith("there is no hall")
