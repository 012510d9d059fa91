"""Tables of the open API. Instants are UTC milliseconds."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from console.core.models import metadata

integrator = sa.Table(
    "gate_integrator",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("contact", sa.Text, nullable=False),
    sa.Column("scopes", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("reach", sa.Text, nullable=False),
    sa.Column("networks", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("per_minute", sa.Integer, nullable=False),
    sa.Column("per_day", sa.Integer, nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
)
"""Other systems. ``reach`` is ``<kind>:<target>``; ``networks`` empty: from anywhere."""

secret = sa.Table(
    "gate_secret",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("client", sa.Text, sa.ForeignKey("gate_integrator.id"), nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("ends_at", sa.BigInteger),
    sa.Index("gate_secret_client", "client"),
)
"""Digests of client secrets; the one before the last still opens until ``ends_at``."""

token = sa.Table(
    "gate_token",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("client", sa.Text, sa.ForeignKey("gate_integrator.id"), nullable=False),
    sa.Column("scopes", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("ends_at", sa.BigInteger, nullable=False),
    sa.Index("gate_token_client", "client"),
    sa.Index("gate_token_ends", "ends_at"),
)

quota = sa.Table(
    "gate_quota",
    metadata,
    sa.Column("client", sa.Text, sa.ForeignKey("gate_integrator.id"), primary_key=True),
    sa.Column("span", sa.Text, primary_key=True),
    sa.Column("began", sa.BigInteger, primary_key=True),
    sa.Column("calls", sa.Integer, nullable=False),
    sa.Index("gate_quota_began", "began"),
)
"""Calls of a minute and of a day (``span``)."""

usage = sa.Table(
    "gate_usage",
    metadata,
    sa.Column("client", sa.Text, sa.ForeignKey("gate_integrator.id"), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("call", sa.Text, primary_key=True),
    sa.Column("answered", sa.Integer, nullable=False),
    sa.Column("refused", sa.Integer, nullable=False),
)

fault = sa.Table(
    "gate_fault",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("client", sa.Text, sa.ForeignKey("gate_integrator.id"), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("call", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("request", sa.Text, nullable=False),
    sa.Index("gate_fault_client", "client", "no"),
)
"""Refused calls of the last days: codes and names of fields, never what was sent."""

key = sa.Table(
    "gate_key",
    metadata,
    sa.Column("client", sa.Text, sa.ForeignKey("gate_integrator.id"), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("body", sa.LargeBinary),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Index("gate_key_at", "at"),
)
"""Idempotency keys with the digest of the request and the answer that it got."""

event = sa.Table(
    "gate_event",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("place", sa.BigInteger, unique=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("hall", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("body", pg.JSONB, nullable=False),
    sa.Column("only_for", sa.Text, nullable=False, server_default=""),
    sa.Index("gate_event_unplaced", "no", postgresql_where=sa.text("place IS NULL")),
    sa.Index("gate_event_at", "at"),
)
"""The outbox, which is also the feed. ``no`` is given when it is written, ``place`` when it can be read: places become
visible in their order, numbers in that of the commits."""

subscription = sa.Table(
    "gate_subscription",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("client", sa.Text, sa.ForeignKey("gate_integrator.id"), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("kinds", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("old_secret", sa.Text, nullable=False),
    sa.Column("old_ends_at", sa.BigInteger),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("place", sa.BigInteger, nullable=False),
    sa.Column("again_from", sa.BigInteger),
    sa.Column("again_to", sa.BigInteger),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_at", sa.BigInteger, nullable=False),
    sa.Column("lease", sa.Text, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Index("gate_subscription_client", "client"),
    sa.Index("gate_subscription_next", "next_at"),
)
"""``place`` is the last event that was settled; ``again_from`` to ``again_to`` are to be sent once more first."""

delivery = sa.Table(
    "gate_delivery",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("subscription", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("place", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("again", sa.Boolean, nullable=False),
    sa.Index("gate_delivery_subscription", "subscription", "no"),
    sa.Index("gate_delivery_at", "at"),
)
"""Every try: ``sent``, ``failed`` and tried again, ``dead`` and left."""

booking = sa.Table(
    "gate_booking",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("client", sa.Text, sa.ForeignKey("gate_integrator.id"), nullable=False),
    sa.Column("appointment", sa.Text, nullable=False, unique=True),
    sa.Column("citizen", sa.Text, nullable=False),
    sa.Column("level", sa.Text, nullable=False),
    sa.Index("gate_booking_client", "client", "no"),
)
"""Appointments that integrators made, so that each sees its own alone, and how sure it was of who it is."""
