"""Reads a year's holidays from the text of the State Council's notice, or from the rows of a spreadsheet."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from console.modules.calendar.domain import DayKind, SpecialDay

NAMES_EN = {
    "元旦": "New Year's Day",
    "春节": "Spring Festival",
    "清明节": "Qingming Festival",
    "劳动节": "Labour Day",
    "端午节": "Dragon Boat Festival",
    "中秋节": "Mid-Autumn Festival",
    "国庆节": "National Day",
}
_HEADING = re.compile(r"^\s*[一二三四五六七八九十]+、\s*([^:：\d]{2,20}?)\s*[:：](.*)$", re.S)
_SPAN = re.compile(
    r"(?:(\d{4})年)?(?:(\d{1,2})月)?(\d{1,2})日(?:[至到—–-]+(?:(\d{4})年)?(?:(\d{1,2})月)?(\d{1,2})日)?"
)
_BRACKETS = re.compile(r"[(（][^)）]*[)）]")
_KINDS = {
    "休": DayKind.REST, "放假": DayKind.REST, "休息": DayKind.REST, "rest": DayKind.REST, "holiday": DayKind.REST,
    "班": DayKind.WORK, "上班": DayKind.WORK, "工作": DayKind.WORK, "work": DayKind.WORK,
}  # fmt: skip
_LONGEST = 31


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be taken: its number, what it says, and why as a text key of the calendar's pages."""

    row: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood of a notice or a list."""

    days: tuple[SpecialDay, ...]
    bad: tuple[BadRow, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list: date, kind, name as they were written."""

    number: int
    day: object
    kind: str
    name: str


def name_en(name: str) -> str:
    """国庆节、中秋节 → ``National Day, Mid-Autumn Festival``; empty for a name nobody has translated."""
    parts = [NAMES_EN.get(one.strip(), "") for one in re.split(r"[、和]", name)]
    return ", ".join(parts) if all(parts) else ""


def read_notice(text: str, year: int) -> Reading:
    """The days in a notice of ``year``, from its numbered paragraphs alone: the introduction names dates too, as
    principles."""
    days: list[SpecialDay] = []
    bad: list[BadRow] = []
    for number, (name, sentence) in enumerate(_sentences(text), start=1):
        kind = _kind_of(sentence)
        if kind is None:
            continue
        found = list(_dates(sentence, year))
        if not found or None in found:
            bad.append(BadRow(number, sentence.strip(), "calendar.bad.date"))
        days += [_special(one, kind, name, year) for one in found if one is not None]
    return _checked(days, bad, year)


def _sentences(text: str) -> Iterable[tuple[str, str]]:
    """Sentences of the numbered paragraphs, each with the holiday's name."""
    name = ""
    for line in re.split(r"[\n。；;]+", _BRACKETS.sub("", text)):
        heading = _HEADING.match(line)
        name, sentence = (heading[1], heading[2]) if heading else (name, line)
        if name and sentence.strip():
            yield name, sentence


def _kind_of(sentence: str) -> DayKind | None:
    if "上班" in sentence:
        return DayKind.WORK
    return DayKind.REST if "放假" in sentence or "补休" in sentence else None


def _dates(sentence: str, year: int) -> Iterable[date | None]:
    """Every date that a sentence names, spans day by day; None for one that does not exist."""
    month = 0
    for found in _SPAN.finditer(sentence):
        years, months, day, to_year, to_month, to_day = found.groups()
        month = int(months or month)
        first = _date(int(years or year), month, int(day))
        if to_day is None:
            yield first
            continue
        month = int(to_month or month)
        last = _date(int(to_year or years or year), month, int(to_day))
        if first is None or last is None or not 0 <= (last - first).days < _LONGEST:
            yield None
            continue
        yield from (first + timedelta(days=one) for one in range((last - first).days + 1))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def read_rows(rows: Sequence[Row], year: int) -> Reading:
    """The days in a list; every row that cannot be taken is told with its reason."""
    days: list[SpecialDay] = []
    bad: list[BadRow] = []
    for row in rows:
        day, kind = day_of(row.day), _KINDS.get(row.kind.strip().casefold())
        shown = f"{row.day} {row.kind} {row.name}".strip()
        if day is None:
            bad.append(BadRow(row.number, shown, "calendar.bad.date"))
        elif kind is None:
            bad.append(BadRow(row.number, shown, "calendar.bad.kind"))
        elif not row.name.strip():
            bad.append(BadRow(row.number, shown, "calendar.bad.name"))
        else:
            days.append(_special(day, kind, row.name.strip(), year))
    return _checked(days, bad, year)


def day_of(cell: object) -> date | None:
    """A date of a spreadsheet, or written as 2026-02-15, 2026/2/15, 2026年2月15日."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    found = re.fullmatch(
        r"\s*(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?: 00:00(?::00)?)?\s*", str(cell)
    )
    return _date(int(found[1]), int(found[2]), int(found[3])) if found else None


def _special(day: date, kind: DayKind, name: str, year: int) -> SpecialDay:
    return SpecialDay(day=day, kind=kind, name=name, name_en=name_en(name), of_year=year)


def _checked(days: Iterable[SpecialDay], bad: list[BadRow], year: int) -> Reading:
    """Without dates named twice in two ways, and those of another year's middle."""
    kept: dict[date, SpecialDay] = {}
    for one in days:
        if not date(year - 1, 12, 1) <= one.day <= date(year + 1, 1, 31):
            bad.append(BadRow(0, f"{one.day} {one.name}", "calendar.bad.year"))
        elif one.day in kept and kept[one.day].kind is not one.kind:
            bad.append(BadRow(0, f"{one.day} {one.name}", "calendar.bad.twice"))
        else:
            kept.setdefault(one.day, one)
    return Reading(tuple(sorted(kept.values(), key=lambda one: one.day)), tuple(bad))


def written(days: Iterable[SpecialDay]) -> str:
    """A list as lines of text that :func:`lines_of` reads again: what a preview hands to the step that stores it."""
    words = {DayKind.REST: "休", DayKind.WORK: "班"}
    return "\n".join(f"{one.day}\t{words[one.kind]}\t{one.name}" for one in days)


def lines_of(text: str) -> list[Row]:
    """Lines of date, kind and name, parted by tabs, commas or spaces."""
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        parts = re.split(r"[\t,，]|\s+", line.strip(), maxsplit=2)
        if line.strip():
            day, kind, name = (*parts, "", "")[:3]
            rows.append(Row(number, day, kind, name))
    return rows
