"""Tables of the rollouts module. Instants are UTC milliseconds."""

import sqlalchemy as sa

from console.core.models import metadata


def _text(name: str, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, primary_key=primary_key)


def _big(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


release = sa.Table(
    "roll_release",
    metadata,
    _text("id", primary_key=True),
    *(_text(name) for name in ("app", "version", "build", "sha256", "sm3")),
    _big("size"),
    _int("files"),
    *(_text(name) for name in ("name", "notes")),
    _big("put_at"),
    _text("put_by"),
)

shelf = sa.Table(
    "roll_shelf",
    metadata,
    _text("hall", primary_key=True),
    sa.Column("release", sa.Text, sa.ForeignKey("roll_release.id"), primary_key=True),
    _big("directive"),
    _big("sent_at"),
    sa.Column("kept", sa.Boolean, nullable=False),
    _text("code"),
)
"""Which hall was told of which release, and whether it has it."""

rollout = sa.Table(
    "roll_rollout",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    *(_text(name) for name in ("what", "release", "title", "phase")),
    _int("wave"),
    _text("waves"),
    _big("soak_ms"),
    _int("within_s"),
    _big("started_at"),
    _text("started_by"),
    _big("ended_at"),
)

target = sa.Table(
    "roll_target",
    metadata,
    sa.Column("rollout", sa.BigInteger, sa.ForeignKey("roll_rollout.no"), primary_key=True),
    _text("hall", primary_key=True),
    _text("device", primary_key=True),
    *(_int(name) for name in ("place", "wave")),
    *(_text(name) for name in ("at", "former", "act")),
    *(_big(name) for name in ("since", "retry_at")),
    _text("code"),
    sa.Column("passed", sa.Boolean, nullable=False),
    sa.Index("roll_target_device", "hall", "device"),
)

step = sa.Table(
    "roll_step",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("rollout", sa.BigInteger, sa.ForeignKey("roll_rollout.no"), nullable=False),
    _big("at"),
    *(_text(name) for name in ("step", "hall", "device", "code")),
    _int("wave"),
    _text("by"),
    sa.Index("roll_step_rollout", "rollout", "no"),
)
"""What happened in a rollout, for its page; the audit has the same."""
