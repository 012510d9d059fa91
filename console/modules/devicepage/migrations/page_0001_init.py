"""Timelines of devices, their models, and photographs of models."""

from alembic import op

revision = "page_0001"
down_revision = None
branch_labels = ("devicepage",)
depends_on = ("core_0001",)


def upgrade() -> None:
    op.execute("""
        CREATE TABLE page_device (
            hall text NOT NULL,
            id text NOT NULL,
            profile text NOT NULL,
            state text NOT NULL,
            conditions text[] NOT NULL,
            PRIMARY KEY (hall, id)
        )""")
    op.execute("""
        CREATE TABLE page_event (
            hall text NOT NULL,
            device text NOT NULL,
            epoch bigint NOT NULL,
            seq bigint NOT NULL,
            at bigint NOT NULL,
            what text NOT NULL,
            state text NOT NULL,
            before text NOT NULL,
            began text[] NOT NULL,
            ended text[] NOT NULL,
            PRIMARY KEY (hall, device, epoch, seq)
        )""")
    op.execute("CREATE INDEX page_event_device ON page_event (hall, device, at)")
    op.execute("CREATE INDEX page_event_at ON page_event (hall, at)")
    op.execute("""
        CREATE TABLE page_photo (
            model text PRIMARY KEY,
            body bytea NOT NULL,
            digest text NOT NULL,
            width integer NOT NULL,
            height integer NOT NULL,
            put_by text NOT NULL,
            put_at bigint NOT NULL
        )""")
