"""Which login at the identity platform a session of staff stands on."""

from alembic import op

revision = "ident_0007"
down_revision = "ident_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("ident_session", "ident_scan"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN origin text NOT NULL DEFAULT ''")
