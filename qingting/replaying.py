"""``qingting log export`` and ``qingting replay``: a day of a hall's log as a file, and what it would have been."""

import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

if TYPE_CHECKING:
    from hallserver.engine.whatif import Comparison, DayLog
    from hallserver.engine.whatif.report import Mover, Outcome

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
T = TypeVar("T", bound=msgspec.Struct)


class _Faulty(SystemExit):
    """A fault of what was given: said on stderr, status 2."""

    def __init__(self, text: str) -> None:
        click.echo(text, err=True)
        super().__init__(2)


@click.group()
def log() -> None:
    """Take days out of a hall's log."""


@log.command("export")
@click.argument("database", type=FILE)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--day", default="", help="business day, YYYY-MM-DD; without it the latest complete one"
)
def export(database: Path, file: Path, day: str) -> None:
    """Write one day of DATABASE (a hall's hall.db) to FILE as JSON lines.

    The first line says what was in force when the day began; the others are the events exactly as they are
    stored. Personal data is in them only as stored: masked, and sealed with the hall's key. The hall
    may be running meanwhile.
    """
    import sqlite3

    from hallserver.engine.whatif.day import to_lines
    from hallserver.store.days import NoSuchDayError, days_of, stored_day
    from hallserver.store.errors import StoreOpenError

    try:
        chosen = day or _latest(days_of(database))
        head, events = stored_day(database, chosen)
    except (NoSuchDayError, StoreOpenError, sqlite3.Error, msgspec.DecodeError) as error:
        raise _Faulty(f"{database}: {error}") from error
    with file.open("wb") as target:
        target.writelines(line + b"\n" for line in to_lines(head, events))
    click.echo(f"{file}: {head.day}, {len(events)} events")


def _latest(days: list[str]) -> str:
    """The last day but the one that may still run; the only one when there is no other."""
    if not days:
        raise _Faulty("the log is empty")
    return days[-2] if len(days) > 1 else days[-1]


@click.command()
@click.argument("day_log", metavar="DAY.log", type=FILE)
@click.option("--rules", type=FILE, help="calling rules to try, TOML or JSON")
@click.option("--roster", type=FILE, help="windows and clerks to try, TOML or JSON")
@click.option("--json", "as_json", is_flag=True, help="one JSON object on stdout and nothing else")
def replay(day_log: Path, rules: Path | None, roster: Path | None, as_json: bool) -> None:
    """Show what the day in DAY.log would have been under other calling rules or another roster.

    DAY.log comes from: qingting log export. Ends with status 2 when a file has a fault.
    """
    from hallserver.engine.whatif import Variant, compare
    from qingting.contract.errors import Refusal
    from qingting.contract.rules import CallingRules
    from qingting.contract.states import Language
    from qingting.contract.whatif import RosterPlan

    day = _read_day(day_log)
    variant = Variant(rules=_read(rules, CallingRules), roster=_read(roster, RosterPlan))
    try:
        found = compare(day, variant)
    except Refusal as refusal:
        files = " and ".join(str(one) for one in (rules, roster) if one is not None)
        raise _Faulty(f"{files or day_log}: {refusal.sentence(Language.EN)}") from refusal
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    click.echo("\n".join(table(found)))


def _read_day(path: Path) -> "DayLog":
    from hallserver.engine.whatif.day import DayLogError, from_lines

    try:
        with path.open("rb") as lines:
            return from_lines(lines)
    except (DayLogError, OSError) as error:
        raise _Faulty(f"{path}: {error}") from error


def _read(path: Path | None, kind: type[T]) -> T | None:
    from qingting.kernel.config_file import ConfigFileError, load_record

    if path is None:
        return None
    try:
        return load_record(path, kind)
    except ConfigFileError as error:
        raise _Faulty(str(error)) from error


# ---- as a table ---------------------------------------------------------------------------------


def table(found: "Comparison") -> list[str]:
    """Before, after and the difference, for a terminal."""
    before, after = found.before, found.after
    lines = [
        (
            f"{found.day}: {before.tickets} tickets. Unchanged, the replay meets "
            f"{found.fidelity.same_calls:.1%} of the day's calls to the second "
            f"(waiting differs by {found.fidelity.mean_minutes} min on average)."
        ),
        "",
        *_rows(("", "before", "after", "change"), _figures(found)),
        "",
        *_rows(_HEAD, _waits(before.classes, after.classes)),
        "",
        *_rows(("queue", *_HEAD[1:]), _waits(before.queues, after.queues)),
        "",
        *_rows(_WINDOW_HEAD, _windows(before, after)),
        "",
        (
            f"{found.gained} people wait less, {found.lost} longer, {found.same} as long (within a minute); "
            f"{found.reached} more are reached, {found.missed} not any more."
        ),
    ]
    for title, movers in (("gain most", found.gainers), ("lose most", found.losers)):
        if movers:
            lines += ["", *_rows((title, "class", "before", "after", "change"), _movers(movers))]
    return lines


_HEAD = ("class", "people", "mean", "", "P50", "", "P90", "", "longest", "", "over the bound", "")
_WINDOW_HEAD = ("window", "served", "", "busy min", "", "idle min", "")


def _figures(found: "Comparison") -> list[tuple[str, ...]]:
    before, after = found.before, found.after
    rows: list[tuple[str, float, float, str]] = [
        ("mean wait, min", before.waits.mean, after.waits.mean, ".1f"),
        ("half wait less than, min", before.waits.p50, after.waits.p50, ".1f"),
        ("nine of ten wait less than, min", before.waits.p90, after.waits.p90, ".1f"),
        ("longest wait, min", before.waits.longest, after.waits.longest, ".1f"),
        (f"longer than {found.bound} min", before.waits.over, after.waits.over, ".1%"),
        ("priority calls in a row, most", before.priority_run, after.priority_run, "d"),
        ("not reached before closing", before.not_reached, after.not_reached, "d"),
        ("gave up waiting", before.left, after.left, "d"),
        ("missed their call", before.no_shows, after.no_shows, "d"),
        ("idle minutes of all windows", _idle(before), _idle(after), ".0f"),
    ]
    return [
        (name, format(one, form), format(other, form), format(other - one, f"+{form}"))
        for name, one, other, form in rows
    ]


def _idle(outcome: "Outcome") -> float:
    return sum(one.idle for one in outcome.windows.values())


def _waits(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, ...]]:
    from hallserver.engine.whatif.report import Waits

    rows = []
    for name in sorted({*before, *after}):
        one, other = before.get(name, Waits()), after.get(name, Waits())
        cells = [name, str(one.people)]
        for field in ("mean", "p50", "p90", "longest"):
            cells += [f"{getattr(one, field):.1f}", f"→ {getattr(other, field):.1f}"]
        rows.append((*cells, f"{one.over:.1%}", f"→ {other.over:.1%}"))
    return rows


def _windows(before: "Outcome", after: "Outcome") -> list[tuple[str, ...]]:
    rows = []
    for window in sorted({*before.windows, *after.windows}):
        pair = (before.windows.get(window), after.windows.get(window))
        number = next(one.number for one in pair if one is not None)
        cells = [number]
        for field in ("served", "busy", "idle"):
            one, other = (getattr(use, field) if use is not None else 0 for use in pair)
            cells += [f"{one:.0f}", f"→ {other:.0f}"]
        rows.append(tuple(cells))
    return rows


def _movers(movers: Iterable["Mover"]) -> list[tuple[str, ...]]:
    return [
        (one.number, one.priority, f"{one.before:.1f}", f"{one.after:.1f}", f"{one.change:+.1f}")
        for one in movers
    ]


def _rows(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """Columns side by side: the first from the left, figures from the right."""
    every = [head, *rows]
    widths = [max(_width(row[place]) for row in every) for place in range(len(head))]
    pads: list[Callable[[str, int], str]] = [_left, *[_right] * (len(head) - 1)]
    return [
        "  ".join(
            pad(cell, width) for pad, cell, width in zip(pads, row, widths, strict=True)
        ).rstrip()
        for row in every
    ]


def _width(text: str) -> int:
    """Columns on a terminal: a hanzi takes two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def _left(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _right(text: str, width: int) -> str:
    return " " * (width - _width(text)) + text
