"""What an erasure had to leave for a while, and when a request to erase was finished."""

from alembic import op

revision = "priv_0006"
down_revision = "priv_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE priv_request ADD COLUMN finished_at bigint")
    op.execute("""
        CREATE TABLE priv_left (
            no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            request bigint,
            holder text NOT NULL,
            record text NOT NULL,
            kept jsonb NOT NULL,
            at bigint NOT NULL,
            next_at bigint NOT NULL)""")
    op.execute("CREATE INDEX priv_left_request ON priv_left (request)")
    op.execute("CREATE INDEX priv_left_next ON priv_left (next_at)")
