"""Where a session came from, and which ones somebody ended."""

from alembic import op

revision = "ident_0003"
down_revision = "ident_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE ident_session
            ADD COLUMN address text NOT NULL DEFAULT '',
            ADD COLUMN program text NOT NULL DEFAULT ''""")
    op.execute("CREATE TABLE ident_ended (digest text PRIMARY KEY, at bigint NOT NULL)")
