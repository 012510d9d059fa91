"""Tables of the acts module."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from console.core.models import metadata

act = sa.Table(
    "act_act",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("action", sa.LargeBinary, nullable=False),
    sa.Column("asked_at", sa.BigInteger, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("by_city", sa.Boolean, nullable=False),
    sa.Column("directive", sa.BigInteger),
    sa.Column("reached", sa.Boolean, nullable=False),
    sa.Column("outcome", sa.Text),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("figures", pg.JSONB, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("ended_at", sa.BigInteger, nullable=False),
    sa.Index("act_act_device", "hall", "device", "asked_at"),
    sa.Index("act_act_at", "asked_at"),
    sa.Index("act_act_directive", "hall", "directive"),
)
"""``reached``: the hall's log has it. ``by_city``: asked here, else on the hall manager's page."""

bundle = sa.Table(
    "act_bundle",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("files", pg.JSONB, nullable=False),
    sa.Column("put_at", sa.BigInteger, nullable=False),
    sa.Column("put_by", sa.Text, nullable=False),
)
