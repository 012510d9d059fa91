"""From what is wrong with a TOML file to the line where it is wrong."""

import re
from collections.abc import Iterator, Sequence

_PATH = re.compile(r" - at `\$?([^`]*)`$")
_FIELD = re.compile(r"field `([^`]+)`")
_STEP = re.compile(r"\[(\d+)\]|\.?([^.\[\]]+)")
_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?")
_KEY = re.compile(r"^\s*([\w.\"-]+)\s*=")


def located(message: str, sources: Sequence[tuple[str, str]]) -> str:
    """``message`` of a failed ``msgspec.convert`` with the file and line that are nearest to the path it names.

    ``sources`` are name and TOML text of each file that was merged, the one that wins first.
    """
    path_match, field = _PATH.search(message), _FIELD.search(message)
    wanted = [a or b for a, b in _STEP.findall(path_match[1])] if path_match else []
    if field and "unknown" in message:
        wanted.append(field[1])
    best = (-1, 0, sources[0][0], 1)
    for age, (where, text) in enumerate(sources):
        for number, path in _lines(text):
            best = max(best, (_shared(path, wanted), -age, where, number), key=_nearness)
    return f"{best[2]}:{best[3]}: {_PATH.sub('', message)}" + (
        f" (at {'.'.join(wanted)})" if wanted else ""
    )


def _nearness(found: tuple[int, int, str, int]) -> tuple[int, int, int]:
    shared, age, _, line = found
    return shared, age, -line


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each line that opens a table or sets a key, with its path from the root."""
    table: list[str] = []
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = header[2].split(".")
            if header[1] == "[[":
                counts[header[2]] = counts.get(header[2], -1) + 1
                table = [*table, str(counts[header[2]])]
            yield number, table
        elif key := _KEY.match(line):
            yield number, [*table, key[1].strip('"')]


def _shared(path: list[str], wanted: list[str]) -> int:
    """Length of the common beginning; -1 when ``path`` leads elsewhere."""
    return len(path) if path == wanted[: len(path)] else -1
