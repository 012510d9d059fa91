"""SQL text compiled once from the Core tables, for the hot path on the plain driver (decision 0003)."""

from typing import Any

from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

_NAMED = sqlite.dialect(paramstyle="named")


def compile_sql(statement: ClauseElement, *, limit: str = "") -> str:
    """The statement as SQLite text with ``:name`` parameters; ``limit`` names a bound row limit.

    The dialect would add an OFFSET with a parameter that only SQLAlchemy's own execution fills in.
    """
    compiled = statement.compile(dialect=_NAMED)
    fixed = [name for name, value in compiled.params.items() if value is not None]
    if fixed:
        raise ValueError(f"values {fixed} would be lost: bind them by name")
    text = str(compiled)
    return f"{text} LIMIT :{limit}" if limit else text


Row = dict[str, Any]
"""Parameters of one statement by column or bind name."""
Change = tuple[str, Row]
"""A compiled statement and its parameters."""
