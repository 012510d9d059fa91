"""Tables of the calendar: years whose notice is in, days that the week does not decide, hours of the halls."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from console.core.models import metadata

year = sa.Table(
    "cal_year",
    metadata,
    sa.Column("year", sa.Integer, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("issued", sa.Date),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
)
"""A year that has no row is not settled. ``source`` says which notice its days are from."""

day = sa.Table(
    "cal_day",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("deadlines", sa.Boolean, nullable=False),
    sa.Column("of_year", sa.Integer, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Index("cal_day_year", "of_year"),
)
"""See :class:`console.modules.calendar.domain.SpecialDay`."""

hall = sa.Table(
    "cal_hall",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("calendar", pg.JSONB, nullable=False),
)
"""Opening hours as each hall's own configuration has them; a read model of the halls' events."""
