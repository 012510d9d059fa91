"""Backups made, restore drills, and since when each part of the system is as it is."""

from alembic import op

revision = "up_0001"
down_revision = None
branch_labels = ("upkeep",)
depends_on = ("core_0001",)


def upgrade() -> None:
    op.execute("""
        CREATE TABLE up_backup (
            file text PRIMARY KEY,
            at bigint NOT NULL,
            bytes bigint NOT NULL,
            rows bigint NOT NULL,
            took_ms bigint NOT NULL,
            by_name text NOT NULL
        )""")
    op.execute("""
        CREATE TABLE up_drill (
            no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            file text NOT NULL,
            at bigint NOT NULL,
            good boolean NOT NULL,
            report text NOT NULL,
            took_ms bigint NOT NULL,
            by_name text NOT NULL
        )""")
    op.execute("""
        CREATE TABLE up_health (
            name text PRIMARY KEY,
            state text NOT NULL,
            since bigint NOT NULL
        )""")
