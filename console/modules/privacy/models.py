"""Tables of the privacy module. Instants are UTC milliseconds."""

import sqlalchemy as sa

from console.core.models import metadata

key = sa.Table(
    "priv_key",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
)
"""Keys that something in this database may be sealed with; what opens them is in the key file."""
