"""Tables of the evaluation module (好差评)."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from console.core.models import metadata

visit = sa.Table(
    "eval_visit",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("ticket", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("item", sa.Text, nullable=False),
    sa.Column("department", sa.Text, nullable=False),
    sa.Column("win", sa.Text),
    sa.Column("staff", sa.Text),
    sa.Column("case_no", sa.Text),
    sa.Column("finished_at", sa.BigInteger),
    sa.Column("level", sa.Text),
    sa.Column("tags", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("channel", sa.Text),
    sa.Column("seconds", sa.Integer),
    sa.Column("rated_at", sa.BigInteger),
    sa.Column("not_rated", sa.Text),
    sa.Column("priority", sa.Text, nullable=False, server_default="ordinary"),
    sa.Column("booked", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("eval_visit_day", "day", "hall"),
    sa.Index("eval_visit_rated", "rated_at", postgresql_where=sa.text("level IS NOT NULL")),
)
"""One row a ticket: what it is about now. From ``win`` to ``not_rated`` the columns were written while a
ticket had one case; :data:`case` has taken their place."""

case = sa.Table(
    "eval_case",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("case_no", sa.Text, primary_key=True),
    sa.Column("ticket", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("item", sa.Text, nullable=False),
    sa.Column("department", sa.Text, nullable=False),
    sa.Column("priority", sa.Text, nullable=False),
    sa.Column("booked", sa.Boolean, nullable=False),
    sa.Column("win", sa.Text, nullable=False),
    sa.Column("staff", sa.Text, nullable=False),
    sa.Column("finished_at", sa.BigInteger, nullable=False),
    sa.Column("level", sa.Text),
    sa.Column("tags", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("channel", sa.Text),
    sa.Column("seconds", sa.Integer),
    sa.Column("rated_at", sa.BigInteger),
    sa.Column("not_rated", sa.Text),
    sa.Index("eval_case_day", "day", "hall"),
    sa.Index("eval_case_rated", "rated_at", postgresql_where=sa.text("level IS NOT NULL")),
)
"""One row a finished case (办件). ``level`` is set by the citizen's rating and by nothing else; ``not_rated``
says why a case has none."""
