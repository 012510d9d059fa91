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
    sa.Column("known_since", sa.BigInteger, nullable=False, server_default="0"),
)
"""``conditions`` maps each present condition to the instant it began."""

help_call = sa.Table(
    "dev_help",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("since", sa.BigInteger, nullable=False),
)

span = sa.Table(
    "dev_span",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("hall", sa.Text, nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("began", sa.BigInteger, nullable=False),
    sa.Column("ended", sa.BigInteger),
    sa.Column("told", sa.Boolean, nullable=False),
    sa.Index("dev_span_device", "hall", "device", "began"),
    sa.Index("dev_span_began", "began"),
    sa.Index("dev_span_ended", "ended", postgresql_where=sa.text("ended IS NOT NULL")),
    sa.Index(
        "dev_span_open",
        "hall",
        "device",
        "what",
        unique=True,
        postgresql_where=sa.text("ended IS NULL"),
    ),
    sa.Index("dev_span_news", "no", postgresql_where=sa.text("ended IS NOT NULL AND NOT told")),
)
"""What held at a device, and when. ``told``: handed out after its end."""

window = sa.Table(
    "dev_window",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("open", sa.Boolean, nullable=False),
)

hours = sa.Table(
    "dev_hours",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("calendar", pg.JSONB, nullable=False),
    sa.Column("utc_offset_minutes", sa.Integer, nullable=False),
)
"""Opening hours as set now, which availability is measured by."""
