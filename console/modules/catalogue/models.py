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
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("pinyin", sa.Text, nullable=False),
    sa.Column("syllables", sa.Text, nullable=False),
    sa.Column("initials", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("published_at", sa.BigInteger),
    sa.Column("published_by", sa.Text),
    sa.Column("wanted_from", sa.Date),
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
with the latest ``effective_from`` that is not after it. ``origin``: ``hand``, ``sheet`` or ``sync``; ``wanted_from`` is the day from which a draft is to hold, where its origin says one."""

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

source = sa.Table(
    "cat_source",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("said", pg.JSONB, nullable=False),
    sa.Column("gone", sa.Boolean, nullable=False),
    sa.Column("seen_run", sa.BigInteger, nullable=False),
)
"""What the item system said of each item when both sides last agreed: the base of the next comparison. ``gone``: it
was withdrawn there. ``seen_run`` is the last run that had it, agreed or not."""

sync = sa.Table(
    "cat_sync",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("rules", pg.JSONB, nullable=False),
    sa.Column("cursor", sa.Text, nullable=False),
    sa.Column("modified", sa.BigInteger, nullable=False),
    sa.Column("asked_at", sa.BigInteger, nullable=False),
    sa.Column("answered_at", sa.BigInteger, nullable=False),
    sa.Column("failing_since", sa.BigInteger, nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("told", pg.JSONB, nullable=False),
)
"""One row: the rules, where increments stand, how the source is. 0 and empty: not yet, no. ``asked_at``: the first
time; ``told`` are channels that know that it is silent."""

run = sa.Table(
    "cat_run",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("began_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("cursor", sa.Text, nullable=False),
    sa.Column("position", sa.Text, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("total", sa.Integer),
    sa.Column("figures", pg.JSONB, nullable=False),
    sa.Column("uncoded", sa.Integer, nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("retry_at", sa.BigInteger, nullable=False),
    sa.Column("worker", sa.Text, nullable=False),
    sa.Column("lease_until", sa.BigInteger, nullable=False),
    sa.Index(
        "cat_run_one", sa.text("(true)"), unique=True, postgresql_where=sa.text("state = 'running'")
    ),
)
"""Runs of the sync. ``state``: ``running``, ``waiting`` (for a person to decide about withdrawals), ``done``,
``failed``, ``stopped``. ``pages`` counts those that are taken in: where a run goes on after a crash."""

withdrawal = sa.Table(
    "cat_withdrawal",
    metadata,
    sa.Column("run", sa.BigInteger, primary_key=True),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("on", sa.Date),
    sa.Column("missing", sa.Boolean, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
)
"""Withdrawals that a run found: ``pending``, ``done``, ``refused`` or ``gone`` (the source took it back).
``missing``: it was in a full listing no more."""

conflict = sa.Table(
    "cat_conflict",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("run", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("said", pg.JSONB, nullable=False),
    sa.Column("wanted_from", sa.Date),
)
"""Items that were changed here and at the source, with what the source says now, until a person decides."""

bad_row = sa.Table(
    "cat_bad_row",
    metadata,
    sa.Column("run", sa.BigInteger, primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("faults", pg.JSONB, nullable=False),
    sa.Column("row", sa.Text, nullable=False),
)
"""Rows that a run could not take in, by their place in it."""
