"""When the city was restored, to which state, and where the database before is kept."""

from alembic import op

revision = "up_0003"
down_revision = "up_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE up_restored (
            no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            at bigint NOT NULL,
            moment bigint NOT NULL,
            source text NOT NULL,
            former text NOT NULL,
            by_name text NOT NULL
        )""")
