"""Background jobs with their progress, and the files that they made."""

from alembic import op

revision = "job_0001"
down_revision = None
branch_labels = ("jobs",)
depends_on = ("core_0001",)


def upgrade() -> None:
    op.execute("""
        CREATE TABLE job_job (
            no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            kind text NOT NULL,
            argument text NOT NULL,
            subject text NOT NULL,
            asked_by text NOT NULL,
            asked_name text NOT NULL,
            hall text NOT NULL,
            permission text NOT NULL,
            state text NOT NULL
                CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
            asked_at bigint NOT NULL,
            begun_at bigint NOT NULL,
            ended_at bigint NOT NULL,
            expires_at bigint NOT NULL,
            lease_until bigint NOT NULL,
            worker text NOT NULL,
            attempts integer NOT NULL,
            cancelled_by text NOT NULL,
            done bigint NOT NULL,
            total bigint NOT NULL,
            saying text NOT NULL,
            checkpoint text NOT NULL,
            code text NOT NULL,
            params text NOT NULL
        )""")
    op.execute("CREATE INDEX job_job_open ON job_job (no) WHERE state IN ('waiting', 'running')")
    op.execute("CREATE INDEX job_job_asked_by ON job_job (asked_by, no)")
    op.execute("""
        CREATE TABLE job_file (
            job bigint PRIMARY KEY REFERENCES job_job (no),
            name text NOT NULL,
            media text NOT NULL,
            data bytea NOT NULL
        )""")
