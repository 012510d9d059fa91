"""What an agent does to its machine: with the program that is there, and a clear refusal where none is."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallserver.agent.machine import Machine, MachineSettings
from qingting.contract import acts as a
from qingting.contract.errors import Refusal


class Shell:
    """Programs that are there, and what was run."""

    def __init__(self, *programs: str, code: int = 0) -> None:
        self.programs = programs
        self.code = code
        self.ran: list[list[str]] = []

    def find(self, name: str) -> str | None:
        return name if name in self.programs else None

    async def run(self, command: Sequence[str]) -> int:
        self.ran.append(list(command))
        if command[0] not in self.programs:
            raise FileNotFoundError
        return self.code


def machine(shell: Shell, folder: Path = Path("/nowhere"), **settings: object) -> Machine:
    return Machine(
        MachineSettings(**settings),  # type: ignore[arg-type]
        run=shell.run,
        find=shell.find,
        backlight=folder,
    )


async def test_the_first_program_that_is_there_is_used() -> None:
    shell = Shell("pactl", "amixer", "xset")
    assert await machine(shell).set_volume(35) == "pactl"
    assert await machine(shell).switch_screen(False) == "xset"
    assert shell.ran == [
        ["pactl", "set-sink-volume", "@DEFAULT_SINK@", "35%"],
        ["xset", "dpms", "force", "off"],
    ]


async def test_a_site_s_own_command_goes_first() -> None:
    shell = Shell("pactl", "/opt/loud")
    own = machine(shell, volume=("/opt/loud", "{percent}", "{fraction}"))
    assert await own.set_volume(5) == "/opt/loud"
    assert shell.ran == [["/opt/loud", "5", "0.05"]]


@pytest.mark.parametrize(
    ("shell", "code"),
    [(Shell(), "act.no_backend"), (Shell("pactl", code=1), "act.command_failed")],
)
async def test_what_cannot_be_done_is_said_and_why(shell: Shell, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        await machine(shell).set_volume(35)
    assert refused.value.code == code


async def test_a_program_that_needs_an_output_is_not_chosen_without_one() -> None:
    with pytest.raises(Refusal, match=r"act\.no_backend"):
        await machine(Shell("wlr-randr")).check_screen()


async def test_a_browser_is_restarted_only_by_a_command_that_the_site_has_named() -> None:
    with pytest.raises(Refusal, match=r"act\.not_configured"):
        await machine(Shell("chromium")).restart_browser()


def test_the_kernel_s_backlight_stands_in_for_a_missing_program(tmp_path: Path) -> None:
    panel = tmp_path / "intel_backlight"
    panel.mkdir()
    (panel / "max_brightness").write_text("800\n")
    (panel / "brightness").write_text("800")
    assert asyncio.run(machine(Shell(), tmp_path).set_brightness(40)) == "intel_backlight"
    assert (panel / "brightness").read_text() == "320"


class TestThePlanOfAScreen:
    WEEK = (a.ScreenHours(days=(1, 2, 3, 4, 5), on="08:00", off="17:30"),)

    @pytest.mark.parametrize(
        ("weekday", "minute", "on"),
        [(1, 479, False), (1, 480, True), (5, 1049, True), (5, 1050, False), (6, 600, False)],
    )
    def test_is_followed_to_the_minute(self, weekday: int, minute: int, on: bool) -> None:
        assert a.screen_is_on(self.WEEK, None, weekday, minute) is on

    @given(weekday=st.integers(1, 7), minute=st.integers(0, 1439), by_hand=st.booleans())
    def test_gives_way_to_a_hand_and_without_one_a_screen_is_on(
        self, weekday: int, minute: int, by_hand: bool
    ) -> None:
        assert a.screen_is_on(self.WEEK, by_hand, weekday, minute) is by_hand
        assert a.screen_is_on((), None, weekday, minute)
