"""Ratings by case: one ticket may have several (办件). The read model is built again from the log."""

from alembic import op

revision = "eval_0002"
down_revision = "eval_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE eval_visit ADD COLUMN priority text NOT NULL DEFAULT 'ordinary'")
    op.execute("ALTER TABLE eval_visit ADD COLUMN booked boolean NOT NULL DEFAULT false")
    op.execute("""
        CREATE TABLE eval_case (
            hall text NOT NULL,
            case_no text NOT NULL,
            ticket text NOT NULL,
            day date NOT NULL,
            number text NOT NULL,
            item text NOT NULL,
            department text NOT NULL,
            priority text NOT NULL,
            booked boolean NOT NULL,
            win text NOT NULL,
            staff text NOT NULL,
            finished_at bigint NOT NULL,
            level text,
            tags text[] NOT NULL,
            words text NOT NULL,
            channel text,
            seconds integer,
            rated_at bigint,
            not_rated text,
            PRIMARY KEY (hall, case_no),
            CHECK (level IS NULL OR not_rated IS NULL),
            CHECK ((level IS NULL) = (rated_at IS NULL))
        )""")
    op.execute("CREATE INDEX eval_case_day ON eval_case (day, hall)")
    op.execute("CREATE INDEX eval_case_rated ON eval_case (rated_at) WHERE level IS NOT NULL")
    op.execute("UPDATE core_projection_cursor SET epoch = -1, seq = 0 WHERE projector = 'ratings'")
