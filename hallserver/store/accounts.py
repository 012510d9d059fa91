"""Tables of accounts: what a hall keeps that is not in its log. No secret is stored, only digests and hashes."""

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text

from hallserver.store.tables import metadata

device_key = Table(
    "device_key",
    metadata,
    Column("device", Text, primary_key=True, nullable=False),
    Column("digest", Text, nullable=False),
    Column("made_at", Integer, nullable=False),
)
"""The key that a paired device presents, as its SM3 digest."""

pairing_code = Table(
    "pairing_code",
    metadata,
    Column("digest", Text, primary_key=True, nullable=False),
    Column("device", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("parent", Text),
    Column("window", Text),
    Column("made_by", Text, nullable=False),
    Column("expires_at", Integer, nullable=False),
    Column("used_at", Integer),
)
"""Codes that a manager's page shows; each pairs one device, once."""

staff_password = Table(
    "staff_password",
    metadata,
    Column("staff", Text, primary_key=True, nullable=False),
    Column("hash", Text, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("changed_at", Integer, nullable=False),
)
"""argon2id hashes. ``must_change`` marks a one-time password."""

lockout = Table(
    "lockout",
    metadata,
    Column("account", Text, primary_key=True, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("locked_until", Integer, nullable=False),
)
"""Wrong attempts in a row, by account or by the address of a device that pairs."""

web_session = Table(
    "web_session",
    metadata,
    Column("digest", Text, primary_key=True, nullable=False),
    Column("subject", Text, nullable=False),
    Column("csrf", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("seen_at", Integer, nullable=False),
    Column("marks", Text, nullable=False),
    Index("ix_web_session_subject", "subject"),
)
"""Logged-in managers; the cookie is known by its digest only."""

pad_login = Table(
    "pad_login",
    metadata,
    Column("device", Text, primary_key=True, nullable=False),
    Column("staff", Text, nullable=False),
    Column("at", Integer, nullable=False),
    Index("ix_pad_login_staff", "staff"),
)
"""Who is logged in on which call pad, so that a restart of the server asks nobody for a password."""
