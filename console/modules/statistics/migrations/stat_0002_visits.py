"""Every way a visit can go: class, booking, party, items, parking. Built again from the log."""

from alembic import op

revision = "stat_0002"
down_revision = "stat_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        "priority text NOT NULL DEFAULT 'ordinary'",
        "origin text NOT NULL DEFAULT 'kiosk'",
        "booking text",
        "late boolean NOT NULL DEFAULT false",
        "party integer NOT NULL DEFAULT 1",
        "items integer NOT NULL DEFAULT 1",
        "cases integer NOT NULL DEFAULT 0",
        "until bigint",
    ):
        op.execute(f"ALTER TABLE stat_ticket ADD COLUMN {column}")
    op.execute("""
        CREATE TABLE stat_booking (
            hall text NOT NULL,
            id text NOT NULL,
            day date NOT NULL,
            starts bigint NOT NULL,
            party integer NOT NULL,
            state text NOT NULL,
            PRIMARY KEY (hall, id)
        )""")
    op.execute("CREATE INDEX stat_booking_day ON stat_booking (day, hall)")
    op.execute("UPDATE core_projection_cursor SET epoch = -1, seq = 0 WHERE projector = 'tickets'")
