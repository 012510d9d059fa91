"""Spreadsheets between their preview and their take-in."""

from alembic import op

revision = "org_0002"
down_revision = "org_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE org_upload (
            id text PRIMARY KEY,
            "by" text NOT NULL,
            at bigint NOT NULL,
            data bytea NOT NULL,
            digest text NOT NULL,
            kind text NOT NULL
        )""")
