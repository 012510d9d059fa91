"""Tables of appointments."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from console.core.models import metadata

rule = sa.Table(
    "app_rule",
    metadata,
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("body", pg.JSONB, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)
"""Versions of rules by target; the highest holds. An empty body says nothing: the rule was taken away."""

hall = sa.Table(
    "app_hall",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("body", pg.JSONB, nullable=False),
)
"""What a hall offers, by its own configuration: see :class:`console.modules.appointments.offering.Offering`. A read
model of the halls' events."""

seat = sa.Table(
    "app_seat",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("pool", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("start", sa.SmallInteger, primary_key=True),
    sa.Column("no", sa.SmallInteger, primary_key=True),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("appointment", sa.Text, nullable=False),
    sa.Column("by_staff", sa.Boolean, nullable=False),
    sa.Index("app_seat_appointment", "appointment"),
)
"""Places that are taken, each with its number within the period (minute of the day). One whose ``until`` has passed is
free: nothing has to sweep. ``appointment`` empty: given back, and not offered again before ``until``."""

appointment = sa.Table(
    "app_appointment",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("citizen", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("hall", sa.Text, nullable=False),
    sa.Column("department", sa.Text, nullable=False),
    sa.Column("departments", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("items", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("start", sa.SmallInteger, nullable=False),
    sa.Column("end", sa.SmallInteger, nullable=False),
    sa.Column("start_at", sa.BigInteger, nullable=False),
    sa.Column("end_at", sa.BigInteger, nullable=False),
    sa.Column("party", sa.SmallInteger, nullable=False),
    sa.Column("names", pg.JSONB, nullable=False),
    sa.Column("masked_name", sa.Text, nullable=False),
    sa.Column("masked_number", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("held_until", sa.BigInteger, nullable=False),
    sa.Column("cancel_until", sa.BigInteger, nullable=False),
    sa.Column("early_minutes", sa.Integer, nullable=False),
    sa.Column("late_minutes", sa.Integer, nullable=False),
    sa.Column("remind_at", sa.BigInteger),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("cancelled_at", sa.BigInteger, nullable=False),
    sa.Column("cancelled_by_citizen", sa.Boolean, nullable=False),
    sa.Column("ticket", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("late", sa.Boolean, nullable=False),
    sa.Column("arrived_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger, nullable=False),
    sa.Column("refused", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Index("app_appointment_citizen", "citizen", "day"),
    sa.Index("app_appointment_hall", "hall", "day", "start"),
    sa.Index("app_appointment_ticket", "hall", "ticket", postgresql_where=sa.text("ticket <> ''")),
    sa.Index("app_appointment_day", "day"),
    sa.Index(
        "app_appointment_remind", "remind_at", postgresql_where=sa.text("remind_at IS NOT NULL")
    ),
)
"""Held and booked visits. ``ticket`` to ``ended_at`` and the states after ``booked`` come from the hall's events.
``names`` keeps what hall, items and department were called; ``department`` is that of the first item, ``departments``
are all that are concerned."""

history = sa.Table(
    "app_history",
    metadata,
    sa.Column("no", sa.BigInteger, primary_key=True, autoincrement=True),
    sa.Column("appointment", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=True, unique=True),
    sa.Index("app_history_appointment", "appointment", "no"),
)
"""What was done with an appointment. ``key`` is who asked with the sender's idempotency key: the same request twice
is done once."""

outgoing = sa.Table(
    "app_outgoing",
    metadata,
    sa.Column("no", sa.BigInteger, primary_key=True, autoincrement=True),
    sa.Column("hall", sa.Text, nullable=False),
    sa.Column("appointment", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary),
    sa.Column("told", sa.LargeBinary),
)
"""Directives that wait for their numbers, and what citizens are to be told, written with what they tell of."""

sent = sa.Table(
    "app_sent",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("no", sa.BigInteger, primary_key=True),
    sa.Column("appointment", sa.Text, nullable=False),
)
"""Which directive tells of which appointment, so that a hall's refusal finds it."""

breach = sa.Table(
    "app_breach",
    metadata,
    sa.Column("appointment", sa.Text, primary_key=True),
    sa.Column("citizen", sa.Text, nullable=False),
    sa.Column("hall", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("forgiven_at", sa.BigInteger, nullable=False),
    sa.Column("forgiven_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index("app_breach_citizen", "citizen", "at"),
)
"""Missed visits (违约). ``forgiven_at`` 0: it counts."""

ban = sa.Table(
    "app_ban",
    metadata,
    sa.Column("no", sa.BigInteger, primary_key=True, autoincrement=True),
    sa.Column("citizen", sa.Text, nullable=False),
    sa.Column("hall", sa.Text, nullable=False),
    sa.Column("masked_name", sa.Text, nullable=False),
    sa.Column("masked_number", sa.Text, nullable=False),
    sa.Column("began", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("breaches", sa.Integer, nullable=False),
    sa.Column("lifted_at", sa.BigInteger, nullable=False),
    sa.Column("lifted_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("number_index", sa.Text, nullable=False, server_default=""),
    sa.Index("app_ban_citizen", "citizen", "until"),
    sa.Index("app_ban_number", "number_index", postgresql_where=sa.text("number_index <> ''")),
)
"""Punishments (违约惩戒); ``hall`` is where the last visit was missed. ``reason`` is that of the lifting.
``number_index`` is the blind index of the person's number while the account is gone, empty otherwise."""

listed = sa.Table(
    "app_listed",
    metadata,
    sa.Column("no", sa.BigInteger, primary_key=True, autoincrement=True),
    sa.Column("citizen", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("masked_name", sa.Text, nullable=False),
    sa.Column("masked_number", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("ended_at", sa.BigInteger, nullable=False),
    sa.Column("ended_by", sa.Text, nullable=False),
    sa.Column("number_index", sa.Text, nullable=False, server_default=""),
    sa.Index("app_listed_one", "citizen", unique=True, postgresql_where=sa.text("ended_at = 0")),
    sa.Index("app_listed_number", "number_index", postgresql_where=sa.text("number_index <> ''")),
)
"""Black and white list. ``until`` 0: without an end; ``ended_at`` not 0: taken off the list. ``number_index`` as
that of a punishment."""
