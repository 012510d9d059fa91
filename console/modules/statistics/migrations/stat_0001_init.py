"""Tickets and windows."""

from alembic import op

revision = "stat_0001"
down_revision = None
branch_labels = ("statistics",)
depends_on = ("core_0001",)


def upgrade() -> None:
    op.execute("""
        CREATE TABLE stat_ticket (
            hall text NOT NULL,
            id text NOT NULL,
            day date NOT NULL,
            number text NOT NULL,
            queue text NOT NULL,
            item text NOT NULL,
            department text NOT NULL,
            state text NOT NULL,
            issued_at bigint NOT NULL,
            called_at bigint,
            begun_at bigint,
            ended_at bigint,
            win text,
            staff text,
            calls integer NOT NULL,
            print_state text NOT NULL,
            PRIMARY KEY (hall, id)
        )""")
    op.execute("CREATE INDEX stat_ticket_day ON stat_ticket (day, hall, queue)")
    op.execute("""
        CREATE TABLE stat_window (
            hall text NOT NULL,
            id text NOT NULL,
            state text NOT NULL,
            staff text NOT NULL,
            ticket text,
            reason text NOT NULL,
            since bigint NOT NULL,
            PRIMARY KEY (hall, id)
        )""")
