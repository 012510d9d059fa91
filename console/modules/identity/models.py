"""Tables of the identity module: accounts, roles, sessions, and tries that survive a restart."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from console.core.models import metadata

account = sa.Table(
    "ident_account",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("duty", sa.Text, nullable=False, server_default=""),
    sa.Column("division", sa.Text, nullable=False, server_default=""),
    sa.Column("staff", sa.Text, unique=True),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("must_change", sa.Boolean, nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("totp_box", sa.Text),
    sa.Column("totp_pending", sa.Text),
    sa.Column("totp_step", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("totp_since", sa.BigInteger),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("last_login_at", sa.BigInteger),
    sa.UniqueConstraint("id", "duty"),
)
"""``totp_box`` holds the sealed secret of the second factor since ``totp_since``, ``totp_pending`` one that waits for its
first code; ``totp_step`` is the last step that was taken. ``duty`` is that of the three administrators whose
functions the account's roles have, or empty; ``division`` says whose account it is to keep, ``staff`` (a staff
number) who uses it."""

role = sa.Table(
    "ident_role",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("functions", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("duty", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("id", "duty"),
)
"""``version`` 0: as it came with the program."""

assignment = sa.Table(
    "ident_assignment",
    metadata,
    sa.Column("account", sa.Text, sa.ForeignKey("ident_account.id"), primary_key=True),
    sa.Column("role", sa.Text, primary_key=True),
    sa.Column("duty", sa.Text, nullable=False),
    sa.Column("exclusive", sa.Text, sa.Computed("nullif(duty, '')", persisted=True)),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("given_by", sa.Text, nullable=False),
    sa.Column("given_at", sa.BigInteger, nullable=False),
    sa.ForeignKeyConstraint(
        ["role", "duty"], ["ident_role.id", "ident_role.duty"], onupdate="CASCADE"
    ),
    sa.ForeignKeyConstraint(
        ["account", "exclusive"],
        ["ident_account.id", "ident_account.duty"],
        deferrable=True,
        initially="DEFERRED",
    ),
    sa.Index("ident_assignment_role", "role"),
)
"""An account has a role within a reach. ``exclusive`` is the duty once more, but for none: by it the database
lets no account have two."""

former_password = sa.Table(
    "ident_former_password",
    metadata,
    sa.Column("account", sa.Text, sa.ForeignKey("ident_account.id"), primary_key=True),
    sa.Column("at", sa.BigInteger, primary_key=True),
    sa.Column("hash", sa.Text, nullable=False),
)

tries = sa.Table(
    "ident_tries",
    metadata,
    sa.Column("name_digest", sa.Text, primary_key=True),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("locked_until", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)
"""By digest of the name that was typed, whether it exists or not: a lock tells nobody which names do."""

session = sa.Table(
    "ident_session",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("csrf", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
    sa.Column("marks", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("address", sa.Text, nullable=False, server_default=""),
    sa.Column("program", sa.Text, nullable=False, server_default=""),
    sa.Column("means", sa.Text, nullable=False, server_default=""),
    sa.Column("origin", sa.Text, nullable=False, server_default=""),
    sa.Index("ident_session_subject", "subject"),
)
"""``origin``: the login at the identity platform that a session stands on (:func:`.origins.origin_of`)."""

ended = sa.Table(
    "ident_ended",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
)
"""Sessions that somebody ended, for a day."""

recovery = sa.Table(
    "ident_recovery",
    metadata,
    sa.Column("account", sa.Text, sa.ForeignKey("ident_account.id"), primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("used_at", sa.BigInteger),
)
"""Codes that stand in for a lost telephone, each once."""

policy = sa.Table(
    "ident_policy",
    metadata,
    sa.Column("id", sa.SmallInteger, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("password_days", sa.Integer, nullable=False),
    sa.Column("remembered", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("lock_minutes", sa.Integer, nullable=False),
    sa.Column("idle_minutes", sa.Integer, nullable=False),
    sa.Column("session_hours", sa.Integer, nullable=False),
    sa.Column("grace_days", sa.Integer, nullable=False),
    sa.Column("factor_for", pg.ARRAY(sa.Text), nullable=False),
)
"""One row, the rules of logging in."""

network = sa.Table(
    "ident_network",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("network", pg.CIDR, nullable=False),
    sa.Column("account", sa.Text, sa.ForeignKey("ident_account.id")),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("given_by", sa.Text, nullable=False),
    sa.Column("given_at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("network", "account", postgresql_nulls_not_distinct=True),
)
"""Networks that staff may log in from. ``account`` null: everybody who has none of the own."""

binding = sa.Table(
    "ident_binding",
    metadata,
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, sa.ForeignKey("ident_account.id"), nullable=False),
    sa.Column("given_by", sa.Text, nullable=False),
    sa.Column("given_at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("account", "issuer"),
)
"""Whom of an identity platform an account belongs to."""

binding_wish = sa.Table(
    "ident_binding_wish",
    metadata,
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("staff", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Index("ident_binding_wish_staff", "staff"),
)
"""Who came from the platform and has no account here yet, for a week: their keeper confirms."""

scan = sa.Table(
    "ident_scan",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("waiter", sa.Text, nullable=False, unique=True),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("program", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("account", sa.Text, sa.ForeignKey("ident_account.id")),
    sa.Column("means", sa.Text, nullable=False, server_default=""),
    sa.Column("origin", sa.Text, nullable=False, server_default=""),
)
"""A browser (``waiter``: digest of its cookie) that waits for a telephone to confirm its login."""
