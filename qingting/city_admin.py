"""What whoever has a shell on the city's machine may do without a login: enrol halls, renew passwords."""

import msgspec

from console.app.server import (
    ConsoleReady,
    ConsoleSettings,
    open_console,
    open_database,
    renew_administrator,
)
from console.core.db import Database
from console.core.sealing import KeyFile
from console.modules.identity.api import OneTimePassword
from console.modules.privacy.audit_keeping import AuditKeeping
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import SystemClock


def greeting(ready: ConsoleReady) -> str:
    """Where the console is, and the administrators' one-time passwords at the very first start."""
    lines = [f"城市平台 city console  {ready.url}/"]
    lines += [login_line(one) for one in ready.one_time_passwords]
    return "\n".join(lines)


def login_line(first: OneTimePassword) -> str:
    """The only time that a one-time password is shown."""
    return f"  账号 user {first.account}   一次性密码 one-time password  {first.password}"


async def enrol_hall(settings: ConsoleSettings, hall: HallId, *, name: str, name_en: str) -> str:
    """Registers a hall, or gives a known one another key; gives the text to show, with the key.

    Brings the database up to date first. Raises what ``open_console`` raises, and
    ``msgspec.ValidationError`` for an id of the wrong shape.
    """
    aside = msgspec.structs.replace(settings, host="127.0.0.1", port=0)
    async with open_console(aside) as ready:
        key = await ready.city.enrol_hall(hall, name=name, name_en=name_en)
    lines = [f"hall_key = {key}"]
    lines += [login_line(one) for one in ready.one_time_passwords]
    return "\n".join(lines)


async def verify_audit(settings: ConsoleSettings) -> tuple[bool, str]:
    """Whether every entry of the audit is as it was written, and the line to show."""
    clock = SystemClock()
    keys = await KeyFile.open(settings.key_path, clock)
    async with open_database(settings) as url:
        database = Database(url)
        try:
            keeping = AuditKeeping(database, clock, keys.sealer, settings.heads_path)
            count, fault = await keeping.verify()
        finally:
            await database.close()
    if fault is None:
        return True, f"{count} entries, all whole"
    return False, f"{fault.kind.value} at {fault.no} ({count} entries before it are whole)"


async def renew_password(settings: ConsoleSettings, account: str) -> str:
    """Another one-time password for an account; raises ``account.unknown``."""
    return login_line(await renew_administrator(settings, account))
