"""Tables of the upkeep module. Instants are UTC milliseconds."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from console.core.models import metadata


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _big(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


backup = sa.Table(
    "up_backup",
    metadata,
    sa.Column("file", sa.Text, primary_key=True),
    *(_big(name) for name in ("at", "bytes", "rows", "took_ms")),
    _text("by_name"),
)

drill = sa.Table(
    "up_drill",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _text("file"),
    _big("at"),
    sa.Column("good", sa.Boolean, nullable=False),
    _text("report"),
    _big("took_ms"),
    _text("by_name"),
)

health = sa.Table(
    "up_health",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("state"),
    _big("since"),
)
"""Since when a part of the system has been in its state."""

told = sa.Table(
    "up_told",
    metadata,
    sa.Column("part", sa.Text, primary_key=True),
    sa.Column("channels", pg.JSONB, nullable=False),
    _big("lease_until"),
)
"""Names of the channels and receivers that know that a part is not well. Until ``lease_until`` a worker is telling."""

restored = sa.Table(
    "up_restored",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _big("at"),
    _big("moment"),
    *(_text(name) for name in ("source", "former", "by_name")),
)
"""Restores that made this database the city: it holds the state of ``moment``; ``former`` is where the one before is."""
