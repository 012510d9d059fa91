"""What acts of remote hands brought back, for minutes."""

from alembic import op

revision = "hall_0003"
down_revision = "hall_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE hall_file (
            hall text NOT NULL,
            act text NOT NULL,
            media text NOT NULL,
            data bytea NOT NULL,
            expires_at bigint NOT NULL,
            PRIMARY KEY (hall, act)
        )""")
