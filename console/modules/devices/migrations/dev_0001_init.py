"""Devices and calls for help."""

from alembic import op

revision = "dev_0001"
down_revision = None
branch_labels = ("devices",)
depends_on = ("core_0001",)


def upgrade() -> None:
    op.execute("""
        CREATE TABLE dev_device (
            hall text NOT NULL,
            id text NOT NULL,
            kind text NOT NULL,
            name text NOT NULL,
            name_en text NOT NULL,
            parent text,
            win text,
            state text NOT NULL,
            conditions jsonb NOT NULL,
            detail text NOT NULL,
            since bigint NOT NULL,
            changed_at bigint NOT NULL,
            PRIMARY KEY (hall, id)
        )""")
    op.execute("""
        CREATE TABLE dev_help (
            hall text NOT NULL,
            device text NOT NULL,
            since bigint NOT NULL,
            PRIMARY KEY (hall, device)
        )""")
