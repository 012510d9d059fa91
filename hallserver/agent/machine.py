"""Volume, brightness and screen of a kiosk's machine, by the programs that it has; none is assumed to be there."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import structlog

from qingting.contract.base import Strict
from qingting.contract.errors import Refusal

log = structlog.get_logger(__name__)

COMMAND_SECONDS = 10.0
BACKLIGHT = Path("/sys/class/backlight")
Words = tuple[Annotated[str, msgspec.Meta(max_length=200)], ...]


class MachineSettings(Strict, frozen=True, kw_only=True):
    """Commands of your own win over the programs that are looked for. ``{percent}``, ``{fraction}`` and ``{state}`` (``on``
    or ``off``) are filled in. ``browser_restart`` has no default: how a kiosk's browser is started is the site's own.
    """

    volume: Words = ()
    brightness: Words = ()
    screen: Words = ()
    browser_restart: Words = ()
    output: str = ""
    """Wayland output that ``wlr-randr`` switches, as ``HDMI-A-1``."""


VOLUME = (
    ("wpctl", "set-volume", "@DEFAULT_AUDIO_SINK@", "{fraction}"),
    ("pactl", "set-sink-volume", "@DEFAULT_SINK@", "{percent}%"),
    ("amixer", "-q", "sset", "Master", "{percent}%"),
)
BRIGHTNESS = (("brightnessctl", "-q", "set", "{percent}%"),)
SCREEN = (
    ("wlr-randr", "--output", "{output}", "--{state}"),
    ("xset", "dpms", "force", "{state}"),
)
RunCommand = Callable[[Sequence[str]], Awaitable[int]]
"""Runs a program and gives its exit code; raises ``OSError`` when it is not there."""


async def run_command(command: Sequence[str]) -> int:
    """Raises ``OSError``; a program that does not end is killed and counts as failed."""
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command, stdin=quiet, stdout=quiet, stderr=quiet
    )
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            return await process.wait()
    except TimeoutError:
        process.kill()
        return await process.wait() or 1


class Machine:
    """Raises ``act.no_backend`` where the machine has no program for it, ``act.command_failed`` where that fails."""

    def __init__(
        self,
        settings: MachineSettings,
        *,
        run: RunCommand = run_command,
        find: Callable[[str], str | None] = shutil.which,
        backlight: Path = BACKLIGHT,
    ) -> None:
        self._settings = settings
        self._run = run
        self._find = find
        self._backlight = backlight

    async def set_volume(self, percent: int) -> str:
        """Gives the program that did it."""
        return await self._carry_out(self._settings.volume, VOLUME, _percent(percent))

    async def set_brightness(self, percent: int) -> str:
        try:
            return await self._carry_out(self._settings.brightness, BRIGHTNESS, _percent(percent))
        except Refusal as refusal:
            if refusal.code != "act.no_backend":
                raise
        return await asyncio.to_thread(self._write_backlight, percent)

    async def switch_screen(self, on: bool) -> str:
        words = {"state": "on" if on else "off", "output": self._settings.output}
        return await self._carry_out(self._settings.screen, SCREEN, words)

    async def check_screen(self) -> str:
        """The program that can switch the screen, without using it."""
        return (await self._choose(self._settings.screen, SCREEN))[0]

    async def restart_browser(self) -> str:
        """Raises ``act.not_configured`` as well."""
        if not self._settings.browser_restart:
            raise Refusal("act.not_configured")
        return await self._carry_out(self._settings.browser_restart, (), {})

    async def _choose(self, own: Words, known: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
        if own:
            return own
        for command in known:
            if "{output}" in command and not self._settings.output:
                continue
            if await asyncio.to_thread(self._find, command[0]) is not None:
                return command
        raise Refusal("act.no_backend")

    async def _carry_out(
        self, own: Words, known: Sequence[tuple[str, ...]], words: Mapping[str, str]
    ) -> str:
        command = [_filled(one, words) for one in await self._choose(own, known)]
        try:
            code = await self._run(command)
        except OSError as error:
            log.warning("machine.no_program", program=command[0], why=type(error).__name__)
            raise Refusal("act.no_backend") from error
        if code != 0:
            log.warning("machine.command_failed", program=command[0], code=code)
            raise Refusal("act.command_failed")
        return command[0]

    def _write_backlight(self, percent: int) -> str:
        for panel in sorted(self._backlight.glob("*")):
            try:
                highest = int((panel / "max_brightness").read_text())
                (panel / "brightness").write_text(str(max(1, highest * percent // 100)))
            except (OSError, ValueError) as error:
                log.warning("machine.backlight", panel=panel.name, why=type(error).__name__)
                raise Refusal("act.command_failed") from error
            return panel.name
        raise Refusal("act.no_backend")


def _percent(percent: int) -> dict[str, str]:
    return {"percent": str(percent), "fraction": f"{percent / 100:.2f}"}


def _filled(part: str, words: Mapping[str, str]) -> str:
    for name, value in words.items():
        part = part.replace("{" + name + "}", value)
    return part
