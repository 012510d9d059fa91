"""The latest log lines of this process, cleaned like all of them, for diagnostics."""

from collections import deque
from collections.abc import MutableMapping
from typing import Any

KEPT = 300
MAX_LINE = 400


class LogTail:
    """A structlog processor behind :func:`qingting.kernel.logging.hide_personal_data`."""

    def __init__(self, kept: int = KEPT) -> None:
        self._lines: deque[str] = deque(maxlen=kept)

    def __call__(
        self, logger: Any, method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        head = (str(event.get(one, "")) for one in ("timestamp", "level", "event"))
        rest = (
            f"{key}={value}"
            for key, value in event.items()
            if key not in ("timestamp", "level", "event")
        )
        self._lines.append(" ".join((*head, *rest)).replace("\n", " ⏎ ")[:MAX_LINE])
        return event

    def lines(self) -> list[str]:
        """Oldest first."""
        return list(self._lines)


TAIL = LogTail()
"""Filled by the logging of this process once it is configured."""
