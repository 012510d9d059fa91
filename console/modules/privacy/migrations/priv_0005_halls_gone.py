"""Halls that can be told nothing yet, and halls that do not come back, in requests to erase."""

from alembic import op

revision = "priv_0005"
down_revision = "priv_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE priv_untold (
            no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            hall text NOT NULL,
            request bigint,
            box text NOT NULL,
            at bigint NOT NULL)""")
    op.execute("CREATE INDEX priv_untold_request ON priv_untold (request)")
    op.execute("""
        CREATE TABLE priv_gone (
            request bigint NOT NULL,
            hall text NOT NULL,
            at bigint NOT NULL,
            by text NOT NULL,
            by_name text NOT NULL,
            why text NOT NULL CHECK (why <> ''),
            PRIMARY KEY (request, hall))""")
