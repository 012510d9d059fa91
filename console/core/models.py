"""Tables of the core. Each module has its own ``models.py``; all share one metadata for the migrations."""

import sqlalchemy as sa

metadata = sa.MetaData()

audit_entry = sa.Table(
    "core_audit",
    metadata,
    sa.Column("no", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("object", sa.Text, nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Index("core_audit_actor", "actor", "no"),
    sa.Index("core_audit_act", "act", "no"),
    sa.Index("core_audit_at", "at"),
    sa.Index("core_audit_object", "object", "no", postgresql_ops={"object": "text_pattern_ops"}),
)

projection_cursor = sa.Table(
    "core_projection_cursor",
    metadata,
    sa.Column("projector", sa.Text, primary_key=True),
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
)

parked_event = sa.Table(
    "core_parked_event",
    metadata,
    sa.Column("projector", sa.Text, primary_key=True),
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("epoch", sa.BigInteger, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)

pruned = sa.Table(
    "core_pruning",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("removed_at", sa.BigInteger),
)
"""Written by :mod:`console.core.pruning`: the last run of each job, and what was removed last."""
