"""Tables of the notifications. Instants are UTC milliseconds, money is thousandths of a yuan (厘). No table holds an
address: only the masked form of where something was sent."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from console.core.models import metadata

message = sa.Table(
    "note_message",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("citizen", sa.Text, nullable=False),
    sa.Column("hall", sa.Text, nullable=False),
    sa.Column("params", pg.JSONB, nullable=False),
    sa.Column("at", sa.BigInteger),
    sa.Column("due", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("told_at", sa.BigInteger),
    sa.Column("read_at", sa.BigInteger),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Index("note_message_due", "due", postgresql_where=sa.text("state = 'planned'")),
    sa.Index("note_message_citizen", "citizen", "no"),
    sa.Index("note_message_made", "made_at"),
)
"""``at`` is what the module gave, ``due`` when it is told, ``until`` when it is useless. ``since``: when there was cause to
tell it, which is before ``made_at`` where a job caught up."""

delivery = sa.Table(
    "note_delivery",
    metadata,
    sa.Column(
        "message",
        sa.BigInteger,
        sa.ForeignKey("note_message.no", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_at", sa.BigInteger, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("masked", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("segments", sa.Integer, nullable=False),
    sa.Column("cost", sa.BigInteger, nullable=False),
    sa.Column("sent_at", sa.BigInteger),
    sa.Column("done_at", sa.BigInteger),
    sa.Index(
        "note_delivery_due",
        "next_at",
        postgresql_where=sa.text("state IN ('queued', 'held', 'sending')"),
    ),
    sa.Index(
        "note_delivery_reference",
        "channel",
        "reference",
        postgresql_where=sa.text("reference <> ''"),
    ),
    sa.Index("note_delivery_day", "day", "channel"),
    sa.Index("note_delivery_parked", "message", postgresql_where=sa.text("state = 'parked'")),
)
"""One way of a message; ``rank`` 0 is in-site, then the order in which the ways are tried. ``version`` of the
wording, -1 until it was sent. ``reference`` is the provider's id. ``day``: the city's date of the message's turn."""

step = sa.Table(
    "note_step",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column(
        "message",
        sa.BigInteger,
        sa.ForeignKey("note_message.no", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index("note_step_message", "message", "no"),
)
"""What became of a message, in order."""

wording = sa.Table(
    "note_wording",
    metadata,
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("language", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
)
"""Wordings as they were edited, none ever removed; version 0 is the module's own and not stored."""

topic = sa.Table(
    "note_topic",
    metadata,
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("body", pg.JSONB, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
)
"""Topics whose settings were changed here."""

choice = sa.Table(
    "note_choice",
    metadata,
    sa.Column("citizen", sa.Text, primary_key=True),
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("wanted", sa.Boolean, nullable=False),
)
"""Ways that a citizen chose; a way without a row is wanted."""

channel = sa.Table(
    "note_channel",
    metadata,
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Column("down_since", sa.BigInteger),
    sa.Column("down_reason", sa.Text, nullable=False),
)
"""``paused`` by a person; ``down_since``: the provider does not answer, until it does again."""

settings = sa.Table(
    "note_settings",
    metadata,
    sa.Column("no", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("body", pg.JSONB, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
)
"""One row at most: :class:`console.modules.notifications.rules.NoticeRules`."""

follow = sa.Table(
    "note_follow",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("booking", sa.Text, primary_key=True),
    sa.Column("citizen", sa.Text, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("seen", sa.Integer),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Index("note_follow_open", "until", postgresql_where=sa.text("outcome = ''")),
)
"""Who wants to know that few are before them. ``seen``: how many were, when they were first seen waiting."""

restored = sa.Table(
    "note_restored",
    metadata,
    sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),
)
"""When this database was made ready to be the city again: the one before it may have told what was due by then."""
