"""Codes of wall screens."""

from alembic import op

revision = "wall_0001"
down_revision = None
branch_labels = ("wall",)
depends_on = ("core_0001",)


def upgrade() -> None:
    op.execute("""
        CREATE TABLE wall_token (
            id text PRIMARY KEY,
            name text NOT NULL,
            digest text NOT NULL UNIQUE,
            created_by text NOT NULL,
            created_at bigint NOT NULL,
            used_at bigint,
            revoked_at bigint
        )""")
