"""Visits and their ratings."""

from alembic import op

revision = "eval_0001"
down_revision = None
branch_labels = ("evaluation",)
depends_on = ("core_0001",)


def upgrade() -> None:
    op.execute("""
        CREATE TABLE eval_visit (
            hall text NOT NULL,
            ticket text NOT NULL,
            day date NOT NULL,
            number text NOT NULL,
            item text NOT NULL,
            department text NOT NULL,
            win text,
            staff text,
            case_no text,
            finished_at bigint,
            level text,
            tags text[] NOT NULL,
            words text NOT NULL,
            channel text,
            seconds integer,
            rated_at bigint,
            not_rated text,
            PRIMARY KEY (hall, ticket),
            CHECK (level IS NULL OR not_rated IS NULL),
            CHECK ((level IS NULL) = (rated_at IS NULL))
        )""")
    op.execute("CREATE INDEX eval_visit_day ON eval_visit (day, hall)")
    op.execute("CREATE INDEX eval_visit_rated ON eval_visit (rated_at) WHERE level IS NOT NULL")
