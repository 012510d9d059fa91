"""Tables of the devices module."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from console.core.models import metadata

device = sa.Table(
    "dev_device",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("parent", sa.Text),
    sa.Column("win", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("conditions", pg.JSONB, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)
"""``conditions`` maps each present condition to the instant it began."""

help_call = sa.Table(
    "dev_help",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("since", sa.BigInteger, nullable=False),
)
