"""Which keys this database is sealed with."""

from alembic import op

revision = "priv_0001"
down_revision = None
branch_labels = ("privacy",)
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE priv_key (
            id text PRIMARY KEY,
            fingerprint text NOT NULL,
            seen_at bigint NOT NULL)""")
