"""Structured logs that never carry personal data.

Events are named ``area.what``; values are scalars. A value under a forbidden key, or text that holds
something shaped like a certificate or phone number, is replaced before anything is written.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from qingting.kernel.log_tail import TAIL

FORBIDDEN_KEYS = frozenset(
    {
        "name",
        "person",
        "number",
        "certificate",
        "password",
        "phone",
        "address",
        "key",
        "secret",
        "token",
        "words",
        "birth",
    }
)
"""Keys that may hold something about a citizen or a credential."""
HIDDEN = "[hidden]"
_NUMBER = re.compile(r"(?<!\d)(\d{17}[\dXx]|1[3-9]\d{9})(?!\d)")


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _NUMBER.sub(HIDDEN, value)
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if str(key) in FORBIDDEN_KEYS else _clean(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_clean(item) for item in value]
    return value


def hide_personal_data(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Structlog processor; see the module."""
    for key in list(event):
        event[key] = HIDDEN if key in FORBIDDEN_KEYS else _clean(event[key])
    return event


def configure_logging(level: str = "info", json: bool = False) -> None:
    """Sets up structlog for a process; ``json`` writes one JSON object a line to stderr."""
    numeric = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(
        level=max(numeric, logging.WARNING), stream=sys.stderr, format="%(message)s"
    )
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            hide_personal_data,
            TAIL,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
