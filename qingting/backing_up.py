"""``qingting city backup|drill|restore`` and ``qingting backup-hall|restore-hall``: for whoever has a shell there."""

import asyncio
import sqlite3
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from console.app.server import ConsoleSettings
    from console.modules.upkeep.drill import Finding
    from hallserver.app.settings import HallSettings

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
SETTINGS = click.option(
    "--settings", "file", type=FILE, help="TOML file; QINGTING_* variables win over it"
)


@click.command("backup")
@SETTINGS
@click.argument("folder", type=FOLDER)
def city_backup(file: Path | None, folder: Path) -> None:
    """Write a backup of the whole city into FOLDER; the city may run."""
    _run(_back_up_city(_city(file), folder))


@click.command("drill")
@SETTINGS
@click.argument("archive", type=FILE)
def city_drill(file: Path | None, archive: Path) -> None:
    """Restore ARCHIVE beside the city, check it and take it away again. The city may run on its own server."""
    _run(_drill_city(_city(file), archive))


@click.command("restore")
@SETTINGS
@click.argument("archive", type=FILE)
@click.option("--yes", is_flag=True, help="do not ask")
def city_restore(file: Path | None, archive: Path, yes: bool) -> None:
    """Put ARCHIVE in the place of the city's database, which is renamed and kept. Stop every console first."""
    settings = _city(file)
    if not yes:
        click.confirm(f"Replace the city's database by {archive.name}?", abort=True)
    _run(_restore_city(settings, archive))


@click.command("backup-hall")
@SETTINGS
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
def backup_hall(file: Path | None, target: Path) -> None:
    """Write a backup of a hall to TARGET and prove it by replaying its log; the hall may run."""
    from hallserver.store.copies import back_up

    settings = _hall(file)
    found = _done(lambda: back_up(settings.database, target))
    click.echo(f"{target}: {found.events} events, whole")


@click.command("restore-hall")
@SETTINGS
@click.argument("copy", type=FILE)
@click.option("--yes", is_flag=True, help="do not ask")
def restore_hall(file: Path | None, copy: Path, yes: bool) -> None:
    """Put COPY in the place of a stopped hall's database, which is kept beside it."""
    from hallserver.store.exchange import put_back
    from qingting.kernel.aio.clock import SystemClock

    settings = _hall(file)
    if not yes:
        click.confirm(f"Replace {settings.database} by {copy.name}?", abort=True)
    found, former = _done(lambda: put_back(copy, settings.database, SystemClock().now_ms()))
    click.echo(
        f"{settings.database}: {found.events} events" + (f"; before: {former}" if former else "")
    )
    click.echo(
        "What happened after the backup is not in it. The city will ask a person which log holds."
    )


async def _back_up_city(settings: "ConsoleSettings", folder: Path) -> None:
    from console.app.server import open_database
    from console.modules.upkeep.archive import EXCLUDED, read_manifest
    from console.modules.upkeep.dumping import dump_city
    from qingting.kernel.aio.clock import SystemClock

    async with open_database(settings) as url:
        archive = await dump_city(url, folder, SystemClock().now_ms())
    manifest = await asyncio.to_thread(read_manifest, archive)
    click.echo(f"{archive}: {manifest.rows} rows in {len(manifest.tables)} tables")
    click.echo("Not in it, to be kept apart: " + "; ".join(EXCLUDED))


async def _drill_city(settings: "ConsoleSettings", archive: Path) -> None:
    from console.app.health import trying_out
    from console.app.server import create_app, open_database
    from console.core.sealing import KeyFile
    from console.modules.upkeep.drill import drill
    from qingting.kernel.aio.clock import SystemClock

    clock = SystemClock()
    async with open_database(settings) as url:
        keys = await KeyFile.open(settings.key_path, clock)
        try_out = trying_out(clock, keys, lambda city: create_app(city, settings))
        report = await drill(url, archive, try_out)
    _say(report.findings)
    if not report.good:
        raise SystemExit(1)


async def _restore_city(settings: "ConsoleSettings", archive: Path) -> None:
    from console.app.modules import PROGRAM
    from console.app.server import open_database
    from console.core.audit_reading import HEADS_PURPOSE
    from console.core.sealing import KeyFile
    from console.modules.upkeep.restoring import restore_city
    from qingting.kernel.aio.clock import SystemClock

    clock = SystemClock()
    async with open_database(settings) as url:
        keys = await KeyFile.open(settings.key_path, clock)
        key = keys.sealer.lasting(HEADS_PURPOSE)
        restored = await restore_city(url, archive, clock.now_ms(), PROGRAM, key=key)
    _say(restored.findings)
    click.echo(f"The database before it is kept as {restored.former}.")
    click.echo("A hall can be told something again once it has connected.")
    click.echo(
        "Messages that citizens may have been sent already wait: decide at /notifications/parked."
    )


def _say(findings: "tuple[Finding, ...]") -> None:
    for one in findings:
        click.echo(f"{'good' if one.good else 'BAD '}  {one.name:8}  {one.detail}")


def _environ() -> Mapping[str, str]:
    """The environment, which the command's root alone reads."""
    found: Mapping[str, str] = click.get_current_context().find_root().obj
    return found


def _city(file: Path | None) -> "ConsoleSettings":
    from console.app.server import load_console_settings
    from qingting.kernel.settings import SettingsError

    try:
        return load_console_settings(file, _environ())
    except SettingsError as error:
        raise _faulty(error.faults) from error


def _hall(file: Path | None) -> "HallSettings":
    from hallserver.app.settings import load_hall_settings
    from qingting.kernel.settings import SettingsError

    try:
        return load_hall_settings(file, _environ())
    except SettingsError as error:
        raise _faulty(error.faults) from error


def _faulty(faults: Any) -> SystemExit:
    for fault in faults:
        click.echo(f"settings: {fault}", err=True)
    return SystemExit(2)


def _run(work: Coroutine[Any, Any, None]) -> None:
    _done(lambda: asyncio.run(work))


def _done(work: Any) -> Any:
    """What ``work`` gives; an expected error is one line."""
    from console.core.postgres import PostgresError
    from hallserver.store.errors import StoreOpenError
    from qingting.contract.errors import Refusal
    from qingting.contract.states import Language

    try:
        return work()
    except Refusal as refusal:
        raise click.ClickException(refusal.sentence(Language.EN)) from refusal
    except (OSError, sqlite3.Error, StoreOpenError, PostgresError) as error:
        raise click.ClickException(str(error)) from error
