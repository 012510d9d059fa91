"""Tables of the statistics module: today's tickets and windows (rollups come with the year's reports)."""

import sqlalchemy as sa

from console.core.models import metadata

ticket = sa.Table(
    "stat_ticket",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("item", sa.Text, nullable=False),
    sa.Column("department", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("issued_at", sa.BigInteger, nullable=False),
    sa.Column("called_at", sa.BigInteger),
    sa.Column("begun_at", sa.BigInteger),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("win", sa.Text),
    sa.Column("staff", sa.Text),
    sa.Column("calls", sa.Integer, nullable=False),
    sa.Column("print_state", sa.Text, nullable=False),
    sa.Column("priority", sa.Text, nullable=False, server_default="ordinary"),
    sa.Column("origin", sa.Text, nullable=False, server_default="kiosk"),
    sa.Column("booking", sa.Text),
    sa.Column("late", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("party", sa.Integer, nullable=False, server_default="1"),
    sa.Column("items", sa.Integer, nullable=False, server_default="1"),
    sa.Column("cases", sa.Integer, nullable=False, server_default="0"),
    sa.Column("until", sa.BigInteger),
    sa.Index("stat_ticket_day", "day", "hall", "queue"),
)

"""``queue``, ``item``, ``department`` and ``priority`` are the present ones; ``items`` are all that it was
taken for or given at a window, ``cases`` those that are done. ``until`` is when a parked visitor returns."""

booking = sa.Table(
    "stat_booking",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("starts", sa.BigInteger, nullable=False),
    sa.Column("party", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Index("stat_booking_day", "day", "hall"),
)
"""Bookings as the halls know them: due, arrived, missed (爽约), cancelled."""

window = sa.Table(
    "stat_window",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("staff", sa.Text, nullable=False),
    sa.Column("ticket", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
)
