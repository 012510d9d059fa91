"""A day out of a running hall's database, and what the command line makes of it."""

import asyncio
import json
import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from engine_builders import CARE, HOUR, KIOSK, LI, MONDAY_9, PERSON, W1, small_hall

from hallserver.hall import Hall, open_hall
from hallserver.store.days import NoSuchDayError, days_of, load_day
from qingting.cli import main
from qingting.contract import commands as c
from qingting.contract.rules import CallingRules
from qingting.contract.whatif import RosterPlan
from qingting.kernel.aio.clock import ManualClock

ROOT = Path(__file__).resolve().parents[3]
DAY_HOURS = 24


async def two_days(path: Path, days: int = 2) -> None:
    """Each day three people come at once, the last of them elderly; the window stays open over night."""
    clock = ManualClock(MONDAY_9)
    async with open_hall(path, clock=clock, config=small_hall()) as hall:
        await hall.submit(c.OpenWindow(window=W1, staff=LI), key="w1:open-1", actor="staff:li")
        for day in range(days):
            await a_morning(hall, clock, day)
            await clock.advance((DAY_HOURS - 1) * HOUR / 1000)


async def a_morning(hall: Hall, clock: ManualClock, day: int) -> None:
    for number, priority in enumerate(("ordinary", "ordinary", "elderly")):
        command = c.IssueTicket(
            item=CARE, token=f"token-{day}-{number}", device=KIOSK, person=PERSON, priority=priority
        )
        await hall.submit(command, key=f"k1:{day:04d}{number:04d}", actor="kiosk:k1")
    for number in range(9):
        press = (c.CallNext, c.BeginService, c.FinishService)[number % 3]
        await hall.submit(press(window=W1), key=f"w1:{day:04d}{number:04d}", actor="staff:li")
        await clock.advance(300)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "hall.db"
    asyncio.run(two_days(path))
    return path


def test_a_day_knows_what_was_in_force_when_it_began(database: Path) -> None:
    days = days_of(database)
    assert days[:2] == ["2026-11-23", "2026-11-24"]
    monday, tuesday = (load_day(database, day) for day in days[:2])
    assert monday.head.config is None
    assert monday.head.windows == ()
    assert tuesday.head.config == small_hall()
    assert [(one.window, one.staff) for one in tuesday.head.windows] == [(W1, LI)]
    with pytest.raises(NoSuchDayError):
        load_day(database, "2026-01-01")


async def test_a_day_is_read_while_the_hall_runs(tmp_path: Path) -> None:
    path, clock = tmp_path / "hall.db", ManualClock(MONDAY_9)
    async with open_hall(path, clock=clock, config=small_hall()) as hall:
        await hall.submit(c.OpenWindow(window=W1, staff=LI), key="w1:open-1", actor="staff:li")
        await a_morning(hall, clock, 0)
        result = await asyncio.to_thread(run, "log", "export", path, tmp_path / "day.log")
    assert result.exit_code == 0, result.output
    stored = await asyncio.to_thread((tmp_path / "day.log").read_bytes)
    assert stored.count(b"\n") > 10


def test_rules_without_priority_let_the_ordinary_go_first(database: Path, tmp_path: Path) -> None:
    day, rules = tmp_path / "day.log", tmp_path / "rules.toml"
    exported = run("log", "export", database, day, "--day", "2026-11-24")
    assert exported.exit_code == 0, exported.output
    rules.write_text(
        """
[[classes]]
id = "ordinary"
name = "普通"
name_en = "Ordinary"
[[classes]]
id = "booked"
name = "预约"
name_en = "Booked"
""",
        "utf-8",
    )
    result = run("replay", day, "--rules", rules, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["fidelity"] == {"same_calls": 1.0, "mean_minutes": 0.0}
    assert found["before"]["classes"]["elderly"]["mean"] == 0.0
    assert found["after"]["classes"]["elderly"]["mean"] == 30.0
    assert [one["number"] for one in found["losers"]] == ["A003"]
    assert (found["gained"], found["lost"]) == (2, 1)
    text = run("replay", day, "--rules", rules)
    assert "elderly" in text.stdout
    assert "+30.0" in text.stdout


def test_faults_end_with_status_2_and_say_where(database: Path, tmp_path: Path) -> None:
    day, rules = tmp_path / "day.log", tmp_path / "rules.toml"
    run("log", "export", database, day)
    rules.write_text('max_delay_minutes = -1\nwieght = 3\n[[ratios]]\nfirst = "x"\n', "utf-8")
    result = run("replay", day, "--rules", rules)
    assert result.exit_code == 2
    assert "max_delay_minutes" in result.stderr
    assert "wieght: unknown key" in result.stderr
    assert "ratios[1].second: missing" in result.stderr
    rules.write_text("max_delay_minutes = \n", "utf-8")
    result = run("replay", day, "--rules", rules)
    assert result.exit_code == 2
    assert "line 1" in result.stderr
    roster = tmp_path / "roster.toml"
    roster.write_text('[[windows]]\nid = "w1"\nqueues = ["nowhere"]\n', "utf-8")
    result = run("replay", day, "--roster", roster)
    assert result.exit_code == 2
    assert "nowhere" in result.stderr
    (tmp_path / "cut.log").write_bytes(day.read_bytes()[:-200])
    result = run("replay", tmp_path / "cut.log")
    assert result.exit_code == 2
    assert "line" in result.stderr
    other = tmp_path / "other.db"
    other.write_bytes(b"")
    result = run("log", "export", other, tmp_path / "x.log")
    assert result.exit_code == 2
    assert "not a hall's database" in result.stderr
    result = run("log", "export", database, tmp_path / "x.log", "--day", "2020-01-01")
    assert result.exit_code == 2
    assert "2026-11-23" in result.stderr


def test_the_files_of_the_documentation_are_what_the_command_reads() -> None:
    text = (ROOT / "docs/operators/rules.md").read_text("utf-8")
    for name, kind in (("rules", CallingRules), ("roster", RosterPlan)):
        found = re.search(rf"^```toml {name}\n(.*?)^```", text, re.M | re.S)
        assert found is not None
        assert msgspec.convert(tomllib.loads(found[1]), kind) is not None
