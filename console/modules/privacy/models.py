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

grant = sa.Table(
    "priv_grant",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Index("priv_grant_account", "account", "at"),
    sa.Index("priv_grant_at", "at"),
)
"""Who was shown a record in clear, why, and until when."""

export = sa.Table(
    "priv_export",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("by_name", sa.Text, nullable=False),
    sa.Column("asked_at", sa.BigInteger, nullable=False),
    sa.Column("approved", sa.Boolean),
    sa.Column("decided_by", sa.Text),
    sa.Column("decided_name", sa.Text, nullable=False, server_default=""),
    sa.Column("decided_at", sa.BigInteger),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("fetched_at", sa.BigInteger),
    sa.CheckConstraint("decided_by <> by", name="priv_export_two_people"),
    sa.Index("priv_export_asked", "asked_at"),
)
"""Lists with personal data that somebody wants to take out. ``query`` are filters as JSON, none of them personal.
``expires_at``: until when it can be decided, then until when it can be fetched."""

request = sa.Table(
    "priv_request",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("received_at", sa.BigInteger, nullable=False),
    sa.Column("due", sa.Date, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("proof", sa.Text, nullable=False),
    sa.Column("masked_name", sa.Text, nullable=False),
    sa.Column("masked_number", sa.Text, nullable=False),
    sa.Column("name_box", sa.Text),
    sa.Column("number_box", sa.Text),
    sa.Column("phone_box", sa.Text),
    sa.Column("words_box", sa.Text),
    sa.Column("handled_by", sa.Text, nullable=False, server_default=""),
    sa.Column("handled_at", sa.BigInteger),
    sa.Column("outcome", sa.Text, nullable=False, server_default=""),
    sa.Column("counts", sa.Text, nullable=False, server_default=""),
    sa.Index("priv_request_state", "state", "due"),
    sa.Index("priv_request_proof", "proof"),
)
"""Requests of those whom data is about. When one is over its boxes and masked texts are emptied; ``proof`` (a keyed
digest of the number) still tells the one who comes back with the number what was done and when."""
