"""The ``qingting`` command. Each subcommand loads only what it needs."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from qingting.backing_up import (
    backup_hall,
    city_backup,
    city_drill,
    city_restore,
    restore_hall,
)
from qingting.kernel.logging import configure_logging
from qingting.kernel.settings import SettingsError
from qingting.profiling import profile
from qingting.releasing import release
from qingting.replaying import log, replay
from qingting.voicing import voice

S = TypeVar("S")
RESTART_EXIT = 75
"""Exit code of an agent that was asked to restart (EX_TEMPFAIL): its service manager starts it again."""


LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def quick_loop() -> LoopFactory | None:
    """The event loop of a console worker (docs/decisions/0059-a-console-worker-runs-on-uvloop.md); Windows has its own."""
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def run_until_stopped(
    work: Coroutine[Any, Any, Any], loop_factory: LoopFactory | None = None
) -> None:
    """Runs ``work``; SIGINT and SIGTERM cancel it so that everything closes in order."""

    async def guarded() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, task.cancel)
        try:
            await _finish(task)
        finally:
            for name in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(name)

    # What the program is made of is loaded by now and stays: it is never searched for garbage.
    gc.freeze()
    gc.enable()
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(guarded())


def serve(
    work: Coroutine[Any, Any, Any],
    *faults: type[Exception],
    loop_factory: LoopFactory | None = None,
) -> None:
    """Like :func:`run_until_stopped`; ``OSError``, refusals and ``faults`` are told in one line."""
    from qingting.contract.errors import Refusal

    expected: tuple[type[Exception], ...] = (OSError, Refusal, *faults)
    try:
        run_until_stopped(work, loop_factory)
    except expected as error:
        raise click.ClickException(_said(error)) from error


def _said(error: Exception) -> str:
    """What a person at the shell reads of an expected error."""
    from qingting.contract.errors import Refusal
    from qingting.contract.states import Language
    from qingting.kernel.config_file import ConfigFileError

    if isinstance(error, Refusal) and not isinstance(error, ConfigFileError):
        return error.sentence(Language.EN)
    return str(error)


async def _finish(task: Awaitable[Any]) -> None:
    try:
        await task
    except asyncio.CancelledError:
        return


def _faulty(error: SettingsError) -> SystemExit:
    for fault in error.faults:
        click.echo(f"settings: {fault}", err=True)
    return SystemExit(2)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="qingting")
@click.option(
    "--log-level", default="info", show_default=True, help="debug, info, warning or error"
)
@click.option("--log-json", is_flag=True, help="one JSON object a line")
def main(log_level: str, log_json: bool) -> None:
    """Qingting 庆厅: runs a city's government service halls."""
    # Hundreds of thousands of objects are about to be loaded, none of which is garbage: to look for it is a fifth of a start.
    gc.disable()
    click.get_current_context().call_on_close(gc.enable)
    configure_logging(log_level, json=log_json)
    click.get_current_context().obj = os.environ


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SETTINGS = click.option(
    "--settings", "file", type=FILE, help="TOML file; QINGTING_* variables win over it"
)


SCENARIO = click.option(
    "--scenario", default="", help="play a day of faults: day-of-faults, or a TOML file"
)
SPEED = click.option(
    "--speed",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.1, 10_000),
    help="how much faster than its clock the scenario is played",
)


@main.command()
@click.option(
    "--halls",
    default=1,
    show_default=True,
    type=click.IntRange(1, 12),
    help="how many halls to run",
)
@click.option(
    "--base-port", default=8100, show_default=True, help="console here, halls on the next ports"
)
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="keep data here between runs"
)
@click.option("--traffic", default=0.0, help="simulated citizens a minute in each hall")
@click.option(
    "--carrier",
    default="pty",
    type=click.Choice(["pty", "tcp"]),
    help="how simulated devices are attached",
)
@SCENARIO
@SPEED
@click.option("--json", "as_json", is_flag=True, help="print URLs and credentials as one JSON line")
def demo(
    halls: int,
    base_port: int,
    data: Path | None,
    traffic: float,
    carrier: Literal["pty", "tcp"],
    scenario: str,
    speed: float,
    as_json: bool,
) -> None:
    """Run the city, halls, agents and simulated devices in one command, on this machine only."""
    from qingting.demo.children import ChildError
    from qingting.demo.devices import read_play
    from qingting.demo.run import DemoOptions, run_demo
    from simulators.scenario import ScenarioError

    try:
        play = read_play(scenario, speed, lambda line: click.echo(line, err=True))
    except ScenarioError as error:
        raise click.ClickException(str(error)) from error
    options = DemoOptions(
        play=play,
        database_url=os.environ.get("DATABASE_URL"),
        halls=halls,
        base_port=base_port,
        data=data,
        traffic=traffic,
        carrier=carrier,
        as_json=as_json,
    )
    serve(run_demo(options), ChildError, ScenarioError)


@main.command()
@SETTINGS
def hall(file: Path | None) -> None:
    """Run one hall server."""
    from hallserver.app.server import run_hall
    from hallserver.app.settings import load_hall_settings
    from hallserver.store.errors import StoreOpenError

    serve(run_hall(_read_settings(load_hall_settings, file)), StoreOpenError, SettingsError)


@main.command("renew-hall-password")
@SETTINGS
@click.argument("number")
def renew_hall_password(file: Path | None, number: str) -> None:
    """Give a clerk or manager of a stopped hall another one-time password and show it once.

    NUMBER is the staff number. For a hall whose only manager has forgotten the password.
    """
    from hallserver.app.settings import load_hall_settings
    from hallserver.store.errors import StoreOpenError
    from qingting.hall_admin import renew_hall_password as renewed

    _show(renewed(_read_settings(load_hall_settings, file), number), StoreOpenError)


@main.command()
@SETTINGS
def console(file: Path | None) -> None:
    """Run the city console. At the very first start it shows the administrator's one-time password."""
    from console.app.server import load_console_settings, run_console
    from console.core.migrate import NewerDatabaseError
    from console.core.postgres import PostgresError
    from qingting.city_admin import greeting
    from qingting.kernel.security.seal import SealError

    settings = _read_settings(load_console_settings, file)
    work = run_console(settings, on_ready=lambda ready: click.echo(greeting(ready)))
    serve(work, PostgresError, NewerDatabaseError, SealError, loop_factory=quick_loop())


@main.group()
def city() -> None:
    """Administer the city from its machine's shell; every act is audited."""


@city.command("enrol")
@SETTINGS
@click.argument("hall")
@click.option("--name", required=True, help="Chinese name")
@click.option("--name-en", default="", help="English name")
def city_enrol(file: Path | None, hall: str, name: str, name_en: str) -> None:
    """Register a hall, or give a known one another key, and show the key once."""
    from console.app.server import load_console_settings
    from qingting.city_admin import enrol_hall
    from qingting.contract.ids import HallId

    settings = _read_settings(load_console_settings, file)
    _show(enrol_hall(settings, HallId(hall), name=name, name_en=name_en))


@city.command("audit")
@SETTINGS
@click.option("--verify", is_flag=True, required=True, help="check the chain and the signed ends")
def city_audit(file: Path | None, verify: bool) -> None:
    """Check that nobody changed, removed or put in an entry of the audit; the exit code says so."""
    from console.app.server import load_console_settings
    from qingting.city_admin import verify_audit

    assert verify

    async def checked() -> str:
        whole, line = await verify_audit(_read_settings(load_console_settings, file))
        if not whole:
            raise click.ClickException(line)
        return line

    _show(checked())


@city.group("keys")
def city_keys() -> None:
    """Keys that personal data is sealed with: add one, have everything sealed with it on screen, remove the old."""


@city_keys.command("add")
@SETTINGS
def city_keys_add(file: Path | None) -> None:
    """Add a key to the key file; new boxes get it once every console knows it."""
    from console.app.server import load_console_settings
    from qingting.city_admin import add_key

    _show(add_key(_read_settings(load_console_settings, file)))


@city_keys.command("remove")
@SETTINGS
@click.argument("key")
def city_keys_remove(file: Path | None, key: str) -> None:
    """Remove a key from the key file, if nothing needs it any more."""
    from console.app.server import load_console_settings
    from qingting.city_admin import remove_key

    _show(remove_key(_read_settings(load_console_settings, file), key))


@city.command("renew-password")
@SETTINGS
@click.argument("account")
def city_renew_password(file: Path | None, account: str) -> None:
    """Give an account another one-time password and show it once."""
    from console.app.server import load_console_settings
    from qingting.city_admin import renew_password

    _show(renew_password(_read_settings(load_console_settings, file), account))


@city.command("reset-factor")
@SETTINGS
@click.argument("account")
def city_reset_factor(file: Path | None, account: str) -> None:
    """Take the second factor of an account away, whose telephone is lost."""
    from console.app.server import load_console_settings
    from qingting.city_admin import reset_factor

    _show(reset_factor(_read_settings(load_console_settings, file), account))


@city.command("open-addresses")
@SETTINGS
def city_open_addresses(file: Path | None) -> None:
    """Let staff log in from everywhere again: the list of networks shut everybody out."""
    from console.app.server import load_console_settings
    from qingting.city_admin import open_to_all

    _show(open_to_all(_read_settings(load_console_settings, file)))


def _read_settings(load: Callable[[Path | None, Mapping[str, str]], S], file: Path | None) -> S:
    try:
        return load(file, os.environ)
    except SettingsError as error:
        raise _faulty(error) from error


def _show(work: Coroutine[Any, Any, str], *faults: type[Exception]) -> None:
    """Prints what ``work`` gives, or in one line why it could not be done; ``faults`` are expected too."""
    from msgspec import ValidationError

    from console.core.migrate import NewerDatabaseError
    from console.core.postgres import PostgresError
    from qingting.contract.errors import Refusal
    from qingting.kernel.security.seal import SealError

    expected: tuple[type[Exception], ...] = (
        *(OSError, Refusal, ValidationError, PostgresError, NewerDatabaseError, SealError),
        *faults,
    )
    try:
        click.echo(asyncio.run(work))
    except expected as error:
        raise click.ClickException(_said(error)) from error


@main.command()
@click.option(
    "--settings",
    "file",
    type=FILE,
    required=True,
    help="TOML file with the hall's URL, key and devices",
)
def agent(file: Path) -> None:
    """Run the peripheral host of one kiosk."""
    from hallserver.agent.agent import run_agent
    from hallserver.agent.hands import RestartAskedError
    from hallserver.agent.settings import load_agent_settings

    try:
        serve(run_agent(_read_settings(load_agent_settings, file)))
    except RestartAskedError:
        raise SystemExit(RESTART_EXIT) from None


@main.command("pair-agent")
@click.argument("hall")
@click.argument("code")
@click.option("--kiosk", required=True, help="device id of the kiosk, as in the configuration")
@click.option("--config", "file", type=FILE, required=True, help="the hall's configuration file")
@click.option(
    "--write", "target", required=True, type=click.Path(path_type=Path), help="settings to make"
)
def pair_agent(hall: str, code: str, kiosk: str, file: Path, target: Path) -> None:
    """Make this machine the agent of a kiosk.

    HALL is the hub's address, ws://host:port/hub; CODE is on the hall manager's pairing page.
    """
    from websockets.exceptions import WebSocketException

    from qingting.contract.errors import Refusal
    from qingting.contract.ids import DeviceId
    from qingting.kernel.config_file import load_config
    from qingting.pairing import write_agent_settings

    try:
        config = load_config(file)
        device = write_agent_settings(hall, code, kiosk=DeviceId(kiosk), config=config, path=target)
    except SettingsError as error:
        raise _faulty(error) from error
    except (OSError, Refusal, WebSocketException) as error:
        raise click.ClickException(_said(error)) from error
    click.echo(f"{device}: settings are in {target}")


@main.command()
@click.option("--port", default=8930, show_default=True, help="control page")
@click.option("--carrier", default="pty", type=click.Choice(["pty", "tcp"]))
@SCENARIO
@SPEED
def simulate(port: int, carrier: Literal["pty", "tcp"], scenario: str, speed: float) -> None:
    """Run simulated devices with a control page, and a simulated provider of single sign-on."""
    from qingting.demo.devices import read_play, run_simulators
    from simulators.scenario import ScenarioError

    try:
        play = read_play(scenario, speed, click.echo)
    except ScenarioError as error:
        raise click.ClickException(str(error)) from error
    serve(run_simulators(port=port, carrier=carrier, play=play), ScenarioError)


@main.command()
@click.argument("name", type=click.Choice(["hall", "devices", "forecast", "phones", "city"]))
@click.option(
    "--json", "as_json", is_flag=True, help="one flat JSON object on stdout and nothing else"
)
@click.option("--seconds", default=8.0, show_default=True, help="length of each measurement")
def bench(name: str, as_json: bool, seconds: float) -> None:
    """Measure a hall or the city against its bare limit, the whole fleet, forecasts, or a thousand phones."""
    if name == "forecast":
        from benchmarks import forecast

        forecast.run_benchmark(as_json=as_json)
        return
    from benchmarks import city, devices, hall, phones

    named = {"hall": hall, "devices": devices, "phones": phones, "city": city}
    run_until_stopped(named[name].run_benchmark(as_json=as_json, seconds=seconds))


@main.group()
def config() -> None:
    """Check or write hall configuration files."""


@config.command("check")
@click.argument("file", type=FILE)
def config_check(file: Path) -> None:
    """Report every fault of a hall configuration file."""
    from qingting.kernel.config_file import ConfigFileError, load_config

    try:
        loaded = load_config(file)
    except ConfigFileError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from error
    click.echo(
        f"{loaded.hall.name}: {len(loaded.items)} items, {len(loaded.windows)} windows: no faults"
    )


@config.command("sample")
@click.argument("hall")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def config_sample(hall: str, file: Path) -> None:
    """Write the configuration of a demonstration hall (saertu, longfeng, …) as a start for your own."""
    from qingting.contract.ids import HallId
    from qingting.demo.builder import build_hall, hall_ids
    from qingting.kernel.config_file import dump_config

    known = hall_ids(12)
    if HallId(hall) not in known:
        raise click.BadParameter(f"one of {', '.join(known)}", param_hint="HALL")
    try:
        dump_config(build_hall(HallId(hall)), file)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{file}: correct it and look at it with: qingting config check {file}")


for command in (city_backup, city_drill, city_restore):
    city.add_command(command)
main.add_command(backup_hall)
main.add_command(restore_hall)
main.add_command(log)
main.add_command(profile)
main.add_command(release)
main.add_command(replay)
main.add_command(voice)

if __name__ == "__main__":
    sys.exit(main())
