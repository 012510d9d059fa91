"""Tables of the alarms module. Instants are UTC milliseconds. Alarms are no read model: what people did to
them stands nowhere else."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from console.core.models import metadata

rule = sa.Table(
    "alarm_rule",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("body", pg.JSONB, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
)
"""Rules that were edited or made here; the others stand in the program."""

alarm = sa.Table(
    "alarm_alarm",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("hall", sa.Text, nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("began", sa.BigInteger, nullable=False),
    sa.Column("raised_at", sa.BigInteger, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("acked_at", sa.BigInteger),
    sa.Column("acked_by", sa.Text, nullable=False),
    sa.Column("cleared_at", sa.BigInteger),
    sa.Column("cleared_by", sa.Text, nullable=False),
    sa.Column("root", sa.BigInteger),
    sa.Column("behind", sa.Integer, nullable=False),
    sa.Column("maintained", sa.Boolean, nullable=False),
    sa.Column("notify", sa.Boolean, nullable=False),
    sa.Column("told", sa.Boolean, nullable=False),
    sa.Column("told_at", sa.BigInteger),
    sa.Column("asked_at", sa.BigInteger),
    sa.Index(
        "alarm_alarm_open",
        "rule",
        "hall",
        "device",
        "what",
        unique=True,
        postgresql_where=sa.text("state <> 'cleared'"),
    ),
    sa.Index("alarm_alarm_raised", "raised_at"),
    sa.Index("alarm_alarm_cleared", "cleared_at"),
    sa.Index("alarm_alarm_place", "hall", "device", "raised_at"),
    sa.Index("alarm_alarm_root", "root", postgresql_where=sa.text("root IS NOT NULL")),
)
"""One row an alarm; the newest of its key may be raised again. ``root`` is the alarm that it stands behind,
``behind`` how many devices stand behind it. ``kind`` is a device's kind, ``hall`` or empty. ``told_at``: when it was
last told; ``asked_at``: since when somebody is asked to acknowledge it."""

raising = sa.Table(
    "alarm_raising",
    metadata,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("what", sa.Text, primary_key=True),
    sa.Column("began", sa.BigInteger, primary_key=True),
    sa.Column("alarm", sa.BigInteger, nullable=False),
    sa.Index("alarm_raising_began", "began"),
)
"""One row for each cause that was made an alarm: by its key none is made twice, whoever looks and how often."""

step = sa.Table(
    "alarm_step",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("alarm", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Index("alarm_step_alarm", "alarm", "no"),
)

maintenance = sa.Table(
    "alarm_maintenance",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("hall", sa.Text, nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("start", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("ended_by", sa.Text, nullable=False),
    sa.Index("alarm_maintenance_until", "until"),
)
"""``device`` empty: the whole hall. Ended early, ``until`` is when."""

notice = sa.Table(
    "alarm_notice",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("alarm", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("act", sa.Text, nullable=False),
    sa.Index("alarm_notice_alarm", "alarm"),
    sa.Index("alarm_notice_at", "at"),
)

reader = sa.Table(
    "alarm_reader",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("upto", sa.BigInteger, nullable=False),
)
"""Up to which notice an account has read."""

delivery = sa.Table(
    "alarm_delivery",
    metadata,
    sa.Column("notice", sa.BigInteger, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_at", sa.BigInteger, nullable=False),
    sa.Column("done_at", sa.BigInteger),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index("alarm_delivery_due", "next_at", postgresql_where=sa.text("state = 'pending'")),
)

receiver = sa.Table(
    "alarm_receiver",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("body", pg.JSONB, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
)

escalation = sa.Table(
    "alarm_escalation",
    metadata,
    sa.Column("alarm", sa.BigInteger, primary_key=True),
    sa.Column("told_at", sa.BigInteger, primary_key=True),
    sa.Column("receiver", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
)
"""By this key nobody is called twice about one telling of an alarm."""

watch = sa.Table(
    "alarm_watch",
    metadata,
    sa.Column("no", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("looked_at", sa.BigInteger, nullable=False),
)
"""One row: since when this city watches, and when it last did."""
