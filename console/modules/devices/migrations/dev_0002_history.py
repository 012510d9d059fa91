"""History of devices: what held at each and when. Built again from the log."""

from alembic import op

revision = "dev_0002"
down_revision = "dev_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE dev_span (
            no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            hall text NOT NULL,
            device text NOT NULL,
            what text NOT NULL,
            began bigint NOT NULL,
            ended bigint,
            told boolean NOT NULL,
            CHECK (ended >= began)
        )""")
    op.execute("CREATE INDEX dev_span_device ON dev_span (hall, device, began)")
    op.execute("CREATE INDEX dev_span_began ON dev_span (began)")
    op.execute(
        "CREATE UNIQUE INDEX dev_span_open ON dev_span (hall, device, what) WHERE ended IS NULL"
    )
    op.execute("CREATE INDEX dev_span_news ON dev_span (no) WHERE ended IS NOT NULL AND NOT told")
    op.execute("""
        CREATE TABLE dev_window (
            hall text NOT NULL,
            id text NOT NULL,
            open boolean NOT NULL,
            PRIMARY KEY (hall, id)
        )""")
    op.execute("""
        CREATE TABLE dev_hours (
            hall text PRIMARY KEY,
            calendar jsonb NOT NULL,
            utc_offset_minutes integer NOT NULL
        )""")
    op.execute("UPDATE core_projection_cursor SET epoch = -1, seq = 0 WHERE projector = 'devices'")
