"""Tables of the city end of the link. Instants are UTC milliseconds unless the column is a timestamp."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from console.core.models import metadata

hall = sa.Table(
    "hall_hall",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("key_digest", sa.Text, nullable=False),
    sa.Column("enrolled_at", sa.BigInteger, nullable=False),
    sa.Column("division", sa.Text, nullable=False, server_default=""),
    sa.Column("department", sa.Text, nullable=False, server_default=""),
    sa.Column("next_directive", sa.BigInteger, nullable=False),
    sa.Column("latitude", sa.Double),
    sa.Column("longitude", sa.Double),
    sa.Column("settled", sa.Boolean, nullable=False, server_default=sa.true()),
)
"""``latitude`` and ``longitude`` in degrees (WGS 84); both or none. ``settled`` false: the city was put back from a
backup and the hall has not said since which directives it has, so none gets a number."""

cursor = sa.Table(
    "hall_cursor",
    metadata,
    sa.Column("hall", sa.Text, sa.ForeignKey("hall_hall.id"), primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("event_at", sa.BigInteger, nullable=False),
    sa.Column("received_at", sa.BigInteger, nullable=False),
    sa.Column("quarantined", sa.Boolean, nullable=False),
)

event = sa.Table(
    "hall_event",
    metadata,
    sa.Column("hall", sa.Text, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("at", pg.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("day", sa.Date),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("received_at", sa.BigInteger, nullable=False),
    sa.Column("lost", sa.Boolean, nullable=False),
    sa.PrimaryKeyConstraint("hall", "epoch", "seq", "at"),
    postgresql_partition_by="RANGE (at)",
)

fork = sa.Table(
    "hall_fork",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("hall", sa.Text, sa.ForeignKey("hall_hall.id"), nullable=False),
    sa.Column("found_at", sa.BigInteger, nullable=False),
    sa.Column("city_epoch", sa.BigInteger, nullable=False),
    sa.Column("city_seq", sa.BigInteger, nullable=False),
    sa.Column("hall_epoch", sa.BigInteger, nullable=False),
    sa.Column("hall_seq", sa.BigInteger, nullable=False),
    sa.Column("parent_epoch", sa.BigInteger, nullable=False),
    sa.Column("parent_seq", sa.BigInteger, nullable=False),
    sa.Column("decision", sa.Text),
    sa.Column("decided_by", sa.Text),
    sa.Column("decided_at", sa.BigInteger),
    sa.Column("merged_at", sa.BigInteger),
    sa.Index("hall_fork_hall", "hall", "no"),
)

link = sa.Table(
    "hall_link",
    metadata,
    sa.Column("hall", sa.Text, sa.ForeignKey("hall_hall.id"), primary_key=True),
    sa.Column("session", sa.Text, nullable=False),
    sa.Column("connected", sa.Boolean, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
    sa.Column("head", sa.BigInteger, nullable=False),
    sa.Column("offset_ms", sa.BigInteger, nullable=False),
    sa.Column("build", sa.Text, nullable=False),
    sa.Column("refused", sa.Text, nullable=False),
)

live = sa.Table(
    "hall_live",
    metadata,
    sa.Column("hall", sa.Text, sa.ForeignKey("hall_hall.id"), primary_key=True),
    sa.Column("received_at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

directive = sa.Table(
    "hall_directive",
    metadata,
    sa.Column("hall", sa.Text, sa.ForeignKey("hall_hall.id"), primary_key=True),
    sa.Column("no", sa.BigInteger, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger),
    sa.Column("acked_at", sa.BigInteger),
)

profile = sa.Table(
    "hall_profile",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("division", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("phone", sa.Text, nullable=False),
    sa.Column("utc_offset_minutes", sa.Integer, nullable=False),
    sa.Column("config_version", sa.Integer, nullable=False),
)

notice = sa.Table(
    "hall_notice",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("text_en", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)

directory = sa.Table(
    "hall_directory",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("present", sa.Boolean, nullable=False),
    sa.Column("place", sa.Integer, nullable=False),
)
"""Names of everything a hall ever had: what is gone keeps its name for old tickets and ratings."""

outcome = sa.Table(
    "hall_directive_outcome",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("no", sa.BigInteger, primary_key=True),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)

file = sa.Table(
    "hall_file",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("act", sa.Text, primary_key=True),
    sa.Column("media", sa.Text, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)
"""Pictures and diagnostics that an act brought back; kept for minutes."""

parcel = sa.Table(
    "hall_parcel",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
"""What halls may fetch in pieces, by its name in the link's frames."""
