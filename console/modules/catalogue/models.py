"""Tables of the catalogue."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from console.core.models import metadata
from console.core.sheet_import import upload_table

version = sa.Table(
    "cat_version",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("effective_from", sa.Date),
    sa.Column("body", pg.JSONB, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("pinyin", sa.Text, nullable=False),
    sa.Column("initials", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("published_at", sa.BigInteger),
    sa.Column("published_by", sa.Text),
    sa.Index(
        "cat_version_one_draft", "code", unique=True, postgresql_where=sa.text("state = 'draft'")
    ),
    sa.Index(
        "cat_version_in_force",
        "code",
        sa.text("effective_from DESC"),
        sa.text("version DESC"),
        postgresql_where=sa.text("state = 'published'"),
    ),
)
"""Versions of items. Of one item at most one is a draft; published ones never change. In force on a date is the one
with the latest ``effective_from`` that is not after it. ``origin``: ``hand``, ``sheet`` or ``sync``."""

flag = sa.Table(
    "cat_flag",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("bookable", sa.Boolean, nullable=False),
    sa.Column("on_site", sa.Boolean, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
)
"""Switches beside the versions: they hold at once. An item without a row: on site, not bookable."""

material = sa.Table(
    "cat_material",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)

theme = sa.Table(
    "cat_theme",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("place", sa.Integer, nullable=False),
)

rule = sa.Table(
    "cat_rule",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
"""``pattern``: which codes are taken."""

upload = upload_table("cat_upload")
