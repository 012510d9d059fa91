"""What whoever has a shell on the city's machine may do without a login: enrol halls, renew passwords."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from console.app.city import City, open_city
from console.app.server import (
    ConsoleReady,
    ConsoleSettings,
    open_console,
    open_database,
    renew_administrator,
)
from console.core.db import Database
from console.core.permissions import SYSTEM
from console.core.sealing import KeyFile
from console.core.uow import Uow
from console.modules.identity.api import IDENTITY, OneTimePassword
from console.modules.privacy.api import PRIVACY
from console.modules.privacy.audit_keeping import AuditKeeping
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.security.seal import write_keys


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


async def add_key(settings: ConsoleSettings) -> str:
    """Adds a key to the key file, for new boxes; consoles take it over by themselves within a minute.

    Raises ``keys.foreign``."""
    clock = SystemClock()
    keys = await KeyFile.open(settings.key_path, clock)
    async with open_database(settings) as url, open_city(url, keys=keys, quiet=True) as city:
        await city.check_keys()
        present = keys.sealer.keys
        numbers = [int(one.id[1:]) for one in present if one.id[1:].isdecimal()]
        fresh = present[-1].successor(f"k{max(numbers, default=0) + 1}")
        lines = [one.line for one in (*present, fresh)]
        async with city.db.write() as uow:
            await city.context.take(PRIVACY).key_added(uow, SYSTEM, fresh)
            await asyncio.to_thread(write_keys, settings.key_path, lines)
    return f"{fresh.id} added to {settings.key_path}: copy the file to every console, then seal with it"


async def remove_key(settings: ConsoleSettings, name: str) -> str:
    """Takes a key out of the key file. Raises ``keys.unknown``, ``keys.newest``, ``keys.in_use``."""
    keys = await KeyFile.open(settings.key_path, SystemClock())
    async with open_database(settings) as url, open_city(url, keys=keys, quiet=True) as city:
        await city.check_keys()
        lines = [one.line for one in keys.sealer.keys if one.id != name]
        async with city.db.write() as uow:
            await city.context.take(PRIVACY).key_removed(uow, SYSTEM, name)
        # After the commit: a file with a key too many harms nobody, one that lacks a noted key starts nothing.
        await asyncio.to_thread(write_keys, settings.key_path, lines)
    return f"{name} removed from {settings.key_path}"


async def renew_password(settings: ConsoleSettings, account: str) -> str:
    """Another one-time password for an account; raises ``account.unknown``."""
    return login_line(await renew_administrator(settings, account))


async def reset_factor(settings: ConsoleSettings, account: str) -> str:
    """Takes an account's second factor away: a lost telephone. Raises ``account.unknown``, ``factor.none``."""
    async with _apart(settings) as (city, uow):
        await city.context.take(IDENTITY).reset_factor(uow, SYSTEM, account)
    return f"{account}: 两步验证已重置 second factor reset"


async def open_to_all(settings: ConsoleSettings) -> str:
    """Drops the list of networks that staff may log in from."""
    async with _apart(settings) as (city, uow):
        await city.context.take(IDENTITY).open_addresses(uow, SYSTEM)
    return "登录地址限制已清空 staff may log in from everywhere"


@asynccontextmanager
async def _apart(settings: ConsoleSettings) -> AsyncIterator[tuple[City, Uow]]:
    """The city without its pages, in one transaction. Raises ``city.unavailable``."""
    keys = await KeyFile.open(settings.key_path, SystemClock())
    async with (
        open_database(settings) as url,
        open_city(url, keys=keys, quiet=True) as city,
        city.db.write() as uow,
    ):
        yield city, uow
