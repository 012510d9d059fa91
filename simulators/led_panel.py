"""What an LED panel shows, whatever its controller speaks."""

from collections.abc import Callable
from typing import Any

import msgspec

LAMPS = {1: "red", 2: "green", 3: "yellow", 4: "blue"}
"""Colour codes that every known controller shares."""
MAX_LINES = 32


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Letters of one colour."""

    text: str
    colour: str = "red"


class PanelLine(msgspec.Struct, frozen=True, kw_only=True):
    """One lit line. ``effect`` is the controller's own code; places in dots, 0 where it knows none;
    ``align`` is left, right or centre."""

    number: int
    runs: tuple[Run, ...]
    effect: int = 0
    align: str = "left"
    left: int = 0
    top: int = 0
    width: int = 0
    height: int = 0
    at_ms: int = 0

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)


class Panel:
    """Lamps by line. A line of spaces is dark."""

    def __init__(self, now_ms: Callable[[], int], changed: Callable[[], None]) -> None:
        self._now_ms = now_ms
        self._changed = changed
        self.lines: dict[int, PanelLine] = {}

    def show(self, line: PanelLine) -> None:
        if line.number in self.lines or len(self.lines) < MAX_LINES:
            self.lines[line.number] = msgspec.structs.replace(line, at_ms=self._now_ms())
            self._changed()

    def clear(self) -> None:
        self.lines.clear()
        self._changed()

    def text(self, number: int) -> str:
        """What can be read on a line; empty when it is dark."""
        line = self.lines.get(number)
        return line.text.strip() if line is not None else ""

    def state(self) -> list[dict[str, Any]]:
        """Plain JSON values, from the top down."""
        return [
            msgspec.to_builtins(line) | {"text": line.text.strip()}
            for _, line in sorted(self.lines.items())
        ]
