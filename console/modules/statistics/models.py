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
    sa.Index("stat_ticket_day", "day", "hall", "queue"),
)

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
