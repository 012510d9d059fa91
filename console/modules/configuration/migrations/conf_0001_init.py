"""Configurations of halls: what was in force, what is being written, what was sent. Built from the log so far."""

from alembic import op

revision = "conf_0001"
down_revision = None
branch_labels = ("configuration",)
depends_on = ("core_0001", "hall_0005")


def upgrade() -> None:
    op.execute("""
        CREATE TABLE conf_version (
            hall text NOT NULL,
            epoch bigint NOT NULL,
            seq bigint NOT NULL,
            version integer NOT NULL,
            at bigint NOT NULL,
            origin text NOT NULL,
            who text NOT NULL,
            note text NOT NULL,
            parts text NOT NULL,
            body bytea NOT NULL,
            PRIMARY KEY (hall, epoch, seq)
        )""")
    op.execute("""
        CREATE TABLE conf_draft (
            hall text PRIMARY KEY,
            revision integer NOT NULL,
            base_version integer NOT NULL,
            base bytea NOT NULL,
            body bytea NOT NULL,
            changed_at bigint NOT NULL,
            changed_by text NOT NULL
        )""")
    _sending()


def _sending() -> None:
    op.execute("""
        CREATE TABLE conf_save (
            hall text NOT NULL,
            revision integer NOT NULL,
            at bigint NOT NULL,
            who text NOT NULL,
            part text NOT NULL,
            body bytea NOT NULL,
            PRIMARY KEY (hall, revision)
        )""")
    op.execute("""
        CREATE TABLE conf_publication (
            hall text NOT NULL,
            directive bigint NOT NULL,
            version integer NOT NULL,
            base_version integer NOT NULL,
            revision integer NOT NULL,
            note text NOT NULL,
            who text NOT NULL,
            state text NOT NULL,
            code text NOT NULL,
            at bigint NOT NULL,
            ended_at bigint NOT NULL,
            PRIMARY KEY (hall, directive)
        )""")
    op.execute("CREATE INDEX conf_publication_version ON conf_publication (hall, version)")
