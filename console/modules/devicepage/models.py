"""Tables of the device page."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from console.core.models import metadata

device = sa.Table(
    "page_device",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("conditions", pg.ARRAY(sa.Text), nullable=False),
)
"""The model of each device, and how it stood at the last line of its timeline."""

happening = sa.Table(
    "page_event",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("epoch", sa.BigInteger, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("began", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("ended", pg.ARRAY(sa.Text), nullable=False),
    sa.Index("page_event_device", "hall", "device", "at"),
    sa.Index("page_event_at", "hall", "at"),
)
"""A line of a timeline; see :class:`console.modules.devicepage.domain.Happening`."""

photo = sa.Table(
    "page_photo",
    metadata,
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("put_by", sa.Text, nullable=False),
    sa.Column("put_at", sa.BigInteger, nullable=False),
)
"""One photograph a model, as WebP that this program has written itself."""
