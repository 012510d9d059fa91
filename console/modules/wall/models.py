"""Tables of the wall screens."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from console.core.models import metadata

token = sa.Table(
    "wall_token",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("used_at", sa.BigInteger),
    sa.Column("revoked_at", sa.BigInteger),
    sa.Column("reaches", pg.ARRAY(sa.Text)),
)
"""By digest of the code, which nobody can read again. ``used_at`` is kept to the minute. ``reaches``: what the
screen shows, as ``<kind>:<target>``; None: the whole city, as before there were districts' own."""
