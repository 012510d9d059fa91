"""What halls may fetch in pieces: archives of releases."""

from alembic import op

revision = "hall_0005"
down_revision = "hall_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE hall_parcel (
            id text PRIMARY KEY,
            data bytea NOT NULL
        )""")
    # Pieces are cut out of it; compressed it would be unpacked for each of them.
    op.execute("ALTER TABLE hall_parcel ALTER COLUMN data SET STORAGE EXTERNAL")
